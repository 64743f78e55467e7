//! Excerpts: a piece of text around what matched.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A piece of a text, cut at word boundaries, with an ellipsis where something is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Its pieces in order.
    pub segments: Vec<Segment>,
}

/// A piece that is marked as a match, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The text.
    pub text: String,
    /// Whether it matched.
    pub marked: bool,
}

/// Returns an excerpt of at most `most` characters (and ellipses) around the matched byte ranges, or the start of the
/// text without any.
///
/// The window is the one that holds most matches, the first of these. It is cut at word boundaries (UAX #29) where
/// that costs little, else between grapheme clusters. Ranges may overlap, be unsorted, out of range or inside
/// characters; line feeds become spaces.
pub fn around(text: &str, spans: &[Range<usize>], most: usize) -> Excerpt {
    let spans = tidy(text, spans);
    let window = if text.chars().nth(most).is_none() { 0..text.len() } else { window(text, &spans, most) };
    let window = trim(text, window);
    let mut excerpt = Excerpt::default();
    if !text[..window.start].trim().is_empty() {
        excerpt.push("…", false);
    }
    let mut at = window.start;
    for span in &spans {
        let (start, end) = (span.start.max(at), span.end.min(window.end));
        if start < end {
            excerpt.push(&text[at..start], false);
            excerpt.push(&text[start..end], true);
            at = end;
        }
    }
    excerpt.push(&text[at..window.end.max(at)], false);
    if !text[window.end..].trim().is_empty() {
        excerpt.push("…", false);
    }
    excerpt
}

impl Excerpt {
    /// Returns the text without the marks.
    pub fn plain(&self) -> String {
        self.segments.iter().map(|segment| segment.text.as_str()).collect()
    }

    fn push(&mut self, text: &str, marked: bool) {
        if text.is_empty() {
            return;
        }
        let text = text.replace(['\n', '\r'], " ");
        match self.segments.last_mut() {
            Some(last) if last.marked == marked => last.text.push_str(&text),
            _ => self.segments.push(Segment { text, marked }),
        }
    }
}

