//! The pipeline of a new study, as a file that somebody reads and changes: every choice stands with its reason.

use std::borrow::Cow;
use std::time::Duration;

use super::columns::Use;
use super::table::StudyTable;
use crate::boundary::text::{quoted, yaml};
use crate::results::Balance;
use crate::tabular::Dialect;

/// Where the files are, as seen from the folder of the pipeline.
pub(super) struct Places {
    pub(super) train: String,
    pub(super) new: Option<String>,
    /// The command that made the draft.
    pub(super) command: String,
}

/// The time of a first run that sizes are made for unless another is asked for.
pub(super) const USUAL: Duration = Duration::from_secs(300);

/// From this many times the usual time on a part of it goes into a search.
const WORTH_A_SEARCH: f64 = 4.0;

/// The pipeline file, for a first run of about that time on two cores.
pub(super) fn pipeline(
    name: &str,
    study: &StudyTable,
    places: &Places,
    encoder: Option<&str>,
    budget: Duration,
) -> String {
    let of = |wanted: Use| -> Vec<&str> {
        study.columns.iter().filter(|column| column.use_ == wanted).map(|column| column.name.as_str()).collect()
    };
    let derived = study.columns.iter().flat_map(|column| &column.derived).map(|(name, _)| name.as_str());
    let numeric: Vec<&str> = of(Use::Numeric).into_iter().chain(derived).collect();
    let (categories, texts) = (of(Use::Category), of(Use::Text));
    let mut out = Draft::default();
    out.line(0, "# yaml-language-server: $schema=./schema.json");
    out.line(0, &format!("# Made by `{}`. Every choice is yours to change.", one_line(&places.command)));
    out.line(0, &format!("name: {}", yaml(name)));
    out.line(0, "seed: 1");
    metric(&mut out, study);
    out.line(0, "");
    out.line(0, "stages:");
    load(&mut out, study, places);
    split(&mut out, study, places);
    out.line(1, "");
    out.line(1, "# Distributions, correlations, and whether a column leaks the label.");
    out.line(1, "profile: {kind: describe, rows: folds}");
    let embedded = !texts.is_empty();
    if embedded {
        out.line(1, "");
        embed(&mut out, &texts, encoder);
    }
    learners(&mut out, study, &numeric, &categories, &texts, encoder, budget);
    final_model(&mut out, embedded);
    if places.new.is_some() {
        out.line(1, "");
        out.line(1, "predictions:");
        out.line(2, "kind: predict");
        out.line(2, "model: best");
        out.line(2, "rows: data.new");
        if embedded {
            out.line(2, "embeddings: words");
        }
        // Rows are written as they are, with what stands between their fields.
        let ending = if study.sniffed.dialect.delimiter == '\t' { "tsv" } else { "csv" };
        out.line(2, &format!("file: predictions.{ending}"));
    }
    let mut stages = vec!["data", "folds", "profile"];
    stages.extend(embedded.then_some("words"));
    stages.extend(["baseline", "network", "average", "best"]);
    stages.extend(places.new.is_some().then_some("predictions"));
    out.line(1, "");
    out.line(1, "report:");
    out.line(2, "kind: report");
    out.line(2, &format!("title: {}", yaml(name)));
    out.line(2, &format!("stages: [{}]", stages.join(", ")));
    out.0
}

#[derive(Default)]
struct Draft(String);

impl Draft {
    fn line(&mut self, level: usize, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&"  ".repeat(level));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    /// `key: [a, b]`, in lines that fit.
    fn list(&mut self, level: usize, key: &str, names: &[&str]) {
        self.items(level, key, &names.iter().map(|name| yaml(name)).collect::<Vec<_>>());
    }

    /// The same of values that are written as YAML already.
    fn items(&mut self, level: usize, key: &str, items: &[String]) {
        const WIDTH: usize = 110;
        if items.is_empty() {
            return;
        }
        let mut line = format!("{key}: [");
        for (i, item) in items.iter().enumerate() {
            let item = format!("{item}{}", if i + 1 < items.len() { ", " } else { "]" });
            if line.trim_start().len() > 1 && line.len() + item.len() > WIDTH {
                self.line(level, line.trim_end());
                line = "  ".to_owned();
            }
            line.push_str(&item);
        }
        self.line(level, line.trim_end());
    }
}

