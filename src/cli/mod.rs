//! The command line: one file for each subcommand. The only place that prints.

pub mod args;
mod backtest;
mod chart;
mod check;
mod completions;
mod digest;
mod feeds;
mod found;
mod hits;
mod input;
mod names;
mod outbox;
mod pages;
mod poll;
mod round;
mod run;
mod search;
mod setup;
mod status;
mod terminal;
mod trial;
mod when;

use crate::{config::ConfigErrors, telemetry};
use args::{Cli, Command};
use clap::{ColorChoice, Parser};
use setup::Setup;
use std::{cell::Cell, process::ExitCode};
use terminal::Terminal;
use tracing::Level;

/// Exit code when something was attempted and failed.
const FAILED: u8 = 1;

/// Exit code of a wrong command line or configuration; the service is not restarted on it.
const MISUSED: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The configuration has errors.
    #[error("{0}")]
    Configuration(#[from] ConfigErrors),
    /// The command line asks for what is not there.
    #[error("{0}")]
    Usage(String),
    /// Something was attempted and failed.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.global.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    telemetry::start(logs(&cli), std::env::var("FEEDWATCH_LOG").ok().as_deref());
    let unwritten = Cell::new(false);
    let terminal = Terminal::new(cli.global.json, &unwritten);
    match dispatch(cli, &terminal) {
        Ok(()) if unwritten.get() => ExitCode::from(FAILED),
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.error(&failure.to_string());
            ExitCode::from(match failure {
                Failure::Configuration(_) | Failure::Usage(_) => MISUSED,
                Failure::Failed(_) => FAILED,
            })
        }
    }
}

fn logs(cli: &Cli) -> telemetry::Logs {
    // The daemon tells its story; a command prints its result and logs what goes wrong.
    let daemon = matches!(&cli.command, Command::Run(run) if !run.once);
    let level = match (cli.global.verbose, daemon) {
        (0, false) => Level::ERROR,
        (0, true) => Level::INFO,
        (1, _) => Level::DEBUG,
        _ => Level::TRACE,
    };
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    telemetry::Logs { level, colour, journal: std::env::var_os("JOURNAL_STREAM").is_some() }
}

fn dispatch(cli: Cli, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let setup = Setup::new(cli.global.config);
    match cli.command {
        Command::Run(args) if args.once => setup.runtime()?.block_on(run::once(&setup, terminal)),
        Command::Run(_) => setup.runtime()?.block_on(run::daemon(setup)),
        Command::Check(args) => setup.runtime()?.block_on(check::check(&setup, &args, terminal)),
        Command::Poll(args) => setup.runtime()?.block_on(poll::poll(&setup, &args, terminal)),
        Command::Match(args) => setup.runtime()?.block_on(trial::trial(&setup, &args, terminal)),
        Command::Hits(args) => hits::hits(&setup, &args, terminal),
        Command::Search(args) => search::search(&setup, &args, terminal),
        Command::Backtest(args) => backtest::backtest(&setup, &args, terminal),
        Command::Digest(args) => setup.runtime()?.block_on(digest::digest(&setup, &args, terminal)),
        Command::Outbox(args) => setup.runtime()?.block_on(outbox::outbox(&setup, args, terminal)),
        Command::Feeds(args) => feeds::feeds(&setup, &args, terminal),
        Command::Status(args) => status::status(&setup, &args, terminal),
        Command::Completions(args) => completions::completions(args.shell),
        Command::Man(args) => completions::man(&args.directory),
    }
}
