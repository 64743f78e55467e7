//! Whole rounds beside a bare loop: `cargo bench --bench round` (10,000 feeds), or `cargo bench --bench round -- 1000`.
//!
//! A server in a process of its own, on as many loopback addresses as there are feeds, sends feeds of 20 items, then 304.
//! feedwatch (fetch, parse, identity, 1,000 rules, store, digest) is measured beside a loop that does the least that
//! can be done: reqwest, feed-rs, and one transaction a feed. Each runs in a process of its own, whose processor time and
//! peak memory are told by the system.

mod bare;
#[path = "../../tests/support/http.rs"]
#[expect(dead_code, reason = "tests need more of the server")]
mod http;

use http::{HttpServer, Page};
use nix::sys::resource::{UsageWho, getrusage};
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const FEEDS: usize = 10_000;
const ITEMS: usize = 20;
const RULES: usize = 1_000;
/// How long the server's own waiting methods wait; none is used here.
const PATIENCE: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    // Cargo says `--bench` to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => compare(FEEDS),
        ["serve", count] => serve(count.parse()?),
        ["bare", directory, port, count] => bare::first_round(Path::new(directory), port, count.parse()?),
        ["bare-unchanged", port, count] => bare::unchanged_round(port, count.parse()?),
        ["measure", program, rest @ ..] => measure(program, rest),
        [count] => compare(count.parse()?),
        _ => Err("how many feeds?".into()),
    }
}

/// Returns the URL of a feed, each on a host of its own.
fn url(index: usize, port: &str) -> String {
    format!("http://127.{}.{}.{}:{port}/{index}.xml", index / 62_500, index / 250 % 250, index % 250 + 1)
}

fn etag(index: usize) -> String {
    format!("\"{index}\"")
}

/// Serves so many feeds until its standard input ends; tells its port.
fn serve(count: usize) -> Result<(), Failure> {
    let server = HttpServer::start_on([0, 0, 0, 0]);
    for index in 0..count {
        server.put(&format!("/{index}.xml"), Page::feed(feed(index)).with_etag(&etag(index)));
    }
    let address = server.url("");
    let port = address.rsplit(':').next().ok_or("an address has a port")?;
    writeln!(std::io::stdout(), "{port}")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn feed(feed: usize) -> String {
    let items: String = (0..ITEMS).map(|item| {
        // A few of all rules hit now and then.
        let topic = (feed * ITEMS + item) * 7919 % (RULES * 500);
        format!(
            "<item><title>Report {item} of office {feed} on topic{topic}</title><link>https://news{feed}.example.org/{item}</link>\
             <guid isPermaLink=\"false\">{feed}-{item}</guid><pubDate>Tue, 24 Nov 2026 08:{item:02}:00 GMT</pubDate>\
             <description>&lt;p&gt;The ministry said on Tuesday that the talks, which began in spring, would go on, and that \
             no date had been set for the next round. Observers expect little before the end of the year.&lt;/p&gt;</description></item>"
        )
    }).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Office {feed}</title>\
         <link>https://news{feed}.example.org/</link><description>News</description>{items}</channel></rss>"
    )
}

fn configuration(count: usize, port: &str) -> String {
    let mut text = "[store]\npath = \"feedwatch.db\"\n\n[polling]\nbackfill = \"36500d\"\n\n[mail]\n\
        from = \"feedwatch <alerts@example.org>\"\nadmin = \"ops@example.org\"\nserver = \"file:./mail\"\n\n\
        [[digest]]\nname = \"all\"\nto = [\"desk@example.org\"]\nschedule = \"immediately\"\ntimezone = \"UTC\"\n"
        .to_owned();
    for index in 0..count {
        text.push_str(&format!("\n[[feed]]\nurl = \"{}\"\n", url(index, port)));
    }
    for rule in 0..RULES {
        text.push_str(&format!(
            "\n[[rule]]\nname = \"{rule}\"\nall = [\"topic{rule}\", \"minist*\"]\ndigests = [\"all\"]\n"
        ));
    }
    text
}

/// Runs a program to its end; tells its wall time, processor time and peak memory on standard error.
fn measure(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let began = Instant::now();
    let status = Command::new(program).args(arguments).status()?;
    let wall = began.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let (user, system) = (seconds(usage.user_time()), seconds(usage.system_time()));
    writeln!(std::io::stderr(), "{wall} {user} {system} {}", usage.max_rss())?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}").into()) }
}

/// What a process took.
struct Usage {
    wall: f64,
    processor: f64,
    peak_mib: f64,
    printed: String,
}

fn measured(program: &str, arguments: &[&str]) -> Result<Usage, Failure> {
    let output = Command::new(std::env::current_exe()?).arg("measure").arg(program).args(arguments).output()?;
    let stderr = String::from_utf8(output.stderr)?;
    let last = stderr.lines().last().unwrap_or_default();
    let figures: Vec<f64> = last.split(' ').map_while(|figure| figure.parse().ok()).collect();
    let [wall, user, system, peak_kib] = figures[..] else { return Err(stderr.into()) };
    let printed = String::from_utf8(output.stdout)?;
    Ok(Usage { wall, processor: user + system, peak_mib: peak_kib / 1024.0, printed })
}

fn compare(count: usize) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::start(count)?;
    let port = server.port.clone();
    let configuration_path = directory.path().join("feedwatch.toml");
    std::fs::write(&configuration_path, configuration(count, &port))?;
    let (configuration_path, number) = (configuration_path.to_string_lossy().into_owned(), count.to_string());
    let (folder, this) = (directory.path().to_string_lossy().into_owned(), std::env::current_exe()?);
    let this = this.to_string_lossy();
    let feedwatch = || measured(env!("CARGO_BIN_EXE_feedwatch"), &["run", "--once", "--config", &configuration_path]);

    let bare = measured(&this, &["bare", &folder, &port, &number])?;
    let ours = feedwatch()?;
    tell("first round", count, &bare, &ours)?;
    let bare = measured(&this, &["bare-unchanged", &port, &number])?;
    make_due(directory.path())?;
    let ours = feedwatch()?;
    tell("unchanged round", count, &bare, &ours)?;
    server.stop()
}

/// Makes all feeds due at once, as if their intervals had passed.
fn make_due(directory: &Path) -> Result<(), Failure> {
    let store = rusqlite::Connection::open(directory.join("feedwatch.db"))?;
    store.execute("UPDATE feed SET next_poll_at = 0", [])?;
    Ok(())
}

fn tell(round: &str, count: usize, bare: &Usage, ours: &Usage) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{round}, {count} feeds")?;
    for (name, usage) in [("bare loop", bare), ("feedwatch", ours)] {
        let Usage { wall, processor, peak_mib, .. } = usage;
        writeln!(out, "  {name}: {wall:.2} s, processor {processor:.2} s, peak {peak_mib:.0} MiB")?;
    }
    writeln!(out, "  processor: {:.2} times the bare loop", ours.processor / bare.processor)?;
    for line in ours.printed.lines().filter(|line| line.contains(" polled, ")) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// The server, in a process of its own.
struct Server {
    process: Child,
    port: String,
}

impl Server {
    fn start(count: usize) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut port = String::new();
        BufReader::new(process.stdout.take().ok_or("the server has no output")?).read_line(&mut port)?;
        Ok(Self { process, port: port.trim().to_owned() })
    }

    fn stop(&mut self) -> Result<(), Failure> {
        drop(self.process.stdin.take());
        self.process.wait()?;
        Ok(())
    }
}
