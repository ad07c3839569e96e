//! Differences of two manifests as a person wants them: values one by one, what comes from other stages in one line for each input.

use runner_engine::Entry;

use super::Changed;

/// Longer values are cut: the pipeline file and `explain` have them whole.
const LONGEST: usize = 48;

/// One line of what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// E.g. `optimizer.lr`, `content of files.train`, `input rows`.
    pub what: String,
    /// `0.001 → 0.003`, or how much differs.
    pub how: String,
    /// The parameter's path, where it is one that the pipeline file may have.
    pub(crate) path: Option<String>,
    /// It comes from another stage.
    pub(crate) inherited: bool,
}

/// Of two kinds only what both know is worth a line.
pub fn lines(all: &[Changed]) -> Vec<Line> {
    let other_kind = all.iter().any(|change| change.what == Entry::Kind);
    let mut lines = Vec::new();
    let mut inputs: Vec<(String, usize)> = Vec::new();
    for change in all {
        if let Entry::Input(input, _) = &change.what {
            let name = format!("input {}", input.to_string().replace('.', " "));
            match inputs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => inputs.push((name, 1)),
            }
        } else if !other_kind || (change.a.is_some() && change.b.is_some() && change.what != Entry::Version) {
            let (what, path) = named(&change.what);
            let how = format!("{} → {}", value(change.a.as_deref()), value(change.b.as_deref()));
            lines.push(Line { what, how, path, inherited: false });
        }
    }
    lines.extend(inputs.into_iter().map(|(what, count)| {
        let parts = if count == 1 { "column or port differs" } else { "columns or ports differ" };
        Line { what, how: format!("{count} {parts}"), path: None, inherited: true }
    }));
    lines
}

/// An entry of a manifest in words, and the path of its parameter.
fn named(entry: &Entry) -> (String, Option<String>) {
    let words = match entry {
        Entry::Parameter(path) => path.clone(),
        Entry::Source(path) | Entry::External(path) => format!("content of {path}"),
        Entry::Version => "version of the stage's code".to_owned(),
        Entry::Engine => "version of the engine".to_owned(),
        other => other.to_string(),
    };
    (words, entry.parameter().map(str::to_owned))
}

fn value(value: Option<&str>) -> String {
    match value {
        None => "(absent)".to_owned(),
        Some(text) => {
            let text = runner_engine::shorten(text);
            match text.chars().count() > LONGEST {
                true => text.chars().take(LONGEST - 1).chain(['…']).collect(),
                false => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(what: &str, a: Option<&str>, b: Option<&str>) -> Changed {
        Changed { what: Entry::parse(what), a: a.map(str::to_owned), b: b.map(str::to_owned) }
    }

    #[test]
    fn values_stand_alone_and_inputs_together() {
        let digest = "0123456789abcdef".repeat(4);
        let all = [
            changed("params.optimizer.lr", Some("0.001"), Some("0.003")),
            changed("source.files.train", Some(&digest), None),
            changed("version", Some("3"), Some("4")),
            changed("input.rows.0.columns.tempo", Some("a"), Some("b")),
            changed("input.rows.0.columns.energy", Some("a"), Some("b")),
        ];
        let told: Vec<(String, String)> = lines(&all).into_iter().map(|line| (line.what, line.how)).collect();
        let expected = [
            ("optimizer.lr", "0.001 → 0.003"),
            ("content of files.train", "0123456789ab → (absent)"),
            ("version of the stage's code", "3 → 4"),
            ("input rows 0", "2 columns or ports differ"),
        ];
        assert_eq!(told, expected.map(|(what, how)| (what.to_owned(), how.to_owned())));
    }
}
