//! The Hugging Face cache, shared with Python: `models--org--name/{blobs,refs,snapshots}`, as hf-hub lays it out. Finds
//! snapshots, and adds one that was checked elsewhere.
//!
//! A blob is named by the SHA-256 of its bytes, which for large files is the hub's own tag and what Python calls them. Python
//! names small files by their git hash; it reads ours through the snapshot's links all the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo};

use super::error::ResolveError;
use super::fetched::CheckedFile;
use super::hash_cache::copy_hashed;
use super::staging::sync_folder;

/// `models--sentence-transformers--all-MiniLM-L6-v2`
fn repo_folder(hub_cache: &Path, id: &str) -> PathBuf {
    hub_cache.join(Repo::model(id.to_string()).folder_name())
}

/// (commit, folder) of every snapshot: first the one that `revision` names, then the others by commit. They may be incomplete.
pub(super) fn snapshots(hub_cache: &Path, id: &str, revision: &str) -> Vec<(String, PathBuf)> {
    let repo = repo_folder(hub_cache, id);
    let named = fs::read_to_string(repo.join("refs").join(revision)).unwrap_or_default();
    let mut commits: Vec<String> = fs::read_dir(repo.join("snapshots"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|commit| is_plain(commit))
        .collect();
    commits.sort_by_key(|commit| {
        let wanted = commit == named.trim() || commit == revision;
        (!wanted, commit.clone())
    });
    commits
        .into_iter()
        .map(|commit| {
            let folder = repo.join("snapshots").join(&commit);
            (commit, folder)
        })
        .collect()
}

/// Moves checked files into the shared cache and returns the snapshot's folder. Blobs come first and the reference last, so
/// that a process killed in between leaves nothing that looks complete. `staging` is on the same file system.
///
/// Files of a commit never change. So where the cache has other ones under it, and no pin says which are right, it is left alone.
pub(super) fn publish(
    hub_cache: &Path,
    (id, revision): (&str, &str),
    pinned: bool,
    (commit, files): (&str, &[CheckedFile]),
    staging: &Path,
) -> Result<PathBuf, ResolveError> {
    let repo = repo_folder(hub_cache, id);
    let layout = Cache::new(hub_cache.to_path_buf()).model(id.to_string());
    let folder = layout.pointer_path(commit);
    for file in files.iter().filter(|_| !pinned) {
        let here = folder.join(&file.path);
        let sha256 = match fs::File::open(&here) {
            Ok(mut here) => copy_hashed(&mut here, &mut io::sink(), &mut |_| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => Err(error),
        };
        let sha256 = sha256.map_err(ResolveError::io("reading", &here))?;
        if sha256.as_deref() != Some(file.sha256.as_str()) {
            let reason =
                format!("it differs from what the hub gives for the same commit {commit}; remove the wrong one");
            return Err(ResolveError::Refused { place: here, reason });
        }
    }
    place(&repo, &folder, &|sha256| layout.blob_path(sha256), files, staging)
        .map_err(ResolveError::io("writing to", &repo))?;
    if revision != commit {
        let reference = repo.join("refs").join(revision);
        write_atomically(&reference, commit).map_err(ResolveError::io("writing", &reference))?;
    }
    Ok(folder)
}

fn place(
    repo: &Path,
    folder: &Path,
    blob_path: &dyn Fn(&str) -> PathBuf,
    files: &[CheckedFile],
    staging: &Path,
) -> io::Result<()> {
    fs::create_dir_all(repo.join("blobs"))?;
    fs::create_dir_all(repo.join("snapshots"))?;
    // Built aside and renamed whole where the snapshot is new; otherwise link by link.
    let aside = staging.join("snapshot");
    let links = staging.join("links");
    for left_by_a_killed_process in [&aside, &links] {
        if left_by_a_killed_process.exists() {
            fs::remove_dir_all(left_by_a_killed_process)?;
        }
    }
    fs::create_dir(&links)?;
    let is_new = !folder.exists();
    let target = if is_new { &aside } else { folder };
    for (index, file) in files.iter().enumerate() {
        let link = target.join(&file.path);
        if let Some(parent) = link.parent() {
            fs::create_dir_all(parent)?;
        }
        let blob = blob_path(&file.sha256);
        fs::File::open(&file.file)?.sync_all()?;
        fs::rename(&file.file, &blob)?;
        link_blob(&blob, &link, &file.path, &links.join(index.to_string()))?;
    }
    sync_folder(&repo.join("blobs"))?;
    if is_new {
        fs::rename(&aside, folder)?;
    }
    sync_folder(&repo.join("snapshots"))
}

/// A relative link from `snapshots/<commit>/<path>` to `blobs/<tag>`, put in place in one step.
#[cfg(unix)]
fn link_blob(blob: &Path, link: &Path, path: &str, temporary: &Path) -> io::Result<()> {
    let up = "../".repeat(2 + path.matches('/').count());
    let tag = blob.file_name().unwrap_or_default();
    std::os::unix::fs::symlink(Path::new(&up).join("blobs").join(tag), temporary)?;
    fs::rename(temporary, link)
}

/// Links need a privilege on Windows: the file itself is placed, as Python's huggingface_hub does there.
#[cfg(not(unix))]
fn link_blob(blob: &Path, link: &Path, _path: &str, _temporary: &Path) -> io::Result<()> {
    fs::rename(blob, link)
}

fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Whether a commit from outside is a plain file name.
pub(super) fn is_plain(commit: &str) -> bool {
    (1..=64).contains(&commit.len()) && commit.chars().all(|c| c.is_ascii_alphanumeric())
}
