use super::*;
use crate::{
    config,
    core::{
        hit::{HitArticle, RuleVersion},
        story::StoryId,
    },
    store::archive::ArchivedFeed,
};
use std::fs;

const CONFIGURATION: &str = r#"
[store]
path = "feedwatch.db"

[[feed]]
url = "https://wire.example/rss"

[[rule]]
name = "Missiles"
any = ["missiles"]

[[rule]]
name = "Ferries"
any = ["ferry"]
"#;

/// Promises P1 and P6: an article that makes matching panic costs itself alone. Once its page was tried for ever, and no
/// feed was polled meanwhile.
#[test]
fn an_article_that_panics_is_left_out_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("feedwatch.toml");
    fs::write(&file, CONFIGURATION).unwrap();
    let config = Arc::new(config::load(&file).unwrap());
    let set = Arc::new(RuleSet::new(config.rules.iter().map(|watch| &watch.rule)));
    let (after, last) = (ArticleId::from_row(0), ArticleId::from_row(3));
    let progress = Unfinished {
        rule: config.rules[0].rule.name.clone(),
        version: RuleVersion::new("1"),
        since: Timestamp::UNIX_EPOCH,
        after,
        last,
        hits: 0,
    };
    let page = Page {
        in_force: InForce::default(),
        stretch: Stretch { rules: vec![0], after, last },
        // The second rule is in the set alone: what it matches panics.
        rules: vec![Running { index: 0, progress }],
        set,
        now: Timestamp::UNIX_EPOCH,
        config: config.clone(),
    };
    let feed = ArchivedFeed { identity: config.feeds[0].url.identity(), name: None, outlet: "Wire".to_owned() };
    let feed = Arc::new(feed);
    let article = |(row, title): (i64, &str)| ArchivedArticle {
        article: HitArticle {
            id: ArticleId::from_row(row),
            link: Some(format!("https://wire.example/{row}")),
            title: title.to_owned(),
            summary: String::new(),
            content: String::new(),
            author: String::new(),
            category: String::new(),
            outlet: feed.outlet.clone(),
            published: None,
            first_seen: Timestamp::UNIX_EPOCH,
            story: StoryId::from_row(row),
        },
        feed: feed.clone(),
        language: None,
        changed_at: Timestamp::UNIX_EPOCH,
        backlog: false,
        awaits_page: false,
        hits: Vec::new(),
    };
    let articles = [(1, "Missiles at dawn"), (2, "A ferry and missiles"), (3, "Missiles at noon")].map(article);
    let found: Vec<_> = page.matches(&articles).iter().map(|found| found.article.row()).collect();
    assert_eq!(found, [1, 3]);
}
