//! feedwatch watches news feeds for what a person must not miss and tells it once.
//!
//! The library holds everything; the binary is its thin shell. Imports go down only:
//!
//! ```text
//! cli → daemon → jobs → adapters (fetch · parse · store · mail · telemetry · clock) → config → core, rules
//! ```
//!
//! ARCHITECTURE.md describes the flow, the layers and the promises.

pub mod cli;
pub mod clock;
pub mod config;
pub mod core;
pub mod daemon;
pub mod fetch;
pub mod jobs;
pub mod mail;
pub mod parse;
pub mod rules;
pub mod store;
pub mod telemetry;
