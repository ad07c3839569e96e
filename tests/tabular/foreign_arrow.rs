//! Arrow, JSON and safetensors that a program wrote damaged: its user's error, which names the output, never a panic of ours.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Int64Array, NullArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use runner::artifact::Table;

use crate::screen::stable;
use crate::workspace::Workspace;

fn sound() -> Vec<u8> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..100).map(|i| format!("text {i}"))));
    Table::from_columns([("n", numbers), ("t", texts)]).and_then(|table| table.to_ipc()).expect("a table")
}

/// A pipeline of commands that each copy one of the files into their output.
fn copying(files: &[(&str, Vec<u8>)]) -> Workspace {
    let mut yaml = String::from("name: p\nstages:\n");
    for (i, (name, _)) in files.iter().enumerate() {
        let output = format!("o{i}.{}", name.rsplit_once('.').expect("an ending").1);
        yaml.push_str(&format!(
            "  s{i}: {{kind: command, run: [cp, {name}, \"{{out}}/{output}\"], outputs: {{made: {output}}}}}\n"
        ));
    }
    let work = Workspace::new().pipeline(&yaml);
    files.iter().for_each(|(name, bytes)| work.write(name, bytes));
    work
}

/// The error of each stage, all of which fail.
#[track_caller]
fn errors(files: &[(&str, Vec<u8>)]) -> Vec<String> {
    let work = copying(files);
    let run = work.run_with(&["--keep-going"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let error = |i: usize| {
        let stage = format!("s{i}");
        let line = run.lines.iter().find(|line| line["stage"] == stage && line["event"] == "stage").expect("the stage");
        let error = line["error"].as_str().unwrap_or_else(|| panic!("{} is taken", files[i].0)).to_owned();
        assert!(error.contains("'made'") || error.contains("o"), "{error}");
        assert!(!error.contains("internal error") && error.contains(&format!("o{i}.")), "{}: {error}", files[i].0);
        error
    };
    (0..files.len()).map(error).collect()
}

#[test]
fn damaged_outputs_are_refused_by_name() {
    let whole = sound();
    copying(&[("whole.arrow", whole.clone())]).run().succeeded();
    let mut beyond = whole.clone();
    let footer = whole.len()
        - 10
        - u32::from_le_bytes(whole[whole.len() - 10..whole.len() - 6].try_into().expect("four bytes")) as usize;
    // Every eighth byte of the footer is announced as more than there can be.
    beyond[footer..whole.len() - 10].chunks_mut(8).skip(1).for_each(|chunk| {
        if let Some(last) = chunk.get_mut(6) {
            *last = 0x7f;
        }
    });
    let mut long = whole.clone();
    long[whole.len() - 10..whole.len() - 6].copy_from_slice(&i32::MAX.to_le_bytes());
    let mut negative = whole.clone();
    negative[whole.len() - 10..whole.len() - 6].copy_from_slice(&(-5_i32).to_le_bytes());
    let mut text = whole.clone();
    let at = text.windows(6).position(|six| six == b"text 7").expect("a cell");
    text[at] = 0xff;
    let files = [
        ("cut.arrow", whole[..whole.len() / 2].to_vec()),
        ("empty.arrow", Vec::new()),
        ("csv.arrow", b"a,b\n1,2\n".to_vec()),
        ("beyond.arrow", beyond),
        ("long.arrow", long),
        ("negative.arrow", negative),
        ("utf8.arrow", text),
        ("numbers.json", b"{\"a\": 1e999}".to_vec()),
        ("half.json", b"{\"a\":".to_vec()),
        ("header.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}".to_vec()),
        ("offsets.safetensors", {
            let header = br#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
            [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat()
        }),
    ];
    let errors = errors(&files);
    // How to write a file is told of what is none, not of what is damaged.
    let remedy = "(write it uncompressed, e.g. with pyarrow.ipc.new_file";
    assert!(errors[2].contains(remedy) && !errors[6].contains(remedy), "{errors:?}");
    for damaged in [0, 3, 4, 5, 6] {
        assert!(
            errors[damaged].contains("(it was not written to its end") && !errors[damaged].contains(remedy),
            "{errors:?}"
        );
    }
    for (i, error) in errors.iter().enumerate() {
        assert!(error.starts_with(&format!("pipeline.yaml:{}:", i + 3)), "{error}");
    }
    for error in errors {
        assert!(
            error.contains("not an Arrow IPC file")
                || error.contains("not JSON")
                || error.contains("not a safetensors file"),
            "{error}"
        );
    }
}

#[test]
fn types_that_no_artifact_holds_and_names_that_are_not_one_are_refused_by_column() {
    let write = |schema: Schema, columns: Vec<ArrayRef>| {
        Table::new(RecordBatch::try_new(Arc::new(schema), columns).expect("a batch")).to_ipc().expect("a table")
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let twice = Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("a", DataType::Int64, true)]);
    let null = Schema::new(vec![Field::new("nothing", DataType::Null, true)]);
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let empty: ArrayRef =
        Arc::new(FixedSizeListArray::try_new_with_length(item, 0, none, None, 3).expect("lists without items"));
    let lists = Schema::new(vec![Field::new("v", empty.data_type().clone(), true)]);
    let files = [
        ("twice.arrow", write(twice, vec![numbers.clone(), numbers])),
        ("null.arrow", write(null, vec![Arc::new(NullArray::new(3))])),
        ("lists.arrow", write(lists, vec![empty])),
    ];
    let errors = errors(&files);
    assert!(errors[0].ends_with("two columns are named 'a'"), "{}", errors[0]);
    insta::assert_snapshot!(stable(&errors[1]), @"pipeline.yaml:4:80: output 'made': o1.arrow: column 'nothing' has type Null, which no artifact can hold (cast it to int64, float64, bool or string)");
    insta::assert_snapshot!(stable(&errors[2]), @"pipeline.yaml:5:81: output 'made': o2.arrow: column 'v' has type FixedSizeList(0 x Int64), which no artifact can hold (its lists have no items: leave it out)");
    assert!(!errors[2].contains("damaged"), "{}", errors[2]);
}

// More than the memory of most machines, and nothing on the disk: a hole.
#[cfg(target_os = "linux")]
#[test]
fn what_the_ends_of_a_huge_file_show_is_told_without_reading_it() {
    for (file, said) in [
        ("o.arrow", "not an Arrow IPC file that can be read"),
        ("o.json", "not JSON: it begins with '\\x00'"),
        ("o.safetensors", "not a safetensors file: a header of 0 bytes in a file of 68719476736"),
    ] {
        let yaml = format!(
            "name: p\nstages:\n  s: {{kind: command, run: [truncate, -s, 64G, \"{{out}}/{file}\"], outputs: {{made: {file}}}}}\n"
        );
        let work = Workspace::new().pipeline(&yaml);
        let begun = std::time::Instant::now();
        let run = work.run();
        assert!(begun.elapsed().as_secs() < 8, "{file}: {:?}", begun.elapsed());
        assert!(run.code == Some(1) && run.error().contains(said), "{file}: {}", run.error());
    }
}

#[cfg(unix)]
#[test]
fn a_large_file_that_is_no_table_is_refused_before_it_is_read() {
    // Sparse: more than any memory holds.
    let large = "name: p\nstages:\n  it: {kind: command, run: [truncate, -s, 4T, \"{out}/x.ENDING\"], outputs: {x: x.ENDING}}\n";
    for (ending, said) in
        [("arrow", "not an Arrow IPC file"), ("json", "not JSON"), ("safetensors", "not a safetensors file")]
    {
        let run = Workspace::new().pipeline(&large.replace("ENDING", ending)).run();
        assert_eq!(run.code, Some(1));
        assert!(run.error().contains(said) && run.error().starts_with("pipeline.yaml:3:"), "{}", run.error());
    }
}

#[test]
fn columns_of_runners_own_keep_their_type() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let whole: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![1, 2]));
    let table = |name: &str, column: &ArrayRef| {
        Table::from_columns([(name, column.clone())]).and_then(|table| table.to_ipc()).expect("a table")
    };
    let files = [("id.arrow", table("runner.row_id", &texts)), ("fold.arrow", table("runner.fold", &texts))];
    for error in errors(&files) {
        assert!(error.contains("has type Utf8, but under that name runner keeps whole numbers"), "{error}");
    }
    copying(&[("id.arrow", table("runner.row_id", &whole)), ("own.arrow", table("row_id", &texts))]).run().succeeded();
}
