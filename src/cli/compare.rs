//! `runner compare`: two runs, or two models, with paired statistics.

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use super::{DONE, Failure, Outcome, StoreArguments, screen};
use crate::artifact::Store;
use crate::engine::StageEntry;
use crate::engine::{ActionRecord, History, RunRecord};
use crate::report::compared::other_verdicts;
use crate::report::{counted, intervals, noun};
use crate::results::comparison::{Flip, PairedComparison, Pairing, Verdict};
use crate::stages::compare::{
    Comparison, How, ModelRef, Texts, UnknownModel, compare as compare_models, lines, texts_of,
};

/// Lines of changes in a text; `--json` has all.
const CHANGES_SHOWN: usize = 20;

#[derive(Args)]
pub(super) struct CompareArguments {
    /// A run (its id, `last`, `last~1`) or a stage (`STAGE` of the last run, `RUN:STAGE`, `STAGE/MODEL` or `STAGE.MODEL` of a baseline)
    ///
    /// By default the newest run of the same pipeline before the other one.
    a: Option<String>,
    /// The other one
    #[arg(default_value = "last")]
    b: String,
    #[command(flatten)]
    store: StoreArguments,
    /// List up to N rows on which exactly one of the two is right
    #[arg(long, value_name = "N", default_value_t = 0)]
    flips: usize,
    /// Resamples of the rows for the intervals; as many as reports draw
    #[arg(long, value_name = "N", default_value_t = How::default().resamples as u32, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    resamples: u32,
    /// JSON instead of text: an object per line
    #[arg(long)]
    json: bool,
}

/// One side of the comparison as it was named.
struct Side {
    run: RunRecord,
    stage: Option<String>,
    model: Option<String>,
}

/// The run before that of the same pipeline.
fn before(history: &History, later: &Side) -> Result<Side, Failure> {
    let RunRecord { id, pipeline, .. } = &later.run;
    let mut runs = history.runs().skip_while(|run| run.record.id != *id).skip(1);
    let Some(run) = runs.find(|run| run.record.pipeline == *pipeline) else {
        let message =
            format!("'{pipeline}' has no run before {id}: name two runs or two stages (`runner runs` lists them)");
        return Err(super::study::invalid(&message));
    };
    Ok(Side { run: run.record, stage: later.stage.clone(), model: later.model.clone() })
}

