//! `feedwatch feeds`: the health of the feeds.

mod list;

use super::{Failure, args::Feeds, setup::Setup, terminal::Terminal};

/// Does what was asked of the feeds.
pub(super) fn feeds(setup: &Setup, args: &Feeds, terminal: &Terminal<'_>) -> Result<(), Failure> {
    list::list(setup, args, terminal)
}
