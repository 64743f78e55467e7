//! What is said of queries that cannot be read: where, and what to write instead.

use super::super::MAX_ERRORS;
use super::{errors, rule};

#[test]
fn errors_stand_at_their_byte_and_say_what_was_expected() {
    for (query, at, part) in [
        ("", 0, "the query is empty"),
        ("é AND", 6, "expected a word, a phrase, an `@group` or a `(` after `AND`"),
        ("AND a", 0, "at the start, found `AND`"),
        ("a AND OR b", 6, "after `AND`, found `OR`"),
        ("a AND b OR c", 8, "write `(a AND b) OR c` or `a AND (b OR c)`"),
        ("a OR b AND c OR d", 7, "write `a OR (b AND c) OR d` or `(a OR b) AND (c OR d)`"),
        ("ballistic missile", 10, "write `ballistic AND missile` for both, or `\"ballistic missile\"` for the phrase"),
        ("a and b", 2, "write `AND`"),
        ("not b", 0, "write `NOT`"),
        ("a near/5 b", 2, "`near/5` is a word here; write `NEAR/5`"),
        ("a NEAR5 b", 2, "write `NEAR/5`"),
        ("a NEAR:5 b", 2, "after a `/`: write `NEAR/5`"),
        ("a W/5 b", 2, "for words near each other write `NEAR/5`"),
        ("a /5 b", 2, "for words near each other write `NEAR/5`"),
        ("a XOR b", 2, "no `XOR`"),
        ("a -b", 2, "write `NOT b`, after another part `AND NOT b`"),
        ("[a TO b]", 0, "no ranges"),
        ("\"a b\"^2", 5, "no weights"),
        ("AT_LEAST(2, a, b, c)", 0, "`at_least`"),
        ("«a b", 0, "write » after the phrase"),
        ("a NOT b", 2, "write `AND NOT`"),
        ("(a OR b) \"c d\"", 9, "expected `AND`, `OR` or `NEAR/10` before `\"c d\"`"),
        ("(a AND b", 0, "is not closed"),
        ("a)", 1, "closes nothing"),
        ("a, b", 1, "a comma stands in"),
        ("(a, b)", 2, "a comma stands in"),
        ("()", 0, "nothing between these parentheses"),
        ("a AND \"b c", 6, "this quotation mark is not closed"),
        ("a NEAR b", 2, "expected how many words may stand between, a number: `NEAR/10`"),
        ("a ONEAR/x b", 2, "a number: `ONEAR/10`"),
        ("a NEAR/9999 b", 2, "at most 1000 words"),
        ("a NEAR/2 (b AND c)", 9, "`NEAR` joins words"),
        ("a NEAR/2 NOT b", 9, "`NOT` stands before"),
        ("title:NOT b", 6, "`NOT` stands before"),
        ("title:a NEAR/2 summary:b", 0, "their fields are different"),
        ("titel:a", 0, "there is no field `titel`"),
        ("https://example.com", 0, "quotation marks around a word with a colon"),
        ("at_least(a, b)", 9, "needs a number first"),
        ("at_least(3, a, b)", 0, "must be from 1 to 2, and is 3"),
        ("at_least(0, a)", 0, "how many must hold"),
        ("at_least(2)", 0, "has nothing to count"),
        ("at_least(2,)", 0, "has nothing to count"),
        ("at_least(3, a)", 0, "one part to count, and 3 of it"),
        ("at_least(3, a b)", 14, "before `b`"),
        ("x AND @misile", 6, "did you mean `@missile`"),
        ("x AND mis*le", 9, "write `mis*`"),
        ("=mis*", 4, "leave one of them out"),
        ("x AND =", 6, "right before the word"),
        ("x AND \"\"", 7, "the term is empty"),
        ("a && b", 2, "write `AND`"),
        ("a AND -b", 6, "write `NOT b`"),
        ("+a", 0, "leave it out"),
        ("word~2", 0, "no fuzzy search"),
        ("word^2", 0, "no weights"),
        ("a AND ?ile", 6, "cannot be the first letter"),
        ("=wom?n", 4, "leave one of them out"),
        ("\"is it war?\"", 10, "as a question mark"),
        ("a AND /mis(/", 10, "cannot be read: unclosed group"),
        ("a AND /x*/", 6, "even where there is nothing"),
        ("/a b", 0, "not closed"),
        ("/a/b/", 3, "only `i` may stand"),
        ("a NEAR/2 /b/", 9, "counted in words"),
        ("a NEAR/2 (b OR /c/)", 9, "counted in words"),
        ("tag:(a OR =x)", 10, "a whole name"),
        ("tag:\"a b\"~2", 4, "a whole name"),
        ("lang:ukrainian", 5, "the tag of a language"),
        ("feed:*", 5, "expected a name"),
        ("a NEAR/2 feed:b", 9, "`NEAR` joins words"),
        ("a NEAR/2 url:b", 0, "their fields are different"),
        ("NOT lang:uk", 0, "only excludes"),
        ("\"a\"~3", 0, "two words or more"),
        ("\"a b\"~", 5, "a number"),
        ("=\"a b\"~3", 6, "after a plain phrase only"),
        ("NOT a", 0, "only excludes"),
        ("a OR NOT b", 0, "only excludes"),
        ("at_least(2, a, NOT b, NOT c)", 0, "only excludes"),
    ] {
        let errors = errors(query);
        let (key, message) = (errors[0].key.as_str(), &errors[0].message);
        assert_eq!((key, errors[0].at.or(Some(0)), errors.len()), ("query", Some(at), 1), "`{query}`: {errors:?}");
        assert!(message.contains(part), "`{query}`: {message}");
    }
}