pub(super) fn compare(arguments: &CompareArguments) -> Outcome {
    let store = Store::open(&arguments.store.artifacts)?;
    let history = History::of(&store);
    let b = side(&history, &arguments.b)?;
    let a = match &arguments.a {
        Some(name) => side(&history, name)?,
        None => before(&history, &b)?,
    };
    let pairs = match (&a.stage, &b.stage) {
        (Some(one), Some(other)) => vec![(one.as_str(), other.as_str())],
        (None, None) => {
            let names = a.run.stages.iter().map(|stage| stage.stage.as_str());
            names.filter(|name| b.run.stage(name).is_some()).map(|name| (name, name)).collect()
        }
        _ => {
            let message = "name two runs or two stages, not one of each (a stage of a run is RUN:STAGE)";
            return Err(super::study::invalid(message));
        }
    };
    let whole_runs = a.stage.is_none();
    let mut loaded = Vec::new();
    let mut missing = Vec::new();
    for (one, other) in pairs {
        let (entry_a, entry_b) = (a.run.stage(one), b.run.stage(other));
        match (load(&store, entry_a), load(&store, entry_b)) {
            (Some(record_a), Some(record_b)) => loaded.push((one, record_a, other, record_b)),
            _ => missing.push((one, other)),
        }
    }
    if let (Some((one, other)), true) = (missing.first(), loaded.is_empty()) {
        return Err(anyhow!("'{one}' of {} or '{other}' of {} has no result in the store", a.run.id, b.run.id).into());
    }
    let records = |run: &RunRecord| run.stages.iter().filter_map(|entry| load(&store, Some(entry))).collect::<Vec<_>>();
    let (run_a, run_b) = (records(&a.run), records(&b.run));
    let models: Vec<(ModelRef, ModelRef)> = (loaded.iter())
        .map(|(one, record_a, other, record_b)| {
            let of_a = ModelRef { stage: one, record: record_a, model: a.model.as_deref(), run: &run_a };
            (of_a, ModelRef { stage: other, record: record_b, model: b.model.as_deref(), run: &run_b })
        })
        .collect();
    let how = How { resamples: arguments.resamples as usize, ..How::default() };
    let comparisons = compare_models(&store, &models, &how).map_err(|error| match error.is::<UnknownModel>() {
        true => super::study::invalid(&format!("{error:#}")),
        false => error.into(),
    })?;
    let listed = |one: &Comparison| -> Option<Listed> {
        let flips = one.test.as_ref().filter(|_| arguments.flips > 0)?.flips.iter().take(arguments.flips);
        Some(Listed::new(&store, &b.run, &one.b, flips.cloned().collect()))
    };
    if arguments.json {
        super::print_json(&json!({"event": "compare", "a": a.run.id, "b": b.run.id, "missing": missing}));
        for one in &comparisons {
            let mut value = serde_json::to_value(one)?;
            value["event"] = json!("stage");
            if let Some(listed) = listed(one) {
                value["flips"] = listed.json();
            }
            super::print_json(&value);
        }
        return Ok(DONE);
    }
    let style = screen::Style::stdout();
    let mut text = String::new();
    if whole_runs {
        text.push_str(&only_in(&a.run, &b.run, style));
    }
    for one in comparisons.iter().filter(|one| !one.same) {
        text.push_str(&told(one, style));
        if let Some(listed) = listed(one) {
            text.push_str(&listed.text(style));
        }
        text.push('\n');
    }
    let same = comparisons.iter().filter(|one| one.same).count();
    if same > 0 {
        let words = if same == 1 { "stage has" } else { "stages have" };
        text.push_str(&format!("{same} {words} the same result in both\n"));
    }
    if comparisons.iter().any(|one| one.test.is_some()) {
        let tested: Vec<&PairedComparison> =
            comparisons.iter().filter(|one| !one.same).filter_map(|one| one.test.as_ref()).collect();
        let grouped = tested.iter().filter(|paired| paired.groups.is_some()).count();
        let test = match grouped {
            0 => "McNemar",
            all if all == tested.len() => "sign flips of whole groups",
            _ => "McNemar, or sign flips of whole groups where the split keeps rows together",
        };
        let resamples = arguments.resamples;
        let methods = tested.iter().flat_map(|paired| &paired.scores).filter_map(|score| score.difference.method);
        let words = intervals::words(methods);
        if !words.is_empty() {
            text.push_str(&style.note(&format!("95 % intervals of B − A, {resamples} resamples: {words}")));
        }
        let corrected = match tested.len() {
            1 => "of this one comparison, not corrected; reports correct over all their pairs".to_owned(),
            several => format!("corrected by Holm over these {several} comparisons"),
        };
        text.push_str(&style.note(&format!("p: {test}, {corrected}")));
    }
    for (one, _) in missing {
        text.push_str(&format!("{} '{one}' has no result in one of the two\n", style.warning("!")));
    }
    super::print(&text);
    Ok(DONE)
}

/// What `RUN`, `RUN:STAGE`, `STAGE` or `STAGE/MODEL` means.
fn side(history: &History, name: &str) -> Result<Side, Failure> {
    let of_stage = |run: RunRecord, reference: &str| -> Result<Side, Failure> {
        // As the pipeline file names a model of a stage too: `base.logistic`. A stage's own name may hold a point.
        let parts = reference.split_once('/').or_else(|| {
            let parts = reference.rsplit_once('.');
            parts.filter(|(stage, _)| run.stage(stage).is_some())
        });
        let (stage, model) = match parts {
            Some((stage, model)) if run.stage(reference).is_none() => (stage, Some(model.to_owned())),
            _ => (reference, None),
        };
        if run.stage(stage).is_none() {
            let names: Vec<&str> = run.stages.iter().map(|stage| stage.stage.as_str()).collect();
            let message = format!("run {} has no stage '{stage}'; it has {}", run.id, names.join(", "));
            return Err(super::study::invalid(&message));
        }
        Ok(Side { stage: Some(stage.to_owned()), model, run })
    };
    if let Some((run, stage)) = name.split_once(':') {
        return of_stage(super::study::run_named(history, run)?.record, stage);
    }
    if History::names_run(name) {
        return Ok(Side { run: super::study::run_named(history, name)?.record, stage: None, model: None });
    }
    of_stage(super::study::run_named(history, "last")?.record, name)
}

