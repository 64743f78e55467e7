//! The systemd unit: how much it exposes, by systemd's own reckoning.

use std::{io::ErrorKind, path::Path, process::Command};

/// Exposure times ten that `systemd-analyze security` may find at most.
const THRESHOLD: &str = "15";

#[test]
fn the_unit_exposes_little() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/feedwatch.service");
    assert!(unit.is_file());
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", &format!("--threshold={THRESHOLD}")]).arg(&unit);
    let output = match analyze.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no systemd-analyze here");
            return;
        }
        Err(error) => panic!("systemd-analyze could not be started: {error}"),
    };
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
