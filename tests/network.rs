//! The private-network guard and name resolution, in a network of their own: public-looking addresses that answer,
//! private ones that must never be reached, a name server that lies. Each test starts itself again within new
//! namespaces; where the machine does not allow that, it says so and ends.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

use feedwatch::{
    config::FetchLimits,
    core::feed::{FailureKind, Feed, FeedState, FeedUrl},
    fetch::{Fetched, Fetcher, user_agent},
};
use jiff::Timestamp;
use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{IpAddr, TcpListener, TcpStream, UdpSocket},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Set within the namespaces: the folder of the files that stand for `/etc/hosts` and `/etc/resolv.conf`.
const INSIDE: &str = "FEEDWATCH_TEST_NAMESPACE";

const PUBLIC: &str = "203.0.113.7";
const PUBLIC_V6: &str = "2001:db8::7";

/// Addresses of the loopback interface within, besides its own: two public ones, then those that nobody may reach.
const ADDRESSES: [&str; 12] = [
    "203.0.113.7/32",
    "203.0.113.53/32",
    "10.1.2.3/32",
    "100.64.0.1/32",
    "169.254.169.254/32",
    "172.16.0.1/32",
    "192.168.1.1/32",
    "198.18.0.1/32",
    "2001:db8::7/128",
    "fd00::7/128",
    "64:ff9b::a01:203/128",
    "2002:a01:203::1/128",
];

/// Runs `test`, which is the test of this name, within namespaces.
fn within(name: &str, test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("hosts"), "127.0.0.1 localhost\n").unwrap();
    fs::write(folder.join("resolv.conf"), "nameserver 203.0.113.53\noptions timeout:1 attempts:1\n").unwrap();
    let addresses = ADDRESSES.map(|address| {
        let nodad = if address.contains(':') { "nodad" } else { "" };
        format!("ip addr add {address} dev lo {nodad}")
    });
    let files = ["hosts", "resolv.conf"].map(|file| format!("mount --bind {}/{file} /etc/{file}", folder.display()));
    let setup = format!("ip link set lo up && {} && {}", addresses.join(" && "), files.join(" && "));
    let shell = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rnm", "sh", "-c", script, "sh"]).env(INSIDE, folder);
        command
    };
    match shell(&setup).output() {
        Ok(output) if output.status.success() => {}
        outcome => {
            eprintln!("skipped: this machine does not allow namespaces with a network of their own: {outcome:?}");
            return;
        }
    }
    let mut command = shell(&format!("{setup} && exec \"$@\""));
    let output = command.arg(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "within the namespaces: {said}");
    assert!(said.contains("1 passed"), "it did run: {said}");
}

/// Gives names other addresses, as a name server may at any time.
fn set_hosts(lines: &[(&str, &str)]) {
    let text: String = lines.iter().map(|(address, name)| format!("{address} {name}\n")).collect();
    fs::write(env::var(INSIDE).unwrap() + "/hosts", text).unwrap();
}

const FEED: &str = "<rss version='2.0'><channel><title>A</title></channel></rss>";

/// A server on all addresses of the network.
struct Server {
    port: u16,
    /// The address that each connection was made to.
    reached: Arc<Mutex<Vec<IpAddr>>>,
}

impl Server {
    /// Starts it. `answer` is given the target of each request and returns where it redirects, or nothing for a feed.
    fn start(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("[::]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let reached = Arc::new(Mutex::new(Vec::new()));
        let log = reached.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                log.lock().unwrap().push(stream.local_addr().unwrap().ip().to_canonical());
                // A client may hang up at any time.
                let _ = serve(stream, &answer);
            }
        });
        Self { port, reached }
    }

    fn reached(&self) -> Vec<String> {
        self.reached.lock().unwrap().drain(..).map(|address| address.to_string()).collect()
    }

    fn fetch(&self, host: &str, path: &str, allow_private: bool) -> Result<Fetched, (FailureKind, String)> {
        let url = format!("http://{host}:{}{path}", self.port);
        let feed = Feed { allow_private, ..Feed::new(FeedUrl::Web(url.parse().unwrap())) };
        let limits = FetchLimits {
            page_bytes: 2 << 20,
            body_bytes: 100_000,
            wire_bytes: 100_000,
            connect_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            redirects: 5,
            items: 100,
        };
        fetch(&feed, limits)
    }
}

