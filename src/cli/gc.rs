//! `runner gc`: frees what no recent run needs.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;

use super::{DONE, Outcome, StoreArguments, screen};
use crate::artifact::{Collect, Digest, Store};
use crate::engine::RunOutcome;
use crate::engine::{ActionRecord, History, Run};

/// A memo's time of use is noted about this seldom: one that seems a little too old may just have been read.
const USE_NOTED_WITHIN: Duration = Duration::from_secs(900);

#[derive(Args)]
pub(super) struct GcArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Runs of each pipeline whose results stay; pinned runs and what lies in the folders for people stay anyway
    #[arg(long, value_name = "N", default_value_t = 10)]
    keep: usize,
    /// What is younger stays, e.g. 90s, 30min, 2h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    grace: Duration,
    /// Show what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn gc(arguments: &GcArguments) -> Outcome {
    let store = Store::open(&arguments.store.artifacts)?;
    let history = History::of(&store);
    super::runs::tell_unreadable(&history);
    let now = SystemTime::now();
    let (kept, gone) = divided(history.runs().collect(), arguments.keep, arguments.grace, now);
    let roots: HashSet<Digest> = kept.iter().flat_map(|run| &run.record.stages).filter_map(|stage| stage.key).collect();
    // Pins do not count here: an old pinned run keeps its results, not every trial since.
    let oldest = kept.iter().filter(|run| !run.pinned).map(|run| at(run.record.started)).min();
    let used_since = oldest.unwrap_or(now).min(now - arguments.grace.min(now.duration_since(SystemTime::UNIX_EPOCH)?));
    let options = Collect {
        grace: arguments.grace,
        used_since: used_since.checked_sub(USE_NOTED_WITHIN).unwrap_or(used_since),
        dry_run: arguments.dry_run,
    };
    let collected = store.collect(&roots, &blobs_of, options)?;
    // After the results: a run that is listed without them is less harm than results that no run tells of.
    if !arguments.dry_run {
        gone.iter().try_for_each(|run| history.remove(&run.record.id))?;
        history.tidy();
    }
    if arguments.json {
        let line = json!({
            "event": "gc",
            "dry_run": arguments.dry_run,
            "runs": gone.len(),
            "records": collected.records,
            "blobs": collected.blobs,
            "memos": collected.memos,
            "leftovers": collected.leftovers,
            "bytes": collected.bytes,
            "blob_bytes": collected.blob_bytes,
            "memo_bytes": collected.memo_bytes,
        });
        super::print_json(&line);
        return Ok(DONE);
    }
    let counts = [
        ("run", "older than those that are kept", gone.len(), None),
        ("result", "of stages, which only such runs had", collected.records, None),
        ("blob", "the files of these results", collected.blobs, Some(collected.blob_bytes)),
        ("memo", "rows of embeddings, trials, epochs", collected.memos, Some(collected.memo_bytes)),
        ("leftover", "of what was cut short", collected.leftovers, None),
    ];
    let style = screen::Style::stdout();
    let mut rows: Vec<Vec<String>> = (counts.iter().filter(|(_, _, count, _)| *count > 0))
        .map(|&(name, what, count, bytes)| {
            let plural = if count == 1 { "" } else { "s" };
            let size = bytes.map(screen::bytes).unwrap_or_default();
            vec![screen::count(count as u64), format!("{name}{plural}"), size, style.dim(what)]
        })
        .collect();
    if rows.is_empty() {
        super::print(&format!("nothing to remove; kept runs: {}\n", kept.len()));
        return Ok(DONE);
    }
    screen::right(&mut rows, &[0, 2]);
    let (verb, freed) = if arguments.dry_run { ("would remove", "would free") } else { ("removed", "freed") };
    let table = screen::table_within(&rows, screen::width());
    super::print(&format!(
        "{verb}\n{table}{freed} {}; {}\n",
        style.bold(&screen::bytes(collected.bytes)),
        if kept.len() == 1 { "1 run is kept".to_owned() } else { format!("{} runs are kept", kept.len()) }
    ));
    Ok(DONE)
}

/// The runs to keep (the last ones of each pipeline, pinned, young and living ones) and those to forget.
fn divided(runs: Vec<Run>, keep: usize, grace: Duration, now: SystemTime) -> (Vec<Run>, Vec<Run>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    runs.into_iter().partition(|run| {
        let count = counts.entry(run.record.pipeline.clone()).or_default();
        *count += 1;
        // A time in the future says nothing of the age.
        let young = now.duration_since(at(run.record.started)).is_ok_and(|age| age < grace);
        *count <= keep || run.pinned || young || run.record.outcome == RunOutcome::Running
    })
}

fn at(since_1970: u64) -> SystemTime {
    // No clock was right that far in the future: such a time says nothing of the age.
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since_1970)).unwrap_or_else(SystemTime::now)
}

fn blobs_of(record: &[u8]) -> Vec<Digest> {
    let record: Option<ActionRecord> = serde_json::from_slice(record).ok();
    record.iter().flat_map(ActionRecord::files).map(|file| file.digest).collect()
}

/// `90s`, `30min`, `2h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit.trim() {
        "s" => 1,
        "min" | "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(format!("'{text}' is not a time such as 90s, 30min, 2h or 7d")),
    };
    let number: u64 = number.parse().map_err(|_| format!("'{text}' does not begin with a whole number"))?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| format!("'{text}' is too long"))
}
