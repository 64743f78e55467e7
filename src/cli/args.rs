//! The command line as typed; shell completions and man pages come from the same definition.

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Watches news feeds for what you must not miss, and tells you once.
///
/// feedwatch polls RSS, Atom and JSON feeds, matches every new article against your rules and mails digests of the
/// hits. Rules, feeds and digests are in a TOML file.
#[derive(Debug, Parser)]
#[command(
    name = "feedwatch",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  feedwatch check                      is the configuration right, and what will happen when\n  \
                  feedwatch run                        the daemon\n  feedwatch match 'DPRK fires ballistic missiles'\n  \
                  feedwatch hits --since 24h\n\nExit codes: 0 done, 1 failed, 2 usage or configuration"
)]
pub struct Cli {
    /// What is asked for in any command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Configuration file [default: ./feedwatch.toml, then /etc/feedwatch/feedwatch.toml]
    #[arg(long, short, global = true, env = "FEEDWATCH_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Print JSON for scripts instead of tables for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more in the log; twice for every detail
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: poll, match and mail on schedule
    ///
    /// Polls each feed when it is due, matches new articles and sends digests on their schedules until SIGTERM or
    /// SIGINT. SIGHUP reads the configuration again; a configuration with an error is refused and the old one stays.
    #[command(
        after_help = "Examples:\n  feedwatch run\n  feedwatch run --once        one round, then the digests that \
                            are due, for cron or a systemd timer"
    )]
    Run(Run),
    /// Check the whole configuration: errors, warnings, rule tests, next send times
    #[command(
        after_help = "Examples:\n  feedwatch check\n  feedwatch check --online               try every feed and greet \
                            the mail server\n  feedwatch check --config new.toml --deny-warnings"
    )]
    Check(Check),
    /// Poll feeds now and show what came
    ///
    /// Polls all feeds, or those named, whether or not they are due, matches and stores what is new. Digests go out on
    /// their schedules. While the daemon runs, it is asked to do the polling.
    #[command(after_help = "Examples:\n  feedwatch poll\n  feedwatch poll https://www.example.org/rss.xml\n  \
                            feedwatch poll --tag wire")]
    Poll(Poll),
    /// Show which rules match a text, a file or a feed, and why the others do not
    ///
    /// Tries the rules and stores nothing. Of a web page the article is tried, of a feed each of its items. What rules say
    /// of feeds and tags counts for the URL of a configured feed alone. It is no failure where no rule matches.
    #[command(
        after_help = "Examples:\n  feedwatch match 'DPRK fires ballistic missiles'\n  feedwatch match article.html\n  \
                            feedwatch match https://www.example.org/rss.xml\n  feedwatch match --why 'DPRK missiles' \
                            'Pyongyang marathon opens'\n  curl -s https://www.example.org/story | feedwatch match -"
    )]
    Match(Match),
    /// List what was found
    #[command(
        after_help = "Examples:\n  feedwatch hits --since 24h\n  feedwatch hits --rule 'DPRK missiles' --limit 10\n  \
                            feedwatch hits --json | jq -r '.[].link'"
    )]
    Hits(Hits),
    /// Search the stored articles in the language of rules
    ///
    /// Looks through the articles in the store, the newest first, for those that a query matches: the same language and
    /// the same engine as the rules. Articles older than `store.keep` have no text any more and are passed over.
    #[command(
        after_help = "Examples:\n  feedwatch search 'missile* NEAR/5 DPRK'\n  feedwatch search '@missile AND NOT \
                            title:film' --since 7d\n  feedwatch search 'author:\"Jane Doe\"' --json | jq -r \
                            '.articles[].link'\n  feedwatch search 'missile*' --store /var/lib/feedwatch/feedwatch.db"
    )]
    Search(Search),
    /// Try new or changed rules on the stored articles: hits a day, gained and lost
    ///
    /// Runs the rules of the configuration over the stored articles as if they had been in force: hits a day, what is
    /// gained and lost against the deployed rules, the newest examples, and the digests that would have been sent.
    /// The deployed rules are those of --against, else of the configuration that the daemon runs with if that is another
    /// file: they are run over the same articles. Else the hits on record are compared.
    #[command(
        after_help = "Examples:\n  feedwatch backtest                        after an edit: what changes, before the \
                            reload\n  feedwatch backtest --rule 'DPRK missiles' --since 7d\n  feedwatch backtest \
                            --config new.toml --against /etc/feedwatch/feedwatch.toml\n  feedwatch backtest --digest \
                            morning --html d.html"
    )]
    Backtest(Backtest),
    /// Preview the next edition of a digest, or send it now
    #[command(
        after_help = "Examples:\n  feedwatch digest morning               what would be sent now, in the terminal\n  \
                            feedwatch digest morning --html d.html\n  feedwatch digest morning --send        close the \
                            edition and send it now"
    )]
    Digest(Digest),
    /// Show the mails that wait, why, and until when; retry or discard them
    #[command(
        after_help = "Examples:\n  feedwatch outbox\n  feedwatch outbox show 7 > mail.eml\n  feedwatch outbox retry \
                            --all\n  feedwatch outbox discard 7"
    )]
    Outbox(Outbox),
    /// Show the health of every feed; add, import and export feeds
    ///
    /// Shows a table of all feeds, or everything there is to know about the one that is named.
    #[command(
        after_help = "Examples:\n  feedwatch feeds\n  feedwatch feeds 'BBC World'          all about one feed\n  \
                            feedwatch feeds --state failing --state stale\n  feedwatch feeds --json | jq '.[] | \
                            select(.failures > 3)'\n  feedwatch feeds add www.example.org"
    )]
    Feeds(Feeds),
    /// Show what the daemon does and what comes next
    ///
    /// Where the configuration has errors, they are listed after what the store tells.
    #[command(after_help = "Examples:\n  feedwatch status\n  feedwatch status --json | jq .daemon.alive_at")]
    Status(Status),
    /// Print the completions of a shell
    #[command(after_help = "Examples:\n  feedwatch completions bash > /etc/bash_completion.d/feedwatch\n  feedwatch \
                            completions zsh > ~/.zfunc/_feedwatch")]
    Completions(Completions),
    /// Write the man pages into a directory
    #[command(after_help = "Examples:\n  feedwatch man /usr/local/share/man/man1")]
    Man(Man),
}

