//! Files in other encodings, packed, without a header, with other numbers, and files of columns: all as the same table in plain CSV.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array,
    Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{Int8Type, Int32Type};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::super::{Dialect, Input, header, load_until, names as added};
use super::{errors, integers, load_all, load_one, names, numbers, options, some_texts, table, texts};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn other_encodings_are_read_as_if_they_were_utf_8() {
    let text = "name,x\nZoë – “so”,1\nŁódź,2\n";
    let marked = |mark: &[u8], big| [mark, utf16(text, big).as_slice()].concat();
    let plain = table(text, "{}");
    for (bytes, yaml) in [
        (marked(b"\xff\xfe", false), "{}"),
        (marked(b"\xfe\xff", true), "{}"),
        (marked(b"\xfe\xff", true), "dialect: {encoding: utf-16}"),
        (utf16(text, false), "dialect: {encoding: utf-16le}"),
        (utf16(text, true), "dialect: {encoding: UTF-16BE}"),
        (text.as_bytes().to_vec(), "dialect: {encoding: utf8}"),
    ] {
        let loaded = load_one(&bytes, yaml).expect("the file loads");
        assert_eq!(loaded.batch.columns(), plain.columns(), "{yaml}");
        assert_eq!(loaded.batch.schema().metadata()["header.a"], "name,x");
        // What nobody asked for is told.
        let is_told = loaded.told().iter().any(|note| note.contains("as its byte-order mark says"));
        assert_eq!(is_told, yaml == "{}", "{:?}", loaded.told());
    }
    // Shift JIS of Python: 'n\n日本\n'.encode('shift_jis').
    assert_eq!(texts(&table_of(b"n\n\x93\xfa\x96{\n", "shift_jis"), "n"), some_texts(["日本"]));
    assert_eq!(texts(&table_of(b"n\nZo\xeb \x93x\x94\n", "latin1"), "n"), some_texts(["Zoë “x”"]));
}

#[track_caller]
fn table_of(bytes: &[u8], encoding: &str) -> RecordBatch {
    load_one(bytes, &format!("dialect: {{encoding: {encoding}}}")).expect("the file loads").batch
}

#[test]
fn bytes_that_are_not_in_the_encoding_are_told_with_their_place() {
    let found = |bytes: &[u8], yaml: &str| errors(bytes, yaml).remove(0);
    let shift = "dialect: {encoding: shift_jis}";
    assert!(found(b"a,n\n1,\x93\xfa\n2,x\xff\n", shift).starts_with("a.csv:3:4: byte 0xff is not valid Shift_JIS"));
    let odd = [utf16("a,b\n1,2\n", false).as_slice(), b"\x33"].concat();
    let odd = found(&odd, "dialect: {encoding: utf-16le}");
    assert!(odd.starts_with("a.csv:3:1: the file ends within a character of UTF-16LE"), "{odd}");
    let lone = [b"\xff\xfe".as_slice(), &utf16("a\n", false), b"\x00\xd8x\0\n\0"].concat();
    assert!(found(&lone, "{}").starts_with("a.csv:2:1: byte 0x00 is not valid UTF-16LE"), "{}", found(&lone, "{}"));
    assert_eq!(found(b"\xff\xfe\0\0x\0\0\0", "{}"), "a.csv: the file is UTF-32 (save it as UTF-8)");
    // What is UTF-8 already would come out wrong, and that is told.
    let notes = load_one("n\nZoë\n", "dialect: {encoding: latin1}").expect("a table").told();
    assert!(notes[0].starts_with("a.csv: the file is valid UTF-8, but read as windows-1252"), "{notes:?}");
    let notes = load_one("\u{feff}n\nZoë\n", "dialect: {encoding: latin1}").expect("a table").told();
    assert!(notes[0].starts_with("a.csv: read as UTF-8, as its byte-order mark says, although"), "{notes:?}");
}

