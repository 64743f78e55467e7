//! Imports go down only (ARCHITECTURE.md, "Layers"): reads every `crate::` path of the library's sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each module may import besides itself. A module that is not here is a new one: give it a layer.
const LAYERS: [(&str, &[&str]); 13] = [
    ("rules", &["core"]),
    ("core", &[]),
    ("config", &["core", "rules"]),
    ("clock", &[]),
    ("telemetry", &[]),
    ("fetch", BELOW_ADAPTERS),
    ("parse", BELOW_ADAPTERS),
    ("store", BELOW_ADAPTERS),
    ("mail", BELOW_ADAPTERS),
    ("jobs", &["fetch", "parse", "store", "mail", "telemetry", "clock", "config", "core", "rules"]),
    ("daemon", &["jobs", "fetch", "parse", "store", "mail", "telemetry", "clock", "config", "core", "rules"]),
    ("cli", &["daemon", "jobs", "fetch", "parse", "store", "mail", "telemetry", "clock", "config", "core", "rules"]),
    ("main", &["cli"]),
];

const BELOW_ADAPTERS: &[&str] = &["config", "core", "rules"];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a source directory");
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("a directory entry").path()) {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Returns the module of the top level that a file belongs to.
fn module(file: &Path, root: &Path) -> String {
    let inside = file.strip_prefix(root).expect("a file of the root");
    let first = inside.iter().next().expect("a file has a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().expect("a file has a name").to_string_lossy();
    stem == "tests" || stem.ends_with("_tests") || file.iter().any(|part| part == "tests")
}

/// Returns the code without comments and without the unit tests, which may use whatever they need.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().expect("a split has a first part");
    let lines = code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the modules of the top level that a text names after a root such as `crate::`.
fn imports(code: &str, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (start, _) in code.match_indices(root) {
        let before = code[..start].chars().next_back();
        // `$crate::` of macros and names that end in `crate` are something else.
        if before.is_some_and(|letter| letter == '$' || letter == '_' || letter.is_alphanumeric()) {
            continue;
        }
        let path = &code[start + root.len()..];
        match path.strip_prefix('{') {
            Some(list) => found.extend(listed(list)),
            None => found.extend(name(path)),
        }
    }
    found
}

/// Returns the first names of the paths in `a::b, c::{d, e}, f}`, up to the brace that closes it.
fn listed(list: &str) -> Vec<String> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.into_iter().filter_map(|part| name(part.trim())).collect()
}

fn name(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn imports_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in sources(&root) {
        let module = module(&file, &root);
        if module == "lib" || is_test(&file) {
            continue;
        }
        let shown = file.strip_prefix(&root).expect("a file of the root").display().to_string();
        let Some(allowed) = layers.get(module.as_str()) else {
            wrong.push(format!("{shown}: the module `{module}` has no layer in this test"));
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file");
        let path = if module == "main" { "feedwatch::" } else { "crate::" };
        for import in imports(&code(&text), path) {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{shown} imports `{import}`, which is not below `{module}`"));
            }
        }
        seen.insert(module);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<_> = layers.keys().filter(|module| !seen.contains(**module)).collect();
    assert!(missing.is_empty(), "no source was found of {missing:?}");
}

#[test]
fn the_layers_themselves_have_no_cycle() {
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    for (module, allowed) in &layers {
        for below in *allowed {
            assert!(!layers[below].contains(module), "{module} and {below} may import each other");
        }
    }
}

#[test]
fn every_form_of_import_is_seen() {
    let text = "//! crate::jobs is not imported\nuse crate::{\n    clock,\n    config::{self, Config},\n    core::feed::Feed,\n};\n\
                fn f() { crate::store::open(); $crate::cli::x(); }\n// crate::daemon\n#[cfg(test)]\nmod tests {\n    use crate::mail;\n}";
    let found = imports(&code(text), "crate::");
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["clock", "config", "core", "store"]);
}
