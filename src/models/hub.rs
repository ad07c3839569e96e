//! Downloads an encoder's files from the hub into a staging cache. Knows which files to ask for and how to take up a broken
//! transfer; knows nothing of pins or of the shared cache.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo, RepoType};

use super::FetchProgress;
use super::catalogue::CatalogueEntry;
use super::contents::{self, Wanted};
use super::error::ResolveError;
use super::transfer::{Failure, transfer};

/// How long silence is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// Until the first answer: name look-up, connection, TLS and headers. A dead hub costs no more than this.
    pub first_answer: Duration,
    /// Between two signs of life afterwards.
    pub silence: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        HubLimits { first_answer: Duration::from_secs(8), silence: Duration::from_secs(30) }
    }
}

/// How often a broken transfer is taken up again where it broke.
const RESUMPTIONS: usize = 4;

/// Where an encoder is on the hub, and where its files wait.
pub(super) struct Request<'a> {
    pub endpoint: &'a str,
    /// The shared cache, whose neighbour file `token` opens private repositories, as for every program that uses it.
    pub hub_cache: &'a Path,
    /// hf-hub's cache for this fetch alone.
    pub staging: &'a Path,
    pub id: &'a str,
    pub revision: &'a str,
    pub entry: Option<&'static CatalogueEntry>,
    pub limits: HubLimits,
}

/// A file in the staging cache.
pub(super) struct Fetched {
    /// Relative to the encoder's folder.
    pub path: String,
    /// The file itself, links resolved. On Unix its name is the hub's entity tag.
    pub blob: PathBuf,
}

/// What came: the commit of all files, and the files.
pub(super) struct Snapshot {
    pub commit: String,
    pub files: Vec<Fetched>,
}

/// Downloads every wanted file. Errors: `Cancelled`, or `Hub` when the hub was not reached or lacks the encoder.
pub(super) fn download(request: &Request<'_>, progress: &dyn FetchProgress) -> Result<Snapshot, ResolveError> {
    let Request { id, revision, .. } = request;
    Download::new(request, progress).and_then(|download| download.all()).map_err(|failure| match failure {
        Failure::Cancelled => ResolveError::Cancelled,
        Failure::Silent(limit) => ResolveError::Hub(format!("silent for {} s", limit.as_secs_f32())),
        Failure::Absent => ResolveError::Hub(format!("no encoder '{id}' at revision {revision}")),
        Failure::Broken(reason) | Failure::Other(reason) => ResolveError::Hub(reason),
    })
}

struct Download<'a> {
    request: &'a Request<'a>,
    progress: &'a dyn FetchProgress,
    api: Api,
    repo: Repo,
    /// Whether the hub has ever answered.
    answered: Cell<bool>,
}

