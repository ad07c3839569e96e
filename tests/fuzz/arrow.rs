//! Arrow files with bytes changed, cut and repeated: refused or read, never a panic, and what is read can be used.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float64Array, Int64Array, StringArray, StringViewArray,
};
use arrow::datatypes::{Float32Type, Int32Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use runner::artifact::{IpcFile, Table};

use super::fuzz;

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

#[test]
fn any_bytes_are_a_table_or_refused() {
    let sound = sound();
    IpcFile::parse(sound.clone()).and_then(|file| file.read()).expect("sound");
    let (read, refused) = (Cell::new(0_u64), Cell::new(0_u64));
    fuzz("arrow", &[sound], &["ARROW1", "\0\0\0\0"], |bytes| {
        match IpcFile::parse(bytes.to_vec()).and_then(|file| file.read()) {
            Ok(table) => {
                let _ = table.digests();
                let options = FormatOptions::default();
                for column in table.batch().columns() {
                    let Ok(formatter) = ArrayFormatter::try_new(column, &options) else { continue };
                    (0..column.len()).for_each(|i| drop(formatter.value(i).to_string()));
                }
                read.set(read.get() + 1);
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused.set(refused.get() + 1);
            }
        }
    });
    let (read, refused) = (read.get(), refused.get());
    assert!(refused > 50 && read > 1, "{read} read, {refused} refused: the damage does not reach the reader");
}
