//! Feeds that are local files.

use super::{
    Fetched, ResponseNotes,
    body::{BodyDecoder, BodyLimits, Encoding},
    failure::{self, Trouble},
};
use crate::{
    config::FetchLimits,
    core::{
        descriptors,
        feed::{FailureKind, FeedState, FreshnessHints, Validators},
    },
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use url::Url;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Reads a file on a thread where blocking hurts nobody.
pub(super) async fn fetch(path: &Path, before: &FeedState, limits: FetchLimits) -> Result<Fetched, Trouble> {
    let (path, last_hash) = (PathBuf::from(path), before.body_hash);
    let read = move || {
        let (body, body_hash) = read(&path, limits)?;
        let address = Url::from_file_path(&path).map_or_else(|()| path.display().to_string(), String::from);
        let notes = ResponseNotes {
            validators: Validators::default(),
            validators_url: address.clone(),
            hints: FreshnessHints::default(),
            redirects: Vec::new(),
        };
        if last_hash == Some(body_hash) {
            return Ok(Fetched::Unchanged(notes));
        }
        Ok(Fetched::Document { body, content_type: None, final_url: address, body_hash, notes, cut: None })
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| Err(Trouble::new(FailureKind::Unreachable, format!("reading it broke off: {error}"))))
}

fn read(path: &Path, limits: FetchLimits) -> Result<(Vec<u8>, crate::core::feed::BodyHash), Trouble> {
    // Looked at before it is opened: opening a FIFO waits for a writer.
    require_regular(&fs::metadata(path).map_err(|error| cannot("find", &error))?)?;
    let file = File::open(path).map_err(|error| cannot("open", &error))?;
    // And again: another file may have taken its place.
    require_regular(&file.metadata().map_err(|error| cannot("read", &error))?)?;
    // A file is not a wire: its bytes are the body.
    let limits = BodyLimits { wire_bytes: u64::MAX, ..BodyLimits::of_feed(limits) };
    let mut body = BodyDecoder::new(Encoding::Identity, limits)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut file = file;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return body.finish(),
            Ok(count) => body.push(&piece[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot("read", &error)),
        }
    }
}

fn require_regular(metadata: &fs::Metadata) -> Result<(), Trouble> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() { "a directory" } else { "a device, socket or pipe" };
    Err(Trouble::new(FailureKind::Refused, format!("it is {what}; name a regular file")))
}

fn cannot(what: &str, error: &io::Error) -> Trouble {
    if descriptors::is_shortage(error) {
        return failure::no_descriptor();
    }
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "; check the path in the configuration",
        io::ErrorKind::PermissionDenied => "; let the user that feedwatch runs as read it",
        _ => "",
    };
    Trouble::new(FailureKind::Unreachable, format!("cannot {what} the file: {error}{remedy}"))
}
