//! Imports only go down: the drawing in ARCHITECTURE.md, held against every `crate::` path.

use std::collections::BTreeSet;
use std::path::Path;

/// What each layer may import, besides itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("boundary", &[]),
    ("names", &[]),
    ("spec", &["boundary", "names"]),
    ("artifact", &["boundary"]),
    ("tabular", &[]),
    ("fetch", &[]),
    ("models", &["artifact", "boundary", "fetch", "names"]),
    ("sample", &["ml"]), // its seeded random streams
    ("ml", &[]),
    ("engine", &["spec", "artifact", "boundary", "names"]),
    ("report", &["artifact", "names"]),
    ("stages", &["engine", "artifact", "fetch", "ml", "models", "names", "report", "tabular", "boundary"]),
    ("cli", &["stages", "engine", "artifact", "spec", "models", "report", "sample", "boundary"]),
];

#[test]
fn imports_only_go_down() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeSet::new();
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(&source).expect("src").flatten() {
        if !entry.path().is_dir() {
            continue;
        }
        let layer = entry.file_name().into_string().expect("a name");
        let allowed = ALLOWED.iter().find(|(name, _)| *name == layer);
        let allowed = allowed.unwrap_or_else(|| panic!("'src/{layer}' is not in the table of layers")).1;
        seen.insert(layer.clone());
        for file in rust_files(&entry.path()) {
            let text = std::fs::read_to_string(&file).expect("source");
            for target in imports(&text) {
                if target != layer && !allowed.contains(&target.as_str()) {
                    broken.push(format!("{}: crate::{target}", file.strip_prefix(&source).expect("in src").display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "forbidden imports:\n{}", broken.join("\n"));
    assert_eq!(seen.len(), ALLOWED.len(), "a layer of the table has no folder");
}

#[test]
fn only_the_command_line_prints() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&source) {
        let text = std::fs::read_to_string(&file).expect("source");
        let prints = ["println!", "eprintln!", "print!(", "dbg!"].iter().any(|name| text.contains(name));
        let own = file.strip_prefix(&source).expect("in src");
        // Tests may say that they were skipped.
        let test = own.ends_with("tests.rs") || own.components().any(|part| part.as_os_str() == "tests");
        assert!(!prints || test || own.starts_with("cli"), "{} prints", own.display());
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The first name after every `crate::`, also in `use crate::{a::…, b::…}`.
fn imports(text: &str) -> Vec<String> {
    let name = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (i, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    found.push(name(group[start..i].trim()));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(name(group[start..i].trim()));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}