/// What models are chosen by, with the reason: classes that are left out below do not count.
fn metric(out: &mut Draft, study: &StudyTable) {
    let classes: Vec<&(String, usize)> = study.classes.iter().filter(|(_, rows)| *rows >= study.least).collect();
    let balance = Balance::of(&classes.iter().map(|(_, rows)| *rows as u64).collect::<Vec<_>>());
    // The most frequent comes first.
    let rarer = classes.last().map_or("", |(class, _)| class.as_str());
    let why = match balance {
        Balance::RareOfTwo { share } => format!(
            "Only {:.1} % of the rows are of class {}: accuracy and F1 depend on a threshold, how early those rows are found does not.",
            100.0 * share,
            one_line(rarer)
        ),
        Balance::Two => "Both classes count the same, whatever their sizes.".to_owned(),
        Balance::Several => format!("Each of {} classes counts the same, however rare it is.", classes.len()),
    };
    out.line(0, &format!("# Chooses epochs, the weights of the ensemble and the best model. {why}"));
    out.line(0, &format!("metric: {}", balance.metric().key()));
    if let Balance::RareOfTwo { .. } = balance {
        out.line(0, "# The class that `metric` is about. The likelier class is predicted; with `threshold: f1` on `average` more rows of this one are found.");
        out.line(0, &format!("positive: {}", yaml(rarer)));
    }
}

fn load(out: &mut Draft, study: &StudyTable, places: &Places) {
    let is_used = |use_: Use| study.columns.iter().filter(move |column| column.use_ == use_);
    for (use_, what) in [
        (Use::Numeric, "Numbers"),
        (Use::Quantity, "Numbers in texts"),
        (Use::Date, "Dates"),
        (Use::Category, "Categories"),
        (Use::Elements, "Several values"),
        (Use::Text, "Texts"),
        (Use::LeftOut, "Left out"),
    ] {
        if is_used(use_).next().is_some() {
            out.line(1, &format!("# {what}:"));
        }
        for column in is_used(use_) {
            out.line(1, &format!("#   {}: {}", one_line(&column.name), one_line(&column.why)));
        }
    }
    out.line(1, "data:");
    out.line(2, "kind: load");
    match &places.new {
        Some(new) => out.line(2, &format!("files: {{train: {}, new: {}}}", yaml(&places.train), yaml(new))),
        None => out.line(2, &format!("files: {{train: {}}}", yaml(&places.train))),
    }
    for note in study.unlabelled.iter().chain(&study.kept) {
        out.line(2, &format!("# {}", one_line(note)));
    }
    out.line(2, &format!("label: {}", yaml(&study.label)));
    class_order(out, study);
    for (key, reason) in &study.sniffed.reasons {
        let Some(value) = setting(&study.sniffed.dialect, key) else { continue };
        out.line(2, &format!("# {}", one_line(reason)));
        out.line(2, &format!("{key}: {value}"));
    }
    if !study.numbers.is_empty() {
        out.line(2, "# Some of their numbers have leading zeros; `text` keeps these.");
        let types: Vec<String> = study.numbers.iter().map(|column| format!("{}: number", yaml(column))).collect();
        out.line(2, &format!("types: {{{}}}", types.join(", ")));
    }
    if !study.missing.is_empty() {
        if study.missing.values().any(|changes| !changes.add.is_empty()) {
            out.line(2, "# Not numbers, in columns of numbers: taken for missing values.");
        }
        out.line(2, "missing:");
        for (column, changes) in &study.missing {
            let list = |tokens: &[String]| tokens.iter().map(|token| yaml(token)).collect::<Vec<_>>().join(", ");
            let parts = [("add", &changes.add), ("remove", &changes.remove)].into_iter();
            let parts = parts.filter(|(_, tokens)| !tokens.is_empty());
            let parts: Vec<String> = parts.map(|(key, tokens)| format!("{key}: [{}]", list(tokens))).collect();
            out.line(3, &format!("{}: {{{}}}", yaml(column), parts.join(", ")));
        }
    }
    let mut derived = study.columns.iter().flat_map(|column| &column.derived).peekable();
    if derived.peek().is_some() {
        out.line(2, "derive:");
    }
    for (name, how) in derived {
        out.line(3, &format!("{}: {how}", yaml(name)));
    }
}