/// `feedwatch run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Do one round, compose and send what is due, then end
    #[arg(long)]
    pub once: bool,
}

/// `feedwatch check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Fetch every feed and greet the mail server too
    #[arg(long)]
    pub online: bool,
    /// Fail on warnings as well
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `feedwatch poll`.
#[derive(Debug, Args)]
pub struct Poll {
    /// URLs or names of feeds [default: all]
    #[arg(value_name = "FEED")]
    pub feeds: Vec<String>,
    /// Only feeds with this tag
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
}

/// `feedwatch match`.
#[derive(Debug, Args)]
pub struct Match {
    /// Text, file, URL of a feed or a page, or `-` for standard input
    #[arg(value_name = "TEXT|FILE|URL")]
    pub input: String,
    /// Try this rule alone, and show each of its conditions
    #[arg(long, value_name = "RULE")]
    pub why: Option<String>,
}

/// `feedwatch hits`.
#[derive(Debug, Args)]
pub struct Hits {
    /// Only hits of this rule
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Only hits that feed this digest
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// Only hits found since: a duration back from now (24h, 7d) or a date (2026-11-24)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// No more than this many, the newest
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
}

/// `feedwatch search`.
#[derive(Debug, Args)]
pub struct Search {
    /// What to look for; docs/rules.md has the language
    #[arg(value_name = "QUERY")]
    pub query: String,
    /// Only articles first seen since: a duration back from now (24h, 7d) or a date (2026-11-24)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only articles first seen until then
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Fields to look into where the query names none [default: title,summary,content]
    #[arg(long = "in", value_name = "FIELDS", value_delimiter = ',')]
    pub fields: Vec<SearchField>,
    /// No more than this many, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Store to search [default: that of the configuration]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
}

/// A field of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SearchField {
    /// Headline
    Title,
    /// Summary or description
    Summary,
    /// Full content
    Content,
    /// Names of the authors
    Author,
    /// Categories
    Category,
}

/// `feedwatch backtest`.
#[derive(Debug, Args)]
pub struct Backtest {
    /// Only this rule
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Configuration with the deployed rules
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub against: Option<PathBuf>,
    /// Only articles first seen since: a duration back from now (24h, 7d) or a date (2026-11-24)
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    pub since: String,
    /// Examples of each kind for each rule
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub limit: usize,
    /// Print the digest that this one would have sent
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// Write the HTML part of the digest into a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Store with the articles [default: that of the configuration, else of --against]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
}

/// `feedwatch status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Store of the daemon [default: that of the configuration]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
}

/// `feedwatch digest`.
#[derive(Debug, Args)]
pub struct Digest {
    /// Name of the digest [default: the only one]
    #[arg(value_name = "DIGEST")]
    pub name: Option<String>,
    /// Write the HTML part into a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Write the whole mail into a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub eml: Option<PathBuf>,
    /// Close the edition and send it now
    #[arg(long)]
    pub send: bool,
}

