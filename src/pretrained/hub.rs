//! Downloads an encoder's files from the hub into a staging folder. Knows which files to ask for and how to take up a broken
//! transfer; knows nothing of pins or of the shared cache.
//!
//! hf-hub builds the addresses, finds the token and lays out the cache; the bytes come by [`fetch`], since hf-hub's own client
//! makes paths of the server's headers, shows the token to whom a redirect leads, and reads without bound or time limit.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use sha2::{Digest as _, Sha256};

use super::catalogue::CatalogueEntry;
use super::contents::{self, Wanted};
use super::error::ResolveError;
use super::fetched::{Fetched, Snapshot};
use super::{FetchProgress, HubLimits, hub_cache};
use runner_fetch::{self as fetch, Facts, Failure, Size, Watch};

/// How often a broken transfer is taken up again where it broke.
const RESUMPTIONS: usize = 4;

/// Where an encoder is on the hub, and where its files wait.
pub(super) struct Request<'a> {
    pub(crate) endpoint: &'a str,
    /// The shared cache, whose neighbour file `token` opens private repositories, as for every program that uses it.
    pub(crate) hub_cache: &'a Path,
    /// A folder for this encoder alone.
    pub(crate) staging: &'a Path,
    pub(crate) id: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) entry: Option<&'static CatalogueEntry>,
    pub limits: HubLimits,
}

/// Downloads every wanted file. Errors: `Cancelled`, or `Hub` when the hub was not reached or lacks the encoder.
pub(super) fn download(request: &Request<'_>, progress: &dyn FetchProgress) -> Result<Snapshot, ResolveError> {
    let Request { id, revision, .. } = request;
    Download::new(request, progress).and_then(|download| download.all()).map_err(|failure| match failure {
        Failure::Cancelled => ResolveError::Cancelled,
        Failure::Absent => ResolveError::Hub(format!("no encoder '{id}' at revision {revision}")),
        other => ResolveError::Hub(other.to_string()),
    })
}

struct Download<'a> {
    request: &'a Request<'a>,
    progress: &'a dyn FetchProgress,
    repo: ApiRepo,
    token: Option<String>,
    /// Whether the hub has ever answered.
    answered: Cell<bool>,
    /// That of the files so far.
    commit: RefCell<Option<String>>,
    /// Bytes that the encoder's files may still have together.
    left: Cell<u64>,
}

