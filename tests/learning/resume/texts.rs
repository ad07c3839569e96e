//! Embeddings keep the rows of the texts that were computed.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant, SystemTime};

use arrow::array::{Array as _, AsArray as _, FixedSizeListArray};
use arrow::datatypes::Float32Type;
use runner::artifact::{Digest, PART_ROWS, RowKey, RowMemo, Store, Table};
use runner::ml::encoder::{TransformerOptions, open};
use runner::ml::progress::Silent;

use super::{Moments, assert_same_artifacts, headline, kill, measured};
use crate::small_model::SmallModel;
use crate::workspace::{Workspace, songs};

fn embedding(model: &SmallModel, rows: usize) -> Workspace {
    let yaml = format!(
        "name: study\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}\n  \
         titles: {{kind: embed, rows: songs, columns: [title], encoder: '{}'}}\n",
        model.path().display()
    );
    Workspace::new().file("songs.csv", &long_titles(rows)).pipeline(&yaml)
}

/// Songs whose titles are distinct and as long as the model takes.
fn long_titles(rows: usize) -> String {
    let title = |i: usize| -> String { (0..14).map(|j| format!("w{} ", 4 + (i >> j) % 36)).collect() };
    let row = |line: &str, i: usize| {
        let (id, rest) = line.split_once(",\"").expect("a title");
        format!("{id},\"{i} {}{}\n", title(i), &rest[rest.find("\",").expect("its end")..])
    };
    let text = songs(rows);
    let (header, lines) = text.split_once('\n').expect("a header");
    format!("{header}\n{}", lines.lines().enumerate().map(|(i, line)| row(line, i)).collect::<String>())
}

#[test]
fn new_texts_embed_only_themselves() {
    let model = SmallModel::new("bert");
    let work = embedding(&model, 300);
    work.run().succeeded();
    assert_eq!(measured(&work, "titles")["texts_computed"], 300.0);
    let more = long_titles(310);
    // In another order, some gone, some new.
    let (header, lines) = more.split_once('\n').expect("a header");
    let mut lines: Vec<&str> = lines.lines().skip(5).collect();
    lines.reverse();
    let changed = format!("{header}\n{}\n", lines.join("\n"));
    work.write("songs.csv", changed.as_bytes());
    work.run().ran(&["songs", "titles"]);
    assert_eq!((measured(&work, "titles")["texts"], measured(&work, "titles")["texts_computed"]), (305.0, 10.0));
    let fresh = embedding(&model, 1);
    fresh.write("songs.csv", changed.as_bytes());
    fresh.run().succeeded();
    assert_eq!(measured(&fresh, "titles")["texts_computed"], 305.0);
    assert_same_artifacts(&work, &fresh);
    // Batches of another size are the same rows, another pooling is not.
    work.edit("pipeline.yaml", "encoder:", "transformer: {batch_tokens: 40}, encoder:");
    work.run().ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], 0.0);
    work.edit("pipeline.yaml", "batch_tokens: 40", "pooling: cls");
    work.run().ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], 305.0);
    // By force all are computed, and come out the same.
    work.edit("pipeline.yaml", "transformer: {pooling: cls}, ", "");
    work.run_with(&["--force", "titles"]).ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], 305.0);
    assert_same_artifacts(&work, &fresh);
}

#[test]
fn a_killed_embedding_goes_on_from_its_last_segment() {
    const ROWS: usize = 16_000;
    let model = SmallModel::new("bert");
    let whole = embedding(&model, ROWS);
    whole.run().succeeded();
    let work = embedding(&model, ROWS);
    work.run_with(&["songs"]).succeeded();
    assert!(kill(&work, &[], None, &mut Moments(6)), "the embedding ended before it could be killed");
    work.run_with(&["-j", "1"]).succeeded();
    let measured = measured(&work, "titles");
    assert!(measured["texts_computed"] > 0.0 && measured["texts_computed"] < measured["texts"], "{measured:?}");
    assert_same_artifacts(&whole, &work);
}

/// The vectors of a table of several parts.
fn vectors(work: &Workspace) -> Vec<FixedSizeListArray> {
    let parts = (0..).map(|i| work.path().join(format!("artifacts/study/titles/rows/{i:05}.arrow")));
    let tables = parts.take_while(|path| path.exists()).map(|path| Table::from_ipc(&fs::read(path).unwrap()).unwrap());
    tables.map(|table| table.column("runner.title_embedding").unwrap().as_fixed_size_list().clone()).collect()
}

