//! Texts of pipeline files: whatever they are, there is a plan or problems with their places, drawn without control characters.

use runner::engine::Plan;
use runner::{spec, stages};

use super::fuzz;

const INCLUDED: &str = "seed: 3\nvars: {size: [8, 4]}\nstages:\n  other: {kind: load, files: {a: nowhere.csv}}\n";

const EVERYTHING: &str = r#"name: study
seed: 7
vars: {data: nowhere, lr: 1e-3, size: [8, 4]}
templates:
  net: &net
    kind: train
    rows: folds
    numeric: [a, b]
    epochs: 3
    optimizer: {kind: adamw, lr: "${lr}", betas: [0.9, 0.99]}
stages:
  songs:
    kind: load
    files: {train: "${data}/train.csv", test: "${data}/test.csv"}
    label: genre
    where: {tempo: {min: 1, max: 2}, genre: [pop, rap]}
    derive: {year: {year_of: day}, wave: {sin_of: key, period: 12}}
  folds: {kind: split, rows: songs, groups: [id, [title, artist]], train: 0.7, valid: 0.15, test: 0.15, folds: 3}
  titles: {kind: embed, rows: songs, fit: folds.train, columns: [title], encoder: tfidf, tfidf: {dim: 8, word_ngrams: [1, 2]}}
  base: {kind: baseline, rows: folds, numeric: [a], models: {logistic: {c: 3}, boosting: {rounds: 5, early_stopping_fraction: 0.1}}}
  net: {extends: net, text: [title], embeddings: titles, matrix: {depth: [1, 2]}, as: "net-${depth}", network: {trunk: {layers: "${size}"}, dropout: 0.2}}
  tuned: {extends: net, search: {method: tpe, trials: 4, space: {optimizer.lr: {log_uniform: [1e-4, 1e-2]}, network.dropout: {choice: [0, 0.5]}}}}
  all: {kind: ensemble, members: [base, net], models: [base, net]}
  look: {kind: inspect, model: all, rows: folds, show: [title]}
  moved: {kind: transfer, model: tuned, rows: folds, strategies: [scratch, frozen], shares: [0.1], seeds: 2}
  new: {kind: predict, model: net-1, rows: songs.test, file: o.csv}
  own: {kind: command, run: [python3, x.py, "{rows}", "{out}/r.json"], inputs: {rows: folds}, outputs: {r: r.json}, timeout: 5}
  page: {kind: report, title: T, stages: [folds, base, net]}
  text: {kind: article, title: T, author: A, stages: [page], language: fr}
  hand: {kind: bundle, name: hand_in, stages: [page, new], files: {a.yaml: a.yaml}, resources: {cpus: 2, memory: 4 GB}}
"#;

#[test]
fn any_text_is_a_plan_or_problems() {
    let small = [
        "stages: {a: {kind: load, files: {x: y.csv}}}\n",
        "include: [a.yaml, b.yaml]\nstages: {}\n",
        "a: &a [1, 2]\nb: *a\n<<: {c: 1}\nstages:\n  x: {<<: *a}\n",
        "stages:\n  s: {kind: split, rows: s, folds: 1}\n  t: {kind: split, rows: u}\n  u: {kind: split, rows: t}\n",
    ];
    let mut seeds: Vec<Vec<u8>> = small.iter().map(|text| text.as_bytes().to_vec()).collect();
    seeds.push(EVERYTHING.as_bytes().to_vec());
    seeds.push(INCLUDED.as_bytes().to_vec());
    let words = [
        "${",
        "}",
        "${lr}",
        "$${",
        "${matrix.depth}",
        "&x ",
        "*x",
        "<<: ",
        "!tag ",
        "|\n",
        ">\n",
        "- ",
        ": ",
        "? ",
        "#",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "null",
        "~",
        ".inf",
        ".nan",
        "-1",
        "1e18",
        "18446744073709551616",
        "0x1f",
        "true",
        "extends",
        "include: ",
        "matrix: ",
        "as: ",
        "kind: ",
        "..",
        "a/b",
        "nul",
        "\t",
        "\r",
        "\u{feff}",
        "\u{202e}",
        "\0",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
    ];
    fuzz("yaml", &seeds, &words, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let planned = spec::parse("fuzz.yaml", &text, &[]).and_then(|spec| {
            let effective = spec.effective(&|_| true, &|_| None, &|_, _| None);
            let again = spec::parse("effective.yaml", &effective, &[])
                .unwrap_or_else(|problems| panic!("{problems}\n{effective}"));
            let bodies = |spec: &spec::PipelineSpec| -> Vec<_> {
                spec.stages
                    .values()
                    .map(|stage| (stage.name.clone(), stage.kind.clone(), stage.body.to_json()))
                    .collect()
            };
            assert_eq!(bodies(&again), bodies(&spec), "{effective}");
            assert_eq!(again.name, spec.name);
            Plan::new(spec, stages::registry())
        });
        if let Err(problems) = planned {
            assert!(!problems.list.is_empty());
            let drawn = problems.render(false);
            assert!(drawn.starts_with("error: "), "{drawn:?}");
            let hidden = |c: char| {
                (c.is_control() && !matches!(c, '\n' | '\t'))
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!drawn.contains(hidden), "{drawn:?}");
        }
    });
}