impl<'a> Download<'a> {
    fn new(request: &'a Request<'a>, progress: &'a dyn FetchProgress) -> Result<Self, Failure> {
        let endpoint = request.endpoint.trim_end_matches('/');
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let endpoint = runner_fetch::without_password(endpoint);
            let reason = format!("HF_ENDPOINT '{endpoint}' is no http or https address");
            return Err(Failure::Other(reason));
        }
        let cache = Cache::new(request.hub_cache.to_path_buf());
        let token = cache.token();
        let api = ApiBuilder::from_cache(cache).with_endpoint(endpoint.to_string()).build();
        let api = api.map_err(|error| Failure::Other(error.to_string()))?;
        let repo = Repo::with_revision(request.id.to_string(), RepoType::Model, request.revision.to_string());
        fs::create_dir_all(request.staging.join(PARTS)).map_err(|error| Failure::Other(error.to_string()))?;
        Ok(Download {
            request,
            progress,
            repo: api.repo(repo),
            token,
            answered: Cell::new(false),
            commit: RefCell::default(),
            left: Cell::new(contents::LARGEST_ENCODER),
        })
    }

    fn all(&self) -> Result<Snapshot, Failure> {
        let modules = match self.request.entry {
            Some(_) => None,
            None => self.modules()?,
        };
        let mut files = Vec::new();
        for Wanted { path, required } in
            contents::wanted(self.request.entry, modules.as_deref()).map_err(Failure::Other)?
        {
            match self.file(&path) {
                Ok(file) => files.push(file),
                Err(Failure::Absent) if !required => {}
                Err(Failure::Absent) => {
                    let Request { id, revision, .. } = self.request;
                    let reason = format!("'{id}' has no {path} at revision {revision}");
                    return Err(Failure::Other(reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        let commit = self.commit.take().ok_or_else(|| Failure::Other("the encoder has no files".to_string()))?;
        Ok(Snapshot { commit, files })
    }

    /// The list of modules, which decides what else to fetch. Asked after `config.json`; where both are absent there is no encoder.
    fn modules(&self) -> Result<Option<Vec<u8>>, Failure> {
        let config = self.file(contents::REQUIRED[0]);
        if !matches!(config, Ok(_) | Err(Failure::Absent)) {
            return config.map(|_| None);
        }
        match self.file("modules.json") {
            Ok(Fetched { file, .. }) => fs::read(file).map(Some).map_err(|error| Failure::Other(error.to_string())),
            Err(Failure::Absent) => config.map(|_| None),
            Err(failure) => Err(failure),
        }
    }

    /// One file, resumed while that gets it further.
    fn file(&self, path: &str) -> Result<Fetched, Failure> {
        let mut resumed = 0;
        loop {
            let part = Placed::default();
            let failure = match self.attempt(path, &part) {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failure,
            };
            let (before, after) = part.bytes();
            match failure {
                Failure::Broken(reason) if after > before && resumed < RESUMPTIONS => {
                    self.progress.note(&format!("{path}: {reason}; resuming after {after} bytes"));
                    resumed += 1;
                }
                // What an earlier attempt left may be what is wrong.
                Failure::Broken(_) | Failure::Other(_) if before > 0 && resumed < RESUMPTIONS => {
                    part.forget();
                    resumed = RESUMPTIONS;
                }
                Failure::Broken(reason) => return Err(Failure::Broken(format!("{path}: {reason}"))),
                Failure::Other(reason) => return Err(Failure::Other(format!("{path}: {reason}"))),
                other => return Err(other),
            }
        }
    }

    fn attempt(&self, path: &str, part: &Placed) -> Result<Fetched, Failure> {
        let HubLimits { first_answer, silence } = self.request.limits;
        let pin = self.request.entry.and_then(|entry| entry.files.iter().find(|file| file.path == path));
        let largest = contents::largest(path).min(self.left.get());
        let request = fetch::Request {
            url: &self.repo.url(path),
            token: self.token.as_deref(),
            size: pin.map_or(Size::AtMost(largest), |pin| Size::Exactly(pin.bytes)),
            unknown_length: false,
            limits: HubLimits { first_answer: if self.answered.get() { silence } else { first_answer }, silence },
        };
        let mut told = Facts::default();
        let mut place = |facts: &Facts| {
            told = facts.clone();
            self.agree(facts)?;
            // Where no pin tells in the end, what one endpoint began no other goes on with.
            let endpoint = if pin.is_some() { "" } else { self.request.endpoint };
            part.place(self.request.staging, &format!("{endpoint}\n{path}"), facts)
        };
        let outcome = fetch::fetch(&request, &mut place, &Announced { progress: self.progress, path });
        if matches!(outcome, Ok(_) | Err(Failure::Absent | Failure::Broken(_))) {
            self.answered.set(true);
        }
        let file = outcome.map_err(|failure| match failure {
            Failure::Other(reason)
                if ["401", "403"].iter().any(|status| reason == format!("http status: {status}")) =>
            {
                Failure::Other(format!("{reason} (no such repository, or a private one)"))
            }
            other => other,
        })?;
        let bytes = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        self.left.set(self.left.get().saturating_sub(bytes));
        Ok(Fetched { path: path.to_string(), file, tag: told.tag })
    }

    /// All files must be of one commit; it becomes the name of a folder.
    fn agree(&self, facts: &Facts) -> io::Result<()> {
        let refuse = |reason: String| Err(io::Error::other(reason));
        let Request { revision, entry, .. } = self.request;
        let commit = match (&facts.commit, entry) {
            (Some(commit), _) if !hub_cache::is_plain(commit) => {
                return refuse("the hub names a commit that is none; refused".to_string());
            }
            (Some(commit), Some(_)) if commit != revision => {
                return refuse(format!("the hub answers with commit {commit} for {revision}; refused"));
            }
            (Some(commit), _) => commit.as_str(),
            // The pins tell whether they are its files.
            (None, Some(_)) => revision,
            (None, None) => return refuse("the hub tells no commit (X-Repo-Commit)".to_string()),
        };
        match &mut *self.commit.borrow_mut() {
            Some(before) if before != commit => {
                refuse("the repository changed during the download; run again".to_string())
            }
            before => {
                *before = Some(commit.to_string());
                Ok(())
            }
        }
    }
}

/// Below the staging folder.
const PARTS: &str = "parts";

/// A file in the staging folder, and how much of it was there before an attempt.
#[derive(Default)]
struct Placed(RefCell<Option<(PathBuf, u64)>>);

impl Placed {
    /// A file that belongs to these very contents, so that it can be resumed: its name is a hash of what the hub calls them.
    /// Contents without a tag begin anew.
    fn place(&self, staging: &Path, file: &str, facts: &Facts) -> io::Result<PathBuf> {
        let told = format!("{file}\n{:?}\n{:?}", facts.commit, facts.tag);
        let file = staging.join(PARTS).join(super::digest::hex(&Sha256::digest(told.as_bytes())));
        if facts.tag.is_none() && file.exists() {
            fs::remove_file(&file)?;
        }
        let bytes = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        self.0.replace(Some((file.clone(), bytes)));
        Ok(file)
    }

    /// Before the attempt, and now.
    fn bytes(&self) -> (u64, u64) {
        let placed = self.0.borrow();
        placed
            .as_ref()
            .map_or((0, 0), |(file, before)| (*before, fs::metadata(file).map_or(0, |metadata| metadata.len())))
    }

    fn forget(&self) {
        if let Some((file, _)) = &*self.0.borrow() {
            let _ = fs::remove_file(file);
        }
    }
}

/// The progress of one file.
struct Announced<'a> {
    progress: &'a dyn FetchProgress,
    path: &'a str,
}

impl Watch for Announced<'_> {
    fn bytes(&self, done: u64, total: u64) {
        self.progress.bytes(self.path, done, total);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}
