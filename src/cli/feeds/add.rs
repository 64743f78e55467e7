//! `feedwatch feeds add`: finds the feeds of a site, shows them, and writes the one that is chosen.

use super::{
    super::{
        Failure,
        args::AddFeed,
        setup::Setup,
        terminal::{FAINT, Terminal, WARNING, harmless, styled},
    },
    candidate::Candidate,
    writing::{self, Configured},
};
use crate::{
    clock,
    config::{self, Config, NewFeed},
    core::{
        digest::counted,
        feed::{FailureKind, FeedUrl},
    },
    jobs::discovery::{self, Discovery, Unanswered},
};
use serde_json::json;
use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
};
use url::Url;

/// Finds the feeds of an address and adds those that are chosen.
pub(super) async fn add(setup: &Setup, args: &AddFeed, terminal: Terminal<'_>) -> Result<(), Failure> {
    let main = setup.file()?;
    let config = config::load_for_edit(&main)?;
    let configured = Configured::new(&config);
    let addresses = addresses(&args.url)?;
    if let Some((url, place)) = addresses.iter().find_map(|url| Some((url, configured.place(url)?))) {
        return Err(Failure::Failed(anyhow::anyhow!("{url} is already a feed {place}; nothing was written")));
    }
    let found = search(setup, &config, &addresses, args.allow_private, terminal).await?;
    let candidates: Vec<Candidate> = found
        .feeds
        .iter()
        .map(|found| {
            let answered = found.final_url.parse().ok().map(FeedUrl::Web);
            let place = configured.place(&found.url).or_else(|| configured.place(&answered?));
            Candidate::new(found, place)
        })
        .collect();
    if !terminal.wants_json() {
        print(&candidates, &found, terminal);
    }
    let chosen = match choose(&candidates, &found, args, terminal) {
        Ok(chosen) => chosen,
        Err(why) => {
            if terminal.wants_json() {
                terminal.json(&report(&candidates, &found, &serde_json::Value::Null));
            }
            return Err(Failure::Failed(anyhow::anyhow!(why)));
        }
    };
    let new: Vec<NewFeed> = chosen
        .iter()
        .map(|index| NewFeed {
            url: found.feeds[*index].url.clone(),
            name: args.name.clone(),
            tags: args.tag.clone(),
            allow_private: args.allow_private,
        })
        .collect();
    let edit = writing::edit(&main, args.to.as_deref(), &new)?;
    if let Some((name, place)) = args.name.as_ref().and_then(|name| Some((name, configured.place_of_name(name)?))) {
        let text = format!("`{name}` is also the name of the feed {place}; they are told apart by their URLs");
        terminal.remark(styled(WARNING, harmless(&text)));
    }
    if !args.dry_run {
        writing::write(&edit)?;
    }
    if terminal.wants_json() {
        let added = json!({"file": edit.path(), "text": edit.added(), "written": !args.dry_run});
        terminal.json(&report(&candidates, &found, &added));
    } else {
        writing::print(&edit, args.dry_run, terminal);
    }
    Ok(())
}

fn report(candidates: &[Candidate], found: &Discovery, added: &serde_json::Value) -> serde_json::Value {
    let failed = found.failed.iter().map(|(url, error)| json!({"url": url, "error": error}));
    let untried = found.untried.iter().map(|(url, title)| json!({"url": url, "title": title}));
    let (failed, untried): (Vec<_>, Vec<_>) = (failed.collect(), untried.collect());
    json!({"found": candidates, "failed": failed, "untried": untried, "added": added})
}

/// Returns what an address may mean, likeliest first.
fn addresses(text: &str) -> Result<Vec<FeedUrl>, Failure> {
    let text = text.trim();
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let wrong = |why: &str| Failure::Usage(format!("`{}` {why}", harmless(text)));
    let url = |text: &str| match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            url.set_fragment(None);
            Ok(FeedUrl::Web(url))
        }
        _ => Err(wrong("is not a URL; write https://www.example.org/ or www.example.org")),
    };
    if begins("http://") || begins("https://") {
        return Ok(vec![url(text)?]);
    }
    if begins("feed://") {
        return Ok(vec![url(&format!("https://{}", &text[7..]))?, url(&format!("http://{}", &text[7..]))?]);
    }
    if begins("feed:") {
        return addresses(&text[5..]);
    }
    if begins("file://") {
        let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
        let path = path.ok_or_else(|| wrong("is not the address of a file of this machine; give its path"))?;
        let missing = || wrong("is not a file that is there");
        return path.is_file().then(|| vec![FeedUrl::File(path)]).ok_or_else(missing);
    }
    if text.contains("://") {
        return Err(wrong("cannot be fetched: only http and https can, and files by their path"));
    }
    let path = Path::new(text);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("opml")) {
        return Err(wrong("is a list of feeds: `feedwatch feeds import` takes it"));
    }
    if path.is_file() {
        return Ok(vec![FeedUrl::File(std::path::absolute(path)?)]);
    }
    if text.is_empty() || text.starts_with(['/', '.']) {
        return Err(wrong("is neither the address of a site nor a file that is there"));
    }
    if text.split(['/', '?']).next().is_some_and(|host| host.contains('@')) {
        return Err(wrong("is a mail address, or has a login: then write https:// before it"));
    }
    Ok(vec![url(&format!("https://{text}"))?, url(&format!("http://{text}"))?])
}

