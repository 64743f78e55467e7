//! Matching beside an automaton over all terms and beside each rule in turn: `cargo bench --bench matching`.
//!
//! All engines must find the same hits before anything is timed. "prepare" is the text work alone: HTML to text, and
//! text to words looked up in vain. "cold" empties the caches before each article, as a daemon finds them that is idle
//! most of the time.

#![expect(clippy::print_stderr, reason = "a benchmark tells what it found")]

mod baseline;
mod corpus;

use baseline::{Automaton, each_in_turn};
use corpus::{Language, Watch};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use feedwatch::rules::{Document, Rule, RuleSet, RuleSource, TermGroups, plain};
use std::{hint::black_box, time::Duration};

const RULES: [usize; 4] = [10, 1_000, 10_000, 100_000];
const BYTES: [usize; 4] = [250, 1_000, 1_500, 5_000];
/// Articles that are matched in turn.
const ARTICLES: usize = 256;
/// More than the caches hold.
const CACHES: usize = 64 << 20;

type Article = (String, String);

fn articles(language: &Language, bytes: usize) -> Vec<Article> {
    let mut rng = fastrand::Rng::with_seed(bytes as u64);
    (0..ARTICLES).map(|_| language.article(bytes, &mut rng)).collect()
}

fn rules(watches: &[Watch]) -> Vec<Rule> {
    let rule = |(index, watch): (usize, &Watch)| {
        let source = RuleSource { name: format!("{index}"), query: Some(watch.query()), ..RuleSource::default() };
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

/// Asserts that the engines agree, and tells how many rules hit.
fn compare(watches: &[Watch], set: &RuleSet, automaton: &Automaton, articles: &[Article]) {
    let mut found = 0;
    for article in &articles[..32] {
        let mut ours = hits(set, article);
        ours.sort_unstable();
        assert_eq!(ours, automaton.matches(&article.0, &article.1), "the automaton finds other hits: {article:?}");
        assert_eq!(ours, each_in_turn(watches, &article.0, &article.1), "each in turn finds other hits: {article:?}");
        found += ours.len();
    }
    eprintln!("{} rules, {} B: {:.2} hits an article", watches.len(), articles[0].1.len(), found as f64 / 32.0);
}

fn matching(criterion: &mut Criterion) {
    let language = Language::new();
    let all = language.watches(RULES[RULES.len() - 1]);
    for count in RULES {
        let watches = &all[..count];
        let set = RuleSet::new(&rules(watches));
        let automaton = Automaton::new(watches);
        for bytes in BYTES {
            let articles = articles(&language, bytes);
            compare(watches, &set, &automaton, &articles);
            let mut group = criterion.benchmark_group(format!("warm/{bytes} B"));
            group.throughput(Throughput::Elements(1));
            group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
            let mut turn = (0..ARTICLES).cycle();
            let mut next = || &articles[turn.next().expect("a cycle has no end")];
            group.bench_function(BenchmarkId::new("feedwatch", count), |bencher| {
                bencher.iter(|| black_box(hits(&set, next())));
            });
            group.bench_function(BenchmarkId::new("automaton", count), |bencher| {
                bencher.iter(|| {
                    let (title, content) = next();
                    black_box(automaton.matches(title, content))
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

fn cold(criterion: &mut Criterion, count: usize, set: &RuleSet, automaton: &Automaton, articles: &[Article]) {
    let mut group = criterion.benchmark_group("cold/1500 B");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(5));
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
            |article| black_box(automaton.matches(&article.0, &article.1)),
            BatchSize::PerIteration,
        );
    });
}

fn prepare(criterion: &mut Criterion) {
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

fn compile(criterion: &mut Criterion) {
    let watches = Language::new().watches(RULES[RULES.len() - 1]);
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    for count in RULES {
        let watches = &watches[..count];
        group.bench_function(BenchmarkId::new("parse and compile", count), |bencher| {
            bencher.iter(|| black_box(RuleSet::new(&rules(watches))));
        });
    }
    group.finish();
    let before = resident_kib();
    let set = RuleSet::new(&rules(&watches));
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        eprintln!("{} rules, compiled: {} MiB more resident", watches.len(), after.saturating_sub(before) / 1024);
    }
    drop(set);
}

/// Returns the memory of this process that is resident, where the system tells it.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

criterion_group!(benches, compile, prepare, matching);
criterion_main!(benches);
