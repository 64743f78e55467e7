//! What the README says is what the program does.

use std::{fs, path::Path, process::Command};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the first fenced block after a mark.
fn block<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, after) = text.split_once(mark).unwrap_or_else(|| panic!("the README has no {mark}"));
    let (_, fenced) = after.split_once("```").expect("a fenced block");
    let (_, body) = fenced.split_once('\n').expect("a fence ends its line");
    body.split_once("```").expect("a fence that closes").0
}

#[test]
fn the_list_of_commands_is_that_of_the_program() {
    let help =
        Command::new(env!("CARGO_BIN_EXE_feedwatch")).env_clear().arg("--help").output().expect("the binary runs");
    let help = String::from_utf8(help.stdout).expect("help is UTF-8");
    let (_, commands) = help.split_once("Commands:\n").expect("help lists the commands");
    let commands = commands.split("\n\n").next().expect("a split has a first part");
    assert!(commands.lines().count() >= 11, "{commands}");
    assert_eq!(block(&read("README.md"), "<!-- usage -->").trim_end(), commands.trim_end());
}

#[test]
fn the_two_commands_of_the_readme_run_in_ci() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let commands: Vec<_> =
        block(&readme, "<!-- quickstart -->").lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        assert!(ci.lines().any(|line| line == command), "CI does not run `{command}`");
    }
}

#[test]
fn every_file_that_the_readme_links_to_exists() {
    let readme = read("README.md");
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files: Vec<_> = targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let file = file.split('#').next().expect("a split has a first part");
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(),
            "the README links to {file}, which is not there"
        );
    }
}
