//! Tables larger than the memory that their reader may take: written in pieces, delivered as copies, read through a memory map.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use runner::artifact::{Digest, PART_ROWS, Store, StoreError, StoreOptions, StoredTable, Table, TableError};

/// Numbers in several columns, one of texts, from row `from` on.
fn batch(from: usize, rows: usize, columns: usize) -> RecordBatch {
    let mut named: Vec<(String, ArrayRef)> = (0..columns)
        .map(|column| {
            let values = (from..from + rows).map(|row| (row * (column + 1)) as f64);
            (format!("x{column}"), Arc::new(Float64Array::from_iter_values(values)) as ArrayRef)
        })
        .collect();
    let ids = Int64Array::from_iter_values((from..from + rows).map(|row| row as i64));
    named.push(("id".to_owned(), Arc::new(ids)));
    let titles = (from..from + rows).map(|row| (row % 5 != 0).then(|| format!("song {row}")));
    named.push(("title".to_owned(), Arc::new(StringArray::from_iter(titles))));
    Table::from_columns(named).expect("a table").batch().clone()
}

fn digests(table: &StoredTable) -> Vec<Digest> {
    table.files.iter().map(|file| file.digest).collect()
}

fn quick(folder: &Path) -> Store {
    let store = Store::open_with(folder, StoreOptions { durable: false, hook: None }).expect("a store");
    store.prepare().expect("writable");
    store
}

#[test]
fn a_table_in_pieces_is_the_same_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = quick(folder.path());
    let whole = Table::new(batch(0, 1000, 3));
    let mut stored = Vec::new();
    for cuts in [vec![1000], vec![400, 1000], vec![1, 2, 999, 1000]] {
        let mut writer = store.table_writer(&whole.schema()).expect("a writer");
        let mut from = 0;
        for to in cuts {
            writer.write(&whole.batch().slice(from, to - from)).expect("written");
            from = to;
        }
        stored.push(writer.finish().expect("a table"));
    }
    assert_eq!(digests(&stored[0]), [Digest::of(&whole.to_ipc().expect("bytes"))], "one piece is the plain file");
    for stored in &stored {
        assert_eq!(stored.content, whole.digests().expect("digests"), "readers cannot tell the pieces");
        let reader = store.open_table(digests(stored)).expect("a reader");
        assert_eq!(reader.read().expect("a table"), whole);
        for count in [0, 1, 400, 401, 1000, 2000] {
            let head = whole.batch().slice(0, count.min(1000));
            assert_eq!(reader.head(count).expect("rows").batch(), &head, "{count} rows");
        }
        let copy = folder.path().join(stored.files.len().to_string());
        reader.copy_out(&copy).expect("copied");
        let bytes = std::fs::read(&copy).expect("a file");
        assert_eq!(Table::from_ipc(&bytes).expect("a table"), whole);
        // A file may hold several batches, too: once, all tables were one file.
        let copied = store.put(&bytes).expect("kept");
        assert_eq!(store.open_table([copied]).and_then(|reader| reader.read()).expect("a table"), whole);
        assert!(std::fs::metadata(&copy).expect("a file").permissions().readonly());
        let rows: usize = reader.batches().map(|table| table.expect("a batch").rows()).sum();
        assert_eq!(rows, 1000);
    }
    let names = ["title", "absent", "x1"].map(str::to_owned);
    let reader = store.open_table(digests(&stored[1])).expect("a reader").project(&names);
    assert_eq!(reader.read().expect("a table"), whole.project(&names).expect("columns"));
}

