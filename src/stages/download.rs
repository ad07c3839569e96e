//! Files that a pipeline fetches by address, pinned by SHA-256 and kept in the user's cache.
//!
//! Knows nothing of what is in them.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::boundary::files::read_regular;
use crate::engine::Report;

/// Between two looks at Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);
/// A server that sends nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// A larger file cannot be loaded as a table anyway; a server that never ends must not fill the memory.
const LARGEST: usize = i32::MAX as usize;

/// An address and the digest of what must be found there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// `https://…` or `http://…`.
    pub url: String,
    /// 64 hexadecimal digits; anything else that comes is refused. Printed by `sha256sum FILE`.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{64}$"))]
    pub sha256: String,
}

/// The content, from the cache where it was fetched before. What does not match the digest is never kept.
pub(super) fn get(download: &Download, report: &dyn Report) -> anyhow::Result<Vec<u8>> {
    let wanted = download.sha256.to_ascii_lowercase();
    if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("'{}' is not a SHA-256 digest (64 hexadecimal digits; `sha256sum FILE` prints it)", download.sha256);
    }
    let cached = cache_folder()?.join(&wanted);
    if let Ok(bytes) = read_regular(&cached)
        && sha256(&bytes) == wanted
    {
        return Ok(bytes);
    }
    let bytes = fetch(&download.url, report).with_context(|| format!("cannot download {}", download.url))?;
    let found = sha256(&bytes);
    if found != wanted {
        bail!(
            "{} has SHA-256 {found}, not the declared {wanted} (nothing was kept; correct `sha256` if you trust the new content)",
            download.url
        );
    }
    crate::artifact::store::write_atomically(&cached, &bytes)
        .with_context(|| format!("cannot write '{}'", cached.display()))?;
    Ok(bytes)
}

/// What the thread that reads says.
enum Word {
    /// So many bytes of so many (0 where the server does not say) are here.
    Bytes(u64, u64),
    Done(anyhow::Result<Vec<u8>>),
}

/// Reads in a thread of its own, since a connection can hold a reader for as long as it likes: whoever waits here looks at Ctrl-C.
fn fetch(url: &str, report: &dyn Report) -> anyhow::Result<Vec<u8>> {
    let (sender, words) = sync_channel(16);
    let address = url.to_owned();
    std::thread::Builder::new().name("download".to_owned()).spawn(move || {
        let done = read(&address, &sender);
        // Nobody listens after Ctrl-C.
        let _ = sender.send(Word::Done(done));
    })?;
    let mut heard = Instant::now();
    loop {
        if report.cancelled() {
            bail!("interrupted");
        }
        match words.recv_timeout(LOOK) {
            Ok(Word::Bytes(here, total)) => {
                heard = Instant::now();
                report.progress(here, total, "bytes", url);
            }
            Ok(Word::Done(done)) => return done,
            Err(RecvTimeoutError::Timeout) if heard.elapsed() > SILENCE => {
                bail!("nothing has come for {} s (run again)", SILENCE.as_secs())
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the download ended without a word"),
        }
    }
}

fn read(url: &str, words: &SyncSender<Word>) -> anyhow::Result<Vec<u8>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .build()
        .into();
    let mut response = agent.get(url).call()?;
    let total = response.body().content_length().unwrap_or(0);
    let mut reader = response.body_mut().as_reader();
    let mut bytes = Vec::new();
    let mut chunk = vec![0u8; 1 << 16];
    loop {
        let count = reader.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..count]);
        if bytes.len() > LARGEST {
            bail!("it has more than the {LARGEST} bytes that a table can hold");
        }
        if words.send(Word::Bytes(bytes.len() as u64, total)).is_err() {
            bail!("interrupted");
        }
    }
    if total > 0 && bytes.len() as u64 != total {
        bail!("the connection ended after {} of {total} bytes", bytes.len());
    }
    Ok(bytes)
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let cache = cache.ok_or_else(|| anyhow!("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep a download"))?;
    Ok(cache.join("runner").join("downloads"))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