/// Each mistake is told once, where it is, with what to write.
#[test]
fn habits_of_other_languages_are_one_error_each() {
    let mut wrong = Vec::new();
    for (query, at, part) in [
        ("at least(2, a, b)", 0, "`at_least`"),
        ("At Least (2, a, b)", 0, "`at_least`"),
        ("x AND at_least 2 of (a, b, c)", 6, "write `at_least(2, a, b, c)`"),
        ("atleast3 word", 0, "write `at_least(3, a, b, c)`"),
        ("at_least/2(a, b)", 0, "write `at_least(2, a, b, c)`"),
        ("at_least(2 a b)", 9, "needs a number first, a comma"),
        ("at_least(x, a)", 9, "needs a number first"),
        ("at_least(50%, a, b)", 9, "needs a number first"),
        ("at_least(-1, a, b)", 9, "needs a number first"),
        ("at_least(, a)", 9, "needs a number first"),
        ("at_least()", 9, "needs a number first"),
        ("at_least((a AND b), c)", 9, "needs a number first"),
        ("a AROUND(5) b", 2, "write `NEAR/5`"),
        ("a NEAR 5 b", 2, "behind the `/`: write `NEAR/5`"),
        ("a NEAR /5 b", 2, "behind the `/`: write `NEAR/5`"),
        ("a ONEAR/ 5 b", 2, "behind the `/`: write `ONEAR/5`"),
        ("NEAR(a b, 5)", 0, "write `a NEAR/10 b`"),
        ("x AND NEAR((a, b), 5)", 6, "write `a NEAR/10 b`"),
        ("a NEAR(b OR c)", 2, "a number: `NEAR/10`"),
        ("a NEAR/five b", 2, "a number: `NEAR/10`"),
        ("a NEAR/-1 b", 2, "a number: `NEAR/10`"),
        ("a N5 b", 2, "write `NEAR/5`"),
        ("a w5 b", 2, "write `NEAR/5`"),
        ("a adj3 b", 2, "write `NEAR/3`"),
        ("a PRE/3 b", 2, "write `ONEAR/3`"),
        ("a ~5 b", 2, "write `NEAR/5`"),
        ("a /s b", 2, "write `NEAR/10` for words near each other"),
        ("a /5 b OR c /5 d", 2, "write `NEAR/5`"),
        ("a TO b", 2, "no ranges"),
        ("[a OR b] AND c", 0, "only parentheses group"),
        ("{a b} AND c", 0, "only parentheses group"),
        ("date:[2020 TO 2021]", 0, "does not ask for dates"),
        ("a AND after:2024-01-01", 6, "does not ask for dates"),
        ("published:>2020", 0, "does not ask for dates"),
        ("in:title foo", 0, "there is no field `in`"),
        ("titel:(a OR b)", 0, "there is no field `titel`"),
        ("title : a", 0, "right before a colon: write `title:`"),
        ("title=foo", 0, "right before a colon: write `title:`"),
        ("a|b", 0, "write `a OR b`"),
        ("a||b", 0, "write `a OR b`"),
        ("a&&b", 0, "write `a AND b`"),
        ("a && b && c && d", 2, "write `AND`"),
        ("a || b || c", 2, "write `OR`"),
        ("+a +b +c", 0, "leave it out"),
        ("a -b -c", 2, "write `NOT b`"),
        ("a AND -@dprk", 6, "write `NOT …`"),
        ("a -\"b c\"", 2, "`AND NOT …`"),
        ("a –b", 2, "write `NOT b`"),
        ("a AND －b", 6, "write `NOT b`"),
        ("a －b", 2, "write `NOT b`"),
        ("a AND ‐b", 6, "write `NOT b`"),
        ("a AND \u{2011}b", 6, "write `NOT b`"),
        ("a AND ‒b", 6, "write `NOT b`"),
        ("a AND ！b", 6, "write `NOT b`"),
        ("a AND --b", 6, "write `NOT b`"),
        ("a AND -\u{200b}b", 6, "write `NOT b`"),
        ("a AND －（b OR c）", 6, "write `NOT …`"),
        ("a ＋b", 2, "leave it out"),
        ("a ｜ b", 2, "write `OR`"),
        ("a ＆＆ b", 2, "write `AND`"),
        ("a｜b", 0, "write `a OR b`"),
        ("a|b|c", 0, "write `a OR b OR c`"),
        ("a&&b|c", 0, "write `(a AND b) OR c`"),
        ("x AND a|b", 6, "write `(a OR b)`"),
        ("a |b", 2, "write `OR`"),
        ("a| b", 1, "write `OR`"),
        ("a &b", 2, "write `AND`"),
        ("a|\"b c\"", 1, "write `OR`"),
        ("x AND ＠misile", 6, "did you mean `@missile`"),
        ("title＝foo", 0, "right before a colon: write `title:`"),
        ("＝ term", 0, "right before the word"),
        ("near:5 AND b", 0, "write `NEAR/5`"),
        ("at_least 2 of （a, b）", 0, "write `at_least(2, a, b, c)`"),
        ("a AROUND（5） b", 2, "write `NEAR/5`"),
        ("Iran – Iraq — Syria", 5, "write `\"Iran – Iraq\"` for a phrase"),
        ("a & b && c", 2, "write `AND`"),
        ("Iran – Iraq", 5, "write `\"Iran – Iraq\"` for a phrase"),
        ("a !(b OR c)", 2, "write `NOT`"),
        ("title:-b AND c", 6, "write `NOT b`"),
        ("a, b, c, d", 1, "a comma stands in"),
        ("(a, b, c)", 2, "a comma stands in"),
        ("a OR b NOT c", 7, "write `AND NOT`"),
        ("a AND (c NOT\u{200b} b)", 9, "write `AND NOT`"),
        ("a NOT\u{feff}", 8, "after `NOT`"),
        ("ET movie", 3, "write `ET AND movie` for both, or `\"ET movie\"` for the phrase"),
        ("W Hotels", 2, "`\"W Hotels\"` for the phrase"),
        ("P diddy", 2, "`\"P diddy\"` for the phrase"),
        ("TO visit", 3, "`\"TO visit\"` for the phrase"),
        ("x AND ET movie", 9, "`\"ET movie\"` for the phrase"),
        ("x AND not b", 6, "write `NOT`"),
        ("George W Bush", 7, "write `NEAR/10`, or quotation marks around the phrase"),
        ("John P Smith", 5, "write `ONEAR/10`, or quotation marks around the phrase"),
        ("Roland ET Pierre", 7, "write `AND`, or quotation marks around the phrase"),
        ("TRUMP TO VISIT IRAN", 6, "in quotation marks to look for them"),
        ("“missile\" AND \"rocket”", 0, "quotation marks are mixed"),
        ("\"missile” AND “rocket\"", 0, "quotation marks are mixed"),
        ("x AND “a\" NEAR/5 \"b”", 6, "quotation marks are mixed"),
        ("人民网（国际）", 9, "quotation marks around a word with parentheses"),
        ("（北）朝鲜", 9, "quotation marks around a word with parentheses"),
        ("func(x)", 4, "quotation marks around a word with parentheses"),
        ("北京，上海", 6, "quotation marks around a phrase with one"),
        ("feed:（）", 5, "nothing between these parentheses"),
        ("a BUT NOT b", 2, "write `AND NOT`"),
        ("a and not b", 2, "write `AND`"),
        ("a ODER b", 2, "write `OR`"),
        ("a И b", 2, "write `AND`"),
        ("a АND b", 2, "letters of another alphabet than `AND`"),
        ("a ОR b", 2, "letters of another alphabet than `OR`"),
        ("a OR b)) AND c", 6, "closes nothing"),
        ("(a OR (b AND c)", 0, "is not closed"),
        ("()", 0, "nothing between these parentheses"),
        ("a AND ()", 6, "nothing between these parentheses"),
        ("= term", 0, "right before the word"),
        ("a = b", 2, "right before the word"),
        ("=", 0, "right before the word"),
        ("a * b", 2, "cannot stand alone"),
        ("\"a * b\"", 3, "cannot stand alone"),
        ("*", 0, "cannot stand alone"),
        ("*:*", 0, "cannot stand alone"),
        ("*x", 0, "write `x*`"),
        ("a - b", 2, "no letter or digit"),
        ("a / b", 2, "no letter or digit"),
        ("\\\"a b\\\"", 0, "no letter or digit"),
        ("author:Jane Doe", 12, "write `author:\"Jane Doe\"`"),
        ("@ dprk", 0, "write `@name`"),
        ("@dprk*", 0, "did you mean `@dprk`"),
        ("a AND “b c", 6, "not closed; write ”"),
        ("\"a b\" \"c\"", 6, "before `\"c\"`"),
        ("(a OR b)^2", 8, "no weights"),
        ("url:", 4, "after `url:`"),
        ("feed:", 5, "after `feed:`"),
        ("lang: AND a", 6, "found `AND`"),
        ("AND", 0, "found `AND`"),
        ("a NOT", 5, "after `NOT`"),
    ] {
        let errors = errors(query);
        if errors.len() != 1 || errors[0].at != Some(at) || !errors[0].message.contains(part) {
            wrong.push(format!("`{query}`, {part}: {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can only mean one thing is read as that.
#[test]
fn spellings_that_mean_one_thing_are_read() {
    for (query, like) in [
        ("（a OR b） AND c", "(a OR b) AND c"),
        ("at_least(2，a，b，c)", "at_least(2, a, b, c)"),
        ("title：a AND b", "title:a AND b"),
        ("Title:a AND URL:b", "title:a AND url:b"),
        ("“a b\" AND c", "\"a b\" AND c"),
        ("„a b\"", "\"a b\""),
        ("\"a b”", "\"a b\""),
        ("＂a b＂", "\"a b\""),
        ("a AND\u{200b} b", "a AND b"),
        ("a AND (c AND NOT\u{200b} b)", "a AND (c AND NOT b)"),
        ("\u{feff}a\u{a0}OR\u{200e} b", "a OR b"),
        ("a\tAND\r\nb", "a AND b"),
        ("NOT(a) AND(b)", "NOT a AND b"),
        ("at_least (2, a, b, c)", "at_least(2, a, b, c)"),
    ] {
        assert_eq!(rule(query).version, rule(like).version, "{query}");
    }
}

/// What people bring from other languages is told as what it is here.
#[test]
fn other_languages_are_answered_with_what_to_write() {
    for (query, at, part) in [
        ("//", 0, "nothing between the slashes"),
        ("a AND //", 6, "nothing between the slashes"),
        ("/^$/", 0, "for no letter"),
        (r"/\b/", 0, "for no letter"),
        ("a AND /^/i", 6, "for no letter"),
        ("'a b'", 0, "double quotation marks: write `\"a b\"`"),
        ("‘a b c’", 0, "double quotation marks: write `\"a b…\"`"),
        ("title=\"a\"", 0, "before a colon: write `title:`"),
        ("title = a", 0, "before a colon: write `title:`"),
    ] {
        let errors = errors(query);
        assert_eq!(errors[0].at, Some(at), "`{query}`: {errors:?}");
        assert!(errors[0].message.contains(part), "`{query}`: {errors:?}");
    }
    for (query, suggestion) in [
        ("lang:ukrainian", "lang:uk"),
        ("language:en", "lang:"),
        ("headline:a", "title:"),
        ("keywords:a", "category:"),
        ("site:bbc.co.uk", "url:"),
        ("http://example.com", "url:"),
        ("intitle:a", "title:"),
        ("source:Reuters", "feed:"),
        ("titel:a", "title:"),
    ] {
        assert_eq!(errors(query)[0].suggestion.as_deref(), Some(suggestion), "{query}");
    }
    assert_eq!(errors("elsewhere:a")[0].suggestion, None);
}

#[test]
fn several_errors_are_told_at_once() {
    let errors_of_many = errors("(a b AND @misile OR titel:c) AND -d AND mis*le AND e NEAR f");
    let places: Vec<_> = errors_of_many.iter().map(|error| error.at).collect();
    assert_eq!(places, [Some(3), Some(9), Some(20), Some(33), Some(43), Some(53)]);
    assert_eq!(errors(&"(a b) AND ".repeat(1000)).len(), MAX_ERRORS);
    assert_eq!(errors("a b c d e").len(), 1);
    let mixed: Vec<_> = errors("a AND b OR @misile").iter().map(|error| error.at).collect();
    assert_eq!(mixed, [Some(8), Some(11)]);
}
