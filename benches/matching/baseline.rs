//! What feedwatch is measured against: each watch in turn, and an automaton over all terms with candidates by their
//! rarest group. Both know only small and capital letters of ASCII, which is all that the generated texts have.

use crate::corpus::{NEAR, Term, Watch};
use aho_corasick::AhoCorasick;
use std::collections::HashMap;

/// Each watch in turn.
pub(crate) fn each_in_turn(watches: &[Watch], title: &str, content: &str) -> Vec<usize> {
    let fields = [title.to_ascii_lowercase(), content.to_ascii_lowercase()];
    let places = |term: &Term, field: usize| -> Vec<(usize, usize)> {
        let text = &fields[field];
        let found = text.match_indices(&term.text).map(|(start, found)| (start, start + found.len()));
        found.filter(|(start, end)| whole(text.as_bytes(), *start, *end, term.prefix)).collect()
    };
    let holds = |watch: &&Watch| holds(watch, &fields, &mut |term, field| places(term, field));
    watches.iter().enumerate().filter(|(_, watch)| holds(watch)).map(|(index, _)| index).collect()
}

/// Whether a watch holds, given where its terms stand in the title (0) and the content (1).
fn holds(watch: &Watch, fields: &[String; 2], places: &mut impl FnMut(&Term, usize) -> Vec<(usize, usize)>) -> bool {
    let looked_into = if watch.title { 0..1 } else { 0..2 };
    let mut seen = |term: &Term| looked_into.clone().any(|field| !places(term, field).is_empty());
    if watch.none.iter().any(&mut seen) || !watch.groups.iter().all(|group| group.iter().any(&mut seen)) {
        return false;
    }
    watch.near.as_ref().is_none_or(|(a, b)| {
        looked_into.clone().any(|field| {
            let (a, b) = (places(a, field), places(b, field));
            a.iter().any(|a| b.iter().any(|b| a != b && words_between(&fields[field], *a, *b) <= NEAR))
        })
    })
}

fn words_between(text: &str, a: (usize, usize), b: (usize, usize)) -> usize {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    let is_word = |part: &&str| part.contains(|letter: char| letter.is_ascii_alphanumeric());
    text.get(first.1..second.0).map_or(0, |between| between.split_ascii_whitespace().filter(is_word).count())
}

/// Whether a place begins and ends where a word does.
fn whole(text: &[u8], start: usize, end: usize, prefix: bool) -> bool {
    let word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (start == 0 || !word(start - 1)) && (prefix || !word(end))
}

/// The places of the terms in one article, by term and field.
type Places = HashMap<(u32, usize), Vec<(usize, usize)>>;

/// An automaton over the terms of all watches.
pub(crate) struct Automaton {
    automaton: AhoCorasick,
    terms: HashMap<Term, u32>,
    prefixes: Vec<bool>,
    watches: Vec<Watch>,
    /// By term: the watches that have it in the group that they are found by.
    postings: Vec<Vec<u32>>,
}

impl Automaton {
    pub(crate) fn new(watches: &[Watch]) -> Self {
        let mut terms: HashMap<Term, u32> = HashMap::new();
        let mut patterns = Vec::new();
        for watch in watches {
            let near = watch.near.iter().flat_map(|(a, b)| [a, b]);
            for term in watch.groups.iter().flatten().chain(&watch.none).chain(near) {
                terms.entry(term.clone()).or_insert_with(|| {
                    patterns.push(term.clone());
                    patterns.len() as u32 - 1
                });
            }
        }
        let mut postings = vec![Vec::new(); patterns.len()];
        for (index, watch) in watches.iter().enumerate() {
            // Long terms are rare.
            let rarity = |group: &&Vec<Term>| group.iter().map(|term| term.text.len()).min();
            let near = watch.near.as_ref().map(|(a, b)| vec![if a.text.len() > b.text.len() { a } else { b }.clone()]);
            let group = watch.groups.iter().max_by_key(rarity).cloned().or(near).unwrap_or_default();
            for term in group {
                let posted: &mut Vec<u32> = &mut postings[terms[&term] as usize];
                if posted.last() != Some(&(index as u32)) {
                    posted.push(index as u32);
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(patterns.iter().map(|term| &term.text))
            .expect("the terms make an automaton");
        let prefixes = patterns.iter().map(|term| term.prefix).collect();
        Self { automaton, terms, prefixes, watches: watches.to_vec(), postings }
    }

    pub(crate) fn matches(&self, title: &str, content: &str) -> Vec<usize> {
        let mut places = Places::new();
        let mut candidates = Vec::new();
        for (field, text) in [title, content].into_iter().enumerate() {
            for found in self.automaton.find_overlapping_iter(text) {
                let term = found.pattern().as_u32();
                if whole(text.as_bytes(), found.start(), found.end(), self.prefixes[term as usize]) {
                    places.entry((term, field)).or_default().push((found.start(), found.end()));
                    candidates.extend_from_slice(&self.postings[term as usize]);
                }
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let fields = [title.to_owned(), content.to_owned()];
        let mut at = |term: &Term, field: usize| places.get(&(self.terms[term], field)).cloned().unwrap_or_default();
        candidates.retain(|index| holds(&self.watches[*index as usize], &fields, &mut at));
        candidates.into_iter().map(|index| index as usize).collect()
    }
}
