//! Encoders through their public door: small models that the tests write themselves, and TF-IDF.

mod adapting;
mod candle;
mod damaged_folders;
mod not_finite;
mod real_model;
mod tfidf;
mod transformers;
mod zoo;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use runner::ml::progress::Progress;

/// Remembers what it was told, and asks to stop after so many looks.
struct Recorder {
    updates: Mutex<Vec<(u64, u64)>>,
    warnings: Mutex<Vec<String>>,
    looks_left: AtomicUsize,
}

impl Recorder {
    fn stopping_after(looks: usize) -> Self {
        Recorder { updates: Mutex::default(), warnings: Mutex::default(), looks_left: AtomicUsize::new(looks) }
    }
}

impl Progress for Recorder {
    fn update(&self, done: u64, total: u64, _unit: &str, _note: &str) {
        self.updates.lock().unwrap().push((done, total));
    }
    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
    fn cancelled(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.looks_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err()
    }
}

fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32) {
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!((a - e).abs() <= tolerance, "value {i}: {a} instead of {e}");
    }
    assert!(actual.len() >= expected.len());
}
