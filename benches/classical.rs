//! Our classical models beside scikit-learn's and LightGBM's: accuracy and seconds on the same rows, with the same
//! hyper-parameters and two threads each, one after the other.
//!
//!     RUNNER_TEST_PYTHON=PYTHON cargo bench --bench classical -- [FOLDER] [--only MODEL,MODEL] [--folds N] [--texts]
//!
//! FOLDER holds a `train.csv` like the bundled one, which is the default. PYTHON has scikit-learn and lightgbm; without
//! it our own figures alone are printed. The rows fall into five folds by song; a model is fitted on four of them and
//! scored on the fifth. `--texts` adds the vectors of titles and artists to the numbers: those of MiniLM where its
//! folder is found, else TF-IDF.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use runner::ml::classical::{Baselines, Estimator, Features};
use runner::ml::encoder::{self, TextEncoder, Tfidf, TfidfOptions, TransformerOptions};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;
use runner::ml::split::{connected_groups, group_folds};
use runner::pretrained::Resolver;
use runner::tabular::{Derivation, Input, LoadOptions, load};
use serde::Deserialize;

const THREADS: usize = 2;
const ENCODER: &str = "sentence-transformers/all-MiniLM-L6-v2";
const NUMBERS: [&str; 14] = [
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration_ms",
    "track_popularity",
    "release_year",
];
/// As in `pipelines/full.yaml`.
const MODELS: &str = r#"{"logistic": {}, "linear_svm": {}, "rbf_svm": {"c": 3}, "knn": {"k": 25}, "naive_bayes": {},
    "tree": {"max_depth": 9}, "random_forest": {}, "extra_trees": {}, "boosting": {}}"#;
/// Short fits are repeated within this time and the shortest counts: other work on the machine only ever adds.
const REPEAT_SECONDS: f64 = 0.5;
const REPEATS: usize = 5;

fn main() {
    let arguments = Arguments::parse();
    let songs = Songs::read(&arguments.folder);
    let (table, x) = if arguments.texts { ("texts", songs.with_texts()) } else { ("numbers", songs.numbers.clone()) };
    let folder = tempfile::tempdir().expect("a folder");
    let mut peer = Peer::start(&songs, table, &x, folder.path());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads");
    println!("{} songs, {} columns, {} of 5 folds, {THREADS} threads", x.rows, x.cols, arguments.folds);
    println!(
        "{:14} {:>8} {:>8} {:>8}   {:>9} {:>9} {:>6}   {:>9} {:>9}",
        "", "accuracy", "peer's", "gap", "fit s", "peer's", "ratio", "predict s", "peer's"
    );
    let models: Baselines = serde_json::from_str(MODELS).expect("models");
    for (name, estimator) in models.estimators() {
        if !arguments.only.is_empty() && !arguments.only.contains(&name) {
            continue;
        }
        let (mut ours, mut theirs) = (Measured::default(), Measured::default());
        for fold in 0..arguments.folds {
            let rows =
                |inside: bool| -> Vec<usize> { (0..x.rows).filter(|&i| (songs.fold[i] == fold) == inside).collect() };
            let parts = [rows(false), rows(true)]
                .map(|rows| (features(&x.take(&rows)), rows.iter().map(|&i| songs.y[i]).collect()));
            let own = || pool.install(|| fit(estimator.as_ref(), songs.classes.len(), &parts));
            let (mine, other) =
                alternate(own, || peer.as_mut().map(|peer| peer.fit(&name, estimator.as_ref(), table, fold)));
            ours.add(mine, arguments.folds);
            theirs.add(other.unwrap_or_default(), arguments.folds);
        }
        let Measured { accuracy, fit, predict } = ours;
        print!("{name:14} {accuracy:8.4} ");
        if peer.is_some() {
            let (gap, ratio) = (accuracy - theirs.accuracy, fit / theirs.fit);
            println!(
                "{:8.4} {gap:+8.4}   {fit:9.4} {:9.4} {ratio:6.2}   {predict:9.4} {:9.4}",
                theirs.accuracy, theirs.fit, theirs.predict
            );
        } else {
            println!("{:8} {:8}   {fit:9.4} {:9} {:6}   {predict:9.4}", "", "", "", "");
        }
    }
}

