//! Fuzzing: known inputs are damaged in many ways, and nothing may panic, hang, or break a promise that the target states.
//!
//! The random numbers follow from a seed (`RUNNER_FUZZ_SEED`), the time of each target is bounded (`RUNNER_FUZZ_SECONDS`, 2 unless given), so that
//! this is part of the ordinary tests; `.ci/run` gives it longer. An input that fails is written to `tests/fuzz_failures/TARGET-DIGEST` and named in
//! the message. Once the fault is mended it moves to `tests/corpus/TARGET/`, whose files are tried first in every run.

mod arrow;
mod csv;
mod encoders;
mod store;
mod yaml;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use runner::artifact::Digest;
use runner::ml::rng::Stream;
use runner_test_support::{machine, small_model, toy_store, workspace, zips};

/// One input may not take longer: what is slow on a few kilobytes is endless on a real file.
const LONGEST: Duration = Duration::from_secs(20);
/// Damages done to one input at most.
const MOST_CHANGES: usize = 6;
/// Inputs do not grow beyond this, or beyond the largest known one.
const MOST_BYTES: usize = 1 << 16;
/// How far from a file's beginning or end sizes are looked for.
const SIZES_WITHIN: usize = 600;
/// Sizes and places that cannot be.
const LIES: [u64; 7] = [u64::MAX, 1 << 62, i64::MAX as u64, 1 << 40, u32::MAX as u64, 99_999_999, 0];

/// Tries `target` on the corpus of earlier failures, on the seeds, and on damaged copies of both until the time is over. `words` are what the
/// format treats in a special way.
pub(crate) fn fuzz<W: AsRef<[u8]>>(name: &str, seeds: &[Vec<u8>], words: &[W], target: impl Fn(&[u8])) {
    let seconds = number("RUNNER_FUZZ_SECONDS").unwrap_or(2);
    let seed = number("RUNNER_FUZZ_SEED").unwrap_or(1);
    let mut inputs = kept(name);
    inputs.extend(seeds.iter().cloned());
    let watch = Watch::start(name);
    let attempt = |input: &[u8], what: &str| {
        watch.begin(input);
        let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
        watch.end();
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
            let path = write_failure(name, input);
            panic!("{name}, seed {seed}, {what}: {text}\nthe input is in {}", path.display());
        }
    };
    for (i, input) in inputs.iter().enumerate() {
        attempt(input, &format!("known input {i}"));
    }
    let started = Instant::now();
    for round in 0.. {
        if started.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        let mut stream = Stream::new(seed, &format!("fuzz {name}"), round);
        let input = damaged(&inputs, words, &mut stream);
        attempt(&input, &format!("round {round}"));
    }
}

/// Targets whose input is no single file: what is damaged, and how, follows from random numbers, which follow from the input of 8 bytes.
pub(crate) fn fuzz_by_chance(name: &str, target: impl Fn(&mut Stream)) {
    let seeds: Vec<Vec<u8>> = (0..4u64).map(|seed| seed.to_le_bytes().to_vec()).collect();
    fuzz::<&str>(name, &seeds, &[], |bytes| {
        let seed = bytes.iter().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        target(&mut Stream::new(seed, "damage", 0));
    });
}

