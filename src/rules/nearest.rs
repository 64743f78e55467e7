//! The nearest misses: texts that would have been what a rule lacks, but for one thing.

use super::chars::{self, Class};
use super::expression::{Alternatives, Expression, Leaf, Proximity, Term, TermWord, WordKind};
use super::forms::Inflection;
use super::lists::Clause;
use super::matcher::{OperandPlace, RuleSet, Seen};
use super::missing::{Lack, field_name, field_names, listed};
use super::text::{TokenSpace, tokenize};
use super::{Document, FIELDS, FieldSet, Forms, Rule};
use crate::core::digest::counted;
use crate::core::hit::TermMatch;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::Arc;

/// A text that would have been what is lacking, but for one thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Nearest {
    pub(super) place: TermMatch,
    /// The one thing.
    pub(super) why: String,
}

/// Returns what came nearest to any of what a rule lacks.
pub(super) fn nearest(rule: &Rule, lacks: &[Lack<'_>], document: &Document<'_>) -> Option<Nearest> {
    // Where all is there and only stands wrong, nothing is nearer.
    if let Some(proximity) = lacks.iter().find_map(|lack| match lack {
        Lack::Distance(proximity) => Some(*proximity),
        Lack::Leaf(_) | Lack::Operand(..) => None,
    }) {
        return apart(rule, proximity, document);
    }
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut regexes = Vec::new();
    for lack in lacks {
        match lack {
            Lack::Leaf(Expression::Term(term, fields)) => leaves.push(Leaf { term: Arc::clone(term), fields: *fields }),
            Lack::Leaf(Expression::Group(group)) => leaves.extend_from_slice(group.leaves()),
            Lack::Operand(proximity, at) => leaves.extend_from_slice(proximity.operands()[*at].leaves()),
            Lack::Leaf(leaf @ Expression::Regex(_, fields)) if *fields != FieldSet::URL => regexes.push(*leaf),
            Lack::Leaf(_) | Lack::Distance(_) => {}
        }
    }
    // What the URL holds has no place to show.
    leaves.retain(|leaf| leaf.fields != FieldSet::URL);
    relaxed(rule, &leaves, document)
        .or_else(|| regex_elsewhere(rule, &regexes, document))
        .or_else(|| partly(rule, &leaves, document))
}

/// Looks at a document with expressions, each as a rule of its own.
fn look(rule: &Rule, expressions: Vec<Expression>, document: &Document<'_>) -> (RuleSet, Seen) {
    let alone =
        |expression| Rule { clauses: vec![Clause { key: "", written: String::new(), expression }], ..rule.clone() };
    let set = RuleSet::new(&expressions.into_iter().map(alone).collect::<Vec<_>>());
    let mut seen = Seen::default();
    set.look(document, &mut seen);
    (set, seen)
}

/// Letters of a word of which other endings are worth a remark.
const MIN_STEM: usize = 4;

/// Looks for terms with one demand less.
fn relaxed(rule: &Rule, leaves: &[Leaf], document: &Document<'_>) -> Option<Nearest> {
    let any_case: fn(&mut TermWord) = |word| word.cased = None;
    let any_gap: fn(&mut TermWord) = |word| word.loose = true;
    let any_form: fn(&mut TermWord) = |word| {
        if word.kind == WordKind::Whole && word.cased.is_none() && word.forms.is_none() {
            word.forms = Inflection::of(&word.folded, Forms::Inflected, None).map(Arc::new);
        }
    };
    let any_ending: fn(&mut TermWord) = |word| {
        if word.folded.chars().count() >= MIN_STEM {
            word.open();
        }
    };
    let mut why = vec!["elsewhere"];
    let mut variants = vec![elsewhere(leaves)];
    for (relax, reason) in [
        (any_case, "in other capitals than the term"),
        (any_gap, "with punctuation between the words"),
        (any_form, "another form of the word: `forms = \"inflected\"` matches it"),
        (any_ending, "with another ending: `*` at the end of a word matches all"),
    ] {
        variants.push(leaves.iter().filter_map(|leaf| changed(leaf, relax)).collect());
        why.push(reason);
    }
    let (why, variants): (Vec<_>, Vec<_>) =
        why.into_iter().zip(variants).filter(|(_, leaves): &(_, Vec<Leaf>)| !leaves.is_empty()).unzip();
    let group = |leaves| Expression::Group(Arc::new(Alternatives::new(leaves)));
    let (set, seen) = look(rule, variants.into_iter().map(group).collect(), document);
    why.into_iter().enumerate().find_map(|(variant, why)| {
        let place = set.told(variant, document, &seen).into_iter().next()?;
        let why = match why {
            "elsewhere" => {
                let leaf = leaves.iter().find(|leaf| *leaf.term.written == place.term)?;
                looked_elsewhere(leaf.fields)
            }
            why => why.to_owned(),
        };
        Some(Nearest { place, why })
    })
}

fn looked_elsewhere(fields: FieldSet) -> String {
    format!("looked for in {} only", field_names(fields))
}

/// Returns terms in the fields that they are not looked for in.
fn elsewhere(leaves: &[Leaf]) -> Vec<Leaf> {
    leaves.iter().map(|leaf| Leaf { fields: FieldSet::of(&FIELDS), ..leaf.clone() }).collect()
}

fn regex_elsewhere(rule: &Rule, regexes: &[&Expression], document: &Document<'_>) -> Option<Nearest> {
    regexes.iter().find_map(|leaf| {
        let Expression::Regex(regex, fields) = leaf else { return None };
        let everywhere = Expression::Regex(Arc::clone(regex), FieldSet::of(&FIELDS));
        let (set, seen) = look(rule, vec![everywhere], document);
        let place = set.told(0, document, &seen).into_iter().next()?;
        Some(Nearest { place, why: looked_elsewhere(*fields) })
    })
}

/// Returns a term with its words changed; none if that changes nothing.
fn changed(leaf: &Leaf, relax: fn(&mut TermWord)) -> Option<Leaf> {
    let mut words = leaf.term.words.clone();
    words.iter_mut().for_each(relax);
    // Nothing stands before the first.
    words[0].loose = leaf.term.words[0].loose;
    let term = Term { words, written: Arc::clone(&leaf.term.written) };
    (term.words != leaf.term.words).then(|| Leaf { term: Arc::new(term), fields: leaf.fields })
}

/// Phrases of which each word's place is looked at; the others have fewer of their letters in the document.
const MAX_PHRASES: usize = 8;

/// The share of a phrase's letters, in percent, that is worth a remark.
const MIN_SHARE: usize = 40;

/// Words that may stand between those of a phrase for it to be a near miss.
const MAX_BETWEEN: u64 = 10;

/// Looks for phrases of which some words are there.
fn partly(rule: &Rule, leaves: &[Leaf], document: &Document<'_>) -> Option<Nearest> {
    let phrases: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.term.words.len() > 1).collect();
    let phrases = most_seen(rule, &phrases, document);
    let chains = phrases.iter().map(|leaf| {
        let operands = leaf.term.words.iter().map(|word| {
            let leaf = Leaf { term: Arc::new(single(word, "")), fields: leaf.fields };
            Arc::new(Alternatives::new(vec![leaf]))
        });
        Proximity::new(operands.collect(), vec![(0, true); leaf.term.words.len() - 1]).map(Expression::Near)
    });
    let (set, seen) = look(rule, chains.collect::<Option<_>>()?, document);
    let places: Vec<_> = (0..phrases.len()).map(|at| set.operand_places(at, &seen)).collect();
    let each = || phrases.iter().zip(&places);
    let scattered = each().filter_map(|(leaf, places)| scattered(leaf, places)).min_by_key(|(between, _)| *between);
    scattered.map(|(_, nearest)| nearest).or_else(|| {
        let runs = each().filter_map(|(leaf, places)| run(leaf, places, document));
        runs.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, nearest)| nearest)
    })
}