#[test]
fn a_part_of_one_table_is_taken_into_another_as_long_as_it_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = quick(folder.path());
    let first = batch(0, PART_ROWS, 2);
    let mut writer = store.table_writer(&first.schema()).expect("a writer");
    let part = writer.write(&first).expect("written").expect("a whole part");
    assert!(writer.write(&batch(PART_ROWS, 5, 2)).expect("written").is_none(), "what grows is not kept");
    let short = writer.finish().expect("a table");

    let mut writer = store.table_writer(&first.schema()).expect("a writer");
    assert!(writer.take(part.clone()));
    writer.write(&batch(PART_ROWS, 6, 2)).expect("written");
    assert!(!writer.take(part.clone()), "rows would not be where they were hashed");
    let longer = writer.finish().expect("a table");
    assert_eq!(longer.files[0], short.files[0]);
    let whole = Table::new(batch(0, PART_ROWS + 6, 2));
    assert_eq!(longer.content, whole.digests().expect("digests"));
    assert_eq!(store.open_table(digests(&longer)).and_then(|reader| reader.read()).expect("a table"), whole);

    let mut writer = store.table_writer(&batch(0, 1, 3).schema()).expect("a writer");
    assert!(!writer.take(part.clone()), "a table with other columns");
    // Tables of two kinds are none.
    writer.write(&batch(0, 1, 3)).expect("written");
    let other = writer.finish().expect("a table");
    let mixed = [longer.files[0].digest, other.files[0].digest];
    assert!(matches!(store.open_table(mixed).map(drop), Err(TableError::Arrow(_))));

    std::fs::remove_file(store.blob_path(longer.files[0].digest)).expect("removed");
    let mut writer = store.table_writer(&first.schema()).expect("a writer");
    assert!(!writer.take(part));
    assert_eq!(writer.write(&first).expect("written").is_some(), writer.finish().is_ok());
}

#[test]
fn a_table_without_rows_or_pieces_can_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = quick(folder.path());
    let schema = Schema::new(vec![Field::new("value", DataType::Int64, true)]);
    let none = store.table_writer(&schema).and_then(|writer| writer.finish()).expect("a table");
    assert_eq!(store.open_table(digests(&none)).and_then(|reader| reader.read()).expect("a table").rows(), 0);
    let empty = batch(0, 0, 1);
    let mut writer = store.table_writer(&empty.schema()).expect("a writer");
    writer.write(&empty).expect("written");
    let stored = writer.finish().expect("a table");
    assert_eq!(store.open_table(digests(&stored)).and_then(|reader| reader.read()).expect("a table").batch(), &empty);
}

#[test]
fn a_mapped_table_outlives_the_blob_and_is_verified_before_it_is_mapped() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = quick(folder.path());
    let whole = batch(0, 500, 2);
    let mut writer = store.table_writer(&whole.schema()).expect("a writer");
    writer.write(&whole).expect("written");
    let digest = writer.finish().expect("a table").files[0].digest;
    let table = store.open_table([digest]).and_then(|reader| reader.read()).expect("a table");
    std::fs::remove_file(store.blob_path(digest)).expect("removed");
    assert_eq!(table.batch(), &whole);

    // Bytes of an Arrow file under the digest of another, and bytes of no table at all.
    std::fs::write(store.blob_path(digest), Table::new(batch(1, 500, 2)).to_ipc().expect("bytes")).expect("written");
    let refused = store.open_table([digest]).map(drop).expect_err("damaged");
    assert!(matches!(&refused, TableError::Store(error) if matches!(**error, StoreError::Damaged { .. })), "{refused}");
    for bytes in [&b"short"[..], b"long enough to hold a footer but without one", &[b'x'; 200]] {
        let digest = store.put(bytes).expect("kept");
        assert!(matches!(store.open_table([digest]).map(drop), Err(TableError::Arrow(_))));
    }
}

const CHILD: &str = "RUNNER_TEST_READS";
const COLUMNS: usize = 14;
const ROWS: usize = 1 << 23;