struct Arguments {
    folder: PathBuf,
    only: Vec<String>,
    folds: u32,
    texts: bool,
}

impl Arguments {
    fn parse() -> Arguments {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
        let mut parsed = Arguments { folder, only: Vec::new(), folds: 5, texts: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--texts" => parsed.texts = true,
                "--only" => parsed.only = words.next().expect("models").split(',').map(str::to_owned).collect(),
                "--folds" => parsed.folds = words.next().and_then(|n| n.parse().ok()).expect("a number"),
                folder => parsed.folder = PathBuf::from(folder),
            }
        }
        parsed
    }
}

struct Songs {
    batch: RecordBatch,
    numbers: Matrix,
    y: Vec<u32>,
    classes: Vec<String>,
    fold: Vec<u32>,
}

impl Songs {
    fn read(folder: &Path) -> Songs {
        let path = folder.join("train.csv");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let year = Derivation::Year { year_of: "track_album_release_date".to_owned(), format: None, day_first: None };
        let derive = [("release_year".to_owned(), year)].into_iter().collect();
        let options = LoadOptions { label: Some("playlist_genre".to_owned()), derive, ..LoadOptions::default() };
        let input = Input { name: "train", path: &path.display().to_string(), bytes: &bytes };
        let batch = load(&[input], &options).unwrap_or_else(|errors| panic!("{}", errors[0])).batch;

        let mut numbers = Matrix::zeros(batch.num_rows(), NUMBERS.len());
        for (j, name) in NUMBERS.iter().enumerate() {
            let column = cast(batch.column_by_name(name).expect(name), &DataType::Float64).expect("numbers");
            for (i, value) in column.as_primitive::<Float64Type>().iter().enumerate() {
                numbers.row_mut(i)[j] = value.map_or(f32::NAN, |value| value as f32);
            }
        }
        let labels = text(&batch, "playlist_genre");
        let mut classes: Vec<String> = labels.iter().flatten().map(|&label| label.to_owned()).collect();
        classes.sort_unstable();
        classes.dedup();
        let class =
            |label: Option<&str>| classes.iter().position(|class| Some(class.as_str()) == label).expect("a label");
        let y: Vec<u32> = labels.iter().map(|&label| class(label) as u32).collect();
        // The same song under another id or in another playlist must not be torn apart.
        let artists = text(&batch, "track_artist");
        let song = |(title, artist): (&Option<&str>, &Option<&str>)| Some(format!("{}\n{}", (*title)?, (*artist)?));
        let named: Vec<Option<String>> = text(&batch, "track_name").iter().zip(&artists).map(song).collect();
        let keys = [text(&batch, "track_id"), named.iter().map(Option::as_deref).collect()];
        let group = connected_groups(y.len(), &keys);
        let fold = group_folds(&y, &classes, &group, 5, 0).unwrap_or_else(|error| panic!("{error}"));
        Songs { numbers, y, classes, fold, batch }
    }

    /// The numbers, and the vectors of titles and artists beside them.
    fn with_texts(&self) -> Matrix {
        let mut tables = vec![self.numbers.clone()];
        for name in ["track_name", "track_artist"] {
            let texts: Vec<&str> = text(&self.batch, name).into_iter().map(Option::unwrap_or_default).collect();
            let encoder: Box<dyn TextEncoder> = match Resolver::from_env().locate(ENCODER) {
                Some(located) => encoder::open(&located.folder, &TransformerOptions::default()).expect("an encoder"),
                None => {
                    let options = TfidfOptions { dim: 384, ..TfidfOptions::default() };
                    Box::new(Tfidf::fit(&texts, options, 0, THREADS, &Silent).expect("an encoder"))
                }
            };
            tables.push(encoder.encode(&texts, THREADS, &Silent).expect("vectors"));
        }
        let mut data = Vec::new();
        for i in 0..self.y.len() {
            tables.iter().for_each(|table| data.extend_from_slice(table.row(i)));
        }
        Matrix::from_vec(self.y.len(), data.len() / self.y.len(), data)
    }
}