/// Returns a word as a term.
fn single(word: &TermWord, written: &str) -> Term {
    Term { written: written.into(), words: vec![TermWord { loose: false, ..word.clone() }] }
}

fn letters(word: &TermWord) -> usize {
    word.folded.chars().count()
}

/// Returns the phrases of which most letters are in the document.
fn most_seen<'a>(rule: &Rule, phrases: &[&'a Leaf], document: &Document<'_>) -> Vec<&'a Leaf> {
    let mut numbers: FxHashMap<(TermWord, FieldSet), usize> = FxHashMap::default();
    let mut words = Vec::new();
    let mut of_phrases: Vec<Vec<usize>> = Vec::new();
    for leaf in phrases {
        let number = |word: &TermWord| {
            let key = (TermWord { loose: false, ..word.clone() }, leaf.fields);
            *numbers.entry(key).or_insert_with(|| {
                let term = Arc::new(single(word, &words.len().to_string()));
                words.push(Leaf { term, fields: leaf.fields });
                words.len() - 1
            })
        };
        of_phrases.push(leaf.term.words.iter().map(number).collect());
    }
    if words.is_empty() {
        return Vec::new();
    }
    let mut there = vec![false; words.len()];
    let (set, seen) = look(rule, vec![Expression::Group(Arc::new(Alternatives::new(words)))], document);
    for number in set.seen_terms(0, &seen).iter().filter_map(|written| written.parse::<usize>().ok()) {
        there[number] = true;
    }
    let mut shares: Vec<(usize, &Leaf)> = Vec::new();
    for (leaf, numbers) in phrases.iter().zip(&of_phrases) {
        let words = || leaf.term.words.iter().zip(numbers);
        let seen: usize = words().filter(|(_, number)| there[**number]).map(|(word, _)| letters(word)).sum();
        let share = seen * 100 / words().map(|(word, _)| letters(word)).sum::<usize>().max(1);
        if share >= MIN_SHARE {
            shares.push((share, leaf));
        }
    }
    shares.sort_by(|(one, _), (other, _)| other.cmp(one));
    shares.truncate(MAX_PHRASES);
    shares.into_iter().map(|(_, leaf)| leaf).collect()
}