/// Searches at the first address that answers; of one without a scheme that is https, else http.
async fn search(
    setup: &Setup,
    config: &Config,
    addresses: &[FeedUrl],
    allow_private: bool,
    terminal: Terminal<'_>,
) -> Result<Discovery, Failure> {
    let fetcher = setup.fetcher(config)?.for_discovery();
    let talks = std::io::stderr().is_terminal() && !terminal.wants_json();
    let progress = |url: &str| {
        if talks {
            terminal.remark(styled(FAINT, format!("asking {}", harmless(url))));
        }
    };
    let mut first: Option<Unanswered> = None;
    for address in addresses {
        match discovery::discover(&fetcher, &config.polling, address, allow_private, progress).await {
            Ok(found) => return Ok(found),
            Err(failure) => {
                let is_over = !matches!(failure.kind, FailureKind::Unreachable | FailureKind::Local);
                let failure = first.get_or_insert(failure);
                if is_over {
                    return Err(Failure::Failed(anyhow::anyhow!(said(failure))));
                }
            }
        }
    }
    let failure = first.expect("there is an address, and it failed");
    Err(Failure::Failed(anyhow::anyhow!(said(&failure))))
}

/// Says why an address could not be fetched, with the remedy that the command line has.
fn said(failure: &Unanswered) -> String {
    harmless(&failure.message.replace("set allow_private = true for this feed", "add --allow-private"))
}

fn print(candidates: &[Candidate], found: &Discovery, terminal: Terminal<'_>) {
    let now = clock::now();
    for (index, candidate) in candidates.iter().enumerate() {
        candidate.print(index + 1, now, terminal);
    }
    for (url, why) in &found.failed {
        // A failed fetch names its address itself.
        let text = if why.contains(url.as_str()) { why.clone() } else { format!("{url}: {why}") };
        terminal.line(styled(FAINT, harmless(&text)));
    }
    if !found.failed.is_empty() {
        terminal.line("");
    }
    if !found.untried.is_empty() {
        let feeds = counted(found.untried.len(), "feed");
        terminal
            .line(styled(FAINT, format!("{feeds} more that the page names; give the address of the one you mean:")));
        for (url, title) in &found.untried {
            let title = title.as_deref().map(|title| format!(" ({title})")).unwrap_or_default();
            terminal.line(styled(FAINT, harmless(&format!("{url}{title}"))));
        }
        terminal.line("");
    }
}

/// Returns the indices of what is to be added.
fn choose(
    candidates: &[Candidate],
    found: &Discovery,
    args: &AddFeed,
    terminal: Terminal<'_>,
) -> Result<Vec<usize>, String> {
    let new = candidates.iter().filter(|candidate| candidate.configured.is_none()).count();
    let chosen = match candidates {
        [] => return Err(nothing_found(found, &args.url)),
        _ if !args.pick.is_empty() => picked(candidates, &args.pick)?,
        [Candidate { configured: Some(place), .. }] => {
            return Err(format!("what was found is already a feed {place}; nothing was written"));
        }
        _ if new == 0 => return Err("what was found is all configured already; nothing was written".to_owned()),
        _ if is_interactive() && !terminal.wants_json() => ask(candidates, args.yes || args.dry_run)?,
        [_] => vec![0],
        // Not even one that is left over: a site's second feed is seldom what was meant.
        _ => {
            let found = counted(candidates.len(), "feed");
            return Err(format!(
                "{found} were found and none was chosen: say which with --pick N; nothing was written"
            ));
        }
    };
    if chosen.len() > 1 && args.name.is_some() {
        return Err("--name is for one feed, and several were picked; nothing was written".to_owned());
    }
    Ok(chosen)
}

fn nothing_found(found: &Discovery, url: &str) -> String {
    let url = harmless(url);
    if found.failed.is_empty() {
        return format!(
            "no feed was found at {url}: neither the page nor common places nor robots.txt lead to one; look on the \
             site for the address of its feed and give that"
        );
    }
    format!("no feed was found at {url} that can be read; what was tried is listed with the reasons")
}

fn picked(candidates: &[Candidate], numbers: &[usize]) -> Result<Vec<usize>, String> {
    let mut chosen = Vec::new();
    for number in numbers {
        let index = number.checked_sub(1).filter(|index| *index < candidates.len());
        let index = index.ok_or_else(|| {
            format!("there is no number {number}: {} found; nothing was written", counted(candidates.len(), "feed"))
        })?;
        if let Some(place) = &candidates[index].configured {
            return Err(format!("{} is already a feed {place}; nothing was written", candidates[index].url));
        }
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    Ok(chosen)
}

fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks which feed is meant, or whether the only one is.
fn ask(candidates: &[Candidate], yes: bool) -> Result<Vec<usize>, String> {
    const LEFT: &str = "nothing was chosen, nothing was written";
    if candidates.len() == 1 {
        let answer = if yes { String::new() } else { answer("Add it? [Y/n] ")? };
        let agreed = matches!(answer.to_lowercase().as_str(), "" | "y" | "yes");
        return if agreed { Ok(vec![0]) } else { Err(LEFT.to_owned()) };
    }
    let answer = answer(&format!("Which ones? [1-{}; several with spaces; nothing to leave] ", candidates.len()))?;
    let numbers: Option<Vec<usize>> =
        answer.split([' ', ',']).filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => picked(candidates, &numbers),
        _ => Err(LEFT.to_owned()),
    }
}

fn answer(question: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("nobody could be asked: {error}");
    let mut out = anstream::stderr();
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).map_err(failed)?;
    let mut line = String::new();
    // The end of the input is no consent.
    if std::io::stdin().lock().read_line(&mut line).map_err(failed)? == 0 {
        return Err("nothing was answered, nothing was written".to_owned());
    }
    Ok(line.trim().to_owned())
}
