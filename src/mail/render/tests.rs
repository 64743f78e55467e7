use super::*;
use crate::core::{
    article::ArticleId,
    digest::{Coverage, Digest, FailingFeed, Window, compose},
    hit::{DigestName, Field, HitArticle, HitId, RuleName, RuleVersion, StoredHit, TermMatch},
    schedule::Schedule,
    story::StoryId,
};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

const NOTICE: Notice<'static> =
    Notice { recipient: "desk@example.org", contact: "ops@example.org", host: "watch.example.org" };

/// Makes a hit whose terms are found in title, summary and content.
pub(in crate::mail) fn hit(id: i64, rule: &str, article: HitArticle, terms: &[&str]) -> StoredHit {
    let found = [Field::Title, Field::Summary, Field::Content, Field::Author].into_iter().flat_map(|field| {
        let text = article.text(field).to_owned();
        let all: Vec<TermMatch> = terms
            .iter()
            .flat_map(|term| {
                text.match_indices(term)
                    .map(|(start, word)| TermMatch { term: (*term).into(), field, start, end: start + word.len() })
                    .collect::<Vec<_>>()
            })
            .collect();
        all
    });
    let terms = found.collect();
    StoredHit {
        id: HitId::from_row(id),
        rule: RuleName::new(rule),
        version: RuleVersion::new("0123456789abcdef"),
        found_at: article.first_seen,
        in_retrospect: false,
        terms,
        told_before: false,
        article,
    }
}

pub(in crate::mail) fn article(id: i64, title: &str, link: Option<&str>, summary: &str) -> HitArticle {
    HitArticle {
        id: ArticleId::from_row(id),
        story: StoryId::from_row(id),
        link: link.map(str::to_owned),
        title: title.to_owned(),
        summary: summary.to_owned(),
        content: String::new(),
        author: String::new(),
        category: String::new(),
        outlet: "Example Wire".to_owned(),
        published: Some("2026-11-24T03:15:00Z".parse().unwrap()),
        first_seen: "2026-11-24T03:20:00Z".parse().unwrap(),
    }
}

pub(in crate::mail) fn edition(hits: Vec<StoredHit>, coverage: Coverage) -> Edition {
    let digest = Digest {
        name: DigestName::new("morning"),
        to: Vec::new(),
        schedule: Schedule::Immediately { batch: Duration::from_secs(30), at_most_every: None },
        timezone: TimeZone::get("Europe/Kyiv").unwrap(),
        send_empty: true,
    };
    let window = Window { start: at("2026-11-23T05:00:00Z"), end: at("2026-11-24T05:00:00Z") };
    compose(&digest, window, &[RuleName::new("DPRK missiles"), RuleName::new("Transfers")], hits, coverage)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::mail) fn representative() -> Edition {
    let launch = article(
        1,
        "DPRK fires ballistic missiles into the East Sea",
        Some("https://www.example.org/world/2026/11/24/launch?ref=rss"),
        "Seoul said on Tuesday that Pyongyang had fired at least two short-range ballistic missiles eastward from the \
         Wonsan area.\nThe launch came a day after the country had warned of countermeasures against joint drills. \
         Officials in Tokyo said that the ballistic missiles fell outside its exclusive economic zone; nobody was hurt \
         and no damage to ships was reported.",
    );
    let mut cyrillic =
        article(2, "КНДР провела пуск баллистической ракеты", Some("https://пример.испытание/новости/1"), "");
    cyrillic.published = None;
    cyrillic.author = "Ким Ирина".to_owned();
    let transfers =
        article(3, "Rail traffic with Russia grows", None, "Satellite images show more transfers than in May.");
    let hits = vec![
        hit(1, "DPRK missiles", launch.clone(), &["DPRK", "ballistic missiles", "Pyongyang"]),
        hit(2, "DPRK missiles", cyrillic, &["КНДР", "Ирина"]),
        hit(3, "Transfers", launch, &["fired"]),
        hit(4, "Transfers", transfers, &["Russia", "transfers"]),
    ];
    let coverage = Coverage {
        feeds: 240,
        feeds_polled: 238,
        failing: vec![
            FailingFeed {
                name: "Ministry of Defence".to_owned(),
                since: at("2026-11-20T10:00:00Z"),
                cause: "HTTP 503 for https://mod.example.org/rss".to_owned(),
            },
            FailingFeed {
                name: "Old blog".to_owned(),
                since: at("2026-11-23T22:00:00Z"),
                cause: "the certificate has expired".to_owned(),
            },
        ],
        articles_seen: 5120,
        editions_missed: 1,
        hits_suppressed: 12,
    };
    edition(hits, coverage)
}