/// Returns where the words of a phrase stand in its order with few others between, and how many; of two words also
/// where they stand in the other order.
fn scattered(leaf: &Leaf, places: &[Vec<OperandPlace>]) -> Option<(u64, Nearest)> {
    let sorted: Vec<Vec<OperandPlace>> = places.iter().map(|places| by_place(places)).collect();
    let chain = |first: &OperandPlace| {
        let (mut last, mut between) = (*first, 0);
        for next in &sorted[1..] {
            let next = *next.get(next.partition_point(|next| next.span.first <= last.span.last))?;
            between += next.span.first - last.span.last - 1;
            last = next;
        }
        (between <= MAX_BETWEEN).then_some((between, *first, last))
    };
    let nearest = |first: OperandPlace, last: OperandPlace, why| {
        let term = SmolStr::from(&*leaf.term.written);
        Nearest { place: TermMatch { term, field: first.field, start: first.start, end: last.end }, why }
    };
    if let Some((between, first, last)) = sorted[0].iter().filter_map(chain).min_by_key(|(between, ..)| *between) {
        let why = format!("with {} between those of the term", counted_words(between));
        return (between > 0).then(|| (between, nearest(first, last, why)));
    }
    let [one, other] = sorted.as_slice() else { return None };
    let turned = pairs(other, one).filter(|(between, ..)| *between <= MAX_BETWEEN).min_by_key(|(between, ..)| *between);
    let (between, first, last) = turned?;
    let why = if between == 0 {
        "in the other order".to_owned()
    } else {
        format!("in the other order, with {} between", counted_words(between))
    };
    Some((between, nearest(first, last, why)))
}

/// Returns the longest run of a phrase's words, with its letters, and what stands where it breaks off.
fn run(leaf: &Leaf, places: &[Vec<OperandPlace>], document: &Document<'_>) -> Option<(usize, Nearest)> {
    let words = &leaf.term.words;
    // By its last word: the run's first word and place, and its last place.
    let mut runs: Vec<(usize, OperandPlace, OperandPlace)> = Vec::new();
    let mut best: Option<(usize, usize, usize, OperandPlace, OperandPlace)> = None;
    for (at, places) in places.iter().enumerate() {
        let ends: FxHashMap<u64, (usize, OperandPlace)> =
            runs.drain(..).map(|(from, first, last)| (last.span.last, (from, first))).collect();
        for place in by_place(places) {
            let (from, first) = ends.get(&(place.span.first.wrapping_sub(1))).copied().unwrap_or((at, place));
            runs.push((from, first, place));
            let size: usize = words[from..=at].iter().map(letters).sum();
            if best.as_ref().is_none_or(|(most, ..)| size > *most) {
                best = Some((size, from, at, first, place));
            }
        }
    }
    let (size, from, to, first, last) = best?;
    let whole: usize = words.iter().map(letters).sum();
    // One character of a script without spaces says nothing.
    if size < 2 || size * 100 / whole < MIN_SHARE || (from == 0 && to + 1 == words.len()) {
        return None;
    }
    let text = document.text(first.field);
    let why = if to + 1 < words.len() {
        let wanted = written(&leaf.term, to + 1);
        match following(text, last.end) {
            Some(next) => format!("followed by “{next}”, not by `{wanted}`"),
            None => format!("not followed by `{wanted}`"),
        }
    } else {
        format!("not after `{}`", written(&leaf.term, from - 1))
    };
    let place =
        TermMatch { term: SmolStr::from(&*leaf.term.written), field: first.field, start: first.start, end: last.end };
    Some((size * 100 / whole, Nearest { place, why }))
}

