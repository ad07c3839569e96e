//! Titles a second beside ONNX Runtime and sentence-transformers, in turns in one run, with the same number of threads;
//! tokenising included.
//!
//!     cargo bench --bench embed                                    # titles of the bundled sample, ours alone
//!     RUNNER_TEST_PYTHON=PYTHON cargo bench --bench embed          # and the peers
//!     RUNNER_TEST_PYTHON=PYTHON cargo bench --bench embed -- FILE.csv --column track_name
//!     RUNNER_TEST_PYTHON=PYTHON cargo bench --bench embed -- --lengths    # by length of the texts and size of the batch;
//!                                                                  # --figure FILE.svg draws it
//!     RUNNER_TEST_PYTHON=PYTHON cargo bench --bench embed -- --ngrams     # `tfidf` beside scikit-learn, one thread each
//!
//! `--encoder NAME` (all-MiniLM-L6-v2; it must be on this machine), `--limit N` distinct titles (3000), `--threads N` (2), `--rounds N` (5),
//! `--batch-tokens N`. PYTHON has onnxruntime and sentence-transformers. Of all rounds the fastest counts: other work on the machine only ever
//! adds. A peer is given the batch size that suits it best.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use runner::ml::encoder::{self, TextEncoder, Tfidf, TfidfOptions, TransformerOptions};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::pretrained::Resolver;
use runner::report::figure::{Drawing, Line, LineChart, Paint, grid, line_chart};
use serde_json::{Value, json};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PRECISIONS: [&str; 3] = ["f32", "bf16", "int8"];
const PEERS: [(&str, &str); 2] = [("ort", "ONNX Runtime"), ("sbert", "sentence-transformers")];
const PEER_BATCHES: [usize; 3] = [32, 64, 128];
const LENGTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];
const BATCHES: [usize; 4] = [1, 8, 32, 128];
/// Encodings after each fit of `tfidf`.
const ENCODINGS: usize = 10;
/// Tokens embedded for each length and batch.
const TOKENS: usize = 8192;

fn main() {
    let arguments = Arguments::parse();
    if arguments.ngrams {
        return ngrams(&arguments);
    }
    let located = Resolver::from_env().locate(&arguments.encoder);
    let folder = located.unwrap_or_else(|| panic!("`runner models pull {}` fetches it", arguments.encoder)).folder;
    let mut peer = Peer::start(&folder, arguments.threads);
    if arguments.lengths {
        by_length(&arguments, &folder, peer.as_mut());
    } else {
        titles(&arguments, &folder, peer.as_mut());
    }
}

