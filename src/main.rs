//! The `runner` program. All of it is in the library; see `cli`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    limit_candle_threads();
    // The pipeline file is read and stages are decided on by all cores; the variables below would leave them one. Without the pool it is slower.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    runner::cli::main()
}

/// Makes candle compute each network on the thread that asks for it. Left alone, it splits even small products over all cores and spins on a
/// pool that all trainings share: the bits are the same, but trainings side by side take two to three times as long.
fn limit_candle_threads() {
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: `set_var` races with other threads that read the environment. This is the first thing that `main` does, no thread has
        // been started yet, and no code runs before `main`. (candle reads these variables once, at its first product.)
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var(name, "1");
        }
    }
}