fn load(store: &Store, entry: Option<&StageEntry>) -> Option<ActionRecord> {
    ActionRecord::load(store, entry?.key?)
}

fn only_in(a: &RunRecord, b: &RunRecord, style: screen::Style) -> String {
    let mut text = format!("A {} {}\nB {} {}\n", style.bold(&a.id), a.pipeline, style.bold(&b.id), b.pipeline);
    for (own, other, name) in [(a, b, "A"), (b, a, "B")] {
        let only: Vec<&str> = (own.stages.iter().map(|stage| stage.stage.as_str()))
            .filter(|stage| other.stage(stage).is_none())
            .collect();
        if !only.is_empty() {
            text.push_str(&screen::wrap(&only.join(", "), &format!("only in {name}: "), screen::width()));
        }
    }
    text.push('\n');
    text
}

fn told(one: &Comparison, style: screen::Style) -> String {
    let mut text = match one.a == one.b {
        true => format!("{}\n", style.bold(&one.a)),
        false => format!("{} → {}\n", style.bold(&one.a), style.bold(&one.b)),
    };
    let rows: Vec<Vec<String>> = lines(&one.changes).into_iter().map(|line| vec![line.what, line.how]).collect();
    text.push_str(&screen::table_within(&rows[..rows.len().min(CHANGES_SHOWN)], screen::width()));
    if rows.len() > CHANGES_SHOWN {
        text.push_str(&style.dim(&format!(
            "  … and {} more {}\n",
            rows.len() - CHANGES_SHOWN,
            noun((rows.len() - CHANGES_SHOWN) as u64, "difference")
        )));
    }
    match &one.test {
        Some(paired) => text.push_str(&scores(paired, style)),
        None if one.headlines[0] != one.headlines[1] => {
            for (name, headline) in ["A", "B"].iter().zip(&one.headlines) {
                text.push_str(&screen::wrap(headline, &format!("  {name} "), screen::width()));
            }
        }
        None => {}
    }
    one.notes.iter().for_each(|note| text.push_str(&format!("  {} {note}\n", style.warning("!"))));
    text
}

fn scores(paired: &PairedComparison, style: screen::Style) -> String {
    let mut rows = vec![["test part", "A", "B", "B − A", "95 % interval"].map(|head| style.dim(head)).to_vec()];
    for score in &paired.scores {
        let difference = &score.difference;
        rows.push(vec![
            score.metric.title().to_owned(),
            format!("{:.4}", score.a),
            format!("{:.4}", score.b),
            format!("{:+.4}", difference.estimate),
            difference
                .low
                .zip(difference.high)
                .map_or_else(String::new, |(low, high)| format!("{low:+.4} … {high:+.4}")),
        ]);
    }
    let mut text = screen::table(&rows);
    let verdict = match paired.verdict {
        Verdict::MoreAccurate => style.good("B is more accurate"),
        Verdict::LessAccurate => style.error("B is less accurate"),
        Verdict::NoSignificantDifference => "no significant difference in accuracy".to_owned(),
    };
    let p = match paired.adjusted_p {
        small if small < 1e-4 => "p < 0.0001".to_owned(),
        p => format!("p = {p:.4}"),
    };
    if paired.same_predictions {
        let words = format!("the same prediction for each of {}", counted(paired.rows as u64, "row"));
        text.push_str(&screen::wrap(&words, "  ", screen::width()));
        return text + &left_out(paired, style);
    }
    let words = format!(
        "{verdict} ({p}); of {} {} went right → wrong, {} wrong → right",
        counted(paired.rows as u64, "row"),
        paired.right_to_wrong,
        paired.wrong_to_right
    );
    text.push_str(&screen::wrap(&words, "  ", screen::width()));
    if let Some(others) = other_verdicts(paired) {
        let words = format!("B has {others}, by the 95 % intervals, which are not corrected");
        text.push_str(&screen::wrap(&words, &format!("  {} ", style.warning("!")), screen::width()));
    }
    if let Some(groups) = paired.groups {
        let few = if paired.few_groups { ": few, so that intervals and p are rough" } else { "" };
        let telling = match paired.effective_groups {
            Some(effective) if effective < 0.95 * groups as f64 => {
                format!(", which tell as much as {effective:.0} of equal size")
            }
            _ => String::new(),
        };
        let words = format!("the rows are of {}{telling}{few}", counted(groups as u64, "group"));
        text.push_str(&style.dim(&screen::wrap(&words, "  ", screen::width())));
    }
    text + &left_out(paired, style)
}

