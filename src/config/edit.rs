//! Edits of the configuration's files: feeds are added, everything else stays byte for byte as it was.
//!
//! New text goes in after the last feed of a file. The whole configuration is checked with it before anything is
//! written, and the file is replaced in one step, with its permissions and its owner.

use super::{
    Config, ConfigErrors, Purpose, load_draft,
    source::{Source, conf_d_of},
    surroundings,
};
use crate::core::feed::FeedUrl;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};
use toml_edit::{
    Array, ArrayOfTables, Document, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, value,
};

/// A feed that is to be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeed {
    /// Where it is.
    pub url: FeedUrl,
    /// Name that people are shown.
    pub name: Option<String>,
    /// Labels that rules select feeds by.
    pub tags: Vec<String>,
    /// Whether it may be in a private network.
    pub allow_private: bool,
}

/// A new text of one file, with which the whole configuration is good.
#[derive(Debug)]
pub struct Edit {
    path: PathBuf,
    /// Text that it replaces; `None` for a file that is not there yet.
    before: Option<String>,
    after: String,
    added: String,
    feeds: usize,
    /// Gives its permissions and owner to a file that is not there yet.
    main: PathBuf,
    config: Config,
}

/// Why an edit was not made. No file was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is not one of the configuration's.
    #[error("{0}")]
    WrongFile(String),
    /// The configuration would be bad.
    #[error("nothing was written: with the new feeds the configuration has errors\n\n{0}")]
    Invalid(#[from] ConfigErrors),
    /// The file could not be written.
    #[error("{} could not be written and is as it was: {cause}{}", path.display(), remedy(cause))]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Says what to do where the system does not let this user write.
fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => "; do this as a user who may write the file and its folder",
        io::ErrorKind::ReadOnlyFilesystem => "; its file system is mounted for reading only",
        _ => "",
    }
}

