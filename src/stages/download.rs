//! Files that a pipeline fetches by address, pinned by SHA-256 and kept in the user's cache.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use runner_boundary::files::read_regular;
use runner_engine::Report;
use runner_fetch::{self as fetch, Failure, Limits, Size, Watch, without_password};

/// No download may be larger: nobody told us its size, only its digest.
const LARGEST: u64 = 4 << 30;

/// An address and the digest of what must be found there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Download {
    /// `https://…` or `http://…`; at most 4 GiB.
    pub(crate) url: String,
    /// 64 hexadecimal digits; anything else that comes is refused. Printed by `sha256sum FILE`.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{64}$"))]
    pub(crate) sha256: String,
}

impl Download {
    /// The address as it may be shown.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        without_password(&self.url)
    }

    /// What is wrong with it as it is written: the key and a message.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        let Download { url, sha256 } = self;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Some(("url", format!("'{url}' is not an address: it must begin with https:// or http://")));
        }
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        (!is_digest).then(|| {
            (
                "sha256",
                format!("'{sha256}' is not a SHA-256 digest (64 hexadecimal digits; `sha256sum FILE` prints it)"),
            )
        })
    }
}

/// The content, from the cache where it was fetched before. What does not match the digest is never kept.
pub(super) fn get(download: &Download, report: &dyn Report) -> anyhow::Result<Vec<u8>> {
    if let Some((_, message)) = download.problem() {
        bail!(message);
    }
    let wanted = download.sha256.to_ascii_lowercase();
    let folder = cache_folder()?;
    let cached = folder.join(&wanted);
    if let Ok(bytes) = read_regular(&cached)
        && hex(&Sha256::digest(&bytes)) == wanted
    {
        return Ok(bytes);
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create '{}'", folder.display()))?;
    sweep(&folder);
    // Removed when dropped: until its digest is known, nothing of it is kept, in memory neither.
    let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(&folder);
    let staging = staging.with_context(|| format!("cannot write to '{}'", folder.display()))?;
    let file = fetch(&download.url, &staging.path().join("file"), report)
        .with_context(|| format!("cannot download {}", download.shown()))?;
    let found = sha256_of(&file, report).with_context(|| format!("cannot read '{}'", file.display()))?;
    if found != wanted {
        bail!(
            "{} has SHA-256 {found}, not the declared {wanted} (nothing was kept; correct `sha256` if you trust the new content)",
            download.shown()
        );
    }
    let keep = || -> std::io::Result<Vec<u8>> {
        File::open(&file)?.sync_all()?;
        fs::rename(&file, &cached)?;
        fs::read(&cached)
    };
    keep().with_context(|| format!("cannot write '{}'", cached.display()))
}

const STAGING: &str = ".tmp-";

/// Removes what killed runs left: staging folders more than a day old.
fn sweep(folder: &Path) {
    let day = Duration::from_secs(24 * 3600);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age > day);
        if is_old && entry.file_name().to_string_lossy().starts_with(STAGING) {
            // Left for the next time where it fails.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn fetch(url: &str, to: &Path, report: &dyn Report) -> anyhow::Result<PathBuf> {
    let request = fetch::Request {
        url,
        token: None,
        size: Size::AtMost(LARGEST),
        unknown_length: true,
        limits: Limits { first_answer: Limits::default().silence, ..Limits::default() },
    };
    fetch::fetch(&request, &mut |_| Ok(to.to_owned()), &Announced { report, url: &without_password(url) }).map_err(
        |failure| match failure {
            Failure::Broken(reason) => anyhow!("the transfer broke off: {reason}"),
            other => anyhow!("{other}"),
        },
    )
}

struct Announced<'a> {
    report: &'a dyn Report,
    url: &'a str,
}

impl Watch for Announced<'_> {
    fn bytes(&self, done: u64, total: u64) {
        self.report.progress(done, total, "bytes", self.url);
    }

    fn cancelled(&self) -> bool {
        self.report.cancelled()
    }
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let cache = cache.ok_or_else(|| anyhow!("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep a download"))?;
    Ok(cache.join("runner").join("downloads"))
}

fn sha256_of(path: &Path, report: &dyn Report) -> anyhow::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        if report.cancelled() {
            bail!("interrupted");
        }
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&block[..read]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
