//! Differences of two manifests as a person wants them: values one by one, what comes from other stages in one line for each input.

use indexmap::IndexMap;
use runner_engine::{Entry, InputEntry, InputName, difference, shorten};
use runner_names::listed_up_to;

use super::Changed;

/// So many columns or outputs are named.
const NAMED: usize = 4;

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

/// Of two kinds only what both know is worth a line, and what they read.
pub fn lines(all: &[Changed]) -> Vec<Line> {
    let other_kind = all.iter().any(|change| change.what == Entry::Kind);
    let mut lines = Vec::new();
    let mut inputs: IndexMap<&InputName, InputChanges> = IndexMap::new();
    for change in all {
        if let Entry::Input(input, what) = &change.what {
            inputs.entry(input).or_default().add(what, change);
        } else if !other_kind || (change.a.is_some() && change.b.is_some() && change.what != Entry::Version) {
            let (what, path) = named(&change.what);
            let how = difference(change.a.as_deref(), change.b.as_deref());
            lines.push(Line { what, how, path, inherited: false });
        }
    }
    lines.extend(inputs.into_iter().map(|(input, changes)| Line {
        what: format!("input {}", input.to_string().replace('.', " ")),
        how: changes.in_words(),
        path: None,
        inherited: true,
    }));
    lines
}

/// What differs of one input.
#[derive(Default)]
struct InputChanges<'a> {
    only_a: Vec<&'a str>,
    only_b: Vec<&'a str>,
    columns: Vec<&'a str>,
    outputs: Vec<&'a str>,
    rows: Option<String>,
    /// Its metadata, its parameters, or all of what is no table.
    other: Option<&'static str>,
}

impl<'a> InputChanges<'a> {
    fn add(&mut self, what: &'a InputEntry, change: &Changed) {
        match what {
            InputEntry::Column(name) => match (&change.a, &change.b) {
                (Some(_), None) => self.only_a.push(name),
                (None, Some(_)) => self.only_b.push(name),
                _ => self.columns.push(name),
            },
            InputEntry::Output(name) => self.outputs.push(name),
            InputEntry::Rows => self.rows = Some(difference(change.a.as_deref(), change.b.as_deref())),
            InputEntry::Stage => self.other = Some("the stage's parameters"),
            InputEntry::Warnings => self.other = self.other.or(Some("what it warns of")),
            InputEntry::Metadata => self.other = self.other.or(Some("the table's metadata")),
            InputEntry::Whole => self.other = Some("its content"),
        }
    }

    fn in_words(&self) -> String {
        let named = |names: &[&str], noun: &str, how: &str| {
            let plural = if names.len() == 1 { "" } else { "s" };
            let shown = listed_up_to(NAMED, names.iter().map(|name| shorten(name)));
            (!names.is_empty()).then(|| format!("{noun}{plural} {shown}{how}"))
        };
        let parts = [
            self.rows.as_ref().map(|rows| format!("rows {rows}")),
            named(&self.only_a, "column", " only in A"),
            named(&self.only_b, "column", " only in B"),
            named(&self.columns, "column", ""),
            named(&self.outputs, "output", ""),
            self.other.map(str::to_owned),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
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
            changed("input.rows.0.columns.acousticness", Some("a"), None),
            changed("input.rows.0.columns.energy", Some("a"), Some("b")),
        ];
        let told: Vec<(String, String)> = lines(&all).into_iter().map(|line| (line.what, line.how)).collect();
        let expected = [
            ("optimizer.lr", "0.001 → 0.003"),
            ("content of files.train", "0123456789ab → (absent)"),
            ("version of the stage's code", "3 → 4"),
            ("input rows 0", "column acousticness only in A; columns tempo, energy"),
        ];
        assert_eq!(told, expected.map(|(what, how)| (what.to_owned(), how.to_owned())));
    }
}
