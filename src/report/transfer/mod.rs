//! What a transfer found, in sentences; and what became of its tensors.

use runner_results::transfer::{
    Action, EnoughRows, MatchedRows, NewRows, Outcome, Paired, Reached, RowComparison, SIGNIFICANCE, Standing,
    Strategy, TensorChange, TransferFinding,
};
use runner_results::{Metric, transfer::Transfer};

use super::judged::part_name;

/// The findings, the verdict first.
pub fn sentences(found: &Transfer) -> Vec<String> {
    let part = part_name(found.part);
    found.findings.iter().map(|finding| sentence(finding, part, found.metric)).collect()
}

fn sentence(finding: &TransferFinding, part: &str, metric: Metric) -> String {
    let label = metric.label();
    match finding {
        TransferFinding::Verdict { seeds, baseline, more_accurate, less_accurate, no_difference } => {
            verdict(*seeds, baseline, [more_accurate, less_accurate, no_difference], part)
        }
        TransferFinding::NothingNew { shares } => {
            let shares = if *shares { ", and `shares`, which are of new classes' rows, change nothing" } else { "" };
            format!("no class is new: the old network is trained on for classes that it knows{shares}")
        }
        TransferFinding::RowByRow(found) => rows(found, part),
        TransferFinding::Tensors { actions } => {
            let parts: Vec<String> =
                actions.iter().map(|(action, count)| format!("{count} {}", counted(*action))).collect();
            format!("tensors: {}", parts.join(", "))
        }
        TransferFinding::Start { strategy, baseline, score, baseline_score } => format!(
            "before any step {} has a validation {label} of {}, {} of {}",
            strategy.name(),
            figure(*score),
            baseline.name(),
            figure(*baseline_score)
        ),
        TransferFinding::Speed { strategy, baseline, target, seeds, reached, epochs } => {
            let target = format!("{}'s best validation {label} ({} on average)", baseline.name(), figure(*target));
            speed(strategy.name(), baseline.name(), &target, *seeds, reached.as_ref(), *epochs)
        }
        TransferFinding::End { strategy, baseline, seeds, valid } => {
            end(strategy.name(), baseline.name(), *seeds, valid, metric)
        }
        TransferFinding::OldClasses { strategy, baseline, classes, accuracy } => {
            of_classes([*strategy, *baseline], "old", classes, accuracy, part)
        }
        TransferFinding::NewClasses { strategy, baseline, classes, accuracy } => {
            of_classes([*strategy, *baseline], "new", classes, accuracy, part)
        }
        TransferFinding::Forgotten { strategy, before, change, change_among_old, p_value, new_classes } => {
            let word = match (Outcome::of(*change_among_old, *p_value), p_value.map(probability)) {
                (Outcome::Same, Some(p)) => format!("no significant change, {p}"),
                (Outcome::Lower, Some(p)) => format!("forgotten, {p}"),
                (Outcome::Higher, Some(p)) => format!("a gain, {p}"),
                _ => "too few seeds to tell from chance".to_owned(),
            };
            let (name, known) = (strategy.name(), percent(*before));
            let among_old = percent(before + change_among_old);
            if new_classes.is_empty() {
                return format!(
                    "the old network gets {known} of the {part} rows right; after {name} it is {among_old} ({word})"
                );
            }
            format!(
                "the old network gets {known} of the old classes' {part} rows right; after {name} it is {}, and {among_old} when it may choose among the old \
                 classes alone ({word}): the rest is taken for {}",
                percent(before + change),
                new_classes.join(", ")
            )
        }
        TransferFinding::Shares { strategy, baseline, target, enough, most, least, accuracy_at_least } => {
            let names = [strategy.name(), baseline.name()];
            format!(
                "{}; {}",
                needed(names, *target, enough.as_ref(), *most),
                at_least(names[1], *least, accuracy_at_least)
            )
        }
        TransferFinding::Diverged { strategy, seed, epoch, best_epoch } => {
            format!("{} with seed {seed} diverged in epoch {epoch}; its epoch {best_epoch} is kept", strategy.name())
        }
        TransferFinding::Chosen { strategy, seed, score } => {
            format!("chosen on the validation part: {} (seed {seed}), {label} {}", strategy.name(), figure(*score))
        }
    }
}

