//! Logs: to journald with their fields under systemd, else to standard error.

use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

/// Where logs go and how much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logs {
    /// The least important level that is written.
    pub level: Level,
    /// Whether standard error understands colours.
    pub colour: bool,
    /// Whether standard error is the journal (systemd sets `JOURNAL_STREAM`), which then takes fields.
    pub journal: bool,
}

/// Starts logging for the whole process. `filter` are directives such as `feedwatch=debug` that override the level.
pub fn start(logs: Logs, filter: Option<&str>) {
    let default = format!("warn,feedwatch={}", logs.level);
    let filter = EnvFilter::builder().parse_lossy(filter.unwrap_or(&default));
    let journal = logs.journal.then(|| tracing_journald::layer().ok()).flatten();
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match journal {
        Some(journal) => journal.with_field_prefix(None).boxed(),
        None if logs.journal => {
            // Standard error is the journal's, which adds the time itself.
            tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time().with_ansi(false).boxed()
        }
        None => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(logs.colour)
            .with_target(false)
            .boxed(),
    };
    quiet_parser_panics();
    // A second start (of another test in the same process) changes nothing.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// Keeps panics of the feed parser out of the log: they are caught where it is called, and reported as that feed's
/// failure.
fn quiet_parser_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let in_parser = panic.location().is_some_and(|place| place.file().contains("feed-rs"));
        if in_parser {
            tracing::debug!("the feed parser panicked: {panic}");
        } else {
            report(panic);
        }
    }));
}