impl Edit {
    /// Adds feeds to the main file, or to the file of `conf.d` that is named, and checks what comes of it.
    ///
    /// # Errors
    ///
    /// [`EditError`] if the file is none that feedwatch reads, or the configuration would be bad.
    pub fn adding(main: &Path, to: Option<&Path>, feeds: &[NewFeed]) -> Result<Self, EditError> {
        let path = target(main, to)?;
        let is_there = fs::symlink_metadata(&path).is_ok();
        let before = if is_there {
            let source = Source::read(path.clone());
            match source.broken {
                Some(problem) => return Err(ConfigErrors(vec![problem]).into()),
                None => Some(source.text),
            }
        } else {
            None
        };
        let text = before.as_deref().unwrap_or_default();
        let (after, added) = with_feeds(text, feeds)
            .map_err(|error| EditError::WrongFile(format!("{}: {}", path.display(), error.message().trim())))?;
        let config = load_draft(main, &surroundings(), Some((&path, &after)), Purpose::Use)?;
        Ok(Self { path, before, after, added, feeds: feeds.len(), main: main.to_owned(), config })
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what is added to it.
    pub fn added(&self) -> &str {
        &self.added
    }

    /// Returns how many feeds that are.
    pub fn feeds(&self) -> usize {
        self.feeds
    }

    /// Returns the configuration as it will be.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    ///
    /// If the file was changed meanwhile or cannot be written; it is then as it was.
    pub fn write(&self) -> Result<(), EditError> {
        self.replace().map_err(|cause| EditError::Unwritten { path: self.path.clone(), cause })
    }

    fn replace(&self) -> io::Result<()> {
        // A link stays one; what it leads to is replaced.
        let path = if self.before.is_some() { fs::canonicalize(&self.path)? } else { self.path.clone() };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let model = if self.before.is_some() { path.clone() } else { self.main.clone() };
        if self.before.is_some() {
            // A new file in its place needs the folder's permission only; that of the file is what a person has set.
            fs::OpenOptions::new().append(true).open(&path)?;
        }
        if !folder.exists() {
            self.make_folder(folder)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Hidden, so that nobody takes it for a file of the configuration.
        let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
        let written = self.fill(&draft, &model).and_then(|()| {
            let now = if path.exists() { Some(fs::read_to_string(&path)?) } else { None };
            if now != self.before {
                return Err(io::Error::other("somebody else has changed it meanwhile; try again"));
            }
            fs::rename(&draft, &path)
        });
        if written.is_err() {
            // The first error is the one to tell of.
            let _ = fs::remove_file(&draft);
        }
        written?;
        fs::File::open(folder)?.sync_all()
    }

    fn fill(&self, draft: &Path, model: &Path) -> io::Result<()> {
        let model = fs::metadata(model)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        file.write_all(self.after.as_bytes())?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (model.uid(), model.gid()) {
            fchown(&file, Some(model.uid()), Some(model.gid()))
                .map_err(|error| io::Error::new(error.kind(), format!("its owner could not be kept ({error})")))?;
        }
        file.set_permissions(fs::Permissions::from_mode(model.mode() & 0o777))?;
        file.sync_all()
    }

    /// Makes `conf.d` like the folder that it is in.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let parent = self.main.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let model = fs::metadata(parent)?;
        fs::create_dir(folder)?;
        let made = fs::File::open(folder)?;
        let is = made.metadata()?;
        if (is.uid(), is.gid()) != (model.uid(), model.gid()) {
            fchown(&made, Some(model.uid()), Some(model.gid()))?;
        }
        made.set_permissions(fs::Permissions::from_mode(model.mode() & 0o777))
    }
}

/// Returns the file that a path means: the main one, or one of `conf.d` beside it, named from the main file's folder or
/// from the current one.
fn target(main: &Path, to: Option<&Path>) -> Result<PathBuf, EditError> {
    let Some(to) = to else { return Ok(main.to_owned()) };
    let conf_d = conf_d_of(main);
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = main.parent().unwrap_or(Path::new(""));
    for path in [folder.join(to), to.to_owned()] {
        if absolute(&path) == absolute(main) {
            return Ok(main.to_owned());
        }
        let (parent, name) = (absolute(&path).parent().map(Path::to_owned), path.file_name().unwrap_or_default());
        let is_read =
            path.extension().is_some_and(|extension| extension == "toml") && !name.as_encoded_bytes().starts_with(b".");
        if is_read && parent == Some(absolute(&conf_d)) {
            return Ok(conf_d.join(name));
        }
    }
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    Err(EditError::WrongFile(format!(
        "{} is no file that is read: that are {} and the *.toml files of {}; did you mean --to conf.d/{stem}.toml?",
        to.display(),
        main.display(),
        conf_d.display(),
    )))
}

/// Returns a text with feeds added, and what was added.
fn with_feeds(text: &str, feeds: &[NewFeed]) -> Result<(String, String), TomlError> {
    let document = Document::parse(text)?;
    if let Some(Item::Value(Value::Array(list))) = document.get("feed") {
        return Ok(with_inline_feeds(text, list, feeds));
    }
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let blocks = blocks(feeds).replace('\n', line_end);
    let at = match document.get("feed") {
        Some(Item::ArrayOfTables(tables)) => after_last(text, tables),
        _ => text.len(),
    };
    let (before, after) = text.split_at(at);
    let mut added = String::new();
    if !before.is_empty() {
        if !before.ends_with('\n') {
            added.push_str(line_end);
        }
        added.push_str(line_end);
    }
    added.push_str(&blocks);
    if after.lines().next().is_some_and(|line| !line.trim().is_empty()) {
        added.push_str(line_end);
    }
    Ok((format!("{before}{added}{after}"), added))
}

/// Returns feeds as `[[feed]]` blocks.
fn blocks(feeds: &[NewFeed]) -> String {
    let mut tables = ArrayOfTables::new();
    for feed in feeds {
        let mut table = Table::new();
        fill(&mut table, feed);
        tables.push(table);
    }
    let mut document = DocumentMut::new();
    document.insert("feed", Item::ArrayOfTables(tables));
    document.to_string()
}

fn fill(table: &mut dyn TableLike, feed: &NewFeed) {
    table.insert("url", value(feed.url.identity()));
    if let Some(name) = &feed.name {
        table.insert("name", value(name));
    }
    if !feed.tags.is_empty() {
        table.insert("tags", value(feed.tags.iter().collect::<Array>()));
    }
    if feed.allow_private {
        table.insert("allow_private", value(true));
    }
}

/// Returns the byte after the last feed and the comments below that are still its own: for the TOML library they are the
/// next table's, for a person those up to an empty line are not.
fn after_last(text: &str, tables: &ArrayOfTables) -> usize {
    // Tables may be spread over the file in any order.
    let ends = tables.iter().flat_map(|table| {
        let values = table.iter().filter_map(|(_, item)| item.span());
        values.chain(table.span()).map(|span| span.end)
    });
    let end = ends.max().unwrap_or(text.len());
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at + 1);
    let end = line_end(end);
    let mut at = end;
    while text[at..].trim_start_matches([' ', '\t']).starts_with('#') {
        at = line_end(at);
    }
    let next = text[at..].lines().next().unwrap_or_default();
    // A comment right above the next header is that one's.
    if next.trim().is_empty() { at } else { end }
}

/// Returns a text with feeds added to its `feed = [{ url = … }]`, and what was added: each on a line of its own where the
/// list's end is on one.
fn with_inline_feeds(text: &str, list: &Array, feeds: &[NewFeed]) -> (String, String) {
    let entries: Vec<String> = feeds.iter().map(inline).collect();
    let Some(close) = list.span().map(|span| span.end - 1) else { return (text.to_owned(), String::new()) };
    let last = list.iter().last().and_then(Value::span).map(|span| span.end);
    let added = entries.join(",\n");
    let line = text[..close].rfind('\n').map_or(0, |at| at + 1);
    let after = if line > last.unwrap_or_default() && text[line..close].trim().is_empty() {
        let line_end = if text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
        let last_line = last.map(|last| &text[text[..last].rfind('\n').map_or(0, |at| at + 1)..]);
        let indent = last_line.map_or("  ", |line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]);
        let lines: String = entries.iter().map(|entry| format!("{indent}{entry},{line_end}")).collect();
        // The comment behind the last feed stays with it.
        let (before, comma) = match last {
            Some(last) if !list.trailing_comma() => (last, ","),
            _ => (line, ""),
        };
        format!("{}{comma}{}{lines}{}", &text[..before], &text[before..line], &text[line..])
    } else {
        let (at, comma) = last.map_or((close, ""), |last| (last, ", "));
        format!("{}{comma}{}{}", &text[..at], entries.join(", "), &text[at..])
    };
    (after, added)
}

/// Returns a feed as an inline table.
fn inline(feed: &NewFeed) -> String {
    let mut table = InlineTable::new();
    fill(&mut table, feed);
    table.to_string()
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