fn verdict(seeds_of_each: usize, baseline: &Standing, [better, worse, same]: [&[Standing]; 3], part: &str) -> String {
    let stand = |one: &Standing| match seeds_of_each {
        1 => format!("{} ({})", one.strategy.name(), figure(one.mean)),
        _ => format!("{} ({} ± {})", one.strategy.name(), figure(one.mean), figure(one.deviation)),
    };
    let theirs = stand(baseline);
    let list = |picked: &[Standing]| joined(&picked.iter().map(stand).collect::<Vec<_>>());
    if seeds_of_each == 1 {
        return format!("verdict: one seed cannot tell {} from {theirs} by {part} accuracy", list(same));
    }
    let mut parts = Vec::new();
    for (picked, word) in [(better, "more"), (worse, "less")] {
        if !picked.is_empty() {
            let verb = if picked.len() == 1 { "is" } else { "are" };
            parts.push(format!("{} {verb} {word} accurate than {theirs}{}", list(picked), greatest(picked)));
        }
    }
    if !same.is_empty() {
        let other = if parts.is_empty() { theirs } else { baseline.strategy.name().to_owned() };
        let least = same.iter().filter_map(|one| one.p_corrected).reduce(f64::min);
        let p = least.map(|p| format!(", least p = {p:.3}")).unwrap_or_default();
        parts.push(format!("no significant difference between {} and {other}{p}", list(same)));
    }
    let correction = if better.len() + worse.len() + same.len() > 1 { ", Holm's correction" } else { "" };
    format!(
        "verdict: on the {part} part {} (paired t-tests over {}{correction})",
        parts.join("; "),
        seeds(seeds_of_each)
    )
}

/// The networks that would be handed on, row by row.
fn rows(found: &RowComparison, part: &str) -> String {
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    let interval = found.difference;
    let test = match found.groups {
        Some(groups) => format!("sign-flip test over {groups} groups of rows"),
        None => "McNemar".to_owned(),
    };
    let word = match (found.mcnemar.p < SIGNIFICANCE, interval.estimate > 0.0) {
        (false, _) => "no significant difference",
        (true, true) => "more than chance explains",
        (true, false) => "a loss beyond chance",
    };
    format!(
        "row by row on the {part} part {ours} (seed {}) is right on {} that {theirs} (seed {}) gets wrong, and wrong on {} that it \
         gets right: a difference in accuracy of {} (95 % interval {} to {}), {word} ({test}, {})",
        found.seed,
        found.only_ours,
        found.baseline_seed,
        found.only_theirs,
        figure(interval.estimate),
        figure(interval.low),
        figure(interval.high),
        probability(found.mcnemar.p)
    )
}

fn counted(action: Action) -> &'static str {
    match action {
        Action::Copied => "copied",
        Action::RowsMatchedByClass => "of the head with rows matched by class",
        Action::RowsMatchedByValue => "of categories with rows matched by value",
        Action::Sliced => "sliced",
        Action::Reinitialised => "re-initialised",
        Action::Skipped => "of the old network skipped",
    }
}

fn speed(ours: &str, theirs: &str, target: &str, all: usize, reached: Option<&Reached>, most: usize) -> String {
    let Some(reached) = reached else {
        return format!("{ours} never reaches {target} in {}, with any of {}", epochs(most as f64), seeds(all));
    };
    let needed = reached.baseline_epochs;
    let often =
        if reached.seeds == all { String::new() } else { format!(", with {} of {}", reached.seeds, seeds(all)) };
    let of = if reached.seeds > 1 { " (medians)" } else { "" };
    if reached.epochs == 0.0 {
        return format!("{ours} has {target} before any step, which takes {theirs} {}{of}{often}", epochs(needed));
    }
    let word = if reached.epochs < needed { "instead of" } else { "while the latter needs" };
    format!("{ours} reaches {target} after {} {word} {needed}{of}{often}", epochs(reached.epochs))
}

fn end(ours: &str, theirs: &str, count: usize, valid: &Paired, metric: Metric) -> String {
    let label = metric.label();
    let mean = format!("{} ± {}", figure(valid.mean), figure(valid.deviation));
    let other = format!("{} ± {}", figure(valid.baseline_mean), figure(valid.baseline_deviation));
    let Some(p) = valid.p_corrected else {
        let (mean, other) = (figure(valid.mean), figure(valid.baseline_mean));
        let why = match count {
            1 => "one seed cannot tell this from chance".to_string(),
            _ => format!("the same difference with all {}", seeds(count)),
        };
        return format!("{ours} ends at a validation {label} of {mean}, {theirs} at {other}; {why}");
    };
    let test = format!("paired t-test over {}, {}", seeds(count), probability(p));
    if valid.outcome() == Outcome::Same {
        return format!("no significant difference in validation {label}: {ours} {mean}, {theirs} {other} ({test})");
    }
    let better = metric.merit(valid.mean_difference) > 0.0;
    let word = if better { "better" } else { "worse" };
    format!(
        "{ours} ends {word} than {theirs}: validation {label} {mean} against {other}, a difference of {} ({test})",
        figure(valid.mean_difference.abs())
    )
}

