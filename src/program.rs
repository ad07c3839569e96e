//! What a program does before and around the command line: [`main_with`].

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::stages::extension::{self, Extension};

/// Whether standard output and standard error were closed when the program was started.
static CLOSED: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

/// Looks before `main`: there it is too late, since Rust's runtime has opened `/dev/null` in place of a closed stream by then, in the same way
/// in which other programs open it on purpose, and what is written to it would be lost without an error.
#[cfg(unix)]
#[allow(unsafe_code)]
#[used]
// SAFETY: these sections hold pointers to functions without arguments that the C runtime calls before `main`, which is what this is.
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static NOTE_CLOSED: extern "C" fn() = {
    extern "C" fn note_closed() {
        for (stream, closed) in [1, 2].into_iter().zip(&CLOSED) {
            // SAFETY: a question about a number, which reads and writes no memory of ours. Neither this nor the flag needs Rust's runtime.
            let flags = unsafe { nix::libc::fcntl(stream, nix::libc::F_GETFD) };
            closed.store(flags == -1, Relaxed);
        }
    }
    note_closed
};

/// The `runner` program with kinds of stages of your own beside those that it has; see `examples/own_stage`.
///
/// To be called first in `main`, before any thread is started: it reads the arguments of the process, sets rayon's global pool, the panic hook and the
/// variables by which candle limits its threads. (Where other threads run, these stay as they are, and trainings side by side are slower.) Set
/// `mimalloc` as the global allocator, as `runner` does, if you plan pipelines of thousands of stages.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     runner::main_with(Vec::new())
/// }
/// ```
pub fn main_with(kinds: Vec<Extension>) -> ExitCode {
    // What nobody names is not linked into a program that uses this as a library.
    #[cfg(unix)]
    std::hint::black_box(&NOTE_CLOSED);
    limit_candle_threads();
    // The pipeline file is read and stages are decided on by all cores; the variables below would leave them one. Without the pool it is slower.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    if let Err(error) = extension::extend(kinds) {
        return crate::cli::refuse(error);
    }
    crate::cli::main(CLOSED.each_ref().map(|closed| closed.load(Relaxed)))
}

/// Makes candle compute each network on the thread that asks for it. Left alone, it splits even small products over all cores and spins on a
/// pool that all trainings share: the bits are the same, but trainings side by side take two to three times as long.
fn limit_candle_threads() {
    if has_other_threads() {
        return;
    }
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: `set_var` races with other threads that read the environment. There are none: where the system tells the threads of a process,
        // this was looked at; elsewhere it is the first thing that `main` does, as the documentation of `main_with` demands, and no code runs before
        // `main`. (candle reads these variables once, at its first product.)
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var(name, "1");
        }
    }
}

/// Whether the process is known to have more threads than this one; only Linux tells.
fn has_other_threads() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_environment_is_left_alone_beside_other_threads() {
        // Tests run on threads beside the main one.
        assert!(has_other_threads());
        let before = std::env::var_os("CANDLE_NUM_THREADS");
        limit_candle_threads();
        assert_eq!(std::env::var_os("CANDLE_NUM_THREADS"), before);
    }
}
