//! Matching beside an automaton over all terms and beside each rule in turn: `cargo bench --bench matching`.
//!
//! All engines must find the same hits before anything is timed; a rule hits about one article in a thousand or fewer.
//! "prepare" is the text work alone: HTML to text, and text to words looked up in vain. "cold" empties the caches before
//! each article, as a daemon finds them that is idle most of the time. "forms" and "groups" are feedwatch alone, beside
//! the same rules without forms. All times are those of the processor. feedwatch also tells the places of its hits, the
//! others only which rules hit.
//! Nearness counts the words between two terms of one field.

#![expect(clippy::print_stderr, reason = "a benchmark tells what it found")]

mod baseline;
mod corpus;
mod processor;

use baseline::{Automaton, each_in_turn};
use corpus::{Language, Watch};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use feedwatch::rules::{self, Document, Forms, Rule, RuleSet, RuleSource, TermGroups, plain};
use processor::ProcessorTime;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const RULES: [usize; 4] = [10, 1_000, 10_000, 100_000];
const BYTES: [usize; 4] = [250, 1_000, 1_500, 5_000];
/// Articles that are matched in turn.
const ARTICLES: usize = 256;
/// Articles on which the engines are compared.
const COMPARED: usize = 32;
/// Rules of the scenarios with forms and with term groups.
const SCENARIO_RULES: usize = 10_000;
/// More than the caches hold.
const CACHES: usize = 64 << 20;

type Article = (String, String);

fn articles(language: &Language, bytes: usize) -> Vec<Article> {
    let mut rng = fastrand::Rng::with_seed(bytes as u64);
    (0..ARTICLES).map(|_| language.article(bytes, &mut rng)).collect()
}

fn rules(watches: &[Watch]) -> Vec<Rule> {
    inflected(watches, Forms::Exact, None)
}

fn inflected(watches: &[Watch], forms: Forms, language: Option<rules::Language>) -> Vec<Rule> {
    let rule = |(index, watch): (usize, &Watch)| {
        let (name, query) = (format!("{index}"), Some(watch.query()));
        let source = RuleSource { name, query, forms, language, ..RuleSource::default() };
        Rule::new(&source, &TermGroups::default()).expect("a generated query is sound")
    };
    watches.iter().enumerate().map(rule).collect()
}

fn document(article: &Article) -> Document<'_> {
    Document { title: &article.0, content: &article.1, ..Document::default() }
}

fn hits(set: &RuleSet, article: &Article) -> Vec<usize> {
    set.matches(&document(article)).into_iter().map(|found| found.rule).collect()
}

fn tell(what: &str, found: usize, watches: usize, articles: usize) {
    let average = found as f64 / articles as f64;
    eprintln!("{what}: {average:.2} hits an article, {:.4} % of the rules", average / watches as f64 * 100.0);
}

/// Asserts that the engines agree, and tells how many rules hit.
fn compare(watches: &[Watch], set: &RuleSet, automaton: &Automaton, articles: &[Article]) {
    let (mut found, mut space) = (0, automaton.space());
    for article in &articles[..COMPARED] {
        let mut ours = hits(set, article);
        ours.sort_unstable();
        let theirs = automaton.matches(&article.0, &article.1, &mut space);
        assert_eq!(ours, theirs, "the automaton finds other hits: {article:?}");
        assert_eq!(ours, each_in_turn(watches, &article.0, &article.1), "each in turn finds other hits: {article:?}");
        found += ours.len();
    }
    tell(&format!("{} rules, {} B", watches.len(), articles[0].1.len()), found, watches.len(), COMPARED);
}

fn matching(criterion: &mut Criterion<ProcessorTime>) {
    let language = Language::new();
    let all = language.watches(RULES[RULES.len() - 1]);
    for count in RULES {
        let watches = &all[..count];
        let set = RuleSet::new(&rules(watches));
        let automaton = Automaton::new(watches);
        let mut space = automaton.space();
        for bytes in BYTES {
            let articles = articles(&language, bytes);
            compare(watches, &set, &automaton, &articles);
            let mut group = criterion.benchmark_group(format!("warm/{bytes} B"));
            group.throughput(Throughput::Elements(1));
            group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
            group.sample_size(40);
            let mut turn = (0..ARTICLES).cycle();
            let mut next = || &articles[turn.next().expect("a cycle has no end")];
            group.bench_function(BenchmarkId::new("feedwatch", count), |bencher| {
                bencher.iter(|| black_box(hits(&set, next())));
            });
            group.bench_function(BenchmarkId::new("automaton", count), |bencher| {
                bencher.iter(|| {
                    let (title, content) = next();
                    black_box(automaton.matches(title, content, &mut space))
                });
            });
            group.sample_size(10);
            group.bench_function(BenchmarkId::new("each in turn", count), |bencher| {
                bencher.iter(|| {
                    let (title, content) = next();
                    black_box(each_in_turn(watches, title, content))
                });
            });
        }
        cold(criterion, count, &set, &automaton, &articles(&language, 1_500));
    }
}

