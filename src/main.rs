//! The `feedwatch` binary: arguments → cli → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    feedwatch::cli::main()
}
