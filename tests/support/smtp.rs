//! A real SMTP server on a free loopback port. It keeps the mails that it accepted and can be told to refuse.
//!
//! The protocol is mailin's; the socket, and what the server does to a client, are here.

use super::PATIENCE;
use mailin::{Action, Handler, Response, SessionBuilder};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

/// How the server treats its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It accepts everything.
    Accept,
    /// It hangs up before it says a word.
    Down,
    /// It refuses each recipient with this code (450, 550); with 421 it hangs up as well.
    RefuseRecipient(u16),
    /// It refuses each message with this code, after the final dot.
    RefuseMessage(u16),
    /// It accepts everything, and says that a mail may have so many bytes at most (RFC 1870).
    TakeAtMost(usize),
    /// It never answers to a recipient: nothing of the mail was sent.
    HangAtRecipient,
    /// It takes the message and never answers the final dot: the client cannot know whether the mail has arrived.
    HangAfterDot,
    /// It accepts everything and never answers QUIT.
    HangAtQuit,
}

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    /// The message without the escape of dots.
    pub(crate) message: Vec<u8>,
    /// Whether the client was told that it was accepted.
    pub(crate) accepted: bool,
}

struct State {
    behaviour: Behaviour,
    connections: usize,
    /// How many clients said QUIT.
    partings: usize,
    /// Lines that clients said outside of messages, and replies.
    steps: usize,
    received: Vec<Received>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked while it held the mails")
    }

    fn step(&self) {
        self.lock().steps += 1;
        self.changed.notify_all();
    }

    fn wait_until(&self, what: &str, done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, |state| !done(state));
        let (state, timeout) = waited.expect("no thread panicked while it held the mails");
        assert!(
            !timeout.timed_out(),
            "waited in vain for {what}: {} connections, {} mails",
            state.connections,
            state.received.len()
        );
        state
    }
}

/// The server. Its threads end with the test.
pub(crate) struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl SmtpServer {
    /// Starts a server that accepts everything.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (behaviour, received) = (Behaviour::Accept, Vec::new());
        let state = State { behaviour, connections: 0, partings: 0, steps: 0, received };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let of_thread = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = of_thread.clone();
                // A client that hangs up, even by being killed, is no concern of the server's.
                thread::spawn(move || drop(converse(&stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// Returns what `mail.server` says.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Changes how clients are treated from the next connection on.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.shared.lock().behaviour = behaviour;
    }

    /// Returns the mails so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.lock().received.clone()
    }

    /// Waits for so many mails in all and returns them.
    pub(crate) fn wait_for_mails(&self, count: usize) -> Vec<Received> {
        self.shared.wait_until(&format!("{count} mails"), |state| state.received.len() >= count).received.clone()
    }

    /// Returns how many steps the dialogues had so far: commands and replies.
    pub(crate) fn steps(&self) -> usize {
        self.shared.lock().steps
    }

    /// Waits until the dialogues had so many steps in all.
    pub(crate) fn wait_for_steps(&self, count: usize) {
        drop(self.shared.wait_until(&format!("step {count}"), |state| state.steps >= count));
    }

    /// Waits until the mails so far are what a test needs, and returns them.
    pub(crate) fn wait_until(&self, what: &str, done: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        self.shared.wait_until(what, |state| done(&state.received)).received.clone()
    }

    /// Waits until clients have connected so many times in all.
    pub(crate) fn wait_for_connections(&self, count: usize) {
        drop(self.shared.wait_until(&format!("{count} connections"), |state| state.connections >= count));
    }

    /// Waits until clients have said QUIT so many times in all.
    pub(crate) fn wait_for_partings(&self, count: usize) {
        drop(self.shared.wait_until(&format!("{count} partings"), |state| state.partings >= count));
    }
}

fn converse(stream: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let behaviour = {
        let mut state = shared.lock();
        state.connections += 1;
        shared.changed.notify_all();
        state.behaviour
    };
    if behaviour == Behaviour::Down {
        return Ok(());
    }
    let mut out = stream;
    let handler = Mailroom { behaviour, shared: shared.clone(), draft: None };
    let mut session = SessionBuilder::new("mail.example.org").build(IpAddr::V4(Ipv4Addr::LOCALHOST), handler);
    out.write_all(&session.greeting().buffer()?)?;
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let (Behaviour::TakeAtMost(_), Some(at)) = (behaviour, line.windows(6).position(|part| part == b" SIZE=")) {
            // The protocol's parser does not know the parameter.
            line.truncate(at);
            line.extend_from_slice(b"\r\n");
        }
        let response = session.process(&line);
        let is_hello = line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"EHLO"));
        if let (true, Behaviour::TakeAtMost(bytes)) = (is_hello, behaviour) {
            write!(out, "250-mail.example.org\r\n250 SIZE {bytes}\r\n")?;
            line.clear();
            continue;
        }
        let quits = line.eq_ignore_ascii_case(b"QUIT\r\n");
        if quits {
            shared.lock().partings += 1;
            shared.changed.notify_all();
        }
        let hangs = match behaviour {
            Behaviour::HangAtRecipient => line.starts_with(b"RCPT"),
            Behaviour::HangAfterDot => line == b".\r\n",
            Behaviour::HangAtQuit => quits,
            _ => false,
        };
        if hangs {
            // Reads until the client is gone, and says nothing.
            return io::copy(&mut lines, &mut io::sink()).map(drop);
        }
        line.clear();
        if response.action != Action::NoReply {
            shared.step();
        }
        match response.action {
            Action::NoReply => continue,
            Action::Close => return out.write_all(&response.buffer()?),
            Action::Reply | Action::UpgradeTls => out.write_all(&response.buffer()?)?,
        }
        shared.step();
    }
    Ok(())
}

/// What happens to the mails of one connection.
struct Mailroom {
    behaviour: Behaviour,
    shared: Arc<Shared>,
    draft: Option<Received>,
}

fn refusal(code: u16) -> Response {
    Response::custom(code, "not here, not now".to_owned())
}

impl Handler for Mailroom {
    fn rcpt(&mut self, _to: &str) -> Response {
        match self.behaviour {
            Behaviour::RefuseRecipient(code) => refusal(code),
            _ => mailin::response::OK,
        }
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        use Behaviour::{Accept, HangAtQuit, TakeAtMost};
        let accepted = matches!(self.behaviour, Accept | HangAtQuit | TakeAtMost(_));
        let (sender, recipients) = (from.to_owned(), to.to_vec());
        self.draft = Some(Received { sender, recipients, message: Vec::new(), accepted });
        mailin::response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        if let Some(draft) = &mut self.draft {
            draft.message.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let draft = self.draft.take();
        match self.behaviour {
            Behaviour::RefuseMessage(code) => refusal(code),
            _ => {
                self.shared.lock().received.extend(draft);
                self.shared.changed.notify_all();
                mailin::response::OK
            }
        }
    }
}
