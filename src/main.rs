//! The `feedwatch` binary.

fn main() {}