/// More rows than a part has, their texts coming again near and far.
#[test]
fn texts_that_come_again_much_later_have_their_vectors() {
    const ROWS: usize = 150_000;
    let model = SmallModel::new("bert");
    let title = |i: usize| (!i.is_multiple_of(7)).then(|| format!("w{} w{} {}", 4 + i % 31, 4 + i % 29, i % 1201));
    let genre = |i: usize| if i % 31 < 15 { "rock" } else { "rap" };
    let row = |i: usize| format!("{i},{},{}\n", title(i).unwrap_or_default(), genre(i));
    let rows: String = (0..ROWS).map(row).collect();
    let work = embedding(&model, 1);
    work.write("songs.csv", format!("id,title,genre\n{rows}").as_bytes());
    work.run().succeeded();
    let parts = vectors(&work);
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [PART_ROWS, PART_ROWS, ROWS - 2 * PART_ROWS]);
    let vector = |parts: &[FixedSizeListArray], i: usize| -> Vec<f32> {
        let row = parts[i / PART_ROWS].value(i % PART_ROWS);
        row.as_primitive::<Float32Type>().values().to_vec()
    };
    let mut first: HashMap<String, usize> = HashMap::new();
    for i in 0..ROWS {
        let first = *first.entry(title(i).unwrap_or_default()).or_insert(i);
        assert_eq!(vector(&parts, i), vector(&parts, first), "rows {first} and {i}");
    }
    let distinct = first.len() as f64;
    assert_eq!(measured(&work, "titles")["texts"], distinct);
    let few: Vec<String> = (0..400).map(|i| title(i).unwrap_or_default()).collect();
    let few: Vec<&str> = few.iter().map(String::as_str).collect();
    let encoder = open(model.path(), &TransformerOptions::default()).unwrap();
    let expected = encoder.encode(&few, 1, &Silent).unwrap();
    for i in 0..few.len() {
        assert_eq!(vector(&parts, i), expected.row(i));
    }
    // All known: the same files.
    let file = |i: usize| fs::metadata(work.path().join(format!("artifacts/study/titles/rows/{i:05}.arrow"))).unwrap();
    let written = |i: usize| file(i).modified().unwrap();
    let before: Vec<SystemTime> = (0..3).map(written).collect();
    work.edit("pipeline.yaml", "encoder:", "transformer: {batch_tokens: 40}, encoder:");
    work.run().ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], 0.0);
    assert_eq!((0..3).map(written).collect::<Vec<_>>(), before);

    // A part with a new text, and one with a text that only parts before it had: the others stay as they were.
    let changed = |i: usize| match i {
        70_000 => format!("{i},w5 w6 new,rock\n"),
        140_000 => format!("{i},{},rock\n", title(1).unwrap()),
        _ => row(i),
    };
    let rows: String = (0..ROWS).map(changed).collect();
    work.write("songs.csv", format!("id,title,genre\n{rows}").as_bytes());
    work.run().ran(&["songs", "titles"]);
    assert_eq!(
        (measured(&work, "titles")["texts"], measured(&work, "titles")["texts_computed"]),
        (distinct + 1.0, 1.0)
    );
    assert!(written(0) == before[0] && written(1) != before[1] && written(2) != before[2]);
    let after = vectors(&work);
    assert_eq!(vector(&after, 140_000), vector(&parts, 1));
    let new = encoder.encode(&["w5 w6 new"], 1, &Silent).unwrap();
    assert_eq!(vector(&after, 70_000), new.row(0));
    let fresh = embedding(&model, 1);
    fresh.write("songs.csv", format!("id,title,genre\n{rows}").as_bytes());
    fresh.run().succeeded();
    assert!(vectors(&fresh) == after);

    // A damaged part is made anew, and by force all are.
    let damaged = work.path().join("artifacts/study/titles/rows/00000.arrow");
    let store = Store::open(&work.path().join("artifacts")).unwrap();
    fs::remove_file(store.blob_path(Digest::of_file(&damaged).unwrap())).unwrap();
    work.run().ran(&["titles"]);
    assert!(vectors(&work) == after);
    work.run_with(&["--force", "titles"]).ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], distinct + 1.0);
    assert!(vectors(&work) == after);

    // People are shown one table, and so are their programs.
    let shown = work.runner(&["show", "pipeline.yaml", "titles.rows"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("150,000 rows × 2 columns"));
    let copy =
        "  copy: {kind: command, inputs: {t: titles.rows}, run: [cp, '{t}', '{out}/t.arrow'], outputs: {t: t.arrow}}\n";
    work.write("pipeline.yaml", (work.text("pipeline.yaml") + copy).as_bytes());
    work.run().ran(&["copy"]);
    let copied = Table::from_ipc(&work.read("artifacts/study/copy/t.arrow")).unwrap();
    let copied = copied.column("runner.title_embedding").unwrap().as_fixed_size_list().clone();
    assert!(after.iter().enumerate().all(|(i, part)| *part == copied.slice(i * PART_ROWS, part.len())));
    // A learner finds every row's vector, in whichever part it lies: it learns the same from one file.
    let learn = |name: &str, from: &str| {
        format!(
            "  {name}: {{kind: train, rows: folds, embeddings: {from}, text: [title], network: {{trunk: {{layers: [8]}}}}, \
             epochs: 1, seed: 3}}\n"
        )
    };
    let folds = "  folds: {kind: split, rows: songs, train: 0.6, valid: 0.2, test: 0.2}\n";
    let all = work.text("pipeline.yaml") + folds + &learn("parts", "titles") + &learn("one", "copy");
    work.write("pipeline.yaml", all.as_bytes());
    // They are the same column to begin with.
    work.run_with(&["parts"]).ran(&["folds", "parts"]);
    work.run_with(&["one"]).restored(&["one"]);
    let learnt = work.read("artifacts/study/parts/model.safetensors");
    work.run_with(&["--force", "one"]).ran(&["one"]);
    assert!(work.read("artifacts/study/one/model.safetensors") == learnt);
    let verified = work.runner(&["verify", "pipeline.yaml", "--rerun", "titles"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_lower_precision_is_another_result_that_tells_what_it_keeps() {
    let model = SmallModel::new("bert");
    let work = embedding(&model, 300);
    work.run().succeeded();
    assert!(!measured(&work, "titles").contains_key("cosine_to_f32"));
    let exact = work.read("artifacts/study/titles/rows.arrow");
    for precision in ["bf16", "int8"] {
        work.edit("pipeline.yaml", "encoder:", &format!("transformer: {{precision: {precision}}}, encoder:"));
        work.run().ran(&["titles"]);
        let found = measured(&work, "titles");
        assert_eq!(found["texts_computed"], 300.0, "its rows are its own");
        assert!(found["cosine_to_f32"] > 0.999 && found["cosine_to_f32"] < 1.0, "{found:?}");
        assert!(found["cosine_to_f32_least"] <= found["cosine_to_f32"]);
        assert!(headline(&work, "titles").contains(", cosine to f32 "), "{}", headline(&work, "titles"));
        assert!(work.text("artifacts/study/titles/encoder.json").contains(&format!("\"precision\": \"{precision}\"")));
        assert!(work.read("artifacts/study/titles/rows.arrow") != exact);
        work.edit("pipeline.yaml", &format!("transformer: {{precision: {precision}}}, "), "");
    }
}

/// Says what reading costs: `cargo test --release kept_rows -- --ignored --nocapture`.
#[test]
#[ignore = "long: run by .ci/run"]
fn a_million_kept_rows_are_read_in_seconds() {
    const COUNT: usize = 1_000_000;
    const WIDTH: usize = 384;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.prepare().unwrap();
    let texts: Vec<String> = (0..COUNT).map(|i| format!("a title of usual length {i}")).collect();
    let mut memo = RowMemo::open(&store, Digest::of(b"encoder"), WIDTH);
    for chunk in texts.chunks(50_000) {
        let keys: Vec<RowKey> = chunk.iter().map(|text| RowKey::of(text.as_bytes())).collect();
        memo.add(&keys, &vec![0.5; WIDTH * chunk.len()]).unwrap();
    }
    drop(memo);
    let mut out = vec![0.0f32; WIDTH * COUNT];
    let clock = Instant::now();
    let memo = RowMemo::open(&store, Digest::of(b"encoder"), WIDTH);
    let opened = clock.elapsed();
    let keys: Vec<RowKey> = texts.iter().map(|text| RowKey::of(text.as_bytes())).collect();
    let hashed = clock.elapsed();
    let known = memo.read(&keys, &mut out, 2);
    let all = clock.elapsed();
    println!("opened after {opened:.2?}, keys made after {hashed:.2?}, {COUNT} rows read after {all:.2?}");
    assert!(known.iter().all(|known| *known) && out.iter().all(|value| *value == 0.5));
    // Ten times what a quiet machine needs.
    assert!(all < Duration::from_secs(10), "{all:?}");
}
