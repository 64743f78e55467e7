//! An article that was found, with what matched marked.

use super::terminal::{FAINT, Terminal, harmless, local, styled};
use crate::core::{
    excerpt::{self, Excerpt},
    hit::{Field, HitArticle, TermMatch},
};
use anstyle::{AnsiColor, Style};

/// Matched terms.
const MARK: Style = AnsiColor::Yellow.on_default().bold();

/// Characters of text shown around a match.
const AROUND: usize = 200;

/// Prints an article: headline, where and when, and the text around what matched. `lead` comes before the headline, and
/// an indented lead indents all; `note` comes after the link.
pub(super) fn print(lead: &str, article: &HitArticle, terms: &[TermMatch], note: Option<&str>, terminal: Terminal<'_>) {
    let title = marked(&article.title, terms, Field::Title, usize::MAX);
    let title = if title.segments.is_empty() { "(no headline)".to_owned() } else { shown(&title) };
    let space = if lead.is_empty() { "" } else { " " };
    terminal.line(format!("{lead}{space}{title}"));
    let indent = " ".repeat(2 + lead.len() - lead.trim_start().len());
    let time = local(article.published.unwrap_or(article.first_seen));
    let link = article.link.as_deref().map(|link| format!(" · {}", harmless(link))).unwrap_or_default();
    let note = note.map(|note| format!(" · {note}")).unwrap_or_default();
    terminal.line(format!("{indent}{}", styled(FAINT, format!("{} · {time}{link}{note}", harmless(&article.outlet)))));
    let of_body = [Field::Summary, Field::Content, Field::Author, Field::Category];
    let body = of_body.into_iter().find(|field| terms.iter().any(|term| term.field == *field));
    if let Some(field) = body {
        terminal.line(format!("{indent}{}", shown(&marked(article.text(field), terms, field, AROUND))));
    }
}

/// Returns the text of a field around what matched in it, with that marked.
pub(super) fn excerpt(text: &str, terms: &[TermMatch], field: Field) -> String {
    shown(&marked(text, terms, field, AROUND))
}

fn marked(text: &str, terms: &[TermMatch], field: Field, most: usize) -> Excerpt {
    let spans: Vec<_> = terms.iter().filter(|term| term.field == field).map(|term| term.start..term.end).collect();
    excerpt::around(text, &spans, most)
}

fn shown(excerpt: &Excerpt) -> String {
    let segments = excerpt.segments.iter().map(|segment| {
        let text = harmless(&segment.text);
        if segment.marked { styled(MARK, text) } else { text }
    });
    segments.collect()
}
