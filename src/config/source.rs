//! The files of a configuration: found, read within limits, with the position of every byte.

use super::problem::Problem;
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Largest file that is read.
const FILE_MAX_BYTES: u64 = 8 << 20;

/// Deepest nesting of arrays, tables and dotted keys; the parser recurses.
const NESTING_MAX: usize = 32;

/// A file. One that cannot be used is empty and says why.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) broken: Option<Problem>,
    line_starts: Vec<usize>,
}

/// A place in a file, and the key that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the file.
    pub(super) file: usize,
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
    /// The key from the root on; empty for the file as a whole.
    pub(super) key: String,
}

impl Place {
    /// Returns the place of a file as a whole.
    pub(super) fn file(file: usize) -> Self {
        Self { file, start: 0, end: 0, key: String::new() }
    }
}

impl Source {
    /// Reads a file; what is wrong with it is kept for the report.
    pub(super) fn read(path: PathBuf) -> Self {
        match read_text(&path) {
            Ok(text) => Self::of_text(path, text),
            Err(message) => Self::unreadable(path, message),
        }
    }

    /// Reads a file of lines; a byte order mark is no part of the first.
    pub(super) fn read_list(path: PathBuf) -> Self {
        match read_text(&path) {
            Ok(text) => Self::of_lines(path, text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
            Err(message) => Self::unreadable(path, message),
        }
    }

    fn unreadable(path: PathBuf, message: String) -> Self {
        let broken = Some(Problem::of_file(path.clone(), message));
        Self { path, text: String::new(), broken, line_starts: vec![0] }
    }

    fn of_lines(path: PathBuf, text: String) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Self { path, text, broken: None, line_starts }
    }

    /// Makes a file of its text.
    fn of_text(path: PathBuf, text: String) -> Self {
        let mut source = Self::of_lines(path, text);
        if let Some(at) = too_deep(&source.text) {
            let message = format!("nested deeper than {NESTING_MAX} levels; no key needs that");
            source.break_at(at, message);
        }
        source
    }

    /// Marks the file as unusable from a byte on.
    pub(super) fn break_at(&mut self, at: usize, message: String) {
        let (line, column) = self.position(at);
        let mut problem = Problem::of_file(self.path.clone(), message);
        (problem.line, problem.column) = (Some(line), Some(column));
        self.broken = Some(problem);
    }

    /// Returns line and column (in characters) of a byte, both from 1.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= byte).max(1);
        let before = self.text.get(self.line_starts[line - 1]..byte).unwrap_or("");
        (line, before.chars().count() + 1)
    }

    /// Returns a line, from 1.
    pub(super) fn line(&self, number: usize) -> &str {
        let rest = self.line_starts.get(number - 1).and_then(|start| self.text.get(*start..)).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    /// Returns the folder that relative paths of this file start from.
    pub(super) fn folder(&self) -> PathBuf {
        let absolute = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        absolute.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
    }

    /// Returns the absolute path that a text of this file means.
    pub(super) fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder().join(path).components().collect()
    }
}

/// Returns the folder of further files beside the main one.
pub(super) fn conf_d_of(main: &Path) -> PathBuf {
    main.parent().unwrap_or(Path::new("")).join("conf.d")
}

/// Returns the main file and the `*.toml` files of `conf.d` beside it, by name. One of them may be given another text,
/// or be there only as a text, to see what would come of writing it.
pub(super) fn read_all(main: &Path, draft: Option<(&Path, &str)>) -> Vec<Source> {
    let read = |path: PathBuf| match draft {
        Some((drafted, text)) if *drafted == path => Source::of_text(path, text.to_owned()),
        _ => Source::read(path),
    };
    let mut sources = vec![read(main.to_owned())];
    let folder = conf_d_of(main);
    match conf_d(&folder) {
        Ok(mut paths) => {
            if let Some((drafted, _)) = draft
                && drafted != main
                && !paths.iter().any(|path| path == drafted)
            {
                paths.push(drafted.to_owned());
                paths.sort_unstable();
            }
            sources.extend(paths.into_iter().map(read));
        }
        Err(error) => {
            let message = format!("cannot list the folder: {error}");
            let broken = Some(Problem::of_file(folder.clone(), message));
            sources.push(Source { path: folder, text: String::new(), broken, line_starts: vec![0] });
        }
    }
    sources
}

fn conf_d(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A dangling link is a mistake, no folder at all is not.
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let hidden = |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !hidden(path));
    paths.sort_unstable();
    Ok(paths)
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = read_bytes(path, FILE_MAX_BYTES)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err("is larger than 8 MiB; spread it over several files".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("is not UTF-8: there is a stray byte in line {line}; save the file as UTF-8")
    })
}

/// Reads a file, of one that is too large a byte more than is allowed.
pub(super) fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "cannot read the file: there is none of this name".to_owned(),
        _ => format!("cannot read the file: {error}"),
    };
    // Asked before opening, because opening a pipe waits for its writer.
    let kind = fs::metadata(path).map_err(cannot)?;
    if kind.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    if !kind.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    Ok(bytes)
}

/// Returns where arrays, inline tables or dotted keys nest too deep. Text in strings and comments does not count.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut dots, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = after_string(bytes, at);
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'[' | b'{' => (depth, dots) = (depth + 1, 0),
            b']' | b'}' => (depth, dots) = (depth.saturating_sub(1), 0),
            b'.' => dots += 1,
            b'=' | b',' | b'\n' => dots = 0,
            _ => {}
        }
        if depth + dots > NESTING_MAX {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Returns the byte after the string that starts at `start`; an unclosed one ends with its line, or with the file.
fn after_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !triple => return at,
            _ if *byte == quote && !triple => return at + 1,
            _ if triple && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}
