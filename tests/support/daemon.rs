//! The daemon as a child process: its log is read as it comes, and it can be signalled and killed.

use super::PATIENCE;
use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
};

#[derive(Default)]
struct Log {
    lines: Vec<String>,
    /// How many lines were looked at by [`Daemon::wait_for`].
    seen: usize,
    ended: bool,
}

/// A running daemon. It is killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    log: Arc<(Mutex<Log>, Condvar)>,
}

impl Daemon {
    /// Starts the daemon.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be started");
        let stderr = child.stderr.take().expect("standard error is piped");
        let log = Arc::new((Mutex::new(Log::default()), Condvar::new()));
        let of_thread = log.clone();
        thread::spawn(move || {
            let (log, changed) = &*of_thread;
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.lock().expect("no thread panicked while it held the log").lines.push(line);
                changed.notify_all();
            }
            log.lock().expect("no thread panicked while it held the log").ended = true;
            changed.notify_all();
        });
        Self { child, log }
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the log has so many lines.
    #[track_caller]
    pub(crate) fn wait_for_lines(&self, count: usize) {
        let (log, changed) = &*self.log;
        let guard = log.lock().expect("no thread panicked while it held the log");
        let waited = changed.wait_timeout_while(guard, PATIENCE, |log| log.lines.len() < count && !log.ended);
        let (log, _) = waited.expect("no thread panicked while it held the log");
        assert!(log.lines.len() >= count, "waited in vain for {count} lines of\n{}", log.lines.join("\n"));
    }

    /// Waits for a line of the log that contains a text and comes after the last one that was waited for.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let (log, changed) = &*self.log;
        let guard = log.lock().expect("no thread panicked while it held the log");
        let find = |log: &Log| log.lines[log.seen..].iter().position(|line| line.contains(text));
        let waited = changed.wait_timeout_while(guard, PATIENCE, |log| find(log).is_none() && !log.ended);
        let (mut log, _) = waited.expect("no thread panicked while it held the log");
        let Some(offset) = find(&log) else { panic!("waited in vain for {text:?} in\n{}", log.lines.join("\n")) };
        log.seen += offset + 1;
        log.lines[log.seen - 1].clone()
    }

    /// Waits until each of these feeds had a warning, in any order.
    #[track_caller]
    pub(crate) fn wait_for_warnings_of(&self, urls: &[String]) {
        let (log, changed) = &*self.log;
        let guard = log.lock().expect("no thread panicked while it held the log");
        let warned = |log: &Log, url: &str| log.lines.iter().any(|line| line.contains("WARN") && line.contains(url));
        let missing = |log: &Log| urls.iter().any(|url| !warned(log, url));
        let waited = changed.wait_timeout_while(guard, PATIENCE, |log| missing(log) && !log.ended);
        let (log, _) = waited.expect("no thread panicked while it held the log");
        assert!(!missing(&log), "not every one of {urls:?} was warned of in\n{}", log.lines.join("\n"));
    }

    /// Sends a signal (`HUP`, `TERM`).
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(status.expect("kill can be started").success());
    }

    /// Kills the daemon at once (SIGKILL), as a crash or a cut of the power would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child that was not waited for can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.signal(), Some(9), "{status:?}");
    }

    /// Waits until the daemon has ended by itself.
    #[track_caller]
    pub(crate) fn wait_for_end(mut self) -> ExitStatus {
        {
            let (log, changed) = &*self.log;
            let guard = log.lock().expect("no thread panicked while it held the log");
            let waited = changed.wait_timeout_while(guard, PATIENCE, |log| !log.ended);
            let (log, timeout) = waited.expect("no thread panicked while it held the log");
            assert!(!timeout.timed_out(), "the daemon runs on:\n{}", log.lines.join("\n"));
        }
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
