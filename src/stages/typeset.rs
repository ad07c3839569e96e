//! Article sources to PDF by a typesetter of this machine, `latexmk` or `typst`, where PATH has one.
//!
//! The typesetter is part of the article's key: with another one, or none, the article is made again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::command::process::{self, End, Program};
use runner_engine::{External, Report};

/// No article of eight pages takes as long.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What makes a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typesetter {
    /// TeX, from `article.tex`.
    Latexmk,
    /// From `article.typ`.
    Typst,
}

impl Typesetter {
    /// The one that is used, and where it is; TeX first, whose class is Springer's own.
    fn found() -> Option<(Typesetter, PathBuf)> {
        [Typesetter::Latexmk, Typesetter::Typst].into_iter().find_map(|one| Some((one, on_path(one.program())?)))
    }

    /// The one that is used.
    pub(super) fn here() -> Option<Typesetter> {
        Typesetter::found().map(|(typesetter, _)| typesetter)
    }

    fn program(self) -> &'static str {
        match self {
            Typesetter::Latexmk => "latexmk",
            Typesetter::Typst => "typst",
        }
    }

    /// The PDF of `NAME.tex` or `NAME.typ` in a folder with all that it reads.
    ///
    /// # Errors
    /// The typesetter fails, in its own last words; or takes too long.
    pub(super) fn pdf(self, folder: &Path, name: &str, report: &dyn Report) -> anyhow::Result<Vec<u8>> {
        let text = |path: &Path| path.to_str().map(str::to_owned).context("the scratch folder is not UTF-8");
        let words: Vec<String> = match self {
            Typesetter::Latexmk => {
                let file = text(&folder.join(format!("{name}.tex")))?;
                // Nothing of a text can start a program, and no settings of the user's are read.
                [
                    "latexmk",
                    "-norc",
                    "-cd",
                    "-pdf",
                    "-interaction=batchmode",
                    "-halt-on-error",
                    "-no-shell-escape",
                    &file,
                ]
                .map(str::to_owned)
                .into()
            }
            Typesetter::Typst => {
                let (root, file) = (text(folder)?, text(&folder.join(format!("{name}.typ")))?);
                let pdf = text(&folder.join(format!("{name}.pdf")))?;
                ["typst", "compile", "--root", &root, &file, &pdf].map(str::to_owned).into()
            }
        };
        let (end, said) =
            process::run(&Program { words: &words, environment: environment(), timeout: Some(TIMEOUT) }, report)
                .with_context(|| format!("cannot start '{}'", self.program()))?;
        match end {
            End::Done => {}
            End::Cancelled => bail!("interrupted"),
            End::TimedOut => bail!("'{}' was ended after {} s", self.program(), TIMEOUT.as_secs()),
            End::Failed(how) => {
                let last = said.last().map(|line| format!(": {line}")).unwrap_or_default();
                bail!("'{}' ended with {how}{last}", self.program())
            }
        }
        let path = folder.join(format!("{name}.pdf"));
        std::fs::read(&path).with_context(|| format!("'{}' wrote no '{}'", self.program(), path.display()))
    }
}

/// What a typesetter sees: where things are; a fixed date, so that equal sources give equal bytes; and that it reads and writes only beside its source.
fn environment() -> Vec<(String, OsString)> {
    let kept = ["PATH", "HOME", "TMPDIR"].into_iter();
    let kept = kept.filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?)));
    let fixed = [
        ("LC_ALL", "C.UTF-8"),
        ("SOURCE_DATE_EPOCH", "0"),
        ("FORCE_SOURCE_DATE", "1"),
        ("openin_any", "p"),
        ("openout_any", "p"),
        ("shell_escape", "f"),
        // Messages on one line each.
        ("max_print_line", "1000"),
    ];
    kept.chain(fixed.map(|(name, value)| (name.to_owned(), value.into()))).collect()
}

/// The pages that TeX says in its log it wrote.
pub(super) fn pages(log: &str) -> Option<usize> {
    // `Output written on article.pdf (8 pages, 301112 bytes).`
    let (_, after) = log.rsplit_once("Output written on ")?;
    let (_, count) = after.split_once('(')?;
    count.split_whitespace().next()?.parse().ok()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| super::command::environment::is_program(path))
}

/// The typesetter of this machine as part of an article's key.
pub(super) struct OnThisMachine;

impl OnThisMachine {
    /// By name and the size of its program: another version is another program.
    fn identity() -> String {
        match Typesetter::found() {
            Some((typesetter, path)) => {
                let size = path.metadata().map_or(0, |metadata| metadata.len());
                // What sets the type is another program than the one that calls it.
                let engine = on_path("pdflatex").filter(|_| typesetter == Typesetter::Latexmk);
                let engine = engine.and_then(|path| path.metadata().ok()).map_or(0, |metadata| metadata.len());
                format!("{} ({})", typesetter.program(), size + engine)
            }
            None => "none".to_owned(),
        }
    }
}

impl External for OnThisMachine {
    fn at(&self) -> &str {
        "typesetter"
    }

    fn digest(&self) -> anyhow::Result<Option<String>> {
        Ok(Some(OnThisMachine::identity()))
    }

    fn fetch(&self, _: &dyn Report) -> anyhow::Result<String> {
        Ok(OnThisMachine::identity())
    }
}

#[cfg(test)]
mod tests {
    use super::pages;

    #[test]
    fn pages_are_read_from_the_log() {
        assert_eq!(pages("…\nOutput written on article.pdf (8 pages, 301112 bytes).\n"), Some(8));
        assert_eq!(pages("Output written on article.pdf (1 page, 11 bytes)."), Some(1));
        assert_eq!(pages("! Emergency stop."), None);
    }
}