#[test]
fn packed_files_are_read_as_what_is_in_them() {
    let text = "x,y\n1,ë\n2,b\n";
    let plain = table(text, "{}");
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice();
    // By the program zstd, with checksums: all, and in two parts, the first of five bytes.
    let frame =
        b"\x28\xb5\x2f\xfd\x04\x58\x69\x00\x00\x78\x2c\x79\x0a\x31\x2c\xc3\xab\x0a\x32\x2c\x62\x0a\xb8\x66\x5c\x3d"
            .as_slice();
    let first = b"\x28\xb5\x2f\xfd\x04\x58\x29\x00\x00\x78\x2c\x79\x0a\x31\x2d\xa6\x0f\x62".as_slice();
    let rest = b"\x28\xb5\x2f\xfd\x04\x58\x41\x00\x00\x2c\xc3\xab\x0a\x32\x2c\x62\x0a\x8c\x51\xc5\x32".as_slice();
    for (bytes, yaml) in [
        (gzip(text.as_bytes()), "{}"),
        ([gzip(&text.as_bytes()[..5]), gzip(&text.as_bytes()[5..])].concat(), "{}"),
        (gzip(&latin), "dialect: {encoding: latin1}"),
        (zstd(text.as_bytes()), "{}"),
        (frame.to_vec(), "{}"),
        ([skipped, first, skipped, rest].concat(), "{}"),
    ] {
        assert_eq!(load_one(&bytes, yaml).expect("the file loads").batch.columns(), plain.columns());
        let names = header("a.csv", Cursor::new(&bytes), &options(yaml).dialect).expect("a header").names;
        assert_eq!(names, ["x", "y"]);
    }
}

#[test]
fn damaged_packed_files_are_errors() {
    let rows: String = (0..5000).map(|row| format!("{row},{}\n", row * 7919 % 10_007)).collect();
    let text = format!("x,y\n{rows}");
    for (packed, kind) in [(gzip(text.as_bytes()), "gzip"), (zstd(text.as_bytes()), "zstd")] {
        for length in [5, 9, 100, packed.len() / 2, packed.len() - 1] {
            let found = errors(&packed[..length], "{}");
            assert_eq!(found.len(), 1, "{found:?}");
            let expected = format!("a.csv: the file is packed with {kind}, and damaged: ");
            assert!(found[0].starts_with(&expected), "{length}: {}", found[0]);
        }
        // A bit that is turned over is an error or, where it says nothing, nothing; never a panic, and never another table.
        for at in (4..packed.len()).step_by(97) {
            let mut turned = packed.clone();
            turned[at] ^= 0x10;
            if let Ok(loaded) = load_one(&turned, "{}") {
                assert_eq!(loaded.batch.num_rows(), 5000, "{kind} {at}");
            }
        }
    }
}

#[test]
fn a_file_that_unpacks_to_much_more_is_refused() {
    let bomb = gzip(&vec![b'x'; (1 << 28) + 2]);
    let found = errors(&bomb, "{}").remove(0);
    assert!(found.starts_with("a.csv: the file is packed with gzip, and its 26"), "{found}");
    // Whoever stops is heard while it unpacks.
    let input = Input { name: "a", path: "a.csv", bytes: &bomb };
    let stopped = load_until(&[input], &options("{}"), &|| true).unwrap_err();
    assert_eq!(stopped[0].to_string(), "interrupted");
}