/// Clips spans to the text and to whole characters, sorts and merges them.
fn tidy(text: &str, spans: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut clipped: Vec<Range<usize>> = spans
        .iter()
        .map(|span| text.ceil_char_boundary(span.start)..text.floor_char_boundary(span.end))
        .filter(|span| span.start < span.end)
        .collect();
    clipped.sort_by_key(|span| span.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(clipped.len());
    for span in clipped {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Chooses what to show of a text that has more than `most` characters.
fn window(text: &str, spans: &[Range<usize>], most: usize) -> Range<usize> {
    if most == 0 {
        return 0..0;
    }
    // Byte offset of each character, and of the end: windows are measured in characters.
    let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let index = |byte: usize| offsets.partition_point(|&offset| offset < byte);
    let last = offsets.len() - 1;
    let (start, kept) = match densest(spans, |span| index(span.start)..index(span.end), most) {
        None => (0, 0..0),
        Some(core) => {
            // A third of the room goes before the matches: what follows usually explains more.
            let room = most - (core.end - core.start);
            (core.start.saturating_sub(room / 3).min(last - most), core)
        }
    };
    let end = (start + most).min(last);
    let (left, right) = (offsets[kept.start.max(start)], offsets[kept.end.max(start)]);
    cut(text, offsets[start]..offsets[end], left..right, !spans.is_empty())
}

/// Returns the characters from the first to the last match of the window that holds most of them.
fn densest(
    spans: &[Range<usize>],
    in_characters: impl Fn(&Range<usize>) -> Range<usize>,
    most: usize,
) -> Option<Range<usize>> {
    let spans: Vec<Range<usize>> = spans.iter().map(in_characters).collect();
    let (mut best, mut best_count, mut next) = (None, 0, 0);
    for (first, span) in spans.iter().enumerate() {
        next = next.max(first);
        while next < spans.len() && spans[next].end <= span.start + most {
            next += 1;
        }
        // A match longer than the window counts as one.
        let count = (next - first).max(1);
        if count > best_count {
            let end = spans[first + count - 1].end.min(span.start + most);
            (best, best_count) = (Some(span.start..end), count);
        }
    }
    best
}

/// Narrows a window to word boundaries without touching the matches in `kept`; where a word is so long that this would
/// cost a quarter of the window, to grapheme clusters.
fn cut(text: &str, window: Range<usize>, kept: Range<usize>, has_match: bool) -> Range<usize> {
    let quarter = (window.end - window.start) / 4;
    let latest_start = if has_match { kept.start } else { window.start };
    let earliest_end = if has_match { kept.end } else { window.start };
    let boundaries = |words: bool| -> (Option<usize>, Option<usize>) {
        let mut found = (None, None);
        let mut see = |at: usize| {
            if at >= window.start && at <= latest_start && found.0.is_none() {
                found.0 = Some(at);
            }
            if at <= window.end && at >= earliest_end && at > window.start {
                found.1 = Some(at);
            }
        };
        if words {
            text.split_word_bound_indices().map(|(at, _)| at).take_while(|&at| at <= window.end).for_each(&mut see);
        } else {
            text.grapheme_indices(true).map(|(at, _)| at).take_while(|&at| at <= window.end).for_each(&mut see);
        }
        if window.end == text.len() {
            see(text.len());
        }
        found
    };
    let (words, graphemes) = (boundaries(true), boundaries(false));
    let start = match (words.0, graphemes.0) {
        (Some(at), _) if at - window.start <= quarter => at,
        (_, Some(at)) => at,
        _ => window.start,
    };
    let end = match (words.1, graphemes.1) {
        (Some(at), _) if window.end - at <= quarter => at,
        (_, Some(at)) => at,
        _ => window.end,
    };
    if start < end { start..end } else { window }
}

/// Drops white space at the ends of a window.
fn trim(text: &str, window: Range<usize>) -> Range<usize> {
    let piece = &text[window.clone()];
    let start = window.start + (piece.len() - piece.trim_start().len());
    start..start + piece.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Shows marks as `[…]`.
    fn shown(text: &str, words: &[&str], most: usize) -> String {
        let spans: Vec<_> =
            words.iter().flat_map(|word| text.match_indices(word).map(|(at, m)| at..at + m.len())).collect();
        let excerpt = around(text, &spans, most);
        excerpt.segments.iter().map(|s| if s.marked { format!("[{}]", s.text) } else { s.text.clone() }).collect()
    }

    #[test]
    fn shows_a_window_around_the_matches() {
        let long = "The ministry said on Monday that the country had fired two ballistic missiles into the sea, \
                    the third launch this month, according to officials in Seoul.";
        for (text, words, most, want) in [
            ("", &[][..], 20, ""),
            ("short text", &[], 20, "short text"),
            ("one\ntwo", &["two"], 20, "one [two]"),
            ("  spaced  ", &[], 20, "spaced"),
            (long, &[], 30, "The ministry said on Monday…"),
            (long, &["ballistic missiles"], 60, "…had fired two [ballistic missiles] into the sea, the third…"),
            (long, &["Seoul"], 40, "…month, according to officials in [Seoul]."),
            (long, &["ministry", "launch", "month"], 40, "…third [launch] this [month], according to…"),
            ("朝鮮が弾道ミサイルを発射したと韓国軍が発表した", &["韓国"], 10, "…たと[韓国]軍が発表した"),
        ] {
            assert_eq!(shown(text, words, most), want);
        }
    }

    #[test]
    fn tolerates_any_spans() {
        let backwards = Range { start: 9, end: 2 };
        let spans = [backwards, 4..400, 1..2, 0..3, 3..5, usize::MAX - 1..usize::MAX];
        let excerpt = around("пуск ракеты", &spans, 50);
        let marks: Vec<_> = excerpt.segments.iter().map(|segment| (segment.text.as_str(), segment.marked)).collect();
        assert_eq!(marks, [("п", true), ("у", false), ("ск ракеты", true)]);
    }

    #[test]
    fn a_word_without_end_is_cut_between_graphemes() {
        let excerpt = around(&"x".repeat(2000), &[], 100).plain();
        assert_eq!(excerpt.chars().count(), 101);
        let family = "👩‍👩‍👧‍👦".repeat(50);
        let excerpt = around(&family, &[], 20).plain();
        assert_eq!(excerpt, format!("{}…", "👩‍👩‍👧‍👦".repeat(2)));
    }

    proptest! {
        #[test]
        fn is_a_piece_of_the_text(
            text in "[a-c \n\\.é朝👩\u{200d}\u{301}]{0,80}|\\PC{0,60}",
            spans in prop::collection::vec((0usize..200, 0usize..20), 0..6),
            most in 0usize..60,
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(at, length)| at..at + length).collect();
            let excerpt = around(&text, &spans, most);
            let plain = excerpt.plain();
            let flat = text.replace(['\n', '\r'], " ");
            let inner = if flat.contains(&plain) { plain.as_str() } else { plain.trim_matches('…') };
            prop_assert!(flat.contains(inner), "{plain:?} of {text:?}");
            prop_assert!(plain.chars().count() <= most + 2);
            for segment in excerpt.segments.iter().filter(|segment| segment.marked) {
                let places = (0..flat.len()).filter(|&at| flat.as_bytes()[at..].starts_with(segment.text.as_bytes()));
                let fits = places.map(|at| at..at + segment.text.len()).any(|mut place| {
                    place.all(|byte| spans.iter().any(|span| span.contains(&byte)))
                });
                prop_assert!(fits, "{segment:?} is marked outside {spans:?}");
            }
        }
    }
}