/// Hits of one story in three outlets, one of them with a headline of its own, and told of before.
fn three_outlets() -> Edition {
    let summary = "Seoul said that Pyongyang had fired at least two ballistic missiles from the Wonsan area.";
    let other = |id: i64, title: &str, outlet: &str, link: &str| {
        let mut article = article(id, title, Some(link), summary);
        article.outlet = outlet.to_owned();
        article.story = StoryId::from_row(1);
        article.published = Some(at("2026-11-24T03:15:00Z") + Duration::from_secs(60 * id.unsigned_abs()));
        article
    };
    let link = "https://www.example.org/world/2026/11/24/launch";
    let title = "DPRK fires ballistic missiles into the East Sea";
    let first = other(1, title, "Example Wire", link);
    let second = other(2, title, "Meridian Gazette", link);
    let third = other(3, "Missiles over the sea: Seoul alarmed", "Harbour Herald", "https://herald.example/launch");
    let terms = ["DPRK", "ballistic missiles", "Pyongyang"];
    let mut hits = vec![
        hit(1, "DPRK missiles", first.clone(), &terms),
        hit(2, "DPRK missiles", second, &terms),
        hit(3, "DPRK missiles", third.clone(), &terms),
        hit(4, "Transfers", first, &["fired"]),
        hit(5, "Transfers", article(9, "Rail traffic with Russia grows", None, "More transfers."), &["transfers"]),
    ];
    hits[0].told_before = true;
    edition(hits, Coverage { feeds: 3, feeds_polled: 3, articles_seen: 40, ..Coverage::default() })
}

/// FEEDS C14, promise P8: a story is one entry with all its outlets, and the counts are those of the hits.
#[test]
fn a_story_of_three_outlets_is_one_entry() {
    let rendered = render(&three_outlets(), &NOTICE);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("story.txt", rendered.text);
    });
    for outlet in ["Meridian Gazette", "Harbour Herald"] {
        assert_eq!(rendered.html.matches(outlet).count(), 1, "{outlet}");
    }
    assert!(rendered.html.contains("href=\"https://herald.example/launch\""));
    assert!(rendered.html.contains("5 hits in 4 articles, 2 stories."));
    assert!(rendered.html.contains("(3 in 1 story)"));
    assert!(rendered.html.contains("reported before"));
}

/// FEEDS C14, promise P8: where a story has too many articles to list, a headline of its own is not left out for one that
/// repeats another.
#[test]
fn a_headline_of_its_own_is_listed_before_repeated_ones() {
    let of_story = |id: i64, title: &str| {
        let mut article = article(id, title, None, "A text.");
        article.story = StoryId::from_row(1);
        article.outlet = format!("Outlet {id}.");
        article.published = Some(at("2026-11-24T03:15:00Z") + Duration::from_secs(60 * id.unsigned_abs()));
        article
    };
    let mut hits: Vec<_> =
        (1..=15).map(|id| hit(id, "DPRK missiles", of_story(id, "One headline"), &["headline"])).collect();
    hits.push(hit(16, "DPRK missiles", of_story(16, "Another headline, last of all"), &["headline"]));
    let rendered = render(&edition(hits, Coverage::default()), &NOTICE);
    for part in [rendered.text, rendered.html] {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(part.contains("Another headline, last of all"), "{part}");
        assert!(part.contains("and 3 more"), "{part}");
        assert!(part.contains("Outlet 12.") && !part.contains("Outlet 13."), "{part}");
    }
}

/// FEEDS C14: under another rule an article that is not above is shown, whatever its story.
#[test]
fn another_article_of_a_story_is_shown_under_another_rule() {
    let of_story = |id: i64, title: &str| {
        let mut article = article(id, title, None, "A text.");
        article.story = StoryId::from_row(1);
        article
    };
    let hits = vec![
        hit(1, "DPRK missiles", of_story(1, "One headline"), &["text"]),
        hit(2, "Transfers", of_story(1, "One headline"), &["text"]),
        hit(3, "Transfers", of_story(2, "Another headline"), &["text"]),
    ];
    let rendered = render(&edition(hits, Coverage::default()), &NOTICE);
    assert!(rendered.text.contains("“Another headline”"), "{}", rendered.text);
    assert!(!rendered.text.contains("also above"), "{}", rendered.text);
}

/// The tags of a document, by name.
fn tags(html: &str) -> Vec<String> {
    let name = |tag: &str| tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    html.split('<').skip(1).map(name).collect()
}

#[test]
fn a_representative_edition_reads_well() {
    let rendered = render(&representative(), &NOTICE);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("representative.txt", rendered.text);
        insta::assert_snapshot!("representative.html", rendered.html);
    });
}

#[test]
fn an_empty_edition_says_what_was_looked_at() {
    let coverage = Coverage { feeds: 1, feeds_polled: 0, ..Coverage::default() };
    let rendered = render(&edition(Vec::new(), coverage), &NOTICE);
    for part in [rendered.text, rendered.html] {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(part.contains("Nothing new."), "{part}");
        assert!(part.contains("Read 0 of 1 configured feed; 0 articles seen"), "{part}");
    }
}

