//! Decoding to UTF-8: what a document says of its encoding is often missing or wrong.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;
use url::Url;

/// How many bytes are searched for a declaration: it may follow white space, comments and warnings of a script.
const DECLARATION_WITHIN: usize = 4096;

/// So many characters of another encoding may be valid UTF-8 by chance (one Chinese word is famous for it).
const CHANCE: usize = 8;

/// Bytes that an encoding is guessed from: more make no guess better, and the guess is the slowest step.
const GUESSED_FROM: usize = 256 * 1024;

/// Decodes a body to text without byte order mark.
///
/// The order is: byte order mark, the zero bytes of UTF-16, `charset` of the `Content-Type`, XML declaration, UTF-8 if
/// it is valid, a guess. A declared encoding gives way where the bytes contradict it.
pub(super) fn decode<'a>(body: &'a [u8], content_type: Option<&str>, base: Option<&Url>) -> Cow<'a, str> {
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[length..]).0;
    }
    if let Some(encoding) = utf16_without_mark(body) {
        return encoding.decode_without_bom_handling(body).0;
    }
    // What could be UTF-16 was decoded above: here `<` is one byte, whatever the label says.
    let possible = |encoding: &&'static Encoding| ![UTF_16LE, UTF_16BE, REPLACEMENT].contains(encoding);
    let declared = content_type.and_then(charset).filter(possible);
    let declared = declared.or_else(|| declaration(body).filter(possible));
    if let Ok(text) = std::str::from_utf8(body) {
        // Text in another encoding is practically never valid UTF-8 by chance, and wrong labels are common. Only a few
        // characters in an encoding of two bytes (or ISO-2022-JP, which is ASCII with escapes) may look like it.
        let by_chance = |encoding: &&'static Encoding| {
            !encoding.is_single_byte() && text.chars().filter(|char| !char.is_ascii()).nth(CHANCE).is_none()
        };
        return match declared.filter(|declared| *declared != UTF_8 && by_chance(declared)) {
            Some(encoding) => reliable(encoding, body, base),
            None => Cow::Borrowed(text),
        };
    }
    match declared {
        Some(encoding) => reliable(encoding, body, base),
        None => reliable(UTF_8, body, base),
    }
}

/// Decodes a text of any kind; none where the bytes are none, but an image, a document of an office program, and the like.
pub(super) fn text<'a>(body: &'a [u8], content_type: Option<&str>) -> Option<Cow<'a, str>> {
    let text = match utf16_of_ascii(body) {
        Some(encoding) => encoding.decode_without_bom_handling(body).0,
        None => decode(body, content_type, None),
    };
    let is_strange = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}');
    let strange = text.chars().filter(is_strange).count();
    let is_binary = text.starts_with("%PDF-") || text.contains('\0') || strange * 50 > text.chars().count();
    (!is_binary).then_some(text)
}

/// Recognises UTF-16 without a byte order mark by its zero bytes, where its first characters are ASCII's.
fn utf16_of_ascii(body: &[u8]) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(16) & !1];
    let is_ascii =
        |zero: usize| head.len() > 3 && head.chunks_exact(2).all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
    [(1, UTF_16LE), (0, UTF_16BE)].into_iter().find(|(zero, _)| is_ascii(*zero)).map(|(_, encoding)| encoding)
}

/// Decodes by a declared encoding, or a guessed one where many bytes contradict the declared one.
fn reliable<'a>(encoding: &'static Encoding, body: &'a [u8], base: Option<&Url>) -> Cow<'a, str> {
    let (text, malformed) = encoding.decode_without_bom_handling(body);
    if !malformed {
        return text;
    }
    let broken = text.chars().filter(|char| *char == char::REPLACEMENT_CHARACTER).count();
    let sound = text.chars().filter(|char| !char.is_ascii()).count() - broken;
    if broken * 4 <= sound {
        // Some characters were cut or mangled on the way; the rest is what it says.
        return text;
    }
    guess(body, base).decode_without_bom_handling(body).0
}

/// Guesses an encoding from the country of the host and the bytes, [`GUESSED_FROM`] of them from the first on that is not
/// ASCII's.
fn guess(body: &[u8], base: Option<&Url>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let start = body.iter().position(|byte| !byte.is_ascii()).unwrap_or(body.len());
    let text = &body[start..];
    detector.feed(&text[..text.len().min(GUESSED_FROM)], text.len() <= GUESSED_FROM);
    let host = base.and_then(Url::host_str).unwrap_or_default();
    let country = host.rsplit('.').next().filter(|tld| !tld.is_empty() && tld.bytes().all(|b| b.is_ascii_lowercase()));
    detector.guess(country.map(str::as_bytes), Utf8Detection::Allow)
}

/// Recognises UTF-16 without a byte order mark by its first character.
fn utf16_without_mark(body: &[u8]) -> Option<&'static Encoding> {
    let first_pair =
        body.chunks_exact(2).find(|pair| !matches!(pair, [0, b' ' | b'\t'..=b'\r'] | [b' ' | b'\t'..=b'\r', 0]));
    match first_pair {
        Some([b'<' | b'{', 0]) => Some(UTF_16LE),
        Some([0, b'<' | b'{']) => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns the encoding that a `Content-Type` names.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let label = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then(|| Encoding::for_label(label.as_bytes())).flatten()
    })
}

