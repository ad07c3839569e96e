//! Fetches a wheel with the machine's own `pip download`: it knows the user's index, proxy and certificates, and we need not.
//! Nothing is installed or executed: wheels alone are asked for, since building a source archive would run its code.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::FetchProgress;
use super::catalogue::PipPackage;
use super::error::ResolveError;
use super::staging::Staging;

/// A pip that fills more than twice the wheel and this is stopped: it keeps a copy or two, and its own notes.
const SLACK: u64 = 64 << 20;

/// Of pip's complaints the last bytes are kept.
const COMPLAINTS: usize = 64 << 10;

/// A failure that took longer than this is the network's: another pip would wait as long and fail alike.
const SLOW: Duration = Duration::from_secs(20);

/// Tries each of `programs` (e.g. `["python3", "-m", "pip"]`) until one brings the wheel into `staging`; returns its path.
/// Errors: `Cancelled`, or `Mirror` with the reason of each program.
pub(super) fn download(
    programs: &[Vec<String>],
    package: &PipPackage,
    staging: &Staging,
    progress: &dyn FetchProgress,
) -> Result<PathBuf, ResolveError> {
    let mut reasons = Vec::new();
    for program in programs {
        let Some((first, rest)) = program.split_first() else {
            continue;
        };
        let shown = program.join(" ");
        progress.note(&format!("fetching {} {} with {shown}", package.name, package.version));
        let begun = Instant::now();
        let folders = Folders { wheels: staging.folder("wheels")?, temporary: staging.folder("pip")? };
        match run(first, rest, package, &folders, progress)? {
            Ok(wheel) => return Ok(wheel),
            Err(reason) => reasons.push(format!("{shown}: {reason}")),
        }
        if begun.elapsed() > SLOW {
            break;
        }
    }
    if reasons.is_empty() {
        reasons.push("no pip to try".to_string());
    }
    Err(ResolveError::Mirror(reasons.join("; ")))
}

struct Folders {
    wheels: PathBuf,
    /// pip's `TMPDIR`: its growth is our progress, and a killed pip leaves nothing elsewhere.
    temporary: PathBuf,
}

/// `Ok(Err(reason))`: this pip brought no wheel; another may.
fn run(
    program: &str,
    arguments: &[String],
    package: &PipPackage,
    folders: &Folders,
    progress: &dyn FetchProgress,
) -> Result<Result<PathBuf, String>, ResolveError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["download", "--no-deps", "--only-binary=:all:", "--no-input", "--retries=2"])
        .args(["--disable-pip-version-check", "--progress-bar=off", "--dest"])
        .arg(&folders.wheels)
        .arg(format!("{}=={}", package.name, package.version))
        .env("TMPDIR", &folders.temporary)
        // `python -m` would import a file `pip.py` that happens to lie in the user's folder.
        .current_dir(&folders.temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err("not installed".to_string()));
        }
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut stderr = child.stderr.take();
    // Read beside the waiting, or a full pipe would block pip for ever.
    let complaints = thread::spawn(move || {
        let mut text = Vec::new();
        let mut block = [0; 4096];
        // What was read before an error is still worth showing.
        while let Some(read) = stderr.as_mut().and_then(|pipe| pipe.read(&mut block).ok()).filter(|read| *read > 0) {
            text.extend_from_slice(&block[..read]);
            if text.len() > 2 * COMPLAINTS {
                text.drain(..text.len() - COMPLAINTS);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let Some(status) = wait(&mut child, package, folders, progress)? else {
        return Ok(Err(format!("brought more than the {} bytes of the pinned wheel; stopped", package.bytes)));
    };
    if !status.success() {
        let complaints = complaints.join().unwrap_or_default();
        return Ok(Err(last_complaint(&complaints, status)));
    }
    Ok(only_wheel(&folders.wheels, package))
}

/// `None`: it was stopped, as it brought too much.
fn wait(
    child: &mut Child,
    package: &PipPackage,
    folders: &Folders,
    progress: &dyn FetchProgress,
) -> Result<Option<ExitStatus>, ResolveError> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(Some(status)),
            Ok(None) => {}
            Err(error) => {
                return Err(ResolveError::io("waiting for pip in", &folders.temporary)(error));
            }
        }
        if progress.cancelled() {
            // A child that is gone already is as good as killed; waiting leaves no zombie.
            let _ = child.kill();
            let _ = child.wait();
            return Err(ResolveError::Cancelled);
        }
        let done = size_of(&folders.temporary).max(size_of(&folders.wheels));
        if done > package.bytes.saturating_mul(2).saturating_add(SLACK) {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        progress.bytes(package.name, done.min(package.bytes), package.bytes);
        thread::sleep(Duration::from_millis(50));
    }
}

/// pip's last line that says `ERROR`, or its last line at all.
fn last_complaint(text: &str, status: ExitStatus) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines()
        .rfind(|line| line.starts_with("ERROR"))
        .or_else(|| lines().next_back())
        .map_or_else(|| status.to_string(), |line| line.trim_start_matches("ERROR: ").to_string())
}

fn only_wheel(folder: &Path, package: &PipPackage) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut wheels: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    match (wheels.pop(), wheels.len()) {
        (Some(wheel), 0) => match fs::symlink_metadata(&wheel) {
            Ok(metadata) if !metadata.is_file() => Err("brought a wheel that is no file".to_string()),
            Ok(metadata) if metadata.len() > package.bytes => {
                Err(format!("brought {} bytes where the pinned wheel has {}", metadata.len(), package.bytes))
            }
            Ok(_) => Ok(wheel),
            Err(error) => Err(error.to_string()),
        },
        (Some(_), more) => Err(format!("brought {} wheels instead of one", more + 1)),
        (None, _) => Err("brought no wheel".to_string()),
    }
}

/// Bytes below `folder`, as far as they can be seen while pip is moving them.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
