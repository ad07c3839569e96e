//! The `runner` program. All of it is in the library; see `program` and `cli`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    runner::main_with(Vec::new())
}
