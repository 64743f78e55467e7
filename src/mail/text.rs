//! The text part: the same as the HTML part, in lines of at most 76 columns; URLs unbroken on their own line.
//!
//! Between the first line and the one of four hyphens nothing but an item begins a line with a hyphen, whatever a feed
//! or a name says: `fit` counts on that.

use super::{
    html::{Form, Plan, outlets, plain_title},
    view::{ItemView, Link, OtherView, Piece, View},
};
use unicode_segmentation::UnicodeSegmentation;

/// Columns of prose (RFC 3676 §4.2 advises at most 78).
const COLUMNS: usize = 76;

/// Renders the text part with the items in the forms that the HTML part gave them.
pub(super) fn text(view: &View, plan: &Plan) -> String {
    let mut out = Lines::default();
    out.prose(&view.digest, "  ");
    out.prose(&view.summary, "  ");
    for (group, forms) in view.groups.iter().zip(&plan.forms) {
        out.blank();
        out.prose(&format!("== {} ({}) ==", group.rule, group.count), "  ");
        for (item, form) in group.items.iter().zip(forms) {
            match form {
                Form::Full => full(&mut out, item),
                Form::Compact => compact(&mut out, item),
                Form::Omitted => {}
            }
        }
    }
    let footer = &view.footer;
    if plan.omitted > 0 {
        out.blank();
        out.prose(&format!("{} more: {}", plan.omitted, footer.command), "  ");
    }
    out.blank();
    // Not "-- ": mail programs hide what they take for a signature, and the coverage must be seen.
    out.line("----");
    out.prose(&format!("{} {}", footer.window, footer.coverage.join(" ")), "");
    for line in &footer.failing {
        out.item(line);
    }
    out.blank();
    out.prose(
        &format!("{} {} {}, or remove the address from the digest’s `to`.", footer.why, footer.stop, footer.contact),
        "",
    );
    out.0
}

fn full(out: &mut Lines, item: &ItemView) {
    out.blank();
    out.item(&marked(&item.title));
    let retrospect = if item.in_retrospect { " · found in retrospect" } else { "" };
    if let Some(rule) = &item.above {
        let terms = if item.terms.is_empty() { String::new() } else { format!(" · matched: {}", item.terms) };
        return out.prose(&format!("  also above, under {rule}{retrospect}{terms}"), "  ");
    }
    let (note, url) = match &item.link {
        Link::Web { href, host } => (format!(" · {host}"), Some(href)),
        Link::Text(text) => (format!(" · link: {text}"), None),
        Link::Missing => (" · no link".to_owned(), None),
    };
    let told = if item.told_before { " · reported before" } else { "" };
    out.prose(&format!("  {} · {}{note}{told}{retrospect}", item.outlet, item.time), "  ");
    if let Some(url) = url {
        out.line(&format!("  {url}"));
    }
    if !item.excerpt.is_empty() {
        out.prose(&format!("  {}", marked(&item.excerpt)), "  ");
    }
    others(out, item);
    if !item.terms.is_empty() {
        out.prose(&format!("  matched: {}", item.terms), "  ");
    }
}

/// Lists the other articles of the story, and the addresses that are not that of the article itself.
fn others(out: &mut Lines, item: &ItemView) {
    if item.others.is_empty() {
        return;
    }
    let name = |other: &OtherView| match &other.title {
        Some(title) => format!("{} (“{title}”)", other.outlet),
        None => other.outlet.clone(),
    };
    let names = item.others.iter().map(name).collect::<Vec<_>>().join(", ");
    let more = if item.others_more > 0 { format!(" and {} more", item.others_more) } else { String::new() };
    out.prose(&format!("  also in: {names}{more}"), "  ");
    let mut shown = vec![href(&item.link)];
    for other in item.others.iter().map(|other| href(&other.link)) {
        if let Some(url) = other.filter(|_| !shown.contains(&other)) {
            out.line(&format!("  {url}"));
            shown.push(other);
        }
    }
}

fn href(link: &Link) -> Option<&str> {
    match link {
        Link::Web { href, .. } => Some(href),
        Link::Text(_) | Link::Missing => None,
    }
}

fn compact(out: &mut Lines, item: &ItemView) {
    let retrospect = if item.in_retrospect { " · found in retrospect" } else { "" };
    out.item(&format!("{} · {}{retrospect}", plain_title(item), outlets(item)));
    if let Link::Web { href, .. } = &item.link {
        out.line(&format!("  {href}"));
    }
}

/// Sets `*…*` around what matched.
fn marked(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| if piece.marked { format!("*{}*", piece.text) } else { piece.text.clone() }).collect()
}

/// Lines that end in a line feed.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn blank(&mut self) {
        self.line("");
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// Adds the first line of an item. The first word stands beside the hyphen, however long it is.
    fn item(&mut self, text: &str) {
        self.wrapped("- ", text, "  ");
    }

    /// Adds text that goes on from line to line with `indent`, and begins with the spaces that it has.
    fn prose(&mut self, text: &str, indent: &str) {
        let (lead, text) = text.split_at(text.len() - text.trim_start_matches(' ').len());
        self.wrapped(lead, text, indent);
    }

    /// Adds `lead` and text, wrapped between words; lines after the first start with `indent`. A longer word has its own
    /// line, or several where it is of a script that is written without spaces.
    fn wrapped(&mut self, lead: &str, text: &str, indent: &str) {
        let (mut line, mut columns, mut empty) = (lead.to_owned(), lead.len(), true);
        for (piece, spaced) in text.split_whitespace().flat_map(pieces) {
            let (gap, width) = (usize::from(spaced && !empty), width(piece));
            if !empty && columns + gap + width > COLUMNS {
                self.line(&line);
                (line, columns, empty) = (indent.to_owned(), indent.len(), true);
            }
            if spaced && !empty {
                line.push(' ');
                columns += 1;
            }
            line.push_str(piece);
            columns += width;
            empty = false;
        }
        self.line(line.trim_end());
    }
}

/// Returns the pieces of a word between which a line may break, each with whether a space comes before it.
fn pieces(word: &str) -> Vec<(&str, bool)> {
    if !word.chars().any(is_wide) {
        return vec![(word, true)];
    }
    word.split_word_bounds().enumerate().map(|(index, piece)| (piece, index == 0)).collect()
}

/// Counts columns: East Asian wide characters and emoji take two.
fn width(word: &str) -> usize {
    word.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_scripts_without_spaces_too() {
        let mut out = Lines::default();
        out.prose(&format!("  {}", "朝鮮が弾道ミサイルを発射した".repeat(8)), "  ");
        out.item(&"слово ".repeat(40));
        assert!(out.0.lines().count() > 6);
        assert!(out.0.lines().all(|line| width(line) <= COLUMNS && line.starts_with(['-', ' '])), "{}", out.0);
    }
}
