//! A model that was exported: what it predicts and reads, what it is made of, and what was known of it.

use std::path::Path;

use super::super::{DONE, Outcome, fitted, print, print_json, screen};
use crate::boundary::text::quoted;
use crate::report::{counted, part_name};
use crate::results::Metric;
use crate::stages::package::Package;

/// Classes and columns that are named.
const NAMED: usize = 40;
/// Models of an average that are listed.
const MODELS: usize = 20;
/// Digits of a digest that tell encoders apart.
const DIGITS: usize = 12;

pub(super) fn show(path: &Path, json: bool) -> Outcome {
    let package = fitted::of_file(path)?;
    match json {
        true => print_json(&package.head()?),
        false => print(&text(&package)),
    }
    Ok(DONE)
}

fn text(package: &Package) -> String {
    let (style, width) = (screen::Style::stdout(), screen::width());
    let written_by = format!("model, exported by runner {}", package.written_by());
    let mut text = format!("{}  {}\n", style.bold(&quoted(package.stage())), style.dim(&quoted(&written_by)));
    let mut say = |what: &str, told: String| {
        text.push_str(&screen::wrap(&quoted(&told), &format!("  {} ", style.dim(&format!("{what:<12}"))), width));
    };
    let classes = package.classes();
    say("predicts", format!("{}: {}", package.label(), listed(classes)));
    say(
        "needs",
        format!("{} of a file: {}", counted(package.columns().len() as u64, "column"), listed(package.columns())),
    );
    for (what, columns) in package.inputs().iter().filter(|(_, columns)| !columns.is_empty()) {
        say(what, listed(columns));
    }
    for encoder in package.encoders() {
        let digest: String = encoder.digest.chars().take(DIGITS).collect();
        say("encoder", format!("{}, {} dimensions, digest {digest}…", encoder.name, encoder.dim));
    }
    let models = package.models();
    if models.len() > 1 {
        let shares = models.iter().take(MODELS).map(|(name, share)| format!("{name} {share:.3}"));
        let more = if models.len() > MODELS { format!(", and {} more", models.len() - MODELS) } else { String::new() };
        say("average of", shares.collect::<Vec<_>>().join(", ") + &more);
    }
    let Some(judged) = package.judged() else {
        say("scores", "none were known when it was exported".to_owned());
        return text;
    };
    let again =
        if judged.of.split('/').next() == Some(package.stage()) { "" } else { ", which it was fitted again from" };
    let on = format!(
        "of '{}'{again}, on {}",
        judged.of,
        counted(judged.rows as u64, &format!("{} row", part_name(judged.part)))
    );
    say("scores", on);
    let rows = Metric::ALL.into_iter().filter_map(|metric| Some((metric, judged.metrics.get(&metric)?)));
    let rows: Vec<Vec<String>> =
        rows.map(|(metric, value)| vec![metric.title().to_owned(), screen::decimals(*value, 3)]).collect();
    text.push_str(&screen::table(&rows));
    text
}

fn listed(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(", and {} more", names.len() - NAMED) } else { String::new() };
    names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ") + &more
}
