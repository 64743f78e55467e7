use super::*;
use proptest::prelude::*;

fn feed(url: &str) -> NewFeed {
    NewFeed { url: FeedUrl::Web(url.parse().unwrap()), name: None, tags: Vec::new(), allow_private: false }
}

fn new() -> NewFeed {
    feed("https://new.example/")
}

const BLOCK: &str = "[[feed]]\nurl = \"https://new.example/\"\n";

fn added(text: &str) -> String {
    with_feeds(text, &[new()]).unwrap().0
}

#[test]
fn a_feed_goes_after_the_last_one_and_nothing_else_changes() {
    for (before, after) in [
        ("", ""),
        ("[store]\npath = 'x'\n\n", ""),
        ("# feeds\n[[feed]]\nurl = 'a'  # one\n\n", "\n[[rule]]\nname = 'r'\n"),
        ("[[feed]]\nurl = 'a'\n\n[[feed]]\nurl = 'b'\ntags = [\n  'x', # why\n]\n\n", "\n# rules\n[[rule]]\n"),
        ("[[feed]]\nurl = 'a'\n# interval = '1h'\n\n", "\n# rules\n[[rule]]\n"),
        ("[[rule]]\nname = 'r'\n[[feed]]\nurl = 'a'\n# interval = '1h'\n\n", ""),
    ] {
        assert_eq!(
            added(&format!("{}{after}", before.strip_suffix("\n\n").map_or(String::new(), |b| format!("{b}\n")))),
            format!("{before}{BLOCK}{after}")
        );
    }
    // A comment right above the next header is that one's.
    let text = "[[feed]]\nurl = 'a'\n# rules\n[[rule]]\nname = 'r'\n";
    assert_eq!(added(text), text.replace("# rules", &format!("\n{BLOCK}\n# rules")));
}

#[test]
fn files_keep_their_ways() {
    assert_eq!(
        added("[[feed]]\r\nurl = 'a'\r\n"),
        format!("[[feed]]\r\nurl = 'a'\r\n\r\n{}", BLOCK.replace('\n', "\r\n"))
    );
    assert_eq!(added("[[feed]]\nurl = 'a'"), format!("[[feed]]\nurl = 'a'\n\n{BLOCK}"));
    let inline = "feed = [\n  { url = 'a' }, # one\n  { url = 'b' },\n]\n\n[store] # s\n";
    let after = added(inline);
    assert!(after.contains("  { url = 'b' },\n  { url = \"https://new.example/\" },\n]\n\n[store] # s\n"), "{after}");
}

/// Once the lines of the whole file lost their carriage returns, and the last feed its comment.
#[test]
fn a_list_of_inline_feeds_grows_and_nothing_else_changes() {
    let new = "{ url = \"https://new.example/\" }";
    for (before, after) in [
        ("feed = []", format!("feed = [{new}]")),
        (
            "feed = [ { url = 'a' } ] # l\r\n[store] # s\r\n",
            format!("feed = [ {{ url = 'a' }}, {new} ] # l\r\n[store] # s\r\n"),
        ),
        ("feed = [{ url = 'a' }, ]", format!("feed = [{{ url = 'a' }}, {new}, ]")),
        (
            "feed = [\r\n\t{ url = 'a' } # a\r\n]\r\n",
            format!("feed = [\r\n\t{{ url = 'a' }}, # a\r\n\t{new},\r\n]\r\n"),
        ),
        (
            "feed = [\n  { url = 'a' }, # a\n  # end\n]",
            format!("feed = [\n  {{ url = 'a' }}, # a\n  # end\n  {new},\n]"),
        ),
        ("feed = [\n  # none yet\n]\n", format!("feed = [\n  # none yet\n  {new},\n]\n")),
        (
            "feed = [{ url = 'a' }\n, # a\n { url = 'b' }] # b\n",
            format!("feed = [{{ url = 'a' }}\n, # a\n {{ url = 'b' }}, {new}] # b\n"),
        ),
    ] {
        assert_eq!(added(before), after);
        assert!(after.parse::<DocumentMut>().is_ok(), "{after}");
    }
    assert_eq!(with_feeds("feed = []", &[feed("https://new.example/")]).unwrap().1, new);
}

#[test]
fn everything_that_is_known_of_a_feed_is_written() {
    let new = NewFeed {
        name: Some("\"A\" \\ B".to_owned()),
        tags: vec!["wire".to_owned(), "élan".to_owned()],
        allow_private: true,
        ..new()
    };
    let text = with_feeds("", &[new, feed("https://b.example/")]).unwrap().1;
    assert_eq!(
        text,
        "[[feed]]\nurl = \"https://new.example/\"\nname = '\"A\" \\ B'\ntags = [\"wire\", \"élan\"]\n\
         allow_private = true\n\n[[feed]]\nurl = \"https://b.example/\"\n"
    );
}

