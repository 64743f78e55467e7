//! JSON Feeds whose values have other types than they should.

use super::values::separate_address;
use serde_json::{Map, Value};

/// Texts of an item.
const TEXTS: &[&str] = &[
    "id",
    "url",
    "external_url",
    "title",
    "content_html",
    "content_text",
    "summary",
    "image",
    "banner_image",
    "date_published",
    "date_modified",
    "language",
];

/// Texts of a feed, apart from its version and title, which it must have.
const FEED_TEXTS: &[&str] = &["home_page_url", "feed_url", "language", "description", "icon", "favicon"];

/// Returns a JSON Feed with the types of the specification, and whether it was truncated. `None` if it is none.
///
/// What comes after the first document is dropped, and of tags, authors and attachments all after the first `list`. Of a
/// document without an end the whole items are kept.
pub(super) fn coerce(text: &str, list: usize) -> Option<(String, bool)> {
    let text: String = text.chars().map(|char| if char < ' ' { ' ' } else { char }).collect();
    let (mut feed, truncated) = match first_document(&text) {
        Some(feed) => (feed, false),
        None => (first_document(&format!("{}]}}", whole_items(&text)?))?, true),
    };
    let object = feed.as_object_mut()?;
    if !object.get("version")?.as_str()?.contains("jsonfeed.org/version/1") {
        return None;
    }
    object.insert("version".to_owned(), "https://jsonfeed.org/version/1.1".into());
    let title = object.get("title").and_then(as_text).unwrap_or_default();
    object.insert("title".to_owned(), title.into());
    texts(object, FEED_TEXTS);
    people(object, list);
    let items = object.get_mut("items")?.as_array_mut()?;
    items.retain(Value::is_object);
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        texts(item, TEXTS);
        people(item, list);
        tags(item, list);
        attachments(item, list);
    }
    Some((feed.to_string(), truncated))
}

fn first_document(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()
}

/// Returns the beginning of a document up to the last whole object in a list of its root.
fn whole_items(text: &str) -> Option<&str> {
    let (mut open, mut in_text, mut escaped, mut whole) = (Vec::new(), false, false, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => {
                open.pop()?;
                if byte == b'}' && open == *b"{[" {
                    whole = Some(at + 1);
                }
            }
            _ => {}
        }
    }
    text.get(..whole?)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Makes texts of numbers, and drops what cannot be one.
fn texts(object: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        match object.get(*name).map(as_text) {
            Some(Some(text)) => _ = object.insert((*name).to_owned(), text.into()),
            Some(None) => _ = object.remove(*name),
            None => {}
        }
    }
}

/// Makes `authors` of what stands for people: objects or names, in a list or alone.
fn people(object: &mut Map<String, Value>, most: usize) {
    let sent = [object.remove("author"), object.remove("authors")];
    let listed = sent.into_iter().flatten().flat_map(|value| match value {
        Value::Array(list) => list,
        value => vec![value],
    });
    let people = listed.filter_map(|person| {
        let name = person.get("name").and_then(as_text).or_else(|| as_text(&person))?;
        let name = separate_address(&name).unwrap_or(name);
        Some(Value::Object(Map::from_iter([("name".to_owned(), name.into())])))
    });
    let people: Vec<Value> = people.take(most).collect();
    if !people.is_empty() {
        object.insert("authors".to_owned(), people.into());
    }
}

fn tags(item: &mut Map<String, Value>, most: usize) {
    if let Some(tags) = item.remove("tags") {
        let list = match tags {
            Value::Array(list) => list.iter().filter_map(as_text).take(most).collect(),
            tag => as_text(&tag).into_iter().collect::<Vec<_>>(),
        };
        item.insert("tags".to_owned(), list.into());
    }
}

/// Drops attachments without address or type; a size that is no whole number is unknown.
fn attachments(item: &mut Map<String, Value>, most: usize) {
    let Some(Value::Array(mut list)) = item.remove("attachments") else { return };
    list.retain(|attachment| {
        ["url", "mime_type"].iter().all(|name| attachment.get(name).is_some_and(Value::is_string))
    });
    list.truncate(most);
    for attachment in list.iter_mut().filter_map(Value::as_object_mut) {
        texts(attachment, &["title"]);
        if !attachment.get("size_in_bytes").is_some_and(Value::is_u64) {
            attachment.remove("size_in_bytes");
        }
    }
    item.insert("attachments".to_owned(), list.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn coerced(text: &str) -> Option<(Value, bool)> {
        coerce(text, 3).map(|(text, truncated)| (serde_json::from_str(&text).unwrap(), truncated))
    }

    #[test]
    fn coerces_types() {
        let (feed, truncated) = coerced(
            &json!({"version": "http://jsonfeed.org/version/1", "title": null, "author": "Ann", "items": [
                7, {"id": 1, "title": {}, "tags": "a", "authors": [{"name": 5}, null], "attachments": [
                    {"url": "u"}, {"url": "u", "mime_type": "m", "size_in_bytes": 1.5}]}]})
            .to_string(),
        )
        .unwrap();
        assert!(!truncated);
        assert_eq!(
            feed,
            json!({"version": "https://jsonfeed.org/version/1.1", "title": "", "authors": [{"name": "Ann"}], "items": [
                {"id": "1", "tags": ["a"], "authors": [{"name": "5"}], "attachments": [{"url": "u", "mime_type": "m"}]}]})
        );
    }

    #[test]
    fn keeps_the_whole_items_of_a_truncated_document() {
        let text = r#"{"version":"https://jsonfeed.org/version/1","title":"t]","items":[{"id":"1}"},{"id":"2"},{"id"#;
        let (feed, truncated) = coerced(text).unwrap();
        assert!(truncated && feed["items"].as_array().unwrap().len() == 2, "{feed}");
        for text in ["{", "{\"items\":[{\"id\"", "{\"version\":\"2\",\"items\":[{}]}", "}", "{\"a\":[{}]}}"] {
            assert_eq!(coerced(text), None, "{text}");
        }
    }

    #[test]
    fn keeps_no_more_of_a_list_than_is_kept_in_the_end() {
        let attachment = json!({"url": "u", "mime_type": "m"});
        let item =
            json!({"tags": [null, 1, 2, 3, 4], "authors": ["a", "b", "c", "d"], "attachments": vec![attachment; 5]});
        let document = json!({"version": "https://jsonfeed.org/version/1", "items": [item]}).to_string();
        let (feed, _) = coerced(&document).unwrap();
        let item = &feed["items"][0];
        assert_eq!(item["tags"], json!(["1", "2", "3"]));
        assert_eq!((item["authors"].as_array().unwrap().len(), item["attachments"].as_array().unwrap().len()), (3, 3));
    }
}
