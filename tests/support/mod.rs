//! What tests of the binary start from: a directory with a configuration, loopback servers, the binary itself.
//!
//! Nothing here sleeps: waiting is on a condition with a deadline.

mod daemon;
pub(crate) mod http;
pub(crate) mod smtp;

pub(crate) use daemon::Daemon;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// How long something may take that should happen soon. It is only waited out by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts the exit code and returns what was printed to standard output.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self.stdout
    }

    /// Asserts exit code 0 and reads what was printed as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let stdout = self.ended_with(0);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {stdout}"))
    }
}

/// A directory with a configuration.
pub(crate) struct Workspace {
    directory: TempDir,
}

impl Workspace {
    /// Makes a directory with this configuration in `feedwatch.toml`.
    pub(crate) fn new(configuration: &str) -> Self {
        let workspace = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        workspace.write("feedwatch.toml", configuration);
        workspace
    }

    /// Returns the path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in the directory.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file in a temporary directory");
    }

    /// Reads a file in the directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Returns the mails in the Maildir `mail`, oldest name first.
    pub(crate) fn maildir(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path("mail/new")) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry of a Maildir").path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).expect("a mail of a Maildir")).collect()
    }

    /// Runs the binary on the configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = feedwatch(self.directory.path());
        command.args(arguments).arg("--config").arg(self.path("feedwatch.toml"));
        run(command)
    }

    /// Starts the daemon on the configuration.
    pub(crate) fn start_daemon(&self) -> Daemon {
        let mut command = feedwatch(self.directory.path());
        command.args(["run", "-v", "--config"]).arg(self.path("feedwatch.toml"));
        Daemon::start(command)
    }

    /// Starts the daemon on the configuration and waits until it is ready.
    pub(crate) fn daemon(&self) -> Daemon {
        let daemon = self.start_daemon();
        daemon.wait_for("feedwatch is ready");
        daemon
    }
}

/// Returns the binary, to be run in a directory, under an environment that is the same everywhere.
pub(crate) fn feedwatch(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedwatch"));
    command.current_dir(directory).env_clear().env("HOME", directory).env("TZ", "UTC");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Ran {
    let output = assert_cmd::Command::from_std(command).timeout(PATIENCE).output().expect("the binary can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary prints UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The feed that tests poll: three items, of which the first two are hits of [`RULES`].
pub(crate) const FEED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Meridian Wire</title><link>https://wire.example.org/</link><description>News</description>
<item><title>DPRK fires ballistic missiles</title><link>https://wire.example.org/1</link><guid>wire-1</guid>
<pubDate>Mon, 23 Nov 2026 21:41:00 GMT</pubDate>
<description>Pyongyang confirmed the launch.</description></item>
<item><title>Second launch in a week</title><link>https://wire.example.org/2</link><guid>wire-2</guid>
<pubDate>Mon, 23 Nov 2026 21:42:00 GMT</pubDate>
<description>The DPRK has tested another ballistic missile, Seoul says.</description></item>
<item><title>Pyongyang marathon opens</title><link>https://wire.example.org/3</link><guid>wire-3</guid>
<pubDate>Mon, 23 Nov 2026 21:43:00 GMT</pubDate>
<description>Nine hundred runners are expected.</description></item>
</channel></rss>
"#;

/// Rules and digest of most tests: a hit is mailed after a second.
pub(crate) const RULES: &str = r#"
[terms]
missile = ["ballistic missile*", "ICBM"]

[[rule]]
name = "DPRK missiles"
all = ["@missile", "DPRK"]
none = ["video game"]
digests = ["urgent"]

[[digest]]
name = "urgent"
to = ["desk@example.org"]
schedule = "immediately"
batch = "1s"
at_most_every = "1s"
timezone = "UTC"
"#;

/// Returns a configuration with these feeds and this mail server, and [`RULES`].
pub(crate) fn configuration(feeds: &[String], server: &str) -> String {
    let feeds: String = feeds.iter().map(|url| format!("\n[[feed]]\nurl = \"{url}\"\n")).collect();
    format!(
        "[store]\npath = \"feedwatch.db\"\n\n[polling]\nhost_delay = \"100ms\"\nbackfill = \"36500d\"\n\n[mail]\n\
         from = \"feedwatch <alerts@example.org>\"\nadmin = \"ops@example.org\"\nserver = \"{server}\"\n{tls}{feeds}{RULES}",
        tls = if server.starts_with("smtp://") { "tls = \"off\"\n" } else { "" },
    )
}

/// Returns a feed like [`FEED`] with one more hit, whose headline is given.
pub(crate) fn feed_with(headline: &str) -> String {
    let item =
        format!("<item><title>{headline}</title><link>https://wire.example.org/4</link><guid>wire-4</guid></item>");
    FEED.replace("</channel>", &format!("{item}\n</channel>"))
}

/// Asserts that a command was refused with this exit code and says why.
#[track_caller]
pub(crate) fn refused(ran: Ran, code: i32, why: &str) {
    assert_eq!(ran.code, Some(code), "{ran:#?}");
    assert!(ran.stderr.contains(why), "{why:?} is not in {ran:#?}");
}

/// Asserts that a text has all of these.
#[track_caller]
pub(crate) fn says(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
}