#[test]
fn only_files_that_are_read_are_written_to() {
    let main = Path::new("/etc/feedwatch/feedwatch.toml");
    let meant = |to: &str| target(main, Some(Path::new(to))).map(|path| path.display().to_string()).ok();
    assert_eq!(meant("conf.d/wire.toml").as_deref(), Some("/etc/feedwatch/conf.d/wire.toml"));
    assert_eq!(meant("/etc/feedwatch/conf.d/wire.toml").as_deref(), Some("/etc/feedwatch/conf.d/wire.toml"));
    assert_eq!(meant("feedwatch.toml").as_deref(), Some("/etc/feedwatch/feedwatch.toml"));
    for other in
        ["wire.toml", "conf.d/wire.txt", "conf.d/.wire.toml", "conf.d/a/wire.toml", "/tmp/conf.d/wire.toml", "conf.d"]
    {
        assert_eq!(meant(other), None, "{other}");
    }
    assert_eq!(target(main, None).unwrap(), main);
    assert_eq!(
        target(Path::new("feedwatch.toml"), Some(Path::new("conf.d/a.toml"))).unwrap(),
        Path::new("conf.d/a.toml")
    );
}

fn workspace(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("feedwatch.toml");
    fs::write(&main, text).unwrap();
    (folder, main)
}

#[test]
fn a_file_is_replaced_whole_with_its_permissions_and_through_a_link() {
    let (folder, main) = workspace("[[feed]]\nurl = 'https://a.example/'\n");
    fs::set_permissions(&main, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("linked.toml");
    std::os::unix::fs::symlink(&main, &link).unwrap();
    Edit::adding(&link, None, &[new()]).unwrap().write().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&main).unwrap().mode() & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&main).unwrap(), format!("[[feed]]\nurl = 'https://a.example/'\n\n{BLOCK}"));
    // A file that was not there is as private as the main one.
    Edit::adding(&main, Some(Path::new("conf.d/b.toml")), &[feed("https://b.example/")]).unwrap().write().unwrap();
    let made = folder.path().join("conf.d/b.toml");
    assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "a draft was left behind");
}

/// Promise P7: an edit that would make the configuration bad changes no file.
#[test]
fn a_bad_configuration_is_never_written() {
    let text = "[[feed]]\nurl = 'https://a.example/'\n";
    let (_folder, main) = workspace(text);
    let error = Edit::adding(&main, None, &[new(), new()]).unwrap_err().to_string();
    assert!(error.contains("already a feed at") && error.contains("feedwatch.toml:8"), "{error}");
    let long = NewFeed { name: Some("x".repeat(1000)), ..new() };
    assert!(matches!(Edit::adding(&main, None, &[long]), Err(EditError::Invalid(_))));
    assert_eq!(fs::read_to_string(&main).unwrap(), text);
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile_is_left_alone() {
    let (folder, main) = workspace("[[feed]]\nurl = 'https://a.example/'\n");
    let edit = Edit::adding(&main, None, &[new()]).unwrap();
    let other = "[[feed]]\nurl = 'https://other.example/'\n";
    fs::write(&main, other).unwrap();
    let error = edit.write().unwrap_err().to_string();
    assert!(error.contains("changed it meanwhile"), "{error}");
    assert_eq!(fs::read_to_string(&main).unwrap(), other);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left behind");
}

proptest! {
    /// Whatever stands in a file, adding a feed only adds lines to it.
    #[test]
    fn edits_only_add(parts in proptest::collection::vec(prop_oneof![
        Just("[[feed]]\nurl = 'a'\n"), Just("[[feed]]\nurl = 'b' # x\ntags = ['x',\n 'y']\n"), Just("# comment\n"), Just("\n"),
        Just("[[rule]]\nname = '[[feed]]'\n"), Just("  # indented\n"),
    ], 0..8)) {
        let text = parts.concat();
        let (after, added) = with_feeds(&text, &[new()]).unwrap();
        let at = after.find(&added).unwrap();
        prop_assert_eq!(format!("{}{}", &after[..at], &after[at + added.len()..]), text);
        let count = |text: &str| match Document::parse(text.to_owned()).unwrap().get("feed") {
            Some(Item::ArrayOfTables(tables)) => tables.len(),
            _ => 0,
        };
        prop_assert_eq!(count(&after), parts.iter().filter(|part| part.starts_with("[[feed]]")).count() + 1);
    }
}

#[test]
fn a_file_that_may_not_be_written_says_who_may() {
    let unwritten =
        |kind: io::ErrorKind| EditError::Unwritten { path: "a.toml".into(), cause: kind.into() }.to_string();
    assert!(unwritten(io::ErrorKind::PermissionDenied).ends_with("as a user who may write the file and its folder"));
    assert!(unwritten(io::ErrorKind::ReadOnlyFilesystem).ends_with("mounted for reading only"));
    assert_eq!(unwritten(io::ErrorKind::StorageFull), "a.toml could not be written and is as it was: no storage space");
}