/// Damages `bytes` as [`fuzz`] does, for targets of several files.
pub(crate) fn damage<W: AsRef<[u8]>>(bytes: &[u8], words: &[W], stream: &mut Stream) -> Vec<u8> {
    damaged(std::slice::from_ref(&bytes.to_vec()), words, stream)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no whole number: {text}")))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The inputs that failed once.
fn kept(name: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(root().join("corpus").join(name)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file of the corpus")).collect()
}

fn write_failure(name: &str, input: &[u8]) -> PathBuf {
    let folder = root().join("fuzz_failures");
    std::fs::create_dir_all(&folder).expect("a folder for failures");
    let path = folder.join(format!("{name}-{}", &Digest::of(input).to_string()[..12]));
    std::fs::write(&path, input).expect("a failure is kept");
    path
}

/// A copy of one of the inputs with a few changes.
fn damaged<W: AsRef<[u8]>>(inputs: &[Vec<u8>], words: &[W], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = inputs[stream.below(inputs.len())].clone();
    for _ in 0..=stream.below(MOST_CHANGES) {
        change(&mut bytes, inputs, words, stream);
    }
    let most = inputs.iter().map(Vec::len).max().unwrap_or(0);
    bytes.truncate(most.max(MOST_BYTES));
    bytes
}

pub(crate) fn change<W: AsRef<[u8]>>(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[W], stream: &mut Stream) {
    // Places and lengths are small numbers more often than not: most of a format's meaning lies near its beginning or in short runs.
    let place = |bytes: &[u8], stream: &mut Stream| stream.below(bytes.len() + 1);
    let run = |stream: &mut Stream| {
        let most = 1 << stream.below(8);
        1 + stream.below(most)
    };
    let at = match stream.below(3) {
        // Formats keep their sizes at beginnings and ends.
        0 => stream.below(bytes.len().min(SIZES_WITHIN) + 1),
        1 => bytes.len() - stream.below(bytes.len().min(SIZES_WITHIN) + 1),
        _ => place(bytes, stream),
    };
    match stream.below(11) {
        0 if at < bytes.len() => bytes[at] ^= 1 << stream.below(8),
        1 if at < bytes.len() => bytes[at] = stream.below(256) as u8,
        2 => bytes.insert(at, stream.below(256) as u8),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..(at + run(stream)).min(bytes.len()))),
        5 => {
            let copied = bytes[at..(at + run(stream)).min(bytes.len())].to_vec();
            let to = place(bytes, stream);
            bytes.splice(to..to, copied);
        }
        6 => {
            let other = &inputs[stream.below(inputs.len())];
            let from = place(other, stream);
            let part = other[from..(from + run(stream)).min(other.len())].to_vec();
            bytes.splice(at..at, part);
        }
        7 | 8 if !words.is_empty() => {
            let word = words[stream.below(words.len())].as_ref();
            let over = if stream.below(2) == 0 { at } else { (at + word.len()).min(bytes.len()) };
            bytes.splice(at..over, word.iter().copied());
        }
        // A number that lies: in text, and in the eight bytes of a binary format.
        9 => {
            let lie = LIES[stream.below(LIES.len())];
            if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit).map(|ahead| at + ahead) {
                bytes.splice(digit..=digit, lie.to_string().into_bytes());
            }
        }
        10 => {
            let (at, lie) = (at & !7, LIES[stream.below(LIES.len())].to_le_bytes());
            let to = (at + 8).min(bytes.len());
            bytes[at..to].copy_from_slice(&lie[..to - at]);
        }
        _ => bytes.extend([0, 0xff, b'\n'][stream.below(3)..].iter()),
    }
}

/// When an input was begun, and the input.
type Begun = (Instant, Vec<u8>);

/// Ends the tests with a message if one input takes too long: a loop that never ends cannot be caught otherwise.
struct Watch {
    current: Arc<Mutex<Option<Begun>>>,
    over: Arc<AtomicBool>,
}

impl Watch {
    fn start(name: &str) -> Self {
        let watch = Watch { current: Arc::default(), over: Arc::default() };
        let (current, over, name) = (watch.current.clone(), watch.over.clone(), name.to_owned());
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                let held = current.lock().expect("never poisoned");
                if let Some((begun, input)) = held.as_ref()
                    && begun.elapsed() > LONGEST
                {
                    let path = write_failure(&name, input);
                    eprintln!("{name}: an input takes longer than {LONGEST:?}; it is in {}", path.display());
                    std::process::abort();
                }
            }
        });
        watch
    }

    fn begin(&self, input: &[u8]) {
        *self.current.lock().expect("never poisoned") = Some((Instant::now(), input.to_vec()));
    }

    fn end(&self) {
        *self.current.lock().expect("never poisoned") = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn the_same_seed_damages_in_the_same_way_and_a_failure_is_kept() {
    let inputs = [b"one,two\n1,2\n".to_vec(), b"a: [1, 2]\n".to_vec()];
    let of = |round| damaged(&inputs, &["${x}"], &mut Stream::new(7, "fuzz", round));
    let all: std::collections::HashSet<Vec<u8>> = (0..200).map(of).collect();
    assert!(all.len() > 150, "only {} different inputs of 200", all.len());
    assert!((0..200).all(|round| of(round) == of(round)));
    let caught = catch_unwind(|| {
        fuzz::<&str>("self-test", &[b"abc".to_vec()], &[], |bytes| assert!(bytes == b"abc", "changed"))
    });
    let message = caught.expect_err("a failure").downcast_ref::<String>().cloned().expect("a message");
    let path = message.rsplit(' ').next().expect("a path");
    assert!(message.starts_with("self-test, seed ") && std::fs::read(path).expect("the input") != b"abc", "{message}");
    std::fs::remove_file(path).expect("removed");
    // Left only if it is empty.
    let _ = std::fs::remove_dir(root().join("fuzz_failures"));
}
