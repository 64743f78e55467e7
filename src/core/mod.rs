//! The decisions of feedwatch and the words it is told in: pure functions of old state, new input and `now`.
//!
//! Nothing here knows a clock, a network, a database or a file.

pub mod agenda;
pub mod article;
pub mod backfill;
pub mod baseline;
pub mod cadence;
pub mod descriptors;
pub mod digest;
pub mod excerpt;
pub mod feed;
pub mod full_text;
pub mod health;
pub mod hit;
pub mod identity;
mod likeness;
pub mod mailbox;
pub mod page;
pub mod recognition;
pub mod relocation;
pub mod retry;
pub mod rhythm;
pub mod schedule;
pub mod story;