/// Promise P8: what was found in an article that came before its rule says so, in whatever form it is shown.
#[test]
fn what_was_found_in_retrospect_says_so() {
    let launch = article(1, "DPRK fires", Some("https://example.org/1"), "A summary.");
    let late = |id, rule| StoredHit { in_retrospect: true, ..hit(id, rule, launch.clone(), &["DPRK"]) };
    let live = hit(3, "Transfers", article(2, "Trains", None, "More."), &["Trains"]);
    let hits = vec![late(1, "DPRK missiles"), late(2, "Transfers"), live];
    let rendered = render(&edition(hits, Coverage::default()), &NOTICE);
    for part in [rendered.text, rendered.html] {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(part.matches("found in retrospect").count(), 2, "{part}");
        assert_eq!(part.matches("Hits in retrospect are").count(), 1, "{part}");
    }
    let rendered = render(&representative(), &NOTICE);
    assert!(!rendered.text.contains("retrospect") && !rendered.html.contains("retrospect"));
}

/// Promise P6: nothing but text, links and our own markup gets into a mail.
#[test]
fn hostile_articles_stay_text() {
    let endless = "x".repeat(2000);
    let titles = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "a\r\nBcc: everyone@example.org\r\n\r\n.\r\n",
        "NUL \0 and \u{1b}[31m and \u{202e}gnp.exe\u{202c}",
        "=?utf-8?b?PHNjcmlwdD4=?=",
        "&lt;script&gt; {{ 7*7 }} {% raw %}",
        "👩‍👩‍👧‍👦 🏳️‍🌈 emoji",
        "</style></head><base href=//evil><form action=x><svg onload=x>",
        &endless,
        "",
    ];
    let links = [
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://bank.example@evil.example/",
        "https://аррӏе.com/",
        "https://example.org/\"onmouseover=\"alert(1)",
        "file:///etc/passwd",
        "  https://example.org/a b  ",
        "//example.org/x",
    ];
    let hits = titles.iter().zip(links).enumerate().map(|(i, (title, link))| {
        let summary = format!("{title} and <b>summary</b> match");
        hit(i as i64, "DPRK missiles", article(i as i64, title, Some(link), &summary), &["script", "match"])
    });
    let rendered = render(&edition(hits.collect(), Coverage::default()), &NOTICE);
    let ours = [
        "", "html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "p", "a", "bdi", "mark", "code",
        "strong", "span", "ul", "li",
    ];
    for tag in tags(&rendered.html) {
        assert!(ours.contains(&tag.as_str()), "<{tag}> is not ours");
    }
    for piece in rendered.html.split("href=\"").skip(1) {
        assert!(["https://", "http://", "mailto:ops"].iter().any(|start| piece.starts_with(start)), "{piece:.60}");
    }
    let html = &rendered.html;
    assert!(!html.contains("bank.example"), "a user name hides the host");
    assert!(html.contains("evil.example") && html.contains("xn--"), "hosts are shown as they are");
    assert!(!html.contains("src=") || html.contains("src=x onerror"), "no remote content");
    for part in [&rendered.text, &rendered.html] {
        let bad = part.chars().find(|&c| (c.is_control() && c != '\n') || ('\u{202A}'..='\u{202E}').contains(&c));
        assert_eq!(bad, None);
        assert!(!part.lines().any(|line| line.starts_with("Bcc:")));
    }
}

#[test]
fn a_long_edition_stays_under_the_size_at_which_mails_are_clipped() {
    let summary = "A summary that has some length, so that the items add up. ".repeat(6);
    let edition_of = |count: i64| {
        let one = |i| {
            let link = format!("https://example.org/articles/{i}/with/a/long/path/in/it");
            hit(i, "DPRK missiles", article(i, &format!("Headline number {i}"), Some(&link), &summary), &["number"])
        };
        edition((0..count).map(one).collect(), Coverage::default())
    };
    let short = render(&edition_of(20), &NOTICE);
    assert!(!short.html.contains("more:"));
    let long = render(&edition_of(3000), &NOTICE);
    assert!(long.html.len() < 100_000, "{}", long.html.len());
    // Promise P8: what is shown and what is counted add up, in both parts.
    for part in [&long.text, &long.html] {
        assert!(part.contains("feedwatch hits --digest morning"));
    }
    let shown = long.text.matches("Headline").count();
    assert_eq!(long.html.matches("example.org/articles/").count(), shown);
    assert!(long.text.contains(&format!("\n{} more: ", 3000 - shown)), "{shown} shown");
    assert!(shown > 100);
}

#[test]
fn lists_ten_failing_feeds_and_counts_the_rest() {
    let feed =
        |i| FailingFeed { name: format!("feed {i}"), since: at("2026-11-20T10:00:00Z"), cause: "gone".to_owned() };
    let coverage = Coverage { feeds: 13, failing: (0..13).map(feed).collect(), ..Coverage::default() };
    let rendered = render(&edition(Vec::new(), coverage), &NOTICE);
    for part in [&rendered.text, &rendered.html] {
        assert_eq!(part.matches("fails since").count(), 10);
        assert!(part.contains("and 3 more"));
    }
}

#[test]
fn prose_is_wrapped_and_links_are_whole() {
    let rendered = render(&representative(), &NOTICE);
    let long: Vec<&str> = rendered.text.lines().filter(|line| line.chars().count() > 76).collect();
    assert!(long.iter().all(|line| line.trim().starts_with("http")), "{long:#?}");
    assert!(rendered.text.contains("\n  https://www.example.org/world/2026/11/24/launch?ref=rss\n"));
}