/// The columns of `NUMBERS` as numbers, those behind them as components.
fn features(x: &Matrix) -> Features {
    let rows = || x.data.chunks_exact(x.cols);
    let numbers = rows().flat_map(|row| row[..NUMBERS.len()].iter().map(|&value| f64::from(value))).collect();
    Features::new(x.rows, NUMBERS.len(), numbers, rows().flat_map(|row| &row[NUMBERS.len()..]).copied().collect())
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Vec<Option<&'a str>> {
    batch.column_by_name(name).unwrap_or_else(|| panic!("no column '{name}'")).as_string::<i32>().iter().collect()
}

#[derive(Default, Deserialize)]
struct Measured {
    accuracy: f64,
    fit: f64,
    predict: f64,
}

impl Measured {
    fn add(&mut self, fold: Measured, folds: u32) {
        self.accuracy += fold.accuracy / f64::from(folds);
        self.fit += fold.fit / f64::from(folds);
        self.predict += fold.predict / f64::from(folds);
    }

    fn or_faster(self, other: Measured) -> Measured {
        Measured { accuracy: self.accuracy, fit: self.fit.min(other.fit), predict: self.predict.min(other.predict) }
    }
}

/// Ours and theirs in turns.
fn alternate(own: impl Fn() -> Measured, mut other: impl FnMut() -> Option<Measured>) -> (Measured, Option<Measured>) {
    let clock = Instant::now();
    let (mut ours, mut theirs) = (own(), other());
    for _ in 1..REPEATS {
        if clock.elapsed().as_secs_f64() > REPEAT_SECONDS {
            break;
        }
        ours = ours.or_faster(own());
        theirs = theirs.zip(other()).map(|(all, one)| all.or_faster(one));
    }
    (ours, theirs)
}

fn fit(estimator: &dyn Estimator, classes: usize, [train, test]: &[(Features, Vec<u32>); 2]) -> Measured {
    let clock = Instant::now();
    let model = estimator.fit(&train.0, &train.1, classes, 0, &Silent).unwrap_or_else(|error| panic!("{error}"));
    let fit = clock.elapsed().as_secs_f64();
    let predicted = model.predict_probabilities(&test.0).argmax_rows();
    let predict = clock.elapsed().as_secs_f64() - fit;
    let hits = predicted.iter().zip(&test.1).filter(|(a, b)| a == b).count();
    Measured { accuracy: hits as f64 / test.1.len() as f64, fit, predict }
}

/// `tests/python/peers.py` at the other end of two pipes.
struct Peer {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(songs: &Songs, table: &str, x: &Matrix, folder: &Path) -> Option<Peer> {
        let Some(python) = std::env::var_os("RUNNER_TEST_PYTHON") else {
            println!("RUNNER_TEST_PYTHON is not set: no peers");
            return None;
        };
        let bytes = |values: &[u32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
        let floats = |x: &Matrix| -> Vec<u8> { x.data.iter().flat_map(|value| value.to_le_bytes()).collect() };
        let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).expect("room for the rows");
        write("y", bytes(&songs.y));
        write("fold", bytes(&songs.fold));
        write("numbers.f32", floats(&songs.numbers));
        write(&format!("{table}.f32"), floats(x));
        let mut command = Command::new(python);
        for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, THREADS.to_string());
        }
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/peers.py"));
        command.arg(folder).arg(THREADS.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let (asks, answers) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        Some(Peer { process, asks, answers: BufReader::new(answers) })
    }

    fn fit(&mut self, name: &str, estimator: &dyn Estimator, table: &str, fold: u32) -> Measured {
        let ask = serde_json::json!({"name": name, "parameters": estimator.params(), "table": table, "fold": fold});
        writeln!(self.asks, "{ask}").expect("the peer listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the peer of {name} failed ({error}): {line}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