fn of_classes(
    [strategy, baseline]: [Strategy; 2],
    what: &str,
    classes: &[String],
    accuracy: &Paired,
    part: &str,
) -> String {
    let verdict = match (accuracy.outcome(), accuracy.p_corrected.map(probability)) {
        (_, None) => String::new(),
        (Outcome::Same, Some(p)) => format!(" (no significant difference, {p})"),
        (_, Some(p)) => format!(" ({p})"),
    };
    let names = if classes.len() <= 2 { format!(" ({})", classes.join(", ")) } else { String::new() };
    format!(
        "of the {what} classes' {part} rows{names} {} gets {} right, {} {}{verdict}",
        strategy.name(),
        percent(accuracy.mean),
        baseline.name(),
        percent(accuracy.baseline_mean)
    )
}

/// With what share of the new classes' rows a strategy is as accurate as the baseline with all of them.
fn needed([ours, theirs]: [&str; 2], target: f64, enough: Option<&EnoughRows>, most: f64) -> String {
    match enough {
        Some(enough) => format!(
            "with {} of the new classes' rows ({}) {ours} is as accurate as {theirs} with all of them ({} against {})",
            percent(enough.share),
            enough.rows,
            figure(enough.accuracy),
            figure(target)
        ),
        None => format!(
            "{ours} needs more than {} of the new classes' rows to be as accurate as {theirs} with all of them ({})",
            percent(most),
            figure(target)
        ),
    }
}

fn at_least(theirs: &str, least: f64, accuracy: &Paired) -> String {
    let word = match accuracy.outcome() {
        Outcome::Higher => "ahead of",
        Outcome::Lower => "behind",
        Outcome::Same | Outcome::Untested => "not significantly different from",
    };
    let p = accuracy.p_corrected.map(|p| format!(", corrected {}", probability(p))).unwrap_or_default();
    format!(
        "with {} it is {word} {theirs} with as many ({} against {}{p})",
        percent(least),
        figure(accuracy.mean),
        figure(accuracy.baseline_mean)
    )
}

/// What became of a tensor, in a word or two.
pub(crate) fn action(action: Action) -> &'static str {
    match action {
        Action::Copied => "copied",
        Action::RowsMatchedByClass => "rows matched by class",
        Action::RowsMatchedByValue => "rows matched by value",
        Action::Sliced => "sliced",
        Action::Reinitialised => "reinitialised",
        Action::Skipped => "skipped",
    }
}

/// What of a tensor is the old one's and what is not.
pub(crate) fn detail(tensor: &TensorChange) -> String {
    let mut detail = match (&tensor.rows, tensor.action) {
        (Some(rows), _) => matched(rows),
        (None, Action::Reinitialised) => match tensor.old_shape {
            Some(_) => "another number of dimensions: its usual first values".to_owned(),
            None => "not in the old network: its usual first values".to_owned(),
        },
        (None, Action::Skipped) => "not in the new network".to_owned(),
        (None, Action::Sliced) => {
            let sides = tensor.old_shape.iter().flatten().zip(tensor.new_shape.iter().flatten());
            let common: Vec<String> = sides.map(|(old, new)| old.min(new).to_string()).collect();
            format!("the first {} are the old ones, the rest random", common.join(" × "))
        }
        (None, Action::Copied | Action::RowsMatchedByClass | Action::RowsMatchedByValue) => "equal shape".to_owned(),
    };
    if tensor.rows.is_some() && tensor.action == Action::Sliced {
        detail += "; of each row the part that both have, the rest random";
    }
    detail
}

fn matched(rows: &MatchedRows) -> String {
    match rows {
        MatchedRows::Classes { kept, added, dropped, start } => {
            let start = match start {
                NewRows::Mean => "mean of the old rows and 1 % noise",
                NewRows::Fresh => "random",
            };
            let mut detail = match kept.is_empty() {
                true => "no class of the old network is left".to_owned(),
                false => format!("old rows of {}", kept.join(", ")),
            };
            if !added.is_empty() {
                detail += &format!("; {start} for {}", added.join(", "));
            }
            if !dropped.is_empty() {
                detail += &format!("; rows of {} left out", dropped.join(", "));
            }
            detail
        }
        MatchedRows::Values { kept, added, start } => {
            let start = match start {
                NewRows::Mean => "the unknown value's row and 1 % noise",
                NewRows::Fresh => "random",
            };
            format!("old rows of {kept} values; {start} for {added} new ones")
        }
    }
}

fn greatest(picked: &[Standing]) -> String {
    let p = picked.iter().filter_map(|one| one.p_corrected).fold(0.0, f64::max);
    match picked.len() {
        1 => format!(", {}", probability(p)),
        _ if p < 0.001 => ", p < 0.001".to_owned(),
        _ => format!(", p ≤ {p:.3}"),
    }
}

fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn figure(value: f64) -> String {
    format!("{value:.3}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn probability(p: f64) -> String {
    if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") }
}

fn epochs(count: f64) -> String {
    if count == 1.0 { "1 epoch".into() } else { format!("{count} epochs") }
}

fn seeds(count: usize) -> String {
    if count == 1 { "1 seed".into() } else { format!("{count} seeds") }
}

#[cfg(test)]
mod tests;