fn left_out(paired: &PairedComparison, style: screen::Style) -> String {
    let how = match paired.pairing {
        Pairing::Number => None,
        Pairing::NumberUnchecked => {
            Some("rows of one number are taken for the same: what was loaded is not in the store any more".to_owned())
        }
        Pairing::Content => Some("other rows were loaded, so the same rows are told by their content".to_owned()),
    };
    let rest = match paired.left_out {
        0 => None,
        1 => Some("1 row is not common to both".to_owned()),
        rows => Some(format!("{rows} rows are not common to both")),
    };
    let parts: Vec<String> = how.into_iter().chain(rest).collect();
    if parts.is_empty() { String::new() } else { style.dim(&screen::wrap(&parts.join("; "), "  ", screen::width())) }
}

/// Flipped rows with what a person knows them by.
struct Listed {
    flips: Vec<Flip>,
    texts: Texts,
}

impl Listed {
    /// Texts that cannot be read any more are left out: the rows' numbers remain.
    fn new(store: &Store, run: &RunRecord, stage: &str, flips: Vec<Flip>) -> Self {
        let all: Vec<ActionRecord> = (run.stages.iter())
            .filter(|entry| ["load", "split"].contains(&entry.kind.as_str()))
            .filter_map(|entry| load(store, Some(entry)))
            .collect();
        let learner = load(store, run.stage(stage).or_else(|| run.stage(stage.split('/').next().unwrap_or(stage))));
        let ids: Vec<i64> = flips.iter().map(|flip| flip.row_id).collect();
        let texts = learner.and_then(|learner| texts_of(store, &all.iter().collect::<Vec<_>>(), &learner, &ids).ok());
        Listed { flips, texts: texts.flatten().unwrap_or_default() }
    }

    fn json(&self) -> Value {
        let flips = self.flips.iter().enumerate().map(|(i, flip)| {
            let mut value = json!(flip);
            value["texts"] = self.texts.iter().map(|(name, values)| (name.clone(), json!(values[i]))).collect();
            value
        });
        Value::Array(flips.collect())
    }

    fn text(&self, style: screen::Style) -> String {
        let names = self.texts.iter().map(|(name, _)| name.as_str());
        let mut rows =
            vec![["row", "label", "A", "B"].into_iter().chain(names).map(|head| style.dim(head)).collect::<Vec<_>>()];
        // What the row's number and its three classes leave, shared out.
        let class =
            self.flips.iter().flat_map(|flip| [&flip.label, &flip.a, &flip.b]).map(|name| screen::visible(name));
        let left = screen::width().saturating_sub(10 + 3 * (class.max().unwrap_or(0).max(5) + 2));
        let room = (left / self.texts.len().max(1)).saturating_sub(2).clamp(12, 32);
        for (i, flip) in self.flips.iter().enumerate() {
            let (a, b) =
                if flip.gained { (flip.a.clone(), style.good(&flip.b)) } else { (style.good(&flip.a), flip.b.clone()) };
            let texts = self.texts.iter().map(|(_, values)| screen::cut(&values[i], room));
            rows.push([flip.row_id.to_string(), flip.label.clone(), a, b].into_iter().chain(texts).collect());
        }
        screen::table(&rows)
    }
}
