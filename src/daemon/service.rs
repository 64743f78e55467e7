//! What systemd is told (sd_notify(3)). Without systemd each of these does nothing.

use sd_notify::NotifyState;
use std::time::Duration;
use tracing::debug;

/// Says that the daemon is ready, at start and after a reload.
pub(super) fn ready(summary: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(summary)]);
}

/// Says that the configuration is being read again.
pub(super) fn reloading() {
    let mut state = vec![NotifyState::Reloading];
    state.extend(NotifyState::monotonic_usec_now().ok());
    notify(&state);
}

/// Says that the daemon is ending.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("finishing the mails that are being sent")]);
}

/// Feeds the watchdog.
pub(super) fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// Returns how often the loop must come round: `at_most`, or half the watchdog's time where that is less.
pub(super) fn tick(at_most: Duration) -> Duration {
    sd_notify::watchdog_enabled().map_or(at_most, |watchdog| at_most.min(watchdog / 2))
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(%error, "systemd was not told");
    }
}
