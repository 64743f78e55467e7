//! Printing: results to standard output, errors to standard error, JSON where a script asked for it.

use crate::rules::turns_direction;
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::{
    borrow::Cow,
    cell::Cell,
    io::{ErrorKind, IsTerminal},
};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// Least width of a table. In a narrower terminal lines break anyway, and columns of two letters are no words.
const LEAST_WIDTH: u16 = 40;

/// How a command talks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal<'a> {
    json: bool,
    /// Whether something could not be written: the command then fails, whatever else it did.
    unwritten: &'a Cell<bool>,
}

impl<'a> Terminal<'a> {
    pub(super) fn new(json: bool, unwritten: &'a Cell<bool>) -> Self {
        Self { json, unwritten }
    }

    /// Tells whether a script asked for JSON.
    pub(super) fn wants_json(self) -> bool {
        self.json
    }

    /// Prints a line for people. Colours go only where they are understood, and nothing turns the direction of the text,
    /// which names in a configuration may try, too. A reader that has gone away ends the program quietly; what cannot be
    /// written for another reason is said, and the work goes on.
    pub(super) fn line(self, text: impl AsRef<str>) {
        use std::io::Write;
        let mut out = anstream::stdout();
        match writeln!(out, "{}", unturned(text.as_ref())).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => {
                if !self.unwritten.replace(true) {
                    self.error(&format!("the output cannot be written: {error}"));
                }
            }
        }
    }

    /// Prints an error or a remark to standard error.
    #[expect(clippy::unused_self, reason = "commands print through the terminal alone")]
    pub(super) fn remark(self, text: impl AsRef<str>) {
        use std::io::Write;
        // Nobody is left to be told that standard error is closed.
        let _ = writeln!(anstream::stderr(), "{}", unturned(text.as_ref()));
    }

    /// Prints why the command failed. What a server or a person wrote may be in it.
    pub(super) fn error(self, text: &str) {
        let lines: Vec<String> = text.split('\n').map(harmless).collect();
        self.remark(format!("{BAD}error:{BAD:#} {}", lines.join("\n")));
    }

    /// Prints a value as JSON.
    pub(super) fn json(self, value: &impl Serialize) {
        self.line(serde_json::to_string_pretty(value).expect("what commands print has string keys"));
    }

    /// Returns the width of the terminal; pipes and files have none.
    #[expect(clippy::unused_self, reason = "commands know the terminal through this alone")]
    pub(super) fn width(self) -> Option<u16> {
        terminal_size::terminal_size().map(|(width, _)| width.0)
    }

    /// Prints rows under their heads, as wide as the terminal.
    pub(super) fn table(self, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = self.width() {
            table.set_width(width.max(LEAST_WIDTH));
        }
        table.set_header(heads.iter().map(|head| head.to_uppercase()));
        for row in rows {
            table.add_row(row);
        }
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }
}

/// Returns a bar that shows how far something is, where somebody watches.
pub(super) fn progress(total: usize, what: &str) -> ProgressBar {
    if total < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}} of {{len}} {what}, {{eta}} left"))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_style(style)
}

/// Returns a text in a style, which is dropped where it is not understood.
pub(super) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns an instant as a person in this place reads it.
pub(super) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// Returns text that came from outside without anything that a terminal would obey, or that would show it in another
/// order than it has.
pub(super) fn harmless(text: &str) -> String {
    unturned(text).chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Returns a text without the characters that turn its direction.
fn unturned(text: &str) -> Cow<'_, str> {
    if text.contains(turns_direction) { Cow::Owned(text.replace(turns_direction, "")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_a_terminal() {
        assert_eq!(harmless("a\u{1b}[2J\r\nb\u{9b}c\u{202e}d\u{2067}e – é"), "a [2J  b cde – é");
    }
}