impl<'a> Download<'a> {
    fn new(request: &'a Request<'a>, progress: &'a dyn FetchProgress) -> Result<Self, Failure> {
        let endpoint = request.endpoint.trim_end_matches('/');
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let reason = format!("HF_ENDPOINT '{endpoint}' is no http or https address");
            return Err(Failure::Other(reason));
        }
        // The token lies beside the shared cache; the files go to the staging cache.
        let api = ApiBuilder::from_cache(Cache::new(request.hub_cache.to_path_buf()))
            .with_cache_dir(request.staging.to_path_buf())
            .with_endpoint(endpoint.to_string())
            .with_progress(false)
            .build()
            .map_err(|error| Failure::Other(error.to_string()))?;
        let id = request.id.to_string();
        let repo = Repo::with_revision(id, RepoType::Model, request.revision.to_string());
        Ok(Download { request, progress, api, repo, answered: Cell::new(false) })
    }

    fn all(&self) -> Result<Snapshot, Failure> {
        // Whole files of an earlier attempt may be of another commit; only partial ones, named by their contents, are resumed.
        let _ = fs::remove_dir_all(self.repo_folder().join("snapshots"));
        let modules = match self.request.entry {
            Some(_) => None,
            None => self.modules()?,
        };
        let mut files = Vec::new();
        let mut commits = Vec::new();
        for Wanted { path, required } in contents::wanted(self.request.entry, modules.as_deref()) {
            let link = match self.file(&path) {
                Ok(link) => link,
                Err(Failure::Absent) if !required => continue,
                Err(Failure::Absent) => {
                    let Request { id, revision, .. } = self.request;
                    let reason = format!("'{id}' has no {path} at revision {revision}");
                    return Err(Failure::Other(reason));
                }
                Err(failure) => return Err(failure),
            };
            commits.extend(self.commit_of(&link));
            let blob = fs::canonicalize(&link).map_err(|error| Failure::Other(error.to_string()))?;
            files.push(Fetched { path, blob });
        }
        commits.dedup();
        match commits.as_slice() {
            [commit] => Ok(Snapshot { commit: commit.clone(), files }),
            _ => Err(Failure::Other("the repository changed during the download; run again".to_string())),
        }
    }

    /// The list of modules, which decides what else to fetch. Asked after `config.json`; where both are absent there is no encoder.
    fn modules(&self) -> Result<Option<Vec<u8>>, Failure> {
        let config = self.file(contents::REQUIRED[0]);
        if !matches!(config, Ok(_) | Err(Failure::Absent)) {
            return config.map(|_| None);
        }
        match self.file("modules.json") {
            Ok(path) => Ok(fs::read(path).ok()),
            Err(Failure::Absent) => config.map(|_| None),
            Err(failure) => Err(failure),
        }
    }

    /// One file, resumed while that gets it further.
    fn file(&self, path: &str) -> Result<PathBuf, Failure> {
        let mut resumed = 0;
        loop {
            let before = self.partial_bytes();
            let reason = match self.attempt(path) {
                Err(Failure::Broken(reason)) => reason,
                Err(Failure::Other(reason)) => {
                    return Err(Failure::Other(format!("{path}: {reason}")));
                }
                outcome => return outcome,
            };
            let after = self.partial_bytes();
            if after > before && resumed < RESUMPTIONS {
                self.progress.note(&format!("{path}: {reason}; resuming after {after} bytes"));
                resumed += 1;
            } else if before > 0 && resumed < RESUMPTIONS {
                // A part that does not grow may be what is wrong: complete already, or longer than the file.
                self.forget_parts();
                resumed = RESUMPTIONS;
            } else {
                return Err(Failure::Broken(format!("{path}: {reason}")));
            }
        }
    }

    fn attempt(&self, path: &str) -> Result<PathBuf, Failure> {
        let HubLimits { first_answer, silence } = self.request.limits;
        let first = if self.answered.get() { silence } else { first_answer };
        // Our own lock keeps others out. hf-hub's may be held by an abandoned thread that is stuck in a read: it would fail this
        // attempt, though that thread writes nothing any more.
        for path in self.blobs_with("lock") {
            let _ = fs::remove_file(path);
        }
        let repo = self.api.repo(self.repo.clone());
        let outcome = transfer(repo, path, first, silence, self.progress);
        if matches!(outcome, Ok(_) | Err(Failure::Absent | Failure::Broken(_))) {
            self.answered.set(true);
        }
        outcome
    }

    fn repo_folder(&self) -> PathBuf {
        self.request.staging.join(self.repo.folder_name())
    }

    /// `<staging>/models--x--y/snapshots/<commit>/…` → `<commit>`
    fn commit_of(&self, link: &Path) -> Option<String> {
        let below = link.strip_prefix(self.repo_folder().join("snapshots")).ok()?;
        Some(below.iter().next()?.to_string_lossy().into_owned())
    }

    /// hf-hub keeps an unfinished file as `blobs/<entity tag>.part`, locked by `blobs/<entity tag>.lock`.
    fn blobs_with(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.repo_folder().join("blobs"));
        let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }

    fn partial_bytes(&self) -> u64 {
        let parts = self.blobs_with("part");
        parts.iter().map(|path| fs::metadata(path).map_or(0, |metadata| metadata.len())).sum()
    }

    fn forget_parts(&self) {
        for path in self.blobs_with("part") {
            let _ = fs::remove_file(path);
        }
    }
}
