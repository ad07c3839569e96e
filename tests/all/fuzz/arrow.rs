//! Arrow files with bytes changed, cut and repeated: refused or read, never a panic, and what is read can be used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float64Array, Int64Array, StringArray, StringViewArray,
};
use arrow::datatypes::{Float32Type, Int32Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use runner::artifact::{IpcFile, Table};

fn budget() -> Duration {
    let seconds = std::env::var("RUNNER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    Duration::from_secs_f64(seconds)
}

/// Every type that an artifact holds, and those that are brought to one.
fn sound() -> Vec<u8> {
    let columns: [(&str, ArrayRef); 7] = [
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(-3), Some(4)]))),
        ("x", Arc::new(Float64Array::from(vec![0.5, f64::NAN, -0.0, 1e300]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]))),
        ("t", Arc::new(StringArray::from(vec![Some("é"), Some(""), None, Some("a longer text than twelve bytes")]))),
        ("v", Arc::new(StringViewArray::from(vec!["short", "a text that lies in a buffer of its own", "", "x"]))),
        ("c", Arc::new(["x", "y", "x", "y"].into_iter().collect::<DictionaryArray<Int32Type>>())),
        (
            "l",
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
                (0..4).map(|i| Some(vec![Some(i as f32), Some(1.0)])),
                2,
            )),
        ),
    ];
    Table::from_columns(columns).and_then(|table| table.to_ipc()).expect("a table")
}

fn mutated(sound: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=random(4) {
        let at = random(bytes.len());
        match random(6) {
            0 => bytes[at] = random(256) as u8,
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
            2 => bytes[at] ^= 1 << random(8),
            // A length or offset that lies.
            3 => {
                let value =
                    [u64::MAX, 1 << 62, i64::MAX as u64, 1 << 40, 0, u64::from(u32::MAX)][random(6)].to_le_bytes();
                let at = at & !7;
                let to = (at + 8).min(bytes.len());
                bytes[at..to].copy_from_slice(&value[..to - at]);
            }
            4 => {
                // The end is kept, since without it nothing else is looked at.
                let count = random(64).min(bytes.len().saturating_sub(at + 512));
                bytes.drain(at..at + count);
            }
            _ => {
                let count = random(64).min(bytes.len() - at);
                let piece = bytes[at..at + count].to_vec();
                let to = random(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

#[test]
fn no_bytes_of_an_arrow_file_make_a_panic() {
    let sound = sound();
    IpcFile::parse(sound.clone()).and_then(|file| file.read()).expect("sound");
    let (started, mut read, mut refused) = (Instant::now(), 0_u64, 0_u64);
    for seed in 0_u64.. {
        if seed >= 200 && started.elapsed() >= budget() {
            break;
        }
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = |below: usize| {
            // splitmix64, see Steele, Lea and Flood (2014).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ (mixed >> 31)) % below.max(1) as u64) as usize
        };
        let bytes = mutated(&sound, &mut random);
        let used = std::panic::catch_unwind(|| match IpcFile::parse(bytes).and_then(|file| file.read()) {
            Ok(table) => {
                let _ = table.digests();
                let options = FormatOptions::default();
                for column in table.batch().columns() {
                    let Ok(formatter) = ArrayFormatter::try_new(column, &options) else { continue };
                    (0..column.len()).for_each(|i| drop(formatter.value(i).to_string()));
                }
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        });
        match used {
            Ok(true) => read += 1,
            Ok(false) => refused += 1,
            Err(_) => panic!("seed {seed} makes a panic"),
        }
    }
    assert!(refused > 50 && read > 0, "{read} read, {refused} refused: the changes no longer reach the reader");
}