fn fetch(feed: &Feed, limits: FetchLimits) -> Result<Fetched, (FailureKind, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fetcher = Fetcher::new(limits, &user_agent(None)).unwrap();
    let fetched = runtime.block_on(fetcher.fetch(feed, &FeedState::default(), Timestamp::UNIX_EPOCH));
    runtime.shutdown_background();
    fetched.map_err(|failure| (failure.kind, failure.message))
}

fn serve(mut stream: TcpStream, answer: &impl Fn(&str) -> Option<String>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let answer = match answer(target) {
        Some(to) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        None => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{FEED}", FEED.len()),
    };
    stream.write_all(answer.as_bytes())
}

/// Redirects to the host that the target names, on the port that it names: `/to/HOST:PORT`.
fn redirect_to(target: &str) -> Option<String> {
    Some(format!("http://{}/", target.strip_prefix("/to/")?))
}

/// Promise P6: no redirect reaches a private network, in whatever notation.
#[test]
fn a_redirect_from_a_public_address_reaches_no_private_one() {
    within("a_redirect_from_a_public_address_reaches_no_private_one", || {
        let server = Server::start(redirect_to);
        let notations = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0.0.0.0",
            "10.1.2.3",
            "0xa.1.2.3",
            "012.1.515",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "[::]",
            "[::1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a01:203]",
            "[64:ff9b::a01:203]",
            "[2002:a01:203::1]",
            "[fd00::7]",
            "localhost",
            "LOCALHOST.",
        ];
        for from in [PUBLIC, "[2001:db8::7]"] {
            for notation in notations {
                let path = format!("/to/{notation}:{}", server.port);
                let (kind, message) = server.fetch(from, &path, false).unwrap_err();
                assert_eq!(kind, FailureKind::Refused, "{notation}: {message}");
                assert!(message.contains("not on the public internet"), "{notation}: {message}");
                assert_eq!(server.reached(), [from.trim_matches(['[', ']'])], "{notation}");
            }
        }
        // The same listener is reached where the configuration wants it: the silence above is the guard's.
        for notation in ["127.0.0.1", "10.1.2.3", "[fd00::7]", "[64:ff9b::a01:203]", "[2002:a01:203::1]"] {
            let path = format!("/to/{notation}:{}", server.port);
            assert!(matches!(server.fetch(PUBLIC, &path, true), Ok(Fetched::Document { .. })), "{notation}");
            assert_eq!(server.reached(), [PUBLIC, notation.trim_matches(['[', ']'])]);
        }
    });
}

/// Promise P6: a name is judged by all of its addresses, each time that it is resolved.
#[test]
fn a_name_that_leads_to_a_private_address_is_refused_whole() {
    within("a_name_that_leads_to_a_private_address_is_refused_whole", || {
        let server = Server::start(redirect_to);
        set_hosts(&[
            (PUBLIC, "public.example"),
            (PUBLIC_V6, "public.example"),
            ("10.1.2.3", "private.example"),
            (PUBLIC, "mixed.example"),
            ("10.1.2.3", "mixed.example"),
            ("fd00::7", "mixed6.example"),
            (PUBLIC, "mixed6.example"),
            ("::ffff:10.1.2.3", "mapped.example"),
            ("64:ff9b::a01:203", "nat64.example"),
        ]);
        for name in ["private.example", "mixed.example", "mixed6.example", "mapped.example", "nat64.example"] {
            let (kind, message) = server.fetch(name, "/", false).unwrap_err();
            assert_eq!(kind, FailureKind::Refused, "{name}: {message}");
            assert!(server.reached().is_empty(), "{name}");
            let path = format!("/to/{name}:{}", server.port);
            let (kind, message) = server.fetch("public.example", &path, false).unwrap_err();
            assert_eq!(kind, FailureKind::Refused, "{name}: {message}");
            assert_eq!(server.reached().len(), 1, "{name}: the public one alone");
        }
        assert!(server.fetch("public.example", "/", false).is_ok());
    });
}

/// Promise P6: a name that was public a moment ago is judged again.
#[test]
fn a_name_that_is_rebound_to_a_private_address_is_refused() {
    within("a_name_that_is_rebound_to_a_private_address_is_refused", || {
        set_hosts(&[(PUBLIC, "rebound.example")]);
        let server = Server::start(|target| {
            // Between the first hop and the second the name server changes its mind.
            set_hosts(&[("127.0.0.1", "rebound.example")]);
            redirect_to(target)
        });
        let path = format!("/to/rebound.example:{}", server.port);
        let (kind, message) = server.fetch("rebound.example", &path, false).unwrap_err();
        assert_eq!(kind, FailureKind::Refused, "{message}");
        assert_eq!(server.reached(), [PUBLIC]);
    });
}