fn cold(
    criterion: &mut Criterion<ProcessorTime>,
    count: usize,
    set: &RuleSet,
    automaton: &Automaton,
    articles: &[Article],
) {
    let mut group = criterion.benchmark_group("cold/1500 B");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(5));
    let mut space = automaton.space();
    let mut memory = vec![1_u8; CACHES];
    let mut turn = (0..ARTICLES).cycle();
    let mut next = || {
        memory.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
        black_box(&memory);
        &articles[turn.next().expect("a cycle has no end")]
    };
    group.bench_function(BenchmarkId::new("feedwatch", count), |bencher| {
        bencher.iter_batched(&mut next, |article| black_box(hits(set, article)), BatchSize::PerIteration);
    });
    group.bench_function(BenchmarkId::new("automaton", count), |bencher| {
        bencher.iter_batched(
            &mut next,
            |article| black_box(automaton.matches(&article.0, &article.1, &mut space)),
            BatchSize::PerIteration,
        );
    });
}

/// The same rules with exact words, with the forms of a language, and with those of the article's language.
fn forms(criterion: &mut Criterion<ProcessorTime>) {
    let language = Language::new();
    let watches = language.watches(SCENARIO_RULES);
    let articles = articles(&language, 1_500);
    let english = rules::Language::of_tag("en");
    for (name, forms, language) in [
        ("exact", Forms::Exact, None),
        ("inflected, English", Forms::Inflected, english),
        ("inflected, of the article", Forms::Inflected, None),
    ] {
        let set = RuleSet::new(&inflected(&watches, forms, language));
        scenario(criterion, "forms", name, &set, &articles);
    }
}

/// Rules that share groups of thousands of names.
fn groups(criterion: &mut Criterion<ProcessorTime>) {
    let language = Language::new();
    let groups = language.groups().into_iter().collect();
    let rule = |(index, query)| {
        let source = RuleSource { name: format!("{index}"), query: Some(query), ..RuleSource::default() };
        Rule::new(&source, &groups).expect("a generated query is sound")
    };
    let rules: Vec<Rule> = language.queries_of_groups(SCENARIO_RULES).into_iter().enumerate().map(rule).collect();
    let started = Instant::now();
    let before = resident_kib();
    let set = RuleSet::new(&rules);
    tell_memory("rules with term groups", before);
    eprintln!("rules with term groups: compiled in {:.0?}", started.elapsed());
    scenario(criterion, "groups", "5,000 names each", &set, &articles(&language, 1_500));
}

/// Times feedwatch alone on articles whose feed says that they are English.
fn scenario(criterion: &mut Criterion<ProcessorTime>, group: &str, name: &str, set: &RuleSet, articles: &[Article]) {
    let found = |article: &Article| set.matches(&Document { language: Some("en"), ..document(article) }).len();
    tell(&format!("{group}, {name}"), articles.iter().map(found).sum(), SCENARIO_RULES, ARTICLES);
    let mut group = criterion.benchmark_group(group);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1)).sample_size(40);
    let mut turn = articles.iter().cycle();
    group.bench_function(name, |bencher| bencher.iter(|| black_box(found(turn.next().expect("a cycle has no end")))));
}

fn prepare(criterion: &mut Criterion<ProcessorTime>) {
    let language = Language::new();
    let nothing = RuleSource { name: "nothing".to_owned(), all: vec!["zzzz".to_owned()], ..RuleSource::default() };
    let nothing = RuleSet::new(&[Rule::new(&nothing, &TermGroups::default()).expect("a sound rule")]);
    for bytes in BYTES {
        let articles = articles(&language, bytes);
        let pages: Vec<String> = articles.iter().map(|(_, content)| page(content)).collect();
        let mut group = criterion.benchmark_group(format!("prepare/{bytes} B"));
        group.throughput(Throughput::Bytes(bytes as u64));
        let mut turn = (0..ARTICLES).cycle();
        let mut next = || turn.next().expect("a cycle has no end");
        group.bench_function("HTML to text", |bencher| {
            bencher.iter(|| black_box(plain::plain_text(&pages[next()])));
        });
        group.bench_function("text to words", |bencher| {
            bencher.iter(|| black_box(hits(&nothing, &articles[next()])));
        });
    }
}

/// Returns a content as publishers send it.
fn page(content: &str) -> String {
    let paragraphs: Vec<String> = content
        .split(". ")
        .map(|sentence| format!("<p>{}</p>", sentence.replace(", ", ",&nbsp;<b>and</b> ")))
        .collect();
    paragraphs.concat()
}

fn compile(criterion: &mut Criterion<ProcessorTime>) {
    let watches = Language::new().watches(RULES[RULES.len() - 1]);
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    for count in RULES {
        let watches = &watches[..count];
        group.bench_function(BenchmarkId::new("parse and compile", count), |bencher| {
            bencher.iter_with_large_drop(|| {
                let rules = rules(watches);
                let set = RuleSet::new(&rules);
                (rules, set)
            });
        });
    }
    group.finish();
    let before = resident_kib();
    let set = RuleSet::new(&rules(&watches));
    tell_memory(&format!("{} rules", watches.len()), before);
    drop(set);
}

fn tell_memory(what: &str, before: Option<u64>) {
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        eprintln!("{what}, compiled: {} MiB more resident", after.saturating_sub(before) / 1024);
    }
}

/// Returns the memory of this process that is resident, where the system tells it.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = compile, prepare, forms, groups, matching
}
criterion_main!(benches);
