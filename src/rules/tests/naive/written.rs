//! Generated rules as a person writes them.

use super::{FEEDS, Item, Query, SCOPES, Term, render_phrase};

/// Returns a feed as a rule writes it.
pub(super) fn feed_written(feed: usize) -> &'static str {
    match FEEDS[feed] {
        ("", url) => url,
        (name, _) => name,
    }
}

impl Item {
    pub(super) fn render(&self) -> String {
        match self {
            Self::Phrase(phrase) => render_phrase(phrase, false),
            Self::Regex(regex) => regex.render(),
            Self::Group => "@g".to_owned(),
        }
    }
}

fn scoped(scope: usize, text: &str) -> String {
    SCOPES.get(scope).map_or_else(|| text.to_owned(), |(name, _)| format!("{name}:{text}"))
}

impl Term {
    pub(super) fn render(&self) -> String {
        if self.phrase.is_empty() {
            return scoped(self.scope, "@g");
        }
        let sign = if self.exact { "=" } else { "" };
        scoped(self.scope, &format!("{sign}\"{}\"", render_phrase(&self.phrase, self.exact)))
    }
}

impl Query {
    pub(super) fn render(&self) -> String {
        let list = |parts: &[Self], joint: &str| parts.iter().map(Self::render).collect::<Vec<_>>().join(joint);
        let either = |terms: &[Term]| format!("({})", terms.iter().map(Term::render).collect::<Vec<_>>().join(" OR "));
        match self {
            Self::Term(term) => term.render(),
            Self::Regex(regex, scope) => scoped(*scope, &regex.render()),
            Self::Group(scope) => scoped(*scope, "@g"),
            Self::Feed(name) => format!("feed:\"{name}\""),
            Self::Tag(name) => format!("tag:{name}"),
            Self::Language(range) => format!("lang:{range}"),
            Self::All(parts) => format!("({})", list(parts, " AND ")),
            Self::Any(parts) => format!("({})", list(parts, " OR ")),
            Self::Not(part) => format!("(NOT {})", part.render()),
            Self::AtLeast(count, parts) => format!("at_least({count}, {})", list(parts, ", ")),
            Self::Near(first, others) => {
                let mut text = format!("({}", either(first));
                for (terms, most, ordered) in others {
                    text += &format!(" {}NEAR/{most} {}", if *ordered { "O" } else { "" }, either(terms));
                }
                text + ")"
            }
            Self::Loose(phrase, most) => format!("\"{}\"~{most}", render_phrase(phrase, false)),
        }
    }
}
