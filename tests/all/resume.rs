//! Work that was done is not done again: after kill -9, with more epochs, with more trials, with new texts.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use arrow::array::AsArray as _;
use arrow::datatypes::Float32Type;
use runner::artifact::{Digest, RowKey, RowMemo, Store, Table};
use runner::ml::encoder::{TransformerOptions, open};
use runner::ml::progress::Silent;
use serde_json::Value;

use crate::encoder::small_model::SmallModel;
use crate::workspace::{Workspace, songs};

/// Networks that take a second or so each, on texts without a model.
const STUDY: &str = r#"name: study
seed: 3
vars: {epochs: 300}
stages:
  songs:
    kind: load
    files: {all: songs.csv}
    label: genre
  folds:
    kind: split
    rows: songs
  titles:
    kind: embed
    rows: songs
    fit: folds.train
    columns: [title]
    encoder: tfidf
    tfidf: {dim: 8}
  trained:
    kind: train
    rows: folds
    embeddings: titles
    numeric: [tempo, energy]
    text: [title]
    network: {trunk: {layers: [48]}, text: {layers: [16]}, dropout: 0.2}
    epochs: ${epochs}
    batch_size: 16
    schedule: {kind: plateau, patience: 20}
  searched:
    kind: train
    rows: folds
    numeric: [tempo, energy]
    network: {trunk: {layers: [48]}}
    epochs: ${epochs}
    batch_size: 16
    search:
      method: grid
      space: {optimizer.lr: {choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}}
  moved:
    kind: transfer
    model: trained
    rows: folds
    embeddings: titles
    strategies: [scratch, copy, frozen]
    seeds: 1
    epochs: ${epochs}
    batch_size: 16
"#;