/// Not a test of its own: the process whose memory is measured.
#[test]
#[ignore = "started by the test of a large table"]
fn a_child_that_reads() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut words = told.splitn(3, ' ');
    let mut next = || words.next().expect("three words");
    let (how, parts) = (next(), next().split(',').map(|digest| digest.parse::<Digest>().expect("a digest")));
    let store = Store::open(Path::new(next())).expect("a store");
    let clock = Instant::now();
    let reader = store.open_table(parts).expect("a reader");
    let verified = clock.elapsed();
    let sum = if how == "column" {
        let table = reader.project(&["x3".to_owned()]).read().expect("a table");
        table.column("x3").expect("a column").as_primitive::<Float64Type>().iter().flatten().sum::<f64>()
    } else {
        // Every column of every row, piece by piece.
        let of = |table: &Table| -> f64 {
            let column =
                |c: usize| table.column(&format!("x{c}")).expect("a column").as_primitive::<Float64Type>().clone();
            (0..COLUMNS).map(|c| column(c).iter().flatten().sum::<f64>()).sum()
        };
        reader.batches().map(|table| of(&table.expect("a batch"))).sum()
    };
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    println!(
        "peak {} sum {sum} digest {:.2} all {:.2}",
        peak.expect("kB"),
        verified.as_secs_f64(),
        clock.elapsed().as_secs_f64()
    );
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "long: run by .ci/run"]
fn the_reader_of_a_gigabyte_stays_under_150_megabytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = quick(folder.path());
    let piece = 1 << 16;
    let clock = Instant::now();
    let mut writer = store.table_writer(&batch(0, 1, COLUMNS).schema()).expect("a writer");
    for from in (0..ROWS).step_by(piece) {
        writer.write(&batch(from, piece, COLUMNS)).expect("written");
    }
    let stored = writer.finish().expect("a table");
    let bytes: u64 = stored.files.iter().map(|file| file.bytes).sum();
    println!("wrote {} MB in {:.1} s", bytes / 1_000_000, clock.elapsed().as_secs_f64());
    assert!(bytes > 1_000_000_000);
    let files: Vec<_> = (digests(&stored).into_iter().enumerate())
        .map(|(i, digest)| (digest, folder.path().join(format!("study/load/rows/{i:05}.arrow"))))
        .collect();
    // The run that made it has hashed it; another hashes it before it restores it.
    for (what, store) in [("delivered", &store), ("restored by another run", &quick(folder.path()))] {
        let clock = Instant::now();
        files.iter().for_each(|(digest, target)| store.materialise(*digest, target).expect("placed"));
        println!("{what} in {:.2} s", clock.elapsed().as_secs_f64());
    }
    let other = quick(folder.path());
    for what in ["too young to be believed", "believed by their stamps"] {
        let clock = Instant::now();
        assert!(files.iter().all(|(digest, target)| other.is_materialised(*digest, target) && other.has(*digest)));
        println!("blobs and files {what}: looked at in {:.3} s", clock.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(2100));
        assert!(files.iter().all(|(digest, target)| other.has(*digest) && other.holds(*digest, target)));
    }
    let list = digests(&stored).iter().map(Digest::to_string).collect::<Vec<_>>().join(",");
    let sum = |column: usize| -> f64 { (column + 1) as f64 * (ROWS as f64 * (ROWS - 1) as f64 / 2.0) };
    for (how, expected) in [("column", sum(3)), ("all", (0..COLUMNS).map(sum).sum())] {
        let child = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["a_child_that_reads", "--ignored", "--nocapture"])
            .env(CHILD, format!("{how} {list} {}", folder.path().display()))
            .output()
            .expect("the child starts");
        let out = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success(), "{out}{}", String::from_utf8_lossy(&child.stderr));
        let at = out.find("peak ").expect("a measurement");
        println!("{how}: {}", out[at..].lines().next().unwrap_or_default());
        let words: Vec<&str> = out[at..].split_whitespace().collect();
        let (peak, found): (u64, f64) = (words[1].parse().expect("kB"), words[3].parse().expect("a sum"));
        assert!((found / expected - 1.0).abs() < 1e-9, "{how}: {found} is not {expected}");
        assert!(peak < 150_000, "{how}: {peak} kB");
    }
}
