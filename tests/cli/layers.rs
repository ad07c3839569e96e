//! What Cargo cannot hold of the drawing in ARCHITECTURE.md: each layer is a crate, and its manifest says what it may import.

use std::path::Path;

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
