//! Single values: sizes, names, the places of feeds.

use super::{problem::Complaint, source::Source};
use crate::core::feed::FeedUrl;
use std::time::Duration;
use url::Url;

/// Largest size that can be configured.
pub(super) const SIZE_MAX_BYTES: u64 = 1 << 30;

/// Longest name of a rule, digest, feed or tag, in characters.
pub(super) const NAME_MAX_CHARS: usize = 200;

/// Parses a number of bytes (`10 MiB`, `500 kB`).
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("b", 1),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];
    let wrong = || format!("`{text}` is not a size; write `10 MiB`, `500 kB` or a number of bytes");
    let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.trim().split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(wrong)?;
    if number.is_empty() {
        return Err(wrong());
    }
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    bytes
        .filter(|bytes| (1..=SIZE_MAX_BYTES).contains(bytes))
        .ok_or_else(|| format!("`{text}` must be from 1 byte to 1 GiB"))
}

/// Writes a length of time as it is configured.
pub(super) fn duration_text(length: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let seconds = length.as_secs();
    let (size, unit) =
        UNITS.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size)).unwrap_or((1, "s"));
    match length.subsec_millis() {
        0 => format!("{}{unit}", seconds / size),
        millis => format!("{}ms", seconds.saturating_mul(1000).saturating_add(u64::from(millis))),
    }
}

/// Checks a name that people are shown.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("is empty".to_owned()),
        length if length > NAME_MAX_CHARS => Err(format!("has {length} characters; at most {NAME_MAX_CHARS}")),
        _ if name.chars().any(char::is_control) => Err("has a control character (such as a line break)".to_owned()),
        _ => Ok(name.to_owned()),
    }
}

/// Checks the shape of a language tag (BCP 47).
pub(super) fn parse_language(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or("");
    let shaped = (2..=8).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if shaped { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a language tag; write `uk` or `pt-BR`")) }
}

/// Checks the contact that goes into the User-Agent: a URL or a mail address.
pub(super) fn parse_contact(text: &str) -> Result<String, String> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'\\'));
    let url = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"));
    if visible && (url || text.parse::<crate::core::mailbox::Mailbox>().is_ok()) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is neither a URL nor a mail address; write `https://example.org/about` or `ops@example.org`"))
}

/// Reads the name of a host, as URLs have it.
pub(super) fn parse_host(text: &str) -> Result<String, Complaint> {
    let text = text.trim();
    if let Some(host) = Url::parse(text).ok().and_then(|url| Some(url.host_str()?.to_owned())) {
        return Err(Complaint::suggesting("is a URL; write the host alone", Some(host)));
    }
    match url::Host::parse(text) {
        Ok(host) => Ok(host.to_string()),
        Err(_) => Err(format!("`{text}` is not the name of a host; write `example.org`, without port or path").into()),
    }
}

/// Reads where a feed is: a web URL, a `file:` URL, or a path from the file's folder. Says nothing of the text but its
/// scheme, because it may hold a password.
pub(super) fn parse_feed_url(text: &str, source: &Source) -> Result<FeedUrl, Complaint> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("is empty or has a control character; write a URL or the path of a file".into());
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).filter(|scheme| {
        scheme.len() > 1
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    match scheme.as_deref() {
        Some("http" | "https") => web_url(text),
        Some("file") => file_url(text, source),
        Some(scheme) if text.contains("://") || matches!(scheme, "feed" | "rss") => {
            Err(format!("cannot fetch `{scheme}:` URLs; write an http or https URL, or the path of a file").into())
        }
        _ => path_or_host(text, source),
    }
}

/// Reads where a feed of an OPML is. Paths have no meaning there: the list comes from elsewhere.
pub(super) fn parse_outline_url(text: &str) -> Result<FeedUrl, Complaint> {
    let text = text.trim();
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if text.chars().any(char::is_control) {
        return Err("has a control character".into());
    }
    if begins("feed://") {
        return web_url(&format!("http://{}", &text["feed://".len()..]));
    }
    if begins("feed:") {
        return parse_outline_url(&text["feed:".len()..]);
    }
    match () {
        () if begins("http:") || begins("https:") => web_url(text),
        () if begins("file://") => {
            let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            path.map(FeedUrl::File).ok_or_else(|| "is no path on this machine".into())
        }
        () => Err("is no http or https URL".into()),
    }
}

fn web_url(text: &str) -> Result<FeedUrl, Complaint> {
    let mut url = Url::parse(text).map_err(|error| Complaint::from(format!("is not a URL: {error}")))?;
    url.set_fragment(None);
    Ok(FeedUrl::Web(url))
}

fn file_url(text: &str, source: &Source) -> Result<FeedUrl, Complaint> {
    let path = &text["file:".len()..];
    if !path.starts_with("//") {
        return Ok(FeedUrl::File(source.resolve(path)));
    }
    let url = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
    url.map(FeedUrl::File).ok_or_else(|| "is no path on this machine; write `file:///var/feeds/a.xml`".into())
}

fn path_or_host(text: &str, source: &Source) -> Result<FeedUrl, Complaint> {
    let path = source.resolve(text);
    let first = text.split('/').next().unwrap_or(text);
    let (_, suffix) = first.rsplit_once('.').unwrap_or((first, ""));
    let is_name_of_file =
        matches!(suffix.to_ascii_lowercase().as_str(), "xml" | "rss" | "atom" | "rdf" | "json" | "txt");
    let is_host = !first.starts_with('.') && suffix.len() >= 2 && suffix.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_host && !is_name_of_file && !path.exists() {
        let message = "has no scheme, and there is no file of this name";
        return Err(Complaint::suggesting(message, Some(format!("https://{text}"))));
    }
    Ok(FeedUrl::File(path))
}
