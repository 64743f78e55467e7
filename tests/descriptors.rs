//! The binary under a limit of open files: a round stays within it, and where it cannot, no feed is to blame.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use feedwatch::store::{self, feed::StoredFeed};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::process::Command;
use support::{
    FEED, Ran, Workspace, configuration,
    http::{HttpServer, Page},
    refused, run,
};

/// A server on all loopback addresses, and a configuration of so many feeds there, each on a host of its own.
fn stage(feeds: usize) -> (HttpServer, Workspace) {
    let http = HttpServer::start_on([0, 0, 0, 0]);
    http.put("/feed.xml", Page::feed(FEED));
    let url = http.url("/feed.xml");
    let address = url.rsplit(':').next().expect("a URL has a port and a path");
    let feeds: Vec<_> =
        (0..feeds).map(|feed| format!("http://127.0.{}.{}:{address}", feed / 250 + 1, feed % 250 + 1)).collect();
    (http, Workspace::new(&configuration(&feeds, "file:./mail")))
}

/// Runs the binary after a command of the shell that sets its limit.
fn run_after(limit: &str, workspace: &Workspace, arguments: &[&str]) -> Ran {
    let program = env!("CARGO_BIN_EXE_feedwatch");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\""), program]);
    command.args(arguments).arg("--config").arg(workspace.path("feedwatch.toml"));
    command.current_dir(workspace.path(".")).env("TZ", "UTC");
    run(command)
}

fn stored(workspace: &Workspace) -> Vec<StoredFeed> {
    let Ok(store) = store::open_reader(&workspace.path("feedwatch.db")) else { return Vec::new() };
    store::feed::configured(&store).expect("a store that is sound")
}

/// 67 of 3,000 feeds once failed for want of descriptors under a limit of 64.
#[test]
fn a_round_stays_within_the_limit_of_open_files() {
    let (_http, workspace) = stage(300);
    let ran = run_after("ulimit -n 40", &workspace, &["run", "--once", "-v"]);
    assert!(ran.stderr.contains("the limit of open files allows 2 polls at once"), "{}", ran.stderr);
    let said = ran.ended_with(0);
    assert!(said.contains("300 feeds polled") && !said.contains("could not be read"), "{said}");
    assert!(stored(&workspace).iter().all(|feed| feed.state.last_success_at.is_some()));
}

/// Once the certificates or the store seemed to be what could not be opened.
#[test]
fn too_few_descriptors_are_what_is_told_of() {
    let (http, workspace) = stage(1);
    for limit in [6, 8, 14, 20, 34] {
        for arguments in [&["run"][..], &["run", "--once"], &["poll"], &["check", "--online"]] {
            let ran = run_after(&format!("ulimit -n {limit}"), &workspace, arguments);
            refused(ran, 1, &format!("this process may have {limit} files open at once, and feedwatch needs 35"));
        }
    }
    assert_eq!(http.log(), Vec::<String>::new());
    run_after("ulimit -n 35", &workspace, &["run", "--once"]).ended_with(0);
    for limit in [4, 6, 14] {
        let ran = run_after(&format!("ulimit -n {limit}"), &workspace, &["feeds"]);
        assert!(ran.code == Some(0) || ran.stderr.contains("LimitNOFILE="), "{ran:#?}");
    }
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let (_http, workspace) = stage(1);
    let ran = run_after("ulimit -Sn 40 && ulimit -Hn 300", &workspace, &["run", "--once", "-v"]);
    assert!(ran.stderr.contains("limit=300 concurrency=64"), "{}", ran.stderr);
    ran.ended_with(0);
}

/// A shortage that comes all the same, here because the limit is lowered from outside, is this machine's failure: the
/// feed is asked again soon, and nothing is counted against it.
#[test]
fn a_feed_that_could_not_be_asked_has_not_failed() {
    let http = HttpServer::start();
    http.put("/feed.xml", Page::feed(FEED));
    let workspace = Workspace::new(&configuration(&[http.url("/feed.xml")], "file:./mail"));
    let daemon = workspace.daemon();
    daemon.wait_for("a feed brought hits");
    let limit = |limit| {
        let (pid, new) = (
            Pid::from_raw(daemon.pid().try_into().expect("a process id is a small number")),
            Rlimit { current: Some(limit), maximum: Some(300) },
        );
        prlimit(pid, Resource::Nofile, new).expect("the limit of a child may be lowered");
    };
    limit(3);
    workspace.run(&["poll"]).ended_with(0);
    daemon.wait_for("no feed is to blame");
    let feed = stored(&workspace).pop().expect("one feed");
    assert_eq!((feed.state.failures, feed.state.failing_since, feed.state.last_error), (0, None, None));
    assert!(feed.next_poll_reason.starts_with("not asked, this machine"), "{}", feed.next_poll_reason);
    limit(300);
    workspace.run(&["poll"]).ended_with(0);
    http.wait_for_requests("/feed.xml", 2);
}