#[test]
fn files_without_a_header_have_numbered_or_given_names() {
    let text = "5.1,setosa\n4.9,setosa\n\n6.1,virginica\n";
    let batch = table(text, "dialect: {header: false}");
    assert_eq!(names(&batch)[4..], ["column_1", "column_2"]);
    assert_eq!(integers(&batch, added::LINE), [1, 2, 4].map(Some));
    assert_eq!(numbers(&batch, "column_1"), [5.1, 4.9, 6.1].map(Some));
    assert_eq!(batch.schema().metadata()["header.a"], "");
    let named = load_all(
        &[("a", text.as_bytes()), ("b", b"7.0\n")],
        "{dialect: {header: false, names: [length, species]}, label: species}",
    )
    .expect("a table");
    assert_eq!(texts(&named.batch, "species").last(), Some(&None));
    assert_eq!(numbers(&named.batch, "length").last(), Some(&Some(7.0)));
    assert!(
        named
            .told()
            .iter()
            .any(|note| note.starts_with("b.csv has 1 of 2 columns, which are taken for the first column as"))
    );
    // No note that the first line looks like a record: it is said to be one.
    assert!(named.told().iter().all(|note| !note.contains("looks like a record")), "{:?}", named.told());
    let few = errors(text, "dialect: {header: false, names: [a]}").remove(0);
    assert!(few.starts_with("a.csv:1: the first line has 2 fields, but `names` has 1"), "{few}");
    let many = errors(text, "dialect: {header: false, names: [a, b, c]}").remove(0);
    assert!(many.starts_with("`names` has 3 names, but no file has more than 2 columns"), "{many}");
    let refused = errors(text, "dialect: {names: [a, b]}").remove(0);
    assert!(refused.starts_with("names: these are for files without a header"), "{refused}");
    // One column may hold any text.
    assert_eq!(
        texts(&table("a, b\nc\n", "dialect: {header: false, delimiter: ';'}"), "column_1"),
        some_texts(["a, b", "c"])
    );
}

#[test]
fn quotes_may_be_another_character_or_none() {
    let single = table("t,x\n'a,b',1\n'it''s',2\n\"c\",3\n", "dialect: {quote: \"'\"}");
    assert_eq!(texts(&single, "t"), some_texts(["a,b", "it's", "\"c\""]));
    let none = table("t\tx\n\"so\" er\t1\n\"ach\t2\n", "dialect: {quote: none, delimiter: \"\\t\"}");
    assert_eq!(texts(&none, "t"), some_texts(["\"so\" er", "\"ach"]));
    assert_eq!(none.schema().metadata()["quote.a"], "none");
}

#[test]
fn numbers_with_a_decimal_comma_are_numbers() {
    let text = "x;y;t;d\n1.234,5;7;a,b;2020.5\n-0,25;1.000;c;2021.5\n?;2;1,5;z\n";
    let yaml =
        "{dialect: {delimiter: ';', decimal: ',', thousands: '.'}, missing: {x: {add: ['?']}}, types: {t: text}}";
    let batch = table(text, yaml);
    assert_eq!(numbers(&batch, "x"), [Some(1234.5), Some(-0.25), None]);
    assert_eq!(integers(&batch, "y"), [7, 1000, 2].map(Some));
    assert_eq!(texts(&batch, "t"), some_texts(["a,b", "c", "1,5"]));
    // A point is none of these numbers' own, so this is text as it stands.
    assert_eq!(texts(&batch, "d"), some_texts(["2020.5", "2021.5", "z"]));
    assert_eq!(texts(&batch, added::RECORD)[0].as_deref(), Some("1.234,5;7;a,b;2020.5"));
    let bad = errors("x;y\n1,5;1\n1.5;2\n", "{dialect: {delimiter: ';', decimal: ','}, types: {x: number}}").remove(0);
    assert!(bad.starts_with("a.csv:3: column 'x': '1.5' is not a number"), "{bad}");
    let note = load_one("x;y\n1,5;1\n2,5;2\n", "dialect: {delimiter: ';'}").expect("a table").told().remove(0);
    assert!(note.contains("read the files with `decimal: \",\"` or `thousands: \",\"`"), "{note}");
}