/// Returns the encoding that an XML declaration names, at the beginning or after what does not belong there.
fn declaration(body: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&body[..body.len().min(DECLARATION_WITHIN)]);
    let declaration = &head[head.find("<?xml")?..];
    let declaration = &declaration[..declaration.find('>')?];
    let value =
        declaration[declaration.find("encoding")? + "encoding".len()..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_declared_or_meant() {
        let cyrillic = "<?xml version='1.0' encoding='windows-1251'?><a>Привет</a>";
        let (windows, _, _) = encoding_rs::WINDOWS_1251.encode(cyrillic);
        let unlabelled = "<a>Привет, это новости о ракетах и санкциях</a>";
        let (bare, _, _) = encoding_rs::WINDOWS_1251.encode(unlabelled);
        let utf16: Vec<u8> = "\u{feff}<a>Привет</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_bare: Vec<u8> = "\n<a>Привет</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode("<a>ミサイル</a>");
        for (name, body, content_type, text) in [
            ("declaration", &windows[..], None, cyrillic),
            ("guess", &bare, None, unlabelled),
            ("wrong label", &bare, Some("text/xml; charset=utf-8"), unlabelled),
            ("utf-16 with mark", &utf16, None, "<a>Привет</a>"),
            ("utf-16 without mark", &utf16_bare, None, "\n<a>Привет</a>"),
            ("header", &shift_jis, Some("text/xml; charset=\"Shift_JIS\""), "<a>ミサイル</a>"),
            (
                "utf-8 labelled latin-1",
                "<a>é ракета</a>".as_bytes(),
                Some("text/xml; charset=ISO-8859-1"),
                "<a>é ракета</a>",
            ),
            ("utf-8 labelled utf-16", "<a>é</a>".as_bytes(), Some("text/xml;charset=utf-16"), "<a>é</a>"),
            ("one broken character", b"<a>\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0</a>", None, "<a>Прив\u{fffd}</a>"),
            ("mark before a declaration", b"\xef\xbb\xbf<a>\xc3\xa9</a>", Some("text/xml;charset=latin1"), "<a>é</a>"),
            (
                "utf-8 labelled gbk",
                "<a>中华人民共和国新闻联播</a>".as_bytes(),
                Some("text/xml;charset=gbk"),
                "<a>中华人民共和国新闻联播</a>",
            ),
            (
                "two characters that look like utf-8",
                b"<a>\xc1\xaa\xcd\xa8</a>",
                Some("text/xml;charset=gbk"),
                "<a>联通</a>",
            ),
            ("iso-2022-jp", b"<a>\x1b$B%_\x1b(B</a>", Some("text/xml;charset=iso-2022-jp"), "<a>ミ</a>"),
            ("unknown label", b"<a>x</a>", Some("text/xml; charset=x-no-such"), "<a>x</a>"),
        ] {
            assert_eq!(decode(body, content_type, None), text, "{name}");
        }
    }

    #[test]
    fn text_is_told_from_other_data() {
        let utf16: Vec<u8> = "Missile test in Київ".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_marked: Vec<u8> = "\u{feff}Ракети".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode("Élection présidentielle à Paris, un été agité");
        let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode("北朝鮮が弾道ミサイルを発射したと発表しました");
        for (body, expected) in [
            (&b"plain\ttext\r\n"[..], "plain\ttext\r\n"),
            (&utf16, "Missile test in Київ"),
            (&utf16_marked, "Ракети"),
            (&latin, "Élection présidentielle à Paris, un été agité"),
            (&shift_jis, "北朝鮮が弾道ミサイルを発射したと発表しました"),
        ] {
            assert_eq!(text(body, None).as_deref(), Some(expected));
        }
        for body in
            [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], b"%PDF-1.7\nsome", b"\x7fELF\x02\x01\x01\0", b"\x01\x02ab\x03"]
        {
            assert_eq!(text(body, None), None, "{body:?}");
        }
    }

    #[test]
    fn finds_declarations_wherever_they_are() {
        for head in [
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>",
            "\n\n  <?xml   version='1.0'  encoding = 'Windows-1251' standalone=\"yes\" ?>",
            "<!-- a comment --><?xml encoding=\"cp1251\"?>",
        ] {
            assert_eq!(declaration(head.as_bytes()), Some(encoding_rs::WINDOWS_1251), "{head}");
        }
        for head in
            ["", "<?xml version=\"1.0\"?>", "<?xml encoding=", "<?xml encoding=utf-8?>", "<rss encoding='latin1'>"]
        {
            assert_eq!(declaration(head.as_bytes()), None, "{head}");
        }
    }

    /// However much ASCII is ahead of the text, and however long that is.
    #[test]
    fn an_encoding_is_guessed_where_the_text_begins() {
        let text = "Привет, как дела? Ракеты летят над морем. ";
        let (text, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        for repeated in [1, GUESSED_FROM / text.len() + 1] {
            let body = [b"<a>".repeat(GUESSED_FROM), text.repeat(repeated), b"</a>".to_vec()].concat();
            assert!(decode(&body, None, None).contains("Ракеты летят"), "{repeated}");
        }
    }
}
