//! What the engine must do, predicted from values alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use runner::artifact::Digest;
use runner::engine::Outcome;

use super::toys::*;

/// A port's table: `value`, and the constant `extra`.
pub(super) type Rows = (Vec<i64>, i64);

/// What a stage is asked to do with what, and what comes of it, by file name.
pub(super) struct Answer {
    pub(super) key: String,
    pub(super) ports: BTreeMap<&'static str, Rows>,
    pub(super) files: BTreeMap<&'static str, String>,
}

/// What every stage must give; `None` for what fails or depends on what fails.
pub(super) fn answers(study: &Study, folder: &Path) -> Vec<Option<Answer>> {
    let mut answers: Vec<Option<Answer>> = Vec::new();
    for toy in &study.stages {
        let answer = answer(study, folder, toy, &answers);
        answers.push(answer);
    }
    answers
}

pub(super) fn answer(study: &Study, folder: &Path, toy: &Toy, above: &[Option<Answer>]) -> Option<Answer> {
    let extra = toy.extra;
    let (key, ports) = match &toy.work {
        Work::Lines { file } => {
            let content = CONTENTS[study.files[*file]];
            let values: Vec<i64> = content.lines().map(|line| line.parse().expect("a number")).collect();
            let ports = BTreeMap::from([("head", (values[..1].to_vec(), extra)), ("rows", (values, extra))]);
            (format!("lines {extra} {content}"), ports)
        }
        Work::Sum { fail: true, .. } => return None,
        Work::Sum { rows, reads_extra, factor, round_to, fail } => {
            let mut total = study.seed + study.version;
            let mut key =
                format!("sum {extra} {} {} {reads_extra} {factor} {round_to} {fail}", study.seed, study.version);
            for &(from, head) in rows {
                let head = head && matches!(study.stages[from].work, Work::Lines { .. });
                let (values, other) = &above[from].as_ref()?.ports[if head { "head" } else { "rows" }];
                let read = if *reads_extra { vec![*other; values.len()] } else { values.clone() };
                total += read.iter().sum::<i64>() * factor;
                key.push_str(&format!(" {read:?}"));
            }
            let value = total / round_to * round_to;
            (key, BTreeMap::from([("rows", (vec![value], extra))]))
        }
        Work::Tell { stages } => {
            let mut text = format!("tell {extra}");
            for &from in stages {
                let (told, files) = (&study.stages[from], &above[from].as_ref()?.files);
                // A report is told of versions, parameters and links too, but not of what they make of the sources and of the seed.
                let links: Vec<String> = match &told.work {
                    Work::Lines { file } => vec![folder.join(format!("{file}.txt")).display().to_string()],
                    Work::Sum { rows, .. } => rows.iter().map(|input| study.reference(*input)).collect(),
                    Work::Tell { stages } => stages.iter().map(|&i| study.stages[i].name.clone()).collect(),
                };
                let params = match &told.work {
                    Work::Sum { reads_extra, factor, round_to, fail, .. } => {
                        format!("{} {reads_extra} {factor} {round_to} {fail}", study.version)
                    }
                    _ => String::new(),
                };
                text.push_str(&format!(" {} {} {params} {links:?} {files:?}", told.name, told.extra));
            }
            let files = BTreeMap::from([("page.txt", text.clone())]);
            return Some(Answer { key: text, ports: BTreeMap::new(), files });
        }
    };
    let file = |port: &&'static str| if *port == "head" { "head.arrow" } else { "rows.arrow" };
    let files = ports.iter().map(|(port, rows)| (file(port), format!("{rows:?}"))).collect();
    Some(Answer { key, ports, files })
}

pub(super) fn fails(toy: &Toy) -> bool {
    matches!(toy.work, Work::Sum { fail: true, .. })
}

/// What a store and a folder hold, as far as the next run is concerned.
#[derive(Default)]
pub(super) struct Model {
    /// The files of every result that was ever committed, by what was asked.
    pub(super) committed: HashMap<String, BTreeMap<&'static str, String>>,
    /// Contents of sound blobs.
    pub(super) blobs: HashSet<String>,
    /// By stage: what was asked for the result that lies in its folder.
    pub(super) current: HashMap<String, String>,
    /// Files for people that are as they were put there.
    pub(super) people: HashSet<(String, &'static str)>,
    pub(super) digests: HashMap<String, Digest>,
}

impl Model {
    /// How each stage must end, and what is true afterwards.
    pub(super) fn run(&mut self, study: &Study, answers: &[Option<Answer>]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (toy, answer) in study.stages.iter().zip(answers) {
            let lost = |&i: &usize| matches!(outcomes[i], Outcome::Failed | Outcome::Blocked);
            let blocked = match &toy.work {
                Work::Lines { .. } => false,
                Work::Sum { rows, .. } => rows.iter().any(|(from, _)| lost(from)),
                Work::Tell { stages } => stages.iter().any(lost),
            };
            let outcome = match answer {
                _ if blocked => Outcome::Blocked,
                _ if fails(toy) => Outcome::Failed,
                Some(answer) => self.settle(&toy.name, answer),
                None => panic!("'{}' has no answer and does not fail", toy.name),
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    pub(super) fn settle(&mut self, stage: &str, answer: &Answer) -> Outcome {
        let Answer { key, files, .. } = answer;
        let known = self.committed.contains_key(key) && files.values().all(|content| self.blobs.contains(content));
        let placed = files.keys().all(|file| self.people.contains(&(stage.to_owned(), *file)));
        let current = self.current.get(stage) == Some(key);
        self.committed.insert(key.clone(), files.clone());
        self.blobs.extend(files.values().cloned());
        self.current.insert(stage.to_owned(), key.clone());
        self.people.extend(files.keys().map(|file| (stage.to_owned(), *file)));
        match known {
            true if current && placed => Outcome::Fresh,
            true => Outcome::Restored,
            false => Outcome::Ran,
        }
    }
}
