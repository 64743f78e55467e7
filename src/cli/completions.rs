//! `feedwatch completions` and `feedwatch man`: made from the definition of the command line.

use super::{Failure, args::Cli};
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use std::{io::Write, path::Path};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "feedwatch", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

/// Writes `feedwatch.1` and a page for each command.
pub(super) fn man(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .with_context(|| format!("the man pages could not be written to {}", directory.display()))?;
    Ok(())
}
