//! Tests: a file in chunks is the file as a whole.

use std::io::Read;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;

use super::super::names::{LINE, RECORD};
use super::super::{Chunks, Dialect, Input, LoadOptions, load};

/// Gives a few bytes at a time, as a pipe may.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(into.len()).min(7919);
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Numbers, and texts with quotes, delimiters, line breaks and blank lines between records.
fn text(rows: usize, newline: &str, header: &str) -> String {
    let mut text = header.to_owned();
    for i in 0..rows {
        let cell = match i * 7919 % 11 {
            0 => format!("\"a, {i}\""),
            1 => format!("\"two{newline}lines\""),
            2 => "\"he said \"\"no\"\"\"".to_owned(),
            3 => String::new(),
            4 => "5\" disk".to_owned(),
            5 => format!("\"{newline}\""),
            _ => format!("plain {i}"),
        };
        text.push_str(&format!("{i},{cell}{newline}"));
        if i % 997 == 0 {
            text.push_str(newline);
        }
    }
    text
}

fn whole(bytes: &[u8], options: &LoadOptions) -> RecordBatch {
    load(&[Input { name: "rows", path: "t.csv", bytes }], options).expect("a table").batch
}

fn in_chunks(bytes: &[u8], options: &LoadOptions) -> (usize, RecordBatch) {
    let mut chunks = Chunks::open("t.csv", Drip(bytes), &options.dialect, &|| false).expect("a header");
    let mut batches = Vec::new();
    while let Some(chunk) = chunks.next_chunk(&|| false).expect("a chunk") {
        let batch = chunk.load(options, &|| false).expect("a table").batch;
        // Halves are the chunk as well.
        if let Some(halves) = chunk.halves().filter(|_| batches.len() == 1) {
            let halves = halves.map(|half| half.load(options, &|| false).expect("a table").batch);
            let joined = concat_batches(&halves[0].schema(), &halves).expect("a batch");
            assert_eq!(joined.column_by_name(LINE), batch.column_by_name(LINE));
            assert_eq!(joined.column_by_name(RECORD), batch.column_by_name(RECORD));
        }
        batches.push(batch);
    }
    (batches.len(), concat_batches(&batches[0].schema(), &batches).expect("a batch"))
}

#[test]
fn chunks_have_the_rows_and_the_lines_of_the_whole_file() {
    let plain =
        LoadOptions { types: [("b".to_owned(), super::super::ColumnType::Text)].into(), ..LoadOptions::default() };
    let names = vec!["a".to_owned(), "b".to_owned()];
    let bare = LoadOptions { dialect: Dialect { header: false, names, ..Dialect::default() }, ..plain.clone() };
    for (newline, header, options) in [
        ("\n", "a,b\n", &plain),
        ("\r\n", "\r\n\u{feff}a,b\r\n".trim_start(), &plain),
        ("\n", "\n\n\"a\",b\n\n", &plain),
        ("\n", "", &bare),
        ("\r", "a,b\r", &plain),
    ] {
        let mut text = text(40_000, newline, header);
        text.truncate(text.trim_end().len());
        let (expected, (count, found)) = (whole(text.as_bytes(), options), in_chunks(text.as_bytes(), options));
        assert!(count > 2 || newline == "\r", "{count} chunks");
        for name in ["a", "b", LINE, RECORD] {
            assert!(expected.column_by_name(name) == found.column_by_name(name), "{header:?}: column {name}");
        }
        let lines = found.column_by_name(LINE).expect("lines").as_primitive::<Int64Type>();
        assert!(lines.value(39_999) > 40_000);
    }
}

#[test]
fn a_quote_that_nothing_closes_does_not_fill_the_memory() {
    let mut text = text(20_000, "\n", "a,b\n");
    text.push_str("1,\"open\n");
    text.push_str(&"x\n".repeat(40 << 20));
    let mut chunks = Chunks::open("t.csv", text.as_bytes(), &Dialect::default(), &|| false).expect("a header");
    assert!(chunks.next_chunk(&|| false).is_ok_and(|chunk| chunk.is_some()));
    let error = chunks.next_chunk(&|| false).map(|_| ()).expect_err("an open quote");
    assert!(error.to_string().starts_with("t.csv:"), "{error}");
    assert!(error.to_string().contains("quote"), "{error}");
}
