//! What feedwatch is measured against: each watch in turn, and an automaton over all terms with candidates by their
//! rarest group. Both know only small and capital letters of ASCII, which is all that the generated texts have.
//!
//! The automaton is as good as one would write it without our design: terms are numbers, watches are flat lists of them,
//! what was seen is two bits a term, places are kept only where nearness asks for them, and all space is used again.

use crate::corpus::{NEAR, Term, Watch};
use aho_corasick::AhoCorasick;
use std::collections::HashMap;
use std::ops::Range;

/// First byte and byte after the last.
type Span = (usize, usize);

/// Each watch in turn.
pub(crate) fn each_in_turn(watches: &[Watch], title: &str, content: &str) -> Vec<usize> {
    let fields = [title.to_ascii_lowercase(), content.to_ascii_lowercase()];
    watches.iter().enumerate().filter(|(_, watch)| holds(watch, &fields)).map(|(index, _)| index).collect()
}

fn places<'a>(term: &'a Term, text: &'a str) -> impl Iterator<Item = Span> + 'a {
    let found = text.match_indices(&term.text).map(|(start, found)| (start, start + found.len()));
    found.filter(|(start, end)| whole(text.as_bytes(), *start, *end, term.prefix))
}

fn holds(watch: &Watch, fields: &[String; 2]) -> bool {
    let looked_into = if watch.title { &fields[..1] } else { &fields[..] };
    let seen = |term: &Term| looked_into.iter().any(|text| places(term, text).next().is_some());
    watch.groups.iter().all(|group| group.iter().any(seen))
        && watch.near.as_ref().is_none_or(|(a, b)| {
            looked_into.iter().any(|text| places(a, text).any(|a| places(b, text).any(|b| is_near(text, a, b))))
        })
        && !watch.none.iter().any(seen)
}

fn is_near(text: &str, a: Span, b: Span) -> bool {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    let is_word = |part: &&str| part.contains(|letter: char| letter.is_ascii_alphanumeric());
    let between = text.get(first.1..second.0).unwrap_or_default();
    a != b && between.split_ascii_whitespace().filter(is_word).take(NEAR + 1).count() <= NEAR
}

/// Whether a place begins and ends where a word does.
fn whole(text: &[u8], start: usize, end: usize, prefix: bool) -> bool {
    let word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (start == 0 || !word(start - 1)) && (prefix || !word(end))
}

/// A watch by numbers of terms.
struct Numbered {
    /// Ranges of `Automaton::numbers`.
    groups: [Range<u32>; 2],
    none: Range<u32>,
    near: Option<[u32; 2]>,
    /// The fields that count, as bits.
    fields: u8,
}

/// An automaton over the terms of all watches.
pub(crate) struct Automaton {
    automaton: AhoCorasick,
    /// By term: whether it is a prefix, and whether its places are asked for.
    terms: Vec<(bool, bool)>,
    numbers: Vec<u32>,
    watches: Vec<Numbered>,
    /// By term: where its postings start; one more at the end.
    starts: Vec<u32>,
    /// By term: the watches that have it in the group that they are found by.
    postings: Vec<u32>,
}

/// Space for one article, used again and again.
#[derive(Default)]
pub(crate) struct Space {
    /// By term: the fields that it was seen in, as bits.
    fields: Vec<u8>,
    seen: Vec<u32>,
    /// Term, field, place.
    places: Vec<(u32, usize, Span)>,
    candidates: Vec<u32>,
}

