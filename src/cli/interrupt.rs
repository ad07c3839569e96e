//! Ctrl-C, `kill` and a terminal that goes away.
//!
//! The first asks whatever runs to stop, which it does within a second, or is left where it is; a second Ctrl-C ends the process at once. Either
//! way writes are whole or not there. A terminal that goes away (SIGHUP) counts as the first: what has ended is kept, and a training goes on from
//! where it was. Who wants a run to outlive its terminal starts it with `nohup`, which has SIGHUP ignored; so it stays ignored here.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::INTERRUPTED;
use crate::engine::patience::{LOOK, Patience};

static INTERRUPT: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A file that grows beyond `ulimit -f` is an error of the write, with a message, and does not end the process. A handler, unlike a signal that is
/// ignored, is not passed on to the programs that are started.
pub(super) fn outlive_file_limit() {
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// From here on the signals no longer end the process by themselves.
pub(super) fn catch() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&AT_ONCE))?;
        // Before the flag is set by the same signal: only the second one finds it set.
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&INTERRUPT))?;
        flag::register(signal, Arc::clone(&INTERRUPT))?;
    }
    // The shell and the kernel may each send one when a terminal goes away: the second of these means nothing.
    #[cfg(unix)]
    if !hangup_is_ignored() {
        flag::register(signal_hook::consts::SIGHUP, Arc::clone(&INTERRUPT))?;
    }
    Ok(())
}

/// Does work that reads only, and that the first signal may end wherever it is; the exit code is the same.
pub(super) fn at_once<T>(work: impl FnOnce() -> T) -> T {
    AT_ONCE.store(true, Ordering::Relaxed);
    let done = work();
    AT_ONCE.store(false, Ordering::Relaxed);
    done
}

/// Does work that is left where it is if it has not ended by itself within a second after the first signal; the process ends then, after `finish` has
/// made its exit code.
pub(super) fn within_a_second<T>(finish: fn(u8) -> u8, work: impl FnOnce() -> T) -> T {
    let over = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&over);
    std::thread::spawn(move || {
        let mut patience = Patience::default();
        while !watched.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            if patience.is_over(interrupted()) {
                std::process::exit(i32::from(finish(INTERRUPTED)));
            }
        }
    });
    let done = work();
    over.store(true, Ordering::Relaxed);
    done
}

pub(super) fn interrupted() -> bool {
    INTERRUPT.load(Ordering::Relaxed)
}

/// Whether whoever started the program has SIGHUP ignored, as `nohup` does; only Linux tells.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal_hook::consts::SIGHUP - 1)) != 0
}
