//! What becomes of an article without a typesetter, with one that fails, and with Typst.

use std::os::unix::fs::PermissionsExt as _;

use super::study;
use crate::workspace::Workspace;

/// The study with programs of these names alone on PATH, besides a shell's own.
fn run(work: &Workspace, programs: &[(&str, &str)]) -> (bool, String) {
    let bin = work.path().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    for (name, script) in programs {
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let output = work.command(&["run", "pipeline.yaml"]).env("PATH", &bin).output().expect("the program starts");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout),
    )
}

fn has_pdf(work: &Workspace) -> bool {
    work.exists("artifacts/study/article/article.pdf")
}

#[test]
fn without_a_pdf_the_sources_are_there_and_it_is_said_why() {
    let work = study();
    let (success, said) = run(&work, &[]);
    assert!(success && !has_pdf(&work) && said.contains("neither `latexmk` nor `typst` is on PATH"), "{said}");
    // One that fails, e.g. for lack of Springer's class, costs the PDF alone; that there is one makes the article again.
    let (success, said) = run(&work, &[("latexmk", "echo 'no llncs.cls' >&2; exit 12")]);
    let why = "'latexmk' ended with exit code 12: no llncs.cls; of TeX Live it needs texlive-publishers";
    assert!(success && !has_pdf(&work) && said.contains(why), "{said}");
    assert!(work.exists("artifacts/study/article/article.tex"));
}

#[test]
fn typst_is_used_where_it_is_all_that_there_is() {
    let work = study();
    let (success, said) = run(&work, &[("typst", "printf '%%PDF-1.7 %s' \"$4\" > \"$5\"")]);
    assert!(success && has_pdf(&work), "{said}");
    assert!(work.text("artifacts/study/article/article.pdf").ends_with("article.typ"));
    assert!(work.exists("artifacts/study/article/article.tex"));
}
