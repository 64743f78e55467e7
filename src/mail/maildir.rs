//! Delivery into a Maildir on this machine.
//!
//! The file's name is made of the Message-ID, so that a second delivery of the same mail finds the first: exactly once,
//! whatever happened in between. Flags that a mail reader appends (`:2,S`) are seen past. A mail that a person has
//! deleted or moved to another folder is not known any more.

use super::clean;
use crate::core::{
    descriptors,
    retry::{Delivery, Refusal, RefusalKind},
};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Puts a mail into the Maildir at `path`, which is made if it does not exist. Blocks on the disk.
///
/// It is accepted when the file and its directory entry are on the disk, or were there before. Any failure is
/// temporary: a full disk or a missing permission may be mended.
pub fn deliver(path: &Path, message_id: &str, message: &[u8]) -> Delivery {
    match put(path, message_id, message) {
        Ok(file) => Delivery::Accepted { reply: clean(&file.display().to_string()) },
        Err(error) if descriptors::is_shortage(&error) => {
            Delivery::Refused(Refusal { kind: RefusalKind::Local, message: descriptors::shortage() })
        }
        Err(error) => Delivery::temporary(clean(&format!(
            "could not write mail {message_id} into the Maildir {}: {error}; check that the directory exists, is \
             writable for this user and has space",
            path.display()
        ))),
    }
}

fn put(path: &Path, message_id: &str, message: &[u8]) -> io::Result<PathBuf> {
    let [tmp, new, cur] = ["tmp", "new", "cur"].map(|name| path.join(name));
    if !(tmp.is_dir() && new.is_dir() && cur.is_dir()) {
        for directory in [&tmp, &new, &cur] {
            fs::create_dir_all(directory)?;
        }
        sync(path)?;
    }
    let name = file_name(message_id);
    if let Some(there) = find(&[&new, &cur], &name)? {
        // The first delivery may have ended between the rename and the sync of the directory.
        sync(&new)?;
        return Ok(there);
    }
    // A file that a crash left in tmp/ is overwritten: it has this name, and nobody reads there.
    let (draft, file) = (tmp.join(&name), new.join(&name));
    let mut out = File::create(&draft)?;
    out.write_all(message)?;
    out.sync_all()?;
    drop(out);
    fs::rename(&draft, &file)?;
    sync(&new)?;
    Ok(file)
}

/// Returns the unique name of a mail's file: no `/`, `:` or leading dot.
fn file_name(message_id: &str) -> String {
    let hash = Sha256::digest(message_id.as_bytes());
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.feedwatch")
}

fn find(directories: &[&Path], name: &str) -> io::Result<Option<PathBuf>> {
    for directory in directories {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let entry_name = entry.file_name();
            let same = entry_name.to_str().and_then(|found| found.strip_prefix(name));
            if same.is_some_and(|flags| flags.is_empty() || flags.starts_with([':', ',', ';', '!'])) {
                return Ok(Some(entry.path()));
            }
        }
    }
    Ok(None)
}

/// Makes a directory's entries durable.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(path: &Path) -> Vec<PathBuf> {
        let all = |name| fs::read_dir(path.join(name)).unwrap().map(|entry| entry.unwrap().path());
        ["tmp", "new", "cur"].into_iter().flat_map(all).collect()
    }

    /// Promise P2: no alert is repeated.
    #[test]
    fn a_second_delivery_finds_the_first_even_when_it_was_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("outbox");
        let accepted = |id| match deliver(&path, id, b"From: a\r\n\r\nbody\r\n") {
            Delivery::Accepted { reply } => PathBuf::from(reply),
            refused => panic!("{refused:?}"),
        };
        let first = accepted("<1@example.org>");
        assert_eq!(fs::read(&first).unwrap(), b"From: a\r\n\r\nbody\r\n");
        assert_eq!(first.parent().unwrap().file_name().unwrap(), "new");
        assert_eq!(accepted("<1@example.org>"), first);
        let name = first.file_name().unwrap().to_str().unwrap();
        let read = path.join("cur").join(format!("{name}:2,S"));
        fs::rename(&first, &read).unwrap();
        assert_eq!(accepted("<1@example.org>"), read);
        assert_eq!(files(&path).len(), 1);
        accepted("<2@example.org>");
        assert_eq!(files(&path).len(), 2);
    }

    #[test]
    fn a_draft_that_a_crash_left_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("tmp")).unwrap();
        fs::write(home.path().join("tmp").join(file_name("<1@example.org>")), b"half of a mail, and longer").unwrap();
        assert!(matches!(deliver(home.path(), "<1@example.org>", b"whole"), Delivery::Accepted { .. }));
        assert_eq!(files(home.path()).len(), 1);
        assert_eq!(fs::read(&files(home.path())[0]).unwrap(), b"whole");
    }

    #[test]
    fn a_path_that_is_a_file_is_a_temporary_failure_with_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let Delivery::Refused(refusal) = deliver(file.path(), "<1@example.org>", b"x") else { panic!("accepted") };
        assert_eq!(refusal.kind, RefusalKind::Temporary);
        assert!(refusal.message.contains(&file.path().display().to_string()), "{}", refusal.message);
    }
}