/// Of every type that is read, with the same table as CSV.
fn typed() -> (RecordBatch, &'static str) {
    let dictionary: DictionaryArray<Int8Type> = [Some("pop"), None, Some("rap")].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec![Some("a,b"), Some("say \"x\""), None]))),
        ("genre", Arc::new(dictionary)),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("small", Arc::new(Int8Array::from(vec![Some(1), None, Some(-3)]))),
        ("large", Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 2, 3]))),
        ("unsigned", Arc::new(UInt64Array::from(vec![1, 2, 3]))),
        ("single", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(2.0)]))),
        ("double", Arc::new(Float64Array::from(vec![1e-7, 2.5, f64::NAN]))),
        (
            "money",
            Arc::new(Decimal128Array::from(vec![12_345, 50, 0]).with_precision_and_scale(10, 2).expect("decimals")),
        ),
        ("day", Arc::new(Date32Array::from(vec![0, 18_262, 1]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_577_836_800_000_000, 1]).with_timezone("+00:00"))),
    ];
    let csv = "text,genre,flag,small,large,unsigned,single,double,money,day,time\n\
        \"a,b\",pop,true,1,9007199254740993,1,0.1,1e-7,123.45,1970-01-01,1970-01-01 00:00:00+00:00\n\
        \"say \"\"x\"\"\",,false,,2,2,,2.5,0.50,2020-01-01,2020-01-01 00:00:00+00:00\n\
        ,rap,,-3,3,3,2.0,NaN,0.00,1970-01-02,1970-01-01 00:00:00.000001+00:00\n";
    (RecordBatch::try_from_iter(columns).expect("a batch"), csv)
}

fn arrow(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(batch).expect("memory");
    writer.into_inner().expect("memory")
}

/// As pandas and pyarrow write Feather.
fn feather(batch: &RecordBatch) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).expect("options");
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).expect("a writer");
    writer.write(batch).expect("memory");
    writer.into_inner().expect("memory")
}

/// A column that LZ4 packs well.
fn repetitive() -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..5000).map(|_| "the same in every row")));
    RecordBatch::try_from_iter([("x", column)]).expect("a batch")
}

#[test]
fn packed_columns_are_read_and_none_is_larger_than_its_bytes_can_be() {
    let whole = feather(&repetitive());
    assert!(whole.len() < 40_000, "{}", whole.len());
    assert_eq!(load_one(&whole, "{}").expect("a table").batch.num_rows(), 5000);
    // The length of all texts, and what stands in its place: at once more than the memory holds.
    let length = 5000_i64 * 21;
    // The last offset is as large, and stands before it.
    let at = whole.windows(8).rposition(|eight| eight == length.to_le_bytes()).expect("a length");
    for other in [i64::MAX, 1 << 40, length * 300, length - 1, -2] {
        let mut lying = whole.clone();
        lying[at..at + 8].copy_from_slice(&other.to_le_bytes());
        let found = errors(&lying, "{}");
        assert!(found[0].starts_with("a.csv: the Arrow file cannot be read: "), "{other}: {found:?}");
    }
}

fn parquet(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("memory");
    writer.into_inner().expect("memory")
}

#[test]
fn files_of_columns_give_the_table_that_csv_gives() {
    let (batch, csv) = typed();
    let plain = table(csv, "{derive: {year: {year_of: time}}}");
    assert_eq!(integers(&plain, "year"), [1970, 2020, 1970].map(Some));
    let files = [
        arrow(&batch),
        feather(&batch),
        parquet(&batch, Compression::SNAPPY),
        parquet(&batch, Compression::GZIP(Default::default())),
        parquet(&batch, Compression::LZ4_RAW),
        parquet(&batch, Compression::LZ4),
    ];
    for bytes in files {
        let loaded = load_one(&bytes, "{derive: {year: {year_of: time}}}").expect("the file loads").batch;
        assert_eq!(names(&loaded), names(&plain));
        for (field, (own, expected)) in
            loaded.schema().fields().iter().zip(loaded.columns().iter().zip(plain.columns()))
        {
            // Rows are counted, not lines.
            if field.name() == added::LINE {
                assert_eq!(integers(&loaded, added::LINE), [1, 2, 3].map(Some));
            } else {
                assert_eq!(own, expected, "{}", field.name());
            }
        }
        let found = header("a.csv", Cursor::new(&bytes), &Dialect::default()).expect("names").names;
        assert_eq!(found, names(&plain)[4..15]);
        // Another dialect of the stage's other files changes nothing but the text beside the rows.
        let other =
            load_one(&bytes, "dialect: {delimiter: ';', decimal: ',', quote: none}").expect("the file loads").batch;
        assert_eq!(numbers(&other, "single"), numbers(&plain, "single"));
        assert_eq!(
            texts(&other, added::RECORD)[0].as_deref().map(|record| record.starts_with("a,b;pop;true;1;")),
            Some(true)
        );
        // What is nothing is missing, whatever tokens stand for that.
        assert_eq!(
            integers(&load_one(&bytes, "missing: ['NaN']").expect("a table").batch, "small"),
            [Some(1), None, Some(-3)]
        );
        let refused = load_one(&bytes, "dialect: {header: false}").expect_err("a file of columns").remove(0);
        assert!(refused.contains("files name their columns themselves"), "{refused}");
    }
}