/// When each file of the store that holds work in progress was last written.
fn progress(work: &Workspace) -> BTreeMap<PathBuf, SystemTime> {
    let mut files = BTreeMap::new();
    for folder in ["memo", "rows"] {
        let root = format!("artifacts/.store/{folder}");
        for file in work.files_under(&root).into_iter().filter(|file| !is_temporary(file)) {
            let path = work.path().join(&root).join(file);
            // A file may have been replaced between listing and looking.
            if let Ok(written) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                files.insert(path, written);
            }
        }
    }
    files
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Runs the program and kills it with SIGKILL: `after` so long, or, without, some time after it has saved something. False if it
/// ended by itself before.
pub fn kill(work: &Workspace, more: &[&str], after: Option<Duration>, moments: &mut Moments) -> bool {
    let before = progress(work);
    let mut arguments = vec!["run", "pipeline.yaml", "--json"];
    arguments.extend(more);
    let mut child =
        work.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let clock = Instant::now();
    let mut seen: Option<Instant> = None;
    let pause = after.unwrap_or_else(|| moments.up_to(Duration::from_millis(80)));
    loop {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        let due = match after {
            Some(after) => clock.elapsed() >= after,
            None => {
                if seen.is_none() && progress(work) != before {
                    seen = Some(Instant::now());
                }
                seen.is_some_and(|seen| seen.elapsed() >= pause)
            }
        };
        if due {
            child.kill().expect("SIGKILL");
            child.wait().expect("a child");
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Repeatable random moments.
pub struct Moments(pub u64);

impl Moments {
    fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        longest.mul_f64((self.0 >> 33) as f64 / f64::from(1u32 << 31))
    }
}

/// What the stage measured when it was last computed.
pub fn measured(work: &Workspace, stage: &str) -> BTreeMap<String, f64> {
    serde_json::from_value(record(work, stage)["provenance"]["measurements"].clone()).expect("numbers")
}

fn record(work: &Workspace, stage: &str) -> Value {
    let key = work.text(&format!("artifacts/.store/current/study/{stage}")).trim().to_owned();
    let text = work.text(&format!("artifacts/.store/records/{}/{key}.json", &key[..2]));
    // The last line is the record's own digest.
    serde_json::from_str(text.rsplit_once("\nblake3 ").expect("a sealed record").0).expect("a record")
}

pub fn headline(work: &Workspace, stage: &str) -> String {
    record(work, stage)["provenance"]["headline"].as_str().expect("text").to_owned()
}

#[track_caller]
pub fn assert_same_artifacts(one: &Workspace, other: &Workspace) {
    let files = one.files_under("artifacts/study");
    assert!(!files.is_empty());
    assert_eq!(files, other.files_under("artifacts/study"));
    for file in files {
        let name = format!("artifacts/study/{}", file.display());
        assert!(one.read(&name) == other.read(&name), "{name} differs");
    }
}

fn study() -> Workspace {
    Workspace::with_songs().pipeline(STUDY)
}

#[test]
fn a_study_killed_again_and_again_ends_in_the_same_bytes() {
    let whole = study();
    whole.run().succeeded();
    let work = study();
    let mut moments = Moments(1);
    let killed = (0..7).take_while(|_| kill(&work, &[], None, &mut moments)).count();
    work.run().succeeded();
    assert!(killed >= 3, "the study ended before it could be killed: {killed}");
    assert_same_artifacts(&whole, &work);
}

/// As many kills as it takes at any moment, in stages that go on from states, trials and strategies.
#[test]
#[ignore = "long: run by .ci/run"]
fn a_study_killed_at_random_moments_ends_in_the_same_bytes() {
    let whole = study();
    whole.edit("pipeline.yaml", "epochs: 300", "epochs: 1500");
    let clock = std::time::Instant::now();
    whole.run().succeeded();
    // The pace of the machine: about ten kills before the end.
    let longest = clock.elapsed() / 5;
    for seed in 0..3 {
        let work = study();
        work.edit("pipeline.yaml", "epochs: 300", "epochs: 1500");
        let mut moments = Moments(seed);
        let mut kills = 0;
        loop {
            let after = moments.up_to(longest);
            if !kill(&work, &["-j", ["1", "2", "3"][kills % 3]], Some(after), &mut moments) {
                break;
            }
            kills += 1;
            assert!(kills < 400, "it gets nowhere");
        }
        work.run().succeeded();
        assert!(kills > 5, "{kills}");
        assert_same_artifacts(&whole, &work);
    }
}

#[test]
fn a_killed_training_goes_on_from_its_last_state() {
    // Long enough for the signal to come in time, on whatever machine.
    let training = ["trained", "--set", "epochs=2000"];
    let whole = study();
    whole.run_with(&training).succeeded();
    assert_eq!(measured(&whole, "trained")["epochs_computed"], 2000.0);
    let work = study();
    work.run_with(&["titles"]).succeeded();
    assert!(kill(&work, &training, None, &mut Moments(2)));
    work.run_with(&training).succeeded();
    let measured = measured(&work, "trained");
    assert!(measured["resumed_epoch"] > 0.0 && measured["epochs_computed"] < 2000.0, "{measured:?}");
    assert_eq!(measured["resumed_epoch"] + measured["epochs_computed"], 2000.0);
    assert!(headline(&work, "trained").contains("; continued from epoch "), "{}", headline(&work, "trained"));
    assert_same_artifacts(&whole, &work);
}

#[test]
fn more_epochs_cost_only_themselves_where_the_schedule_permits() {
    let of = |epochs: &str, schedule: &str| {
        let work = study();
        work.edit("pipeline.yaml", "epochs: 300", &format!("epochs: {epochs}"));
        work.edit("pipeline.yaml", "{kind: plateau, patience: 20}", schedule);
        work.run_with(&["trained"]).succeeded();
        work
    };
    let work = of("20", "{kind: step, step_epochs: 8}");
    work.edit("pipeline.yaml", "epochs: 20", "epochs: 30");
    work.run_with(&["trained"]).ran(&["trained"]);
    assert_eq!(
        (measured(&work, "trained")["resumed_epoch"], measured(&work, "trained")["epochs_computed"]),
        (20.0, 10.0)
    );
    assert!(headline(&work, "trained").ends_with("; continued from epoch 20 of an earlier run"));
    assert_same_artifacts(&work, &of("30", "{kind: step, step_epochs: 8}"));
    // By force everything is computed, and comes out the same.
    work.run_with(&["trained", "--force", "trained"]).ran(&["trained"]);
    assert_eq!(measured(&work, "trained")["epochs_computed"], 30.0);
    assert_same_artifacts(&work, &of("30", "{kind: step, step_epochs: 8}"));

    let work = of("20", "{kind: one_cycle}");
    work.edit("pipeline.yaml", "epochs: 20", "epochs: 30");
    work.run_with(&["trained"]).ran(&["trained"]);
    assert_eq!(measured(&work, "trained")["epochs_computed"], 30.0);
    let said = "; one_cycle depends on the number of epochs: trained from the start";
    assert!(headline(&work, "trained").ends_with(said), "{}", headline(&work, "trained"));
}

#[test]
fn a_search_computes_the_trials_that_it_does_not_know() {
    let short = |work: &Workspace| work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    let trials = |work: &Workspace| {
        let measured = measured(work, "searched");
        (measured["trials_known"], measured["trials_computed"], measured["epochs_computed"])
    };
    let work = study();
    short(&work);
    work.run_with(&["searched"]).succeeded();
    // The best trial's state is the final training already.
    assert_eq!(trials(&work), (0.0, 4.0, 0.0));
    work.edit("pipeline.yaml", "[0.001, 0.01]", "[0.001, 0.003, 0.01]");
    work.run_with(&["searched"]).ran(&["searched"]);
    assert_eq!((trials(&work).0, trials(&work).1), (4.0, 2.0));
    // Another name, another metric of the search, another order: the same trials.
    work.edit("pipeline.yaml", "searched:", "sought:");
    work.edit("pipeline.yaml", "method: grid", "method: grid\n      metric: loss");
    work.edit("pipeline.yaml", "[0.001, 0.003, 0.01]", "[0.01, 0.003, 0.001]");
    work.run_with(&["sought"]).ran(&["sought"]);
    assert_eq!(measured(&work, "sought")["trials_computed"], 0.0);
    let fresh = study();
    short(&fresh);
    fresh.write("pipeline.yaml", &work.read("pipeline.yaml"));
    fresh.run_with(&["sought"]).succeeded();
    assert_same_artifacts_of("sought", &work, &fresh);

    work.edit("pipeline.yaml", "{choice: [0.01, 0.003, 0.001]}", "{log_uniform: [0.001, 0.1]}");
    work.edit("pipeline.yaml", "method: grid", "method: random\n      trials: 3");
    work.run_with(&["sought"]).ran(&["sought"]);
    work.edit("pipeline.yaml", "trials: 3", "trials: 5");
    work.run_with(&["sought"]).ran(&["sought"]);
    assert_eq!((measured(&work, "sought")["trials_known"], measured(&work, "sought")["trials_computed"]), (3.0, 2.0));
}

#[track_caller]
fn assert_same_artifacts_of(stage: &str, one: &Workspace, other: &Workspace) {
    let folder = format!("artifacts/study/{stage}");
    let files = one.files_under(&folder);
    assert!(!files.is_empty());
    assert_eq!(files, other.files_under(&folder));
    for file in files {
        let name = format!("{folder}/{}", file.display());
        assert!(one.read(&name) == other.read(&name), "{name} differs");
    }
}

#[test]
fn a_killed_search_goes_on_within_its_trials() {
    let whole = study();
    whole.run_with(&["searched"]).succeeded();
    let work = study();
    assert!(kill(&work, &["searched", "-j", "2"], None, &mut Moments(4)));
    work.run_with(&["searched"]).succeeded();
    let measured = measured(&work, "searched");
    assert!(measured["trial_epochs_computed"] < 4.0 * 300.0, "{measured:?}");
    assert_same_artifacts(&whole, &work);
    // The states of the trials that lost are gone: what is left is four results, the best trial's state, and a remark.
    assert!(work.files_under("artifacts/.store/memo").len() <= 6, "{:?}", work.files_under("artifacts/.store/memo"));
}

/// The study with a search that learns from its trials and stops bad ones.
fn halving(epochs: &str) -> Workspace {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", &format!("epochs: {epochs}"));
    work.edit(
        "pipeline.yaml",
        "method: grid\n      space: {optimizer.lr: {choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}}",
        "method: tpe\n      trials: 14\n      batch: 6\n      pruning: {factor: 2, min_epochs: 10}\n      \
         space: {optimizer.lr: {log_uniform: [0.0001, 0.1]}, network.dropout: {uniform: [0, 0.3]}}",
    );
    work
}

#[test]
fn a_search_that_stops_trials_goes_on_where_it_was_killed_and_where_each_trial_stood() {
    let whole = halving("80");
    whole.run_with(&["searched", "-j", "1"]).succeeded();
    let found = measured(&whole, "searched");
    // Batches of 6, 6 and 2 trials: 6 to epoch 10, 3 on to 20, one to 40 and to 80; of two one goes all the way.
    assert_eq!(found["trial_epochs_computed"], f64::from(2 * (6 * 10 + 3 * 10 + 20 + 40) + 2 * 10 + 10 + 20 + 40));
    assert_eq!(found["epochs_computed"], 0.0, "the best trial is the final training");
    let said = headline(&whole, "searched");
    assert!(said.ends_with("; test part opened once, after 14 trials (3 complete, 11 pruned)"), "{said}");
    let work = halving("80");
    for kill_number in 0..3 {
        kill(&work, &["searched", "-j", "2"], None, &mut Moments(kill_number));
    }
    work.run_with(&["searched", "-j", "2"]).succeeded();
    assert_same_artifacts(&whole, &work);
    // The curves of all trials are there, those of stopped ones too, with the network before its first epoch.
    let trials = Table::from_ipc(&work.read("artifacts/study/searched/trials.arrow")).expect("a table");
    assert_eq!(trials.rows(), 3 * 81 + 2 * (3 * 11 + 2 * 21) + 11);
    // Without stopping, the trials that ran to their end are known; the others go on from nothing, their states have served.
    work.edit("pipeline.yaml", "      pruning: {factor: 2, min_epochs: 10}\n", "");
    work.edit("pipeline.yaml", "method: tpe", "method: random");
    work.run_with(&["searched"]).ran(&["searched"]);
    assert!(measured(&work, "searched")["trials_known"] >= 1.0);
}

#[test]
fn a_search_in_minutes_is_one_of_as_many_trials() {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    work.edit(
        "pipeline.yaml",
        "{choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}",
        "{log_uniform: [0.001, 0.1]}",
    );
    // Less than one trial takes, which is done nevertheless.
    work.edit("pipeline.yaml", "method: grid", "minutes: 0.0000001");
    work.run_with(&["searched"]).succeeded();
    let said = headline(&work, "searched");
    assert!(said.ends_with("; test part opened once, after 1 trial, out of time"), "{said}");
    // In this time a few can be done, if not all.
    work.edit("pipeline.yaml", "minutes: 0.0000001", "minutes: 0.01\n      trials: 5000");
    work.run_with(&["searched"]).ran(&["searched"]);
    let trials = serde_json::from_slice::<Value>(&work.read("artifacts/study/searched/search.json")).expect("JSON");
    let count = trials["trials"].as_array().expect("a list").len();
    assert!((2..5000).contains(&count) && trials["out_of_time"] == true, "{count}");
    // As many trials, counted: the same ones.
    work.edit("pipeline.yaml", "minutes: 0.01\n      trials: 5000", &format!("trials: {count}"));
    work.run_with(&["searched"]).ran(&["searched"]);
    let counted = serde_json::from_slice::<Value>(&work.read("artifacts/study/searched/search.json")).expect("JSON");
    assert_eq!((&counted["trials"], &counted["best"]), (&trials["trials"], &trials["best"]));
    assert_eq!(measured(&work, "searched")["trials_computed"], 0.0);
}

#[test]
fn a_transfer_keeps_its_finished_trainings() {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    work.run_with(&["moved"]).succeeded();
    work.edit("pipeline.yaml", "seeds: 1", "seeds: 2");
    work.run_with(&["moved"]).ran(&["moved"]);
    let found = measured(&work, "moved");
    assert_eq!((found["epochs_known"], found["epochs_computed"]), (12.0, 12.0));
    assert!(headline(&work, "moved").ends_with("; 12 of 24 epochs were known"), "{}", headline(&work, "moved"));
    let fresh = study();
    fresh.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    fresh.edit("pipeline.yaml", "seeds: 1", "seeds: 2");
    fresh.run_with(&["moved"]).succeeded();
    assert_same_artifacts(&work, &fresh);
}

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

/// More rows than are written at once, their texts coming again near and far.
#[test]
fn texts_that_come_again_much_later_have_their_vectors() {
    const ROWS: usize = 150_000;
    let model = SmallModel::new("bert");
    let title = |i: usize| (!i.is_multiple_of(7)).then(|| format!("w{} w{} {}", 4 + i % 31, 4 + i % 29, i % 1201));
    let rows: String = (0..ROWS).map(|i| format!("{i},{},rock\n", title(i).unwrap_or_default())).collect();
    let work = embedding(&model, 1);
    work.write("songs.csv", format!("id,title,genre\n{rows}").as_bytes());
    work.run().succeeded();
    let table = Table::from_ipc(&work.read("artifacts/study/titles/rows.arrow")).unwrap();
    assert_eq!(table.rows(), ROWS);
    let vectors = table.column("title_embedding").unwrap().as_fixed_size_list().clone();
    let mut first: HashMap<String, usize> = HashMap::new();
    for i in 0..ROWS {
        let first = *first.entry(title(i).unwrap_or_default()).or_insert(i);
        assert_eq!(vectors.value(i).as_ref(), vectors.value(first).as_ref(), "rows {first} and {i}");
    }
    let distinct = first.len() as f64;
    assert_eq!(measured(&work, "titles")["texts"], distinct);
    let few: Vec<String> = (0..400).map(|i| title(i).unwrap_or_default()).collect();
    let few: Vec<&str> = few.iter().map(String::as_str).collect();
    let encoder = open(model.path(), &TransformerOptions::default()).unwrap();
    let expected = encoder.encode(&few, 1, &Silent).unwrap();
    for i in 0..few.len() {
        assert_eq!(vectors.value(i).as_primitive::<Float32Type>().values(), expected.row(i));
    }
    // All known: the same table.
    let before = work.read("artifacts/study/titles/rows.arrow");
    work.edit("pipeline.yaml", "encoder:", "transformer: {batch_tokens: 40}, encoder:");
    work.run().ran(&["titles"]);
    assert_eq!(measured(&work, "titles")["texts_computed"], 0.0);
    assert!(work.read("artifacts/study/titles/rows.arrow") == before);
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
