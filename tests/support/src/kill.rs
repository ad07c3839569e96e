//! Runs that are killed: with SIGKILL, at a random moment or once something was saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::workspace::Workspace;

/// When each file of the store that holds work in progress was last written.
fn progress(work: &Workspace) -> BTreeMap<PathBuf, SystemTime> {
    let mut files = BTreeMap::new();
    for folder in ["memo", "rows"] {
        let root = format!("artifacts/.store/{folder}");
        for file in work.files_under(&root).into_iter().filter(|file| !is_temporary(file)) {
            let path = work.path().join(&root).join(file);
            // A file may have been replaced between listing and looking.
            if let Ok(written) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                files.insert(path, written);
            }
        }
    }
    files
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Runs the program and kills it with SIGKILL: `after` so long, or, without, some time after it has saved something. False if it
/// ended by itself before.
pub fn kill(work: &Workspace, more: &[&str], after: Option<Duration>, moments: &mut Moments) -> bool {
    let before = progress(work);
    let mut arguments = vec!["run", "pipeline.yaml", "--json"];
    arguments.extend(more);
    let mut child =
        work.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let clock = Instant::now();
    let mut seen: Option<Instant> = None;
    let pause = after.unwrap_or_else(|| moments.up_to(Duration::from_millis(80)));
    loop {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        let due = match after {
            Some(after) => clock.elapsed() >= after,
            None => {
                if seen.is_none() && progress(work) != before {
                    seen = Some(Instant::now());
                }
                seen.is_some_and(|seen| seen.elapsed() >= pause)
            }
        };
        if due {
            child.kill().expect("SIGKILL");
            child.wait().expect("a child");
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Repeatable random moments.
pub struct Moments(pub u64);

impl Moments {
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        longest.mul_f64((self.0 >> 33) as f64 / f64::from(1u32 << 31))
    }
}