#[test]
fn mistakes_in_files_of_columns_are_told_by_row() {
    let x: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..40).map(|row| if row == 17 { "fast".to_owned() } else { row.to_string() }),
    ));
    let bytes = parquet(&RecordBatch::try_from_iter([("x", x)]).expect("a batch"), Compression::UNCOMPRESSED);
    let found = errors(&bytes, "{}").remove(0);
    assert!(found.starts_with("a.csv, row 18: column 'x': 'fast' is not a number"), "{found}");
    let nul: ArrayRef = Arc::new(StringArray::from(vec!["a", "b\0c"]));
    let nul = errors(arrow(&RecordBatch::try_from_iter([("x", nul)]).expect("a batch")), "{}").remove(0);
    assert_eq!(nul, "a.csv, row 2: a NUL character in a text");
    let label: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    let notes = load_one(arrow(&RecordBatch::try_from_iter([("y", label)]).expect("a batch")), "label: y")
        .expect("a table")
        .told();
    assert!(notes[0].contains("1 is blank (a.csv, row 2)"), "{notes:?}");
}

#[test]
fn columns_of_lists_are_refused_by_name() {
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let batch = RecordBatch::try_from_iter([("t", text), ("tags", lists)]).expect("a batch");
    for (bytes, format) in [(arrow(&batch), "Arrow"), (parquet(&batch, Compression::SNAPPY), "Parquet")] {
        let expected = format!("a.csv: column 'tags' of the {format} file holds lists, which no cell of a table can");
        assert!(errors(&bytes, "{}")[0].starts_with(&expected), "{:?}", errors(&bytes, "{}"));
        let found = header("a.csv", Cursor::new(&bytes), &Dialect::default()).unwrap_err()[0].to_string();
        assert!(found.starts_with(&expected), "{found}");
    }
}

#[test]
fn damaged_files_of_columns_are_errors() {
    let (batch, _) = typed();
    let files = [
        (arrow(&batch), "Arrow"),
        (feather(&batch), "Arrow"),
        (parquet(&batch, Compression::SNAPPY), "Parquet"),
        (parquet(&batch, Compression::LZ4_RAW), "Parquet"),
    ];
    for (bytes, format) in files {
        for length in [100, bytes.len() / 2, bytes.len() - 1] {
            let found = errors(&bytes[..length], "{}");
            assert!(found[0].starts_with(&format!("a.csv: the {format} file cannot be read: ")), "{length}: {found:?}");
            assert!(header("a.csv", Cursor::new(&bytes[..length]), &Dialect::default()).is_err());
        }
        // Whatever is turned over: a table or an error, never a panic.
        for at in 8..bytes.len() {
            let mut turned = bytes.clone();
            turned[at] ^= 0xff;
            let _ = load_one(&turned, "{}");
            let _ = header("a.csv", Cursor::new(&turned), &Dialect::default());
        }
    }
}