impl Automaton {
    pub(crate) fn new(watches: &[Watch]) -> Self {
        let mut known: HashMap<&Term, u32> = HashMap::new();
        let mut patterns: Vec<&Term> = Vec::new();
        let mut terms = Vec::new();
        let mut number = |term, placed: bool| -> u32 {
            let number = *known.entry(term).or_insert_with(|| {
                patterns.push(term);
                terms.push((term.prefix, false));
                patterns.len() as u32 - 1
            });
            terms[number as usize].1 |= placed;
            number
        };
        let mut numbers = Vec::new();
        let mut numbered = Vec::with_capacity(watches.len());
        let mut posted: Vec<(u32, u32)> = Vec::new();
        for (index, watch) in watches.iter().enumerate() {
            let start = |numbers: &Vec<u32>| numbers.len() as u32;
            let mut groups = [0..0, 0..0];
            for (place, group) in watch.groups.iter().enumerate() {
                let from = start(&numbers);
                for term in group {
                    numbers.push(number(term, false));
                }
                groups[place] = from..start(&numbers);
            }
            let from = start(&numbers);
            for term in &watch.none {
                numbers.push(number(term, false));
            }
            let none = from..start(&numbers);
            let near = watch.near.as_ref().map(|(a, b)| [number(a, true), number(b, true)]);
            // Long terms are rare.
            let rarity = |group: &&Vec<Term>| group.iter().map(|term| term.text.len()).min();
            let rarest = watch.groups.iter().max_by_key(rarity).into_iter().flatten();
            let longer = watch.near.iter().map(|(a, b)| if a.text.len() > b.text.len() { a } else { b });
            for term in rarest.chain(longer) {
                posted.push((number(term, false), index as u32));
            }
            numbered.push(Numbered { groups, none, near, fields: if watch.title { 1 } else { 3 } });
        }
        posted.sort_unstable();
        posted.dedup();
        let mut starts = vec![0; patterns.len() + 1];
        posted.iter().for_each(|(term, _)| starts[*term as usize + 1] += 1);
        (0..patterns.len()).for_each(|term| starts[term + 1] += starts[term]);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(patterns.iter().map(|term| &term.text))
            .expect("the terms make an automaton");
        let postings = posted.into_iter().map(|(_, watch)| watch).collect();
        Self { automaton, terms, numbers, watches: numbered, starts, postings }
    }

    pub(crate) fn space(&self) -> Space {
        Space { fields: vec![0; self.terms.len()], ..Space::default() }
    }

    pub(crate) fn matches(&self, title: &str, content: &str, space: &mut Space) -> Vec<usize> {
        for (field, text) in [title, content].into_iter().enumerate() {
            for found in self.automaton.find_overlapping_iter(text) {
                let term = found.pattern().as_u32();
                let (prefix, placed) = self.terms[term as usize];
                if whole(text.as_bytes(), found.start(), found.end(), prefix) {
                    let fields = &mut space.fields[term as usize];
                    if *fields == 0 {
                        space.seen.push(term);
                    }
                    *fields |= 1 << field;
                    if placed {
                        space.places.push((term, field, (found.start(), found.end())));
                    }
                }
            }
        }
        for term in &space.seen {
            let posted = self.starts[*term as usize] as usize..self.starts[*term as usize + 1] as usize;
            space.candidates.extend_from_slice(&self.postings[posted]);
        }
        space.candidates.sort_unstable();
        space.candidates.dedup();
        let holds = |watch: &&u32| self.holds(&self.watches[**watch as usize], [title, content], space);
        let found = space.candidates.iter().filter(holds).map(|watch| *watch as usize).collect();
        space.seen.drain(..).for_each(|term| space.fields[term as usize] = 0);
        space.places.clear();
        space.candidates.clear();
        found
    }

    fn holds(&self, watch: &Numbered, texts: [&str; 2], space: &Space) -> bool {
        let any = |range: &Range<u32>| {
            let terms = &self.numbers[range.start as usize..range.end as usize];
            terms.iter().any(|term| space.fields[*term as usize] & watch.fields != 0)
        };
        watch.groups.iter().all(|group| group.is_empty() || any(group))
            && !any(&watch.none)
            && watch.near.is_none_or(|[a, b]| {
                let places = |term| space.places.iter().filter(move |(of, ..)| *of == term);
                space.fields[a as usize] & space.fields[b as usize] != 0
                    && places(a)
                        .any(|(_, in_a, a)| places(b).any(|(_, in_b, b)| in_a == in_b && is_near(texts[*in_a], *a, *b)))
            })
    }
}
