//! `feedwatch feeds import`: the feeds of an OPML into the configuration.

use super::{
    super::{
        Failure,
        args::ImportFeeds,
        setup::Setup,
        terminal::{FAINT, Terminal, WARNING, harmless, styled},
    },
    writing::{self, Configured},
};
use crate::{
    config::{
        self, NewFeed,
        opml::{self, Opml, OpmlError},
    },
    core::{digest::counted, feed::FeedUrl},
    fetch,
};
use anyhow::Context;
use serde_json::json;
use std::{
    collections::HashSet,
    io::Read,
    path::{Path, PathBuf},
};

/// What an OPML has for a configuration.
#[derive(Default)]
struct Import {
    new: Vec<NewFeed>,
    /// Feeds that are configured already.
    known: usize,
    /// Feeds that the list has more than once.
    repeated: usize,
    /// Lines whose URL cannot be used, and why.
    bad: Vec<(usize, String)>,
}

impl Import {
    /// Returns the new feeds that only this machine or its network can reach: whoever made the list chose them, and what
    /// is configured is asked.
    fn inside(&self) -> Vec<String> {
        let is_inside = |feed: &&NewFeed| match &feed.url {
            FeedUrl::File(_) => true,
            FeedUrl::Web(url) => fetch::is_private_literal(url),
        };
        self.new.iter().filter(is_inside).map(|feed| feed.url.to_string()).collect()
    }
}

/// Imports the feeds of a file.
pub(super) fn import(setup: &Setup, args: &ImportFeeds, terminal: Terminal<'_>) -> Result<(), Failure> {
    let main = setup.file()?;
    let config = config::load_for_edit(&main)?;
    let list = read(&args.file)?;
    let import = sort(&list, &Configured::new(&config), &args.tag);
    let to = args.to.clone().unwrap_or_else(|| default_file(&args.file));
    let edit = match import.new.as_slice() {
        [] => None,
        new => Some(writing::edit(&main, Some(&to), new)?),
    };
    if let (Some(edit), false) = (&edit, args.dry_run) {
        writing::write(edit)?;
    }
    if terminal.wants_json() {
        let bad = import.bad.iter().map(|(line, why)| json!({"line": line, "error": why}));
        terminal.json(&json!({
            "imported": import.new.len(),
            "already_configured": import.known,
            "repeated": import.repeated,
            "bad": bad.collect::<Vec<_>>(),
            "inside": import.inside(),
            "complete": list.complete,
            "file": edit.as_ref().map(|edit| edit.path()),
            "text": edit.as_ref().map(|edit| edit.added()),
            "written": edit.is_some() && !args.dry_run,
        }));
        return Ok(());
    }
    for (line, why) in &import.bad {
        let text = format!("line {line} is passed over: its `xmlUrl` {}", harmless(why));
        terminal.line(styled(WARNING, text));
    }
    let inside = import.inside();
    if !inside.is_empty() {
        let text = format!(
            "files of this machine or in a private network, which are asked once they are configured; take out what is \
             not yours: {}",
            inside.join(", ")
        );
        terminal.line(styled(WARNING, harmless(&text)));
    }
    if !list.complete {
        let text = "the list breaks off: there is no `</opml>`; what came before its end is taken";
        terminal.line(styled(WARNING, text));
    }
    match &edit {
        Some(edit) => writing::print(edit, args.dry_run, terminal),
        None => terminal.line("there is nothing to import"),
    }
    terminal.line(styled(FAINT, format!("\n{}", sum(&import))));
    Ok(())
}

fn sum(import: &Import) -> String {
    let parts = [
        (import.known, "already configured"),
        (import.repeated, "more than once in the list"),
        (import.bad.len(), "with a URL that cannot be used"),
    ];
    let mut sum = format!("{} imported", counted(import.new.len(), "feed"));
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        sum.push_str(&format!(", {count} {what}"));
    }
    sum
}

fn read(file: &Path) -> Result<Opml, Failure> {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let mut bytes = Vec::new();
    let most = opml::OPML_MAX_BYTES + 1;
    if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes).context("standard input could not be read")?;
    } else if name.starts_with("http://") || name.starts_with("https://") {
        let text = format!("{} is not fetched: `curl -L URL | feedwatch feeds import -` does", harmless(&name));
        return Err(Failure::Usage(text));
    } else {
        let file = std::fs::File::open(file).with_context(|| format!("{name} could not be opened"))?;
        file.take(most).read_to_end(&mut bytes).with_context(|| format!("{name} could not be read"))?;
    }
    opml::read(&bytes).map_err(|error| {
        let remedy = match error {
            OpmlError::NotOpml => "; a feed or a site is added by `feedwatch feeds add`",
            OpmlError::TooDeep { .. } | OpmlError::TooLarge => "",
        };
        Failure::Failed(anyhow::anyhow!("{name} {error}{remedy}"))
    })
}

/// Sorts the feeds of a list into new ones and others.
fn sort(list: &Opml, configured: &Configured<'_>, tags: &[String]) -> Import {
    let mut import = Import::default();
    let mut seen = HashSet::new();
    for outline in &list.outlines {
        let url = match outline.feed_url() {
            Ok(url) => url,
            Err(why) => {
                import.bad.push((outline.line, why));
                continue;
            }
        };
        if configured.place(&url).is_some() {
            import.known += 1;
        } else if !seen.insert(url.likeness()) {
            import.repeated += 1;
        } else {
            let mut own = outline.tags.clone();
            own.extend(tags.iter().filter(|tag| !outline.tags.contains(tag)).cloned());
            import.new.push(NewFeed { url, name: outline.name.clone(), tags: own, allow_private: false });
        }
    }
    import
}

/// Returns the file of `conf.d` that is named like the list.
fn default_file(list: &Path) -> PathBuf {
    let stem = list.file_stem().unwrap_or_default().to_string_lossy();
    let safe = |char: char| if char.is_alphanumeric() || matches!(char, '-' | '_' | '.') { char } else { '-' };
    let stem: String = stem.chars().map(safe).collect();
    let stem = stem.trim_matches(['-', '.']);
    Path::new("conf.d").join(format!("{}.toml", if stem.is_empty() { "imported" } else { stem }))
}
