//! The `feedwatch` binary: arguments → cli → exit code.

fn main() {}