/// `feedwatch outbox`.
#[derive(Debug, Args)]
pub struct Outbox {
    /// What to do [default: list]
    #[command(subcommand)]
    pub action: Option<OutboxAction>,
    /// List accepted and discarded mails too
    #[arg(long)]
    pub all: bool,
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub enum OutboxAction {
    /// Print a mail as it is sent
    Show {
        /// Number of the mail
        mail: i64,
    },
    /// Try mails again now
    Retry(Chosen),
    /// Give mails up: they are not sent any more
    Discard(Chosen),
}

/// Mails that were chosen.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Chosen {
    /// Numbers of the mails
    #[arg(value_name = "MAIL")]
    pub mails: Vec<i64>,
    /// All that wait or are held
    #[arg(long)]
    pub all: bool,
}

/// `feedwatch feeds`.
#[derive(Debug, Args)]
pub struct Feeds {
    /// What to do [default: show]
    #[command(subcommand)]
    pub action: Option<FeedsAction>,
    /// Names or URLs of feeds, or parts of them; of a single one everything is shown [default: all]
    #[arg(value_name = "FEED")]
    pub feeds: Vec<String>,
    /// Only feeds that fail
    #[arg(long)]
    pub failing: bool,
    /// Only feeds in this state; may be given more than once
    #[arg(long, value_name = "STATE", value_parser = ["failing", "gone", "stale", "never-polled", "ok"])]
    pub state: Vec<String>,
}

/// What to do with the feeds.
#[derive(Debug, Subcommand)]
pub enum FeedsAction {
    /// Find the feeds of a site and add one to the configuration
    ///
    /// Takes the address of a feed or of a page. Of a page it tries the feeds that it declares, else those that its
    /// links look like, else common places, else the news sitemaps that robots.txt names. What it finds is shown with
    /// its newest items; the one that is chosen is written after the last feed of the file, whose comments and order
    /// stay. Nothing is written if the configuration would have an error.
    #[command(after_help = "Examples:\n  feedwatch feeds add www.example.org\n  feedwatch feeds add \
                            https://www.example.org/rss.xml --name 'The Example' --tag wire\n  feedwatch feeds add \
                            www.example.org --pick 2 --to conf.d/wire.toml\n  feedwatch feeds add www.example.org \
                            --dry-run")]
    Add(AddFeed),
    /// Add the feeds of an OPML to the configuration
    ///
    /// Folders and categories become tags. Feeds that are configured already are passed over, as are those whose URL
    /// cannot be used. To take an OPML as it is, whatever it will hold later, write `opml = "file.opml"` in a `[[feed]]`
    /// instead.
    #[command(after_help = "Examples:\n  feedwatch feeds import subscriptions.opml        into \
                            conf.d/subscriptions.toml\n  feedwatch feeds import - --tag reader --to feedwatch.toml < \
                            list.opml\n  feedwatch feeds import subscriptions.opml --dry-run")]
    Import(ImportFeeds),
    /// Write the feeds as OPML to standard output
    ///
    /// Each feed is in the folder of its first tag; its other tags are categories.
    #[command(after_help = "Examples:\n  feedwatch feeds export > feeds.opml")]
    Export(ExportFeeds),
}

/// `feedwatch feeds add`.
#[derive(Debug, Args)]
pub struct AddFeed {
    /// Address of a feed or a page, or the path of a file
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
    /// Name that people are shown instead of the feed's own title
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Tag that rules can choose the feed by; may be given more than once
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// File that it is written to: the main one or one of conf.d [default: the main file]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: Option<PathBuf>,
    /// Take this one of those that are found; may be given more than once
    #[arg(long, value_name = "N")]
    pub pick: Vec<usize>,
    /// The feed may be in a private network
    #[arg(long)]
    pub allow_private: bool,
    /// Do not ask before writing
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `feedwatch feeds import`.
#[derive(Debug, Args)]
pub struct ImportFeeds {
    /// OPML file, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// File that they are written to: the main one or one of conf.d [default: conf.d/ and the name of the OPML]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: Option<PathBuf>,
    /// Tag for each of them; may be given more than once
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `feedwatch feeds export`.
#[derive(Debug, Args)]
pub struct ExportFeeds {
    /// Write passwords and tokens of URLs too
    #[arg(long)]
    pub with_secrets: bool,
}

/// `feedwatch completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `feedwatch man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Directory for the pages
    #[arg(value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