fn class_order(out: &mut Draft, study: &StudyTable) {
    let Some(order) = &study.order else { return };
    // A number as the user would write it, without quotes.
    let bare = |class: &String| class.parse::<i64>().is_ok_and(|number| number.to_string() == *class);
    let items = order.classes.iter().map(|class| if bare(class) { class.clone() } else { yaml(class) });
    let items: Vec<String> = items.collect();
    if order.is_sure {
        out.line(2, "# Scores then tell by how many classes predictions are off; `metric: quadratic_kappa` and `loss: ordinal` reckon with it.");
        out.items(2, "class_order", &items);
    } else {
        out.line(2, "# Where the order of these numbers means something, remove the next `#`: scores then tell by how many classes predictions are off.");
        out.line(2, &format!("# class_order: [{}]", items.join(", ")));
    }
}

/// A setting of how files are read, as YAML.
fn setting(dialect: &Dialect, key: &str) -> Option<String> {
    let value = serde_json::to_value(dialect).ok()?.get(key)?.clone();
    match value {
        serde_json::Value::String(text) => Some(yaml(&text)),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn split(out: &mut Draft, study: &StudyTable, places: &Places) {
    out.line(0, "");
    let shown: Vec<String> =
        study.classes.iter().take(8).map(|(class, rows)| format!("{} {rows}", one_line(class))).collect();
    let more = if study.classes.len() > shown.len() { " …" } else { "." };
    out.line(
        1,
        &format!("# {} labelled rows, {} classes: {}{more}", study.rows, study.classes.len(), shown.join(", ")),
    );
    out.line(1, "folds:");
    out.line(2, "kind: split");
    if places.new.is_some() {
        out.line(2, "# Rows of the other file are for predictions alone, whether or not they have a label.");
        out.line(2, "rows: data.train");
    } else {
        out.line(2, "rows: data");
    }
    out.line(2, "folds: 3");
    if let Some((columns, copies)) = &study.groups {
        let (rows, repeat) = if *copies == 1 { ("row", "repeats") } else { ("rows", "repeat") };
        let what = match columns.as_slice() {
            [one] => format!("the {} of an earlier row", one_line(one)),
            _ => "an earlier row in all columns that are learnt from".to_owned(),
        };
        out.line(2, &format!("# {copies} {rows} {repeat} {what}: such rows stay on one side of the split."));
        let columns: Vec<String> = columns.iter().map(|column| yaml(column)).collect();
        out.line(2, &format!("groups: [[{}]]", columns.join(", ")));
    }
    if study.classes.iter().any(|(_, rows)| *rows < study.least) {
        out.line(2, "# Rarer classes cannot be learnt and tested; `rare_classes: other` makes one of them.");
        out.line(2, &format!("min_class_rows: {}", study.least));
    }
}

fn embed(out: &mut Draft, texts: &[&str], encoder: Option<&str>) {
    match encoder {
        None => out.line(1, "# Words and their parts for the network. An encoder knows meanings too: `encoder: sentence-transformers/all-MiniLM-L6-v2`."),
        Some(_) => out.line(1, "# Vectors of a pretrained encoder."),
    }
    out.line(1, "words:");
    out.line(2, "kind: embed");
    out.line(2, "rows: data");
    out.line(2, "fit: folds.train");
    out.list(2, "columns", texts);
    out.line(2, &format!("encoder: {}", encoder.map_or("tfidf".to_owned(), yaml)));
}

fn learners(
    out: &mut Draft,
    study: &StudyTable,
    numeric: &[&str],
    categories: &[&str],
    texts: &[&str],
    encoder: Option<&str>,
    budget: Duration,
) {
    // Time goes with rows: fewer rounds and epochs where there are many.
    let (rounds, epochs) = match study.rows {
        0..5_000 => (150.0, 60.0),
        5_000..50_000 => (200.0, 25.0),
        _ => (200.0, 6.0),
    };
    let effort = budget.as_secs_f64() / USUAL.as_secs_f64();
    let scaled = |usual: f64| (usual * effort.clamp(0.2, 2.0)).round().max(3.0);
    let (rounds, epochs) = (scaled(rounds), scaled(epochs));
    let learning_rate = if effort > 1.5 { 0.03 } else { 0.05 };
    let inputs = |out: &mut Draft, embedded: bool| {
        out.line(2, "rows: folds");
        out.list(2, "numeric", numeric);
        out.list(2, "categories", categories);
        if embedded && !texts.is_empty() {
            out.line(2, "embeddings: words");
            out.list(2, "text", texts);
        }
    };
    out.line(1, "");
    out.line(1, "baseline:");
    out.line(2, "kind: baseline");
    inputs(out, encoder.is_some());
    if !texts.is_empty() {
        out.line(2, "# A column for each word and part of a word.");
        out.list(2, "texts", texts);
    }
    out.line(2, "models:");
    out.line(3, "majority: {}");
    out.line(3, "logistic: {}");
    if study.order.as_ref().is_some_and(|order| order.is_sure) {
        out.line(3, "ordinal_logistic: {}");
    }
    if !texts.is_empty() {
        out.line(3, "linear_svm: {}");
    }
    if study.rows < 50_000 && effort >= 0.5 {
        out.line(3, "random_forest: {trees: 200}");
    }
    out.line(3, &format!("boosting: {{rounds: {rounds}, learning_rate: {learning_rate}}}"));
    out.line(1, "");
    out.line(
        1,
        match numeric {
            [] => "# Members that share their weights (arXiv 2410.24210).",
            _ => "# Piecewise-linear numbers (arXiv 2203.05556), and members that share their weights (arXiv 2410.24210).",
        },
    );
    out.line(1, "network:");
    out.line(2, "kind: train");
    out.line(2, "display_name: {en: the network, fr: le réseau}");
    inputs(out, true);
    out.line(2, "network:");
    if !numeric.is_empty() {
        out.line(3, "numeric: {embedding: piecewise_linear, bins: 24, width: 8}");
    }
    out.line(3, "trunk: {kind: tabm, layers: [256, 256], members: 8}");
    out.line(3, "dropout: 0.2");
    out.line(2, &format!("epochs: {epochs}"));
    out.line(2, "optimizer: {kind: adamw, lr: 2.0e-3, weight_decay: 3.0e-2}");
    if effort >= 2.0 {
        out.line(2, "# Several networks, of which the average is taken, are better than one.");
        out.line(2, &format!("seeds: {}", effort.min(5.0).floor()));
    }
    if effort >= WORTH_A_SEARCH {
        out.line(2, "search:");
        out.line(3, "method: random");
        out.line(3, &format!("minutes: {}", (budget.as_secs_f64() / 120.0).round()));
        out.line(3, "space:");
        out.line(4, "optimizer.lr: {log_uniform: [5.0e-4, 8.0e-3]}");
        out.line(4, "network.dropout: {uniform: [0.0, 0.5]}");
        out.line(4, "network.trunk.layers: {choice: [[128, 128], [256, 256], [384, 384], [256, 256, 256]]}");
    }
    out.line(1, "");
    out.line(
        1,
        "# The average of the others, by weights that validation rows chose. Predictions come from it, also where the page finds one of them ahead by a little.",
    );
    out.line(1, "average:");
    out.line(2, "kind: ensemble");
    out.line(2, "display_name: {en: the average of all models, fr: la moyenne de tous les modèles}");
    out.line(2, "members: [baseline, network]");
    out.line(2, "models: [baseline, network]");
}

fn final_model(out: &mut Draft, embedded: bool) {
    out.line(1, "");
    out.line(1, "# The model to use: the average, fitted again on all labelled rows. `runner predict pipeline.yaml best FILE` predicts with it.");
    out.line(1, "best:");
    out.line(2, "kind: refit");
    out.line(2, "model: average");
    out.line(2, "rows: folds");
    if embedded {
        out.line(2, "embeddings: words");
    }
}

/// In a comment nothing may end the line: line breaks are escapes.
fn one_line(text: &str) -> Cow<'_, str> {
    quoted(text)
}
