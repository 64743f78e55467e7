//! Versions and namespaces that feed-rs does not know, rewritten to those that it knows.

use super::{
    lexer::{Tag, Token, split_name},
    structure::is_item,
};
use std::borrow::Cow;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const RSS: &str = "http://purl.org/rss/1.0/";

/// Namespaces as they are often written: without scheme, `www.` and the end, in lower case.
const NAMESPACES: &[(&str, &str)] = &[
    ("w3.org/2005/atom", ATOM),
    ("purl.org/atom/ns", ATOM),
    ("purl.org/rss/1.0", RSS),
    ("purl.org/net/rss1.1", RSS),
    ("my.netscape.com/rdf/simple/0.9", RSS),
    ("channel.netscape.com/rdf/simple/0.9", RSS),
    ("my.netscape.com/publish/formats/rss-0.91.dtd", RSS),
    ("backend.userland.com/rss", RSS),
    ("backend.userland.com/rss2", RSS),
    ("backend.userland.com/rss091", RSS),
    ("backend.userland.com/rss092", RSS),
    ("blogs.law.harvard.edu/tech/rss", RSS),
    ("cyber.law.harvard.edu/rss/rss.html", RSS),
    ("purl.org/dc/elements/1.0", "http://purl.org/dc/elements/1.1/"),
    ("purl.org/dc/elements/1.1", "http://purl.org/dc/elements/1.1/"),
    ("purl.org/rss/1.0/modules/content", "http://purl.org/rss/1.0/modules/content/"),
    ("search.yahoo.com/mrss", "http://search.yahoo.com/mrss/"),
    ("itunes.com/dtds/podcast-1.0.dtd", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
];

/// Names of RSS and CDF, as they are written.
const NAMES: &[&str] = &[
    "rss",
    "channel",
    "title",
    "link",
    "description",
    "language",
    "copyright",
    "managingEditor",
    "webMaster",
    "pubDate",
    "lastBuildDate",
    "category",
    "generator",
    "ttl",
    "image",
    "url",
    "item",
    "author",
    "comments",
    "enclosure",
    "guid",
    "source",
];

/// The link of an item that has none.
pub(super) const NOWHERE: &str = "about:blank";

/// Rewrites a whole document, and tells whether there was anything to rewrite.
pub(super) fn rewrite(tokens: &mut Vec<Token<'_>>) -> bool {
    let Some(Token::Start(root)) = tokens.first() else { return false };
    let (prefix, local) = split_name(&root.name);
    let prefix = prefix.map(str::to_owned);
    let is_atom = local.eq_ignore_ascii_case("feed");
    let is_old_atom = is_atom && is_atom_03(root);
    let is_rdf = local.eq_ignore_ascii_case("RDF");
    let is_channel = local.eq_ignore_ascii_case("channel");
    let is_bare_rdf = is_rdf && prefix.is_none() && !root.attributes.iter().any(|(key, _)| key.starts_with("xmlns"));
    let mut changed = namespaces(tokens, prefix.as_deref(), if is_atom { ATOM } else { RSS });
    if is_old_atom {
        atom_03(tokens);
        changed = true;
    }
    changed |= if is_atom { entries(tokens) } else { names(tokens) };
    if is_bare_rdf {
        rename_root(tokens, "rss");
        changed = true;
    }
    changed |= is_rdf && links_of_rdf(tokens);
    if is_channel {
        channel_root(tokens);
        changed = true;
    }
    changed |= channel(tokens);
    changed | version(tokens)
}

/// Makes the namespaces canonical; the one of the root is `own`, whatever the root says.
fn namespaces(tokens: &mut [Token<'_>], root_prefix: Option<&str>, own: &'static str) -> bool {
    let own_key = root_prefix.map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
    let mut changed = false;
    for (index, token) in tokens.iter_mut().enumerate() {
        let Token::Start(tag) = token else { continue };
        let is_rdf = split_name(&tag.name).1.eq_ignore_ascii_case("RDF");
        for (key, value) in tag.attributes.iter_mut().filter(|(key, _)| key.starts_with("xmlns")) {
            let known = canonical(value);
            // The prefix of RDF's root is RDF's own namespace.
            let is_own = index == 0 && *key == own_key && !(is_rdf && root_prefix.is_some());
            let wanted = if is_own { Some(own) } else { known };
            if let Some(wanted) = wanted.filter(|wanted| wanted != value) {
                *value = Cow::Borrowed(wanted);
                changed = true;
            }
        }
    }
    changed
}

fn canonical(uri: &str) -> Option<&'static str> {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or(&uri);
    let uri = uri.strip_prefix("www.").unwrap_or(uri).trim_end_matches(['/', '#']);
    NAMESPACES.iter().find(|(known, _)| *known == uri).map(|(_, canonical)| *canonical)
}

fn is_atom_03(root: &Tag<'_>) -> bool {
    let is_old = |uri: &str| uri.to_ascii_lowercase().contains("purl.org/atom/ns");
    root.attribute("version").is_some_and(|version| version.trim() == "0.3")
        || root.attributes.iter().any(|(key, value)| key.starts_with("xmlns") && is_old(value))
}

/// Renames what Atom 1.0 calls otherwise, and turns modes of content to types.
fn atom_03(tokens: &mut [Token<'_>]) {
    for token in tokens {
        match token {
            Token::Start(tag) => {
                atom_03_type(tag);
                rename(&mut tag.name, atom_10);
            }
            Token::End(name) => rename(name, atom_10),
            Token::Text(_) | Token::CData(_) => {}
        }
    }
}

fn atom_10(local: &str) -> Option<&'static str> {
    match local {
        "modified" => Some("updated"),
        "issued" | "created" => Some("published"),
        "tagline" => Some("subtitle"),
        "copyright" => Some("rights"),
        "url" => Some("uri"),
        _ => None,
    }
}

fn atom_03_type(tag: &mut Tag<'_>) {
    if !matches!(split_name(&tag.name).1, "title" | "tagline" | "copyright" | "summary" | "content" | "info") {
        return;
    }
    let kind = tag.attribute("type").unwrap_or("text/plain").to_ascii_lowercase();
    let is_escaped = tag.attribute("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("escaped"));
    let kind = match (kind.contains("html"), is_escaped) {
        (true, true) => "html",
        (true, false) => "xhtml",
        (false, _) => "text",
    };
    tag.attributes.retain(|(key, _)| !matches!(key.as_ref(), "type" | "mode"));
    tag.attributes.push((Cow::Borrowed("type"), Cow::Borrowed(kind)));
}

/// Renames an element, with its prefix kept.
fn rename(name: &mut Cow<'_, str>, renamed: fn(&str) -> Option<&'static str>) {
    let (prefix, local) = split_name(name);
    if let Some(new) = renamed(local) {
        *name = Cow::Owned(prefix.map_or_else(|| new.to_owned(), |prefix| format!("{prefix}:{new}")));
    }
}

/// Makes entries of the items that an Atom feed has.
fn entries(tokens: &mut [Token<'_>]) -> bool {
    let mut changed = false;
    for token in tokens {
        let (Token::Start(Tag { name, .. }) | Token::End(name)) = token else { continue };
        if name == "item" {
            *name = Cow::Borrowed("entry");
            changed = true;
        }
    }
    changed
}

/// Gives the root another name.
fn rename_root(tokens: &mut [Token<'_>], name: &'static str) {
    if let Some(Token::Start(root)) = tokens.first_mut() {
        root.name = Cow::Borrowed(name);
    }
    if let Some(Token::End(root)) = tokens.last_mut() {
        *root = Cow::Borrowed(name);
    }
}

/// Writes the names of RSS in their usual case.
fn names(tokens: &mut [Token<'_>]) -> bool {
    let usual = |name: &mut Cow<'_, str>| {
        let wanted = match name.as_ref() {
            abstracted if abstracted.eq_ignore_ascii_case("abstract") => Some("description"),
            name => NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)).copied(),
        };
        let wanted = wanted.filter(|wanted| wanted != name);
        if let Some(wanted) = wanted {
            *name = Cow::Borrowed(wanted);
        }
        wanted.is_some()
    };
    let mut changed = false;
    for token in tokens {
        match token {
            Token::Start(tag) => changed |= usual(&mut tag.name),
            Token::End(name) => changed |= usual(name),
            Token::Text(_) | Token::CData(_) => {}
        }
    }
    changed
}

/// Gives items of RDF without a link the address that they are about, or one that leads nowhere: feed-rs leaves them out
/// otherwise.
fn links_of_rdf(tokens: &mut Vec<Token<'_>>) -> bool {
    let mut out = Vec::with_capacity(tokens.len());
    let mut missing: Option<String> = None;
    let mut changed = false;
    for token in std::mem::take(tokens) {
        match &token {
            Token::Start(tag) if is_item(&tag.name) => {
                let address = tag.attribute("rdf:about").map(str::trim);
                let address = address.filter(|address| address.starts_with("http"));
                missing = Some(address.unwrap_or(NOWHERE).to_owned());
            }
            Token::Start(tag) if split_name(&tag.name).1 == "link" => missing = None,
            Token::End(name) if is_item(name) => {
                if let Some(address) = missing.take() {
                    out.extend(element("link", address));
                    changed = true;
                }
            }
            _ => {}
        }
        out.push(token);
    }
    *tokens = out;
    changed
}

/// Puts the items of an RSS that has no channel into one.
fn channel(tokens: &mut Vec<Token<'_>>) -> bool {
    let is_rss = matches!(tokens.first(), Some(Token::Start(root)) if root.name == "rss");
    let has_channel = tokens.iter().any(|token| matches!(token, Token::Start(tag) if tag.name == "channel"));
    if !is_rss || has_channel {
        return false;
    }
    tokens.insert(1, Token::Start(Tag { name: Cow::Borrowed("channel"), attributes: Vec::new() }));
    tokens.insert(tokens.len() - 1, Token::End(Cow::Borrowed("channel")));
    true
}

/// Returns an element with an escaped text.
fn element<'a>(name: &'static str, text: String) -> [Token<'a>; 3] {
    let name = Cow::Borrowed(name);
    let tag = Tag { name: name.clone(), attributes: Vec::new() };
    [Token::Start(tag), Token::Text(Cow::Owned(text)), Token::End(name)]
}

/// Puts the channel that is a root (RSS 1.1, CDF) into RSS 2.0, and its items into the channel.
fn channel_root(tokens: &mut Vec<Token<'_>>) {
    let mut out = Vec::with_capacity(tokens.len() + 2);
    for (index, token) in std::mem::take(tokens).into_iter().enumerate() {
        match token {
            Token::Start(mut root) if index == 0 => {
                root.name = Cow::Borrowed("rss");
                root.attributes.retain(|(key, _)| key != "version");
                out.push(Token::Start(root));
                out.push(Token::Start(Tag { name: Cow::Borrowed("channel"), attributes: Vec::new() }));
            }
            Token::Start(tag) if tag.name == "items" => {}
            Token::End(name) if name == "items" => {}
            Token::Start(tag) if is_item(&tag.name) => {
                let said = ["href", "lastmod"].map(|key| tag.attribute(key).map(str::to_owned));
                out.push(Token::Start(tag));
                for (name, text) in ["link", "pubDate"].into_iter().zip(said) {
                    out.extend(text.into_iter().flat_map(|text| element(name, text)));
                }
            }
            token => out.push(token),
        }
    }
    if let Some(Token::End(end)) = out.last_mut() {
        *end = Cow::Borrowed("channel");
    }
    out.push(Token::End(Cow::Borrowed("rss")));
    *tokens = out;
}

/// Gives RSS the version 2.0 unless it has one that is known.
fn version(tokens: &mut [Token<'_>]) -> bool {
    let Some(Token::Start(root)) = tokens.first_mut() else { return false };
    let known = |(key, value): &(Cow<'_, str>, Cow<'_, str>)| {
        key == "version" && matches!(value.as_ref(), "2.0" | "0.91" | "0.92" | "")
    };
    if root.name != "rss" || root.attributes.iter().any(known) {
        return false;
    }
    root.attributes.retain(|(key, _)| !key.eq_ignore_ascii_case("version"));
    root.attributes.push((Cow::Borrowed("version"), Cow::Borrowed("2.0")));
    true
}

#[cfg(test)]
mod tests {
    use super::{super::lexer, *};

    #[test]
    fn rewrites_dialects() {
        for (text, expected) in [
            (
                "<RSS VERSION='2.0'><CHANNEL><PubDate/></CHANNEL></RSS>",
                "<rss version=\"2.0\"><channel><pubDate></pubDate></channel></rss>",
            ),
            (
                "<rss version='2.01' xmlns='http://x/'></rss>",
                "<rss xmlns=\"http://purl.org/rss/1.0/\" version=\"2.0\"><channel></channel></rss>",
            ),
            (
                "<rss version='0.91' xmlns:dc='https://purl.org/dc/elements/1.1'></rss>",
                "<rss version=\"0.91\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel></channel></rss>",
            ),
            (
                "<rdf:RDF xmlns:rdf='R' xmlns='http://my.netscape.com/rdf/simple/0.9/'></rdf:RDF>",
                "<rdf:RDF xmlns:rdf=\"R\" xmlns=\"http://purl.org/rss/1.0/\"></rdf:RDF>",
            ),
            (
                "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><tagline mode='escaped' type='text/html'/><issued/><content type='application/xhtml+xml'/></feed>",
                "<feed version=\"0.3\" xmlns=\"http://www.w3.org/2005/Atom\"><subtitle type=\"html\"></subtitle><published></published><content type=\"xhtml\"></content></feed>",
            ),
            (
                "<rdf:RDF><item rdf:about='http://e/1'><title/></item><item rdf:about='http://e/2'><link/></item></rdf:RDF>",
                "<rdf:RDF><item rdf:about=\"http://e/1\"><title></title><link>http://e/1</link></item><item rdf:about=\"http://e/2\"><link></link></item></rdf:RDF>",
            ),
            (
                "<Channel xmlns='http://purl.org/net/rss1.1#'><items><item/></items></Channel>",
                "<rss xmlns=\"http://purl.org/rss/1.0/\" version=\"2.0\"><channel><item></item></channel></rss>",
            ),
            (
                "<CHANNEL HREF='h'><ITEM HREF='i&amp;j'><ABSTRACT>a</ABSTRACT></ITEM></CHANNEL>",
                "<rss HREF=\"h\" version=\"2.0\"><channel><item HREF=\"i&amp;j\"><link>i&amp;j</link><description>a</description></item></channel></rss>",
            ),
            (
                "<CHANNEL><ITEM LASTMOD='d'/></CHANNEL>",
                "<rss version=\"2.0\"><channel><item LASTMOD=\"d\"><pubDate>d</pubDate></item></channel></rss>",
            ),
            ("<feed><item><title/></item></feed>", "<feed><entry><title></title></entry></feed>"),
            ("<rss><item/></rss>", "<rss version=\"2.0\"><channel><item></item></channel></rss>"),
            ("<rdf:RDF><item/></rdf:RDF>", "<rdf:RDF><item><link>about:blank</link></item></rdf:RDF>"),
        ] {
            let mut tokens = lexer::lex(text).unwrap().tokens;
            assert!(rewrite(&mut tokens), "{text}");
            assert_eq!(lexer::write(&tokens), expected, "{text}");
        }
        for text in [
            "<rss version='2.0' xmlns:x='u'><channel/></rss>",
            "<a:feed xmlns:a='http://www.w3.org/2005/Atom'></a:feed>",
        ] {
            assert!(!rewrite(&mut lexer::lex(text).unwrap().tokens), "{text}");
        }
    }
}
