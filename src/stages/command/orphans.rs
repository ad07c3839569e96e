//! Ends what a program left behind outside its process group: daemons, children that took a session of their own.
//!
//! On Linux a process may adopt the orphans among its descendants (prctl(2), `PR_SET_CHILD_SUBREAPER`). An adopted one does not tell which
//! program it comes from, so all of them end when no program runs any more; none outlives the run. Elsewhere the system has no such thing, and
//! only the process group ends.

use std::sync::{Mutex, PoisonError};

/// Programs that run now. Held while one is started, so that a new child is never taken for an adopted one.
static RUNNING: Mutex<usize> = Mutex::new(0);

/// A program runs as long as this lives.
pub(super) struct Guard(());

/// Starts a program with `start`; what it leaves behind ends when the last guard is dropped.
pub(super) fn guarded<T>(start: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<(T, Guard)> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    #[cfg(target_os = "linux")]
    // Where the system refuses, the process group is still ended.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let started = start()?;
    *running += 1;
    Ok((started, Guard(())))
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        #[cfg(target_os = "linux")]
        if *running == 0 {
            adopted::end_all();
        }
    }
}

#[cfg(target_os = "linux")]
mod adopted {
    use std::time::{Duration, Instant};

    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, waitpid};
    use nix::unistd::{Pid, getpgrp, getpid};

    /// Whoever is not gone by then sleeps in the kernel and cannot be ended by anyone.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// The children of an adopted one are adopted when it is gone, so it goes on until there are none.
    pub(crate) fn end_all() {
        let started = Instant::now();
        loop {
            let found = adopted();
            if found.is_empty() || started.elapsed() > PATIENCE {
                return;
            }
            for process in found {
                let _ = kill(process, Signal::SIGKILL);
                let _ = waitpid(process, Some(WaitPidFlag::WNOHANG));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Children in other process groups than ours. What this program starts for itself stays in its own group, and programs are all gone here.
    fn adopted() -> Vec<Pid> {
        let (own, group) = (getpid().as_raw(), getpgrp().as_raw());
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_adopted = |&process: &i32| parent_and_group(process).is_some_and(|(p, g)| p == own && g != group);
        numbers.filter(is_adopted).map(Pid::from_raw).collect()
    }

    /// From `/proc/N/stat` (proc(5)): `N (name) state parent group …`, where the name may hold anything.
    fn parent_and_group(process: i32) -> Option<(i32, i32)> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    }
}