/// Returns a word of a term as the rule writes it, or much like that where words are joined.
fn written(term: &Term, at: usize) -> String {
    let pieces: Vec<&str> = term.written.split_whitespace().collect();
    if pieces.len() == term.words.len() {
        return pieces[at].to_owned();
    }
    let word = &term.words[at];
    let star = if word.kind == WordKind::Prefix && !word.folded.ends_with('*') { "*" } else { "" };
    format!("{}{star}", word.cased.as_ref().unwrap_or(&word.folded))
}

/// Bytes of a text in which the next word is looked for.
const MAX_NEXT: usize = 200;

/// Returns the word after a place in the same paragraph.
fn following(text: &str, at: usize) -> Option<&str> {
    let rest = super::plain::truncate(text.get(at..)?, MAX_NEXT);
    let mut first = None;
    tokenize(rest, &mut TokenSpace::default(), |token| {
        first.get_or_insert((token.start, token.end));
    });
    let (start, end) = first?;
    (!breaks(&rest[..start])).then(|| &rest[start..end])
}

/// Whether a paragraph ends in what stands between two words.
fn breaks(between: &str) -> bool {
    between.chars().any(|c| chars::class(c) == Class::Line)
}

fn by_place(places: &[OperandPlace]) -> Vec<OperandPlace> {
    let mut places = places.to_vec();
    places.sort_by_key(|place| place.span.first);
    places
}

/// Returns each place with the first of the others after it, and the words between them.
fn pairs<'p>(
    places: &'p [OperandPlace],
    others: &'p [OperandPlace],
) -> impl Iterator<Item = (u64, OperandPlace, OperandPlace)> + 'p {
    places.iter().filter_map(|place| {
        let after = others.get(others.partition_point(|other| other.span.first <= place.span.last))?;
        Some((after.span.first - place.span.last - 1, *place, *after))
    })
}

fn counted_words(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "word")
}

/// Tells how far apart the operands of a proximity stand that were all seen.
fn apart(rule: &Rule, proximity: &Proximity, document: &Document<'_>) -> Option<Nearest> {
    let (set, seen) = look(rule, vec![Expression::Near(proximity.clone())], document);
    let places: Vec<_> = set.operand_places(0, &seen).iter().map(|places| by_place(places)).collect();
    let term = |at: usize| listed(&proximity.operands()[at].names()).trim_matches('`').to_owned();
    let text = |place: &OperandPlace| document.text(place.field).get(place.start..place.end).unwrap_or_default();
    let nearest = |at: usize, place: &OperandPlace, why| {
        let place = TermMatch { term: term(at).into(), field: place.field, start: place.start, end: place.end };
        Some(Nearest { place, why })
    };
    for (at, distance) in proximity.distances().iter().enumerate() {
        let (here, there) = (&places[at], &places[at + 1]);
        let most = u64::from(distance.words);
        let after = pairs(here, there).min_by_key(|(between, ..)| *between);
        let before = pairs(there, here).min_by_key(|(between, ..)| *between);
        let fits = |pair: &Option<(u64, OperandPlace, OperandPlace)>| pair.is_some_and(|(between, ..)| between <= most);
        if fits(&after) || (!distance.ordered && fits(&before)) {
            continue;
        }
        if let Some((between, other, place)) = before.filter(|_| fits(&before)) {
            let why = format!("in the other order: {} after “{}”", counted_words(between), text(&other));
            return nearest(at, &place, why);
        }
        let allowed = format!("`{}NEAR/{most}` allows {most}", if distance.ordered { "O" } else { "" });
        let backward = before.map(|(between, other, place)| (between, place, other));
        let best = after.into_iter().chain(backward).min_by_key(|(between, ..)| *between);
        let (place, other) = match best {
            Some((_, place, other)) => (place, other),
            None => (*here.first()?, *there.first()?),
        };
        let (first, last) = if place.start < other.start { (place, other) } else { (other, place) };
        let between = document.text(place.field).get(first.end..last.start);
        let why = match best.filter(|_| place.field == other.field) {
            Some((between_them, ..)) if !between.is_some_and(breaks) => {
                format!("{} from “{}”; {allowed}", counted_words(between_them), text(&other))
            }
            Some(_) => format!("“{}” stands in another paragraph", text(&other)),
            None if place.field == other.field => "both stand at the same place only".to_owned(),
            None => format!("“{}” stands in {}", text(&other), field_name(other.field)),
        };
        return nearest(at, &place, why);
    }
    let place = places.first()?.first()?;
    nearest(0, place, "each stands near the next, but not all at one place".to_owned())
}