/// What the name server says.
#[derive(Clone, Copy)]
enum Says {
    /// Nothing at all.
    Nothing,
    /// An error (RFC 1035 §4.1.1): 2 is SERVFAIL, 3 NXDOMAIN.
    Code(u8),
    /// So many addresses, the last of which is private or not.
    Addresses(u8, bool),
}

/// Starts a name server that says the same to every question, over UDP, and over TCP where an answer is long.
fn name_server(says: impl Fn(&[u8]) -> Says + Send + Clone + 'static) {
    let udp = UdpSocket::bind("203.0.113.53:53").unwrap();
    let tcp = TcpListener::bind("203.0.113.53:53").unwrap();
    let over_tcp = says.clone();
    thread::spawn(move || {
        let mut question = [0; 1500];
        while let Ok((length, from)) = udp.recv_from(&mut question) {
            if let Some(mut answer) = dns_answer(&question[..length], says(&question[..length])) {
                if answer.len() > 512 {
                    answer.truncate(length);
                    answer[2] |= 2;
                    answer[6..12].fill(0);
                }
                let _ = udp.send_to(&answer, from);
            }
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            while stream.read_exact(&mut length).is_ok() {
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).unwrap();
                let answer = dns_answer(&question, over_tcp(&question)).unwrap_or_default();
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length[..], &answer].concat()).unwrap();
            }
        }
    });
}

/// Composes an answer (RFC 1035 §4): head, the question, A records; questions for other types have no records.
fn dns_answer(question: &[u8], says: Says) -> Option<Vec<u8>> {
    let name_ends = 12 + question[12..].iter().position(|byte| *byte == 0)? + 1;
    let asked = &question[12..name_ends + 4];
    let is_a = question[name_ends..name_ends + 2] == [0, 1];
    let (code, count, private) = match says {
        Says::Nothing => return None,
        Says::Code(code) => (code, 0, false),
        Says::Addresses(count, private) => (0, if is_a { 2 * u16::from(count) } else { 0 }, private),
    };
    let mut answer = [&question[..2], &[0x81, 0x80 | code, 0, 1], &count.to_be_bytes(), &[0; 4], asked].concat();
    for index in 0..count {
        let [high, low] = index.to_be_bytes();
        let address = if private && index + 1 == count { [10, 1, 2, 3] } else { [203, 0, 114 + high, low] };
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    Some(answer)
}

#[test]
fn a_name_server_that_errs_hangs_or_says_too_much_is_an_error_that_says_so() {
    within("a_name_server_that_errs_hangs_or_says_too_much_is_an_error_that_says_so", || {
        let says = |question: &[u8]| match question.get(13) {
            Some(b'n') => Says::Code(3),
            Some(b's') => Says::Code(2),
            Some(b'm') => Says::Addresses(250, true),
            Some(b'e') => Says::Addresses(0, false),
            _ => Says::Nothing,
        };
        name_server(says);
        let server = Server::start(|_| None);
        let cases = [
            ("nxdomain.example", FailureKind::Unreachable, "the name nxdomain.example could not be resolved"),
            ("servfail.example", FailureKind::Unreachable, "the name servfail.example could not be resolved"),
            ("empty.example", FailureKind::Unreachable, "the name empty.example could not be resolved"),
            ("many.example", FailureKind::Refused, "10.1.2.3"),
        ];
        for (name, expected, words) in cases {
            let (kind, message) = server.fetch(name, "/", false).unwrap_err();
            assert_eq!(kind, expected, "{message}");
            assert!(message.contains(words), "{message}");
        }
        let feed = Feed::new(FeedUrl::Web("http://hangs.example/".parse().unwrap()));
        let limits = FetchLimits {
            page_bytes: 2 << 20,
            body_bytes: 1000,
            wire_bytes: 1000,
            connect_timeout: Duration::from_millis(200),
            header_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(20),
            redirects: 5,
            items: 100,
        };
        let (kind, message) = fetch(&feed, limits).unwrap_err();
        assert_eq!(kind, FailureKind::Unreachable);
        assert!(message.contains("200ms (polling.limits.connect_timeout)"), "{message}");
        assert!(server.reached().is_empty());
    });
}
