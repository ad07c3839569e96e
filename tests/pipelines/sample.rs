//! The committed sample is what its generator makes.

use std::path::Path;

#[test]
fn the_committed_files_are_those_of_the_generator() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    for (name, bytes) in runner::sample::generate(runner::sample::SEED) {
        let found = std::fs::read(folder.join(&name)).expect("a file of the sample");
        assert!(found == bytes, "data/sample/{name} differs from `runner init`");
    }
}