fn open(folder: &Path, precision: &str, batch_tokens: Option<usize>) -> Box<dyn TextEncoder> {
    let precision = serde_json::from_value(json!(precision)).expect("a precision");
    let options = TransformerOptions { precision, batch_tokens, ..TransformerOptions::default() };
    encoder::open(folder, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn titles(arguments: &Arguments, folder: &Path, mut peer: Option<&mut Peer>) {
    let texts = arguments.titles();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoders = PRECISIONS.map(|precision| open(folder, precision, arguments.batch_tokens));
    let mut ours = [f64::MAX; PRECISIONS.len()];
    let mut theirs = [f64::MAX; PEERS.len()];
    let mut vectors: Vec<Matrix> = Vec::new();
    for _ in 0..arguments.rounds {
        vectors.clear();
        for (encoder, best) in encoders.iter().zip(&mut ours) {
            let clock = Instant::now();
            vectors.push(encoder.encode(&texts, arguments.threads, &Silent).expect("vectors"));
            *best = best.min(clock.elapsed().as_secs_f64());
        }
        if let Some(peer) = peer.as_deref_mut() {
            for ((engine, _), best) in PEERS.iter().zip(&mut theirs) {
                PEER_BATCHES.iter().for_each(|batch| *best = best.min(peer.seconds(engine, &texts, *batch)));
            }
        }
    }
    println!("{} distinct titles, {} threads, best of {} rounds", texts.len(), arguments.threads, arguments.rounds);
    let count = texts.len() as f64;
    let ratios = |seconds: f64| -> String {
        let with_peer = theirs.iter().zip(PEERS).filter(|(theirs, _)| **theirs < f64::MAX);
        with_peer.map(|(theirs, (_, name))| format!("   {:5.2} × {name}", theirs / seconds)).collect()
    };
    for ((precision, seconds), rows) in PRECISIONS.iter().zip(ours).zip(&vectors) {
        let (mean, least) = cosines(rows, &vectors[0]);
        let kept = format!("   cosine to f32 {mean:.6}, least {least:.6}");
        println!("{precision:22} {:7.0} titles/s{}{kept}", count / seconds, ratios(seconds));
    }
    for ((engine, name), seconds) in PEERS.iter().zip(theirs).filter(|(_, seconds)| *seconds < f64::MAX) {
        let (_, least) = cosines(&peer.as_deref_mut().expect("a peer").vectors(engine, &texts), &vectors[0]);
        println!("{name:22} {:7.0} titles/s   least cosine to our f32 {least:.7}", count / seconds);
    }
}

/// Texts of equal length, in batches of so many: what is computed at once.
fn by_length(arguments: &Arguments, folder: &Path, mut peer: Option<&mut Peer>) {
    println!(
        "texts/s by length in tokens and texts a batch, {} threads, best of {}",
        arguments.threads, arguments.rounds
    );
    let names: Vec<&str> = PRECISIONS.into_iter().chain(PEERS.map(|(_, name)| name)).collect();
    println!("{:>6} {:>6}   {}", "length", "batch", names.join("   "));
    let mut lines = vec![vec![Vec::new(); names.len()]; BATCHES.len()];
    for length in LENGTHS {
        let texts = texts_of(length, TOKENS / length);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (batch, lines) in BATCHES.into_iter().zip(&mut lines) {
            if batch > texts.len() {
                continue;
            }
            let encoders = PRECISIONS.map(|precision| open(folder, precision, Some(length * batch)));
            let mut best = vec![f64::MAX; names.len()];
            for _ in 0..arguments.rounds {
                for (encoder, best) in encoders.iter().zip(&mut best) {
                    let clock = Instant::now();
                    encoder.encode(&texts, arguments.threads, &Silent).expect("vectors");
                    *best = best.min(clock.elapsed().as_secs_f64());
                }
                if let Some(peer) = peer.as_deref_mut() {
                    for ((engine, _), best) in PEERS.iter().zip(&mut best[PRECISIONS.len()..]) {
                        *best = best.min(peer.seconds(engine, &texts, batch));
                    }
                }
            }
            print!("{length:6} {batch:6}  ");
            for ((seconds, name), line) in best.iter().zip(&names).zip(lines) {
                let width = name.len().max(6);
                if *seconds == f64::MAX {
                    print!(" {:>width$}  ", "-");
                    continue;
                }
                let rate = texts.len() as f64 / seconds;
                print!(" {rate:width$.0}  ");
                line.push((length as f64, rate));
            }
            println!();
        }
    }
    if let Some(file) = &arguments.figure {
        let charts = BATCHES.iter().zip(&lines).map(|(batch, lines)| rates(*batch, &names, lines));
        let title = "Texts a second by their length, one chart for each size of batch";
        let description = "Rates of three precisions and two peers fall with the length of the texts.";
        std::fs::write(file, grid(title, description, charts.collect(), 2).svg()).expect("the figure is written");
    }
}

/// Texts a second over length: ours in colours, peers dashed.
fn rates(batch: usize, names: &[&str], points: &[Vec<(f64, f64)>]) -> Drawing {
    let ours = |i: usize| i < PRECISIONS.len();
    let line = |i: usize| Line {
        name: names[i].to_owned(),
        points: points[i].clone(),
        band: Vec::new(),
        paint: Paint::Class(i),
        dashed: !ours(i),
    };
    line_chart(&LineChart {
        title: &format!("Texts a batch: {batch}"),
        x_label: "tokens a text",
        y_label: "texts a second",
        lines: (0..names.len()).filter(|&i| !points[i].is_empty()).map(line).collect(),
        log_y: true,
        ..LineChart::default()
    })
}

fn ngrams(arguments: &Arguments) {
    let texts = arguments.titles();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut best = [f64::MAX; 3];
    for _ in 0..arguments.rounds {
        let clock = Instant::now();
        let fitted = Tfidf::fit(&texts, TfidfOptions::default(), 1, 1, &Silent).expect("an encoder").to_bytes();
        best[0] = best[0].min(clock.elapsed().as_secs_f64());
        // Short beside the fit, and the fastest counts.
        for _ in 0..ENCODINGS {
            let tfidf = Tfidf::from_bytes(&fitted).expect("an encoder");
            // First it meets every word for the first time, then for the second.
            for best in &mut best[1..] {
                let clock = Instant::now();
                tfidf.encode(&texts, 1, &Silent).expect("vectors");
                *best = best.min(clock.elapsed().as_secs_f64());
            }
        }
    }
    let [fit, first, again] = best;
    let rate = |seconds: f64| texts.len() as f64 / seconds;
    println!("{} distinct titles, one thread", texts.len());
    println!(
        "runner         fitted in {fit:6.2} s, {:9.0} titles/s after that, {:9.0} where all words were met before",
        rate(first),
        rate(again)
    );
    let Some(python) = std::env::var_os("RUNNER_TEST_PYTHON") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/ngrams.py");
    let mut child =
        (Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()).expect("python");
    child.stdin.take().expect("stdin").write_all(json!(texts).to_string().as_bytes()).expect("the titles");
    let answer = child.wait_with_output().expect("an answer");
    let [theirs, then]: [f64; 2] = serde_json::from_slice(&answer.stdout).expect("two times");
    println!("scikit-learn   fitted in {theirs:6.2} s, {:9.0} titles/s after that", rate(then));
    println!("ratios         {:.2} of its time to fit, {:.1} times its rate", fit / theirs, then / first);
}

/// Distinct texts of exactly `length` tokens for the BERT family's usual English vocabulary: common words, of one token each,
/// between the two special ones.
fn texts_of(length: usize, count: usize) -> Vec<String> {
    const WORDS: &str = "time year people way day man thing woman life child world school state family student group country problem \
        hand part place case week company system program question work government number night point home water room mother \
        area money story fact month lot right study book eye job word business issue side kind head house service friend father";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut stream = Stream::new(1, "texts of a length", length as u64);
    let mut text = || (2..length).map(|_| words[stream.below(words.len())]).collect::<Vec<_>>().join(" ");
    (0..count).map(|_| text()).collect()
}

/// Mean and least cosine of corresponding rows.
fn cosines(rows: &Matrix, truth: &Matrix) -> (f64, f64) {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = |i: usize| {
        let (a, b) = (rows.row(i), truth.row(i));
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let all: Vec<f64> = (0..rows.rows).map(cosine).collect();
    (all.iter().sum::<f64>() / all.len() as f64, all.iter().copied().fold(f64::MAX, f64::min))
}

struct Arguments {
    csv: PathBuf,
    column: String,
    encoder: String,
    limit: usize,
    threads: usize,
    rounds: usize,
    lengths: bool,
    figure: Option<PathBuf>,
    ngrams: bool,
    batch_tokens: Option<usize>,
}

impl Arguments {
    fn parse() -> Arguments {
        let mut parsed = Arguments {
            csv: Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/train.csv"),
            column: "track_name".to_owned(),
            encoder: "sentence-transformers/all-MiniLM-L6-v2".to_owned(),
            limit: 3000,
            threads: 2,
            rounds: 5,
            lengths: false,
            figure: None,
            ngrams: false,
            batch_tokens: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number");
            match word.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--lengths" => parsed.lengths = true,
                "--ngrams" => parsed.ngrams = true,
                "--limit" => parsed.limit = number(),
                "--batch-tokens" => parsed.batch_tokens = Some(number()),
                "--threads" => parsed.threads = number(),
                "--rounds" => parsed.rounds = number(),
                "--figure" => parsed.figure = Some(PathBuf::from(words.next().expect("a file"))),
                "--column" => parsed.column = words.next().expect("a column"),
                "--encoder" => parsed.encoder = words.next().expect("an encoder"),
                file => parsed.csv = PathBuf::from(file),
            }
        }
        parsed
    }

    /// The first distinct titles in the order of the alphabet.
    fn titles(&self) -> Vec<String> {
        let mut reader =
            csv::Reader::from_path(&self.csv).unwrap_or_else(|error| panic!("{}: {error}", self.csv.display()));
        let headers = reader.headers().expect("a header");
        let column = headers.iter().position(|name| name == self.column);
        let column = column.unwrap_or_else(|| panic!("no column '{}'", self.column));
        let titles: BTreeSet<String> = reader.records().map(|row| row.expect("a row")[column].to_owned()).collect();
        titles.into_iter().take(self.limit).collect()
    }
}

/// Python, waiting for texts.
struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Holds the exported model.
    _scratch: tempfile::TempDir,
}

impl Peer {
    fn start(model: &Path, threads: usize) -> Option<Peer> {
        let python = std::env::var_os("RUNNER_TEST_PYTHON")?;
        let scratch = tempfile::tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/embed.py");
        let mut command = Command::new(python);
        command.arg(script).arg(model).arg(threads.to_string()).arg(scratch.path());
        command.env_clear().env("HF_HUB_OFFLINE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut peer = Peer { child, to, from, _scratch: scratch };
        println!("peers: {}", peer.answer());
        Some(peer)
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("python needs onnxruntime, onnx, torch and sentence-transformers")
    }

    fn ask(&mut self, engine: &str, texts: &[&str], batch: usize, vectors: bool) -> Value {
        let wish = json!({"engine": engine, "texts": texts, "batch": batch, "vectors": vectors});
        writeln!(self.to, "{wish}").expect("python listens");
        self.answer()
    }

    fn seconds(&mut self, engine: &str, texts: &[&str], batch: usize) -> f64 {
        self.ask(engine, texts, batch, false)["seconds"].as_f64().expect("seconds")
    }

    fn vectors(&mut self, engine: &str, texts: &[&str]) -> Matrix {
        let answer = self.ask(engine, texts, 64, true);
        let rows: Vec<Vec<f32>> = serde_json::from_value(answer["vectors"].clone()).expect("vectors");
        Matrix::from_vec(rows.len(), rows[0].len(), rows.concat())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
