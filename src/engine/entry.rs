//! The names of a manifest's entries: one type, with one printer and one parser.

use std::fmt;

use runner_spec::AIMS;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an entry of a manifest is of. Printed e.g. `params.optimizer.lr`, `input.rows.0.columns.tempo`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entry {
    /// The version of the engine.
    Engine,
    /// The stage's kind.
    Kind,
    /// The version of the kind's code.
    Version,
    /// What computes.
    Device,
    /// What random numbers follow from.
    Seed,
    /// What the pipeline says once for all stages that models are chosen by: `metric`, `positive`, `costs`.
    Aim(&'static str),
    /// A parameter, by its dotted path.
    Parameter(String),
    /// The content of the file that the parameter at this path names.
    Source(String),
    /// The content of what the parameter at this path names outside the store, e.g. an encoder.
    External(String),
    /// The pipeline that makes the inputs again.
    Lineage,
    /// A file that this pipeline needs, by its path.
    Needed(String),
    /// Something of an input.
    Input(InputName, InputEntry),
    /// Of a record that another version of the engine wrote.
    Unknown(String),
}

/// One reference at an input port: `rows.0`, or with the name that the user gave it `inputs.songs.1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputName {
    /// The port of the stage that reads.
    pub port: String,
    pub(crate) label: Option<String>,
    /// Its number among the references of the port.
    pub(crate) item: usize,
}

/// What of an input counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputEntry {
    /// All of an output that is no table.
    Whole,
    /// The metadata of a table's schema.
    Metadata,
    /// How many rows a table has.
    Rows,
    /// The content of one column.
    Column(String),
    /// Name, kind, parameters and inputs of a whole stage.
    Stage,
    /// What a whole stage warned of.
    Warnings,
    /// An output of a whole stage.
    Output(String),
}

impl InputEntry {
    /// An output of a whole stage. One that is named as something else of a table is counted under that name.
    pub(crate) fn output(name: &str) -> InputEntry {
        InputEntry::parse(name)
    }

    fn parse(text: &str) -> InputEntry {
        match text {
            "metadata" => InputEntry::Metadata,
            "rows" => InputEntry::Rows,
            "stage" => InputEntry::Stage,
            "warnings" => InputEntry::Warnings,
            _ => match text.strip_prefix("columns.") {
                Some(column) => InputEntry::Column(column.to_owned()),
                None => InputEntry::Output(text.to_owned()),
            },
        }
    }
}

impl Entry {
    /// Reads what [`Entry`] prints; what no entry is named is [`Entry::Unknown`].
    pub fn parse(text: &str) -> Entry {
        if let Some(aim) = AIMS.into_iter().find(|aim| *aim == text) {
            return Entry::Aim(aim);
        }
        let after = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
        match text {
            "engine" => return Entry::Engine,
            "kind" => return Entry::Kind,
            "version" => return Entry::Version,
            "device" => return Entry::Device,
            "seed" => return Entry::Seed,
            "lineage" => return Entry::Lineage,
            "params" => return Entry::Parameter(String::new()),
            "params." => return Entry::Unknown(text.to_owned()),
            _ => {}
        }
        None.or_else(|| after("params.").map(Entry::Parameter))
            .or_else(|| after("source.").map(Entry::Source))
            .or_else(|| after("external.").map(Entry::External))
            .or_else(|| after("lineage.needs.").map(Entry::Needed))
            .or_else(|| input(text.strip_prefix("input.")?).filter(|entry| entry.to_string() == text))
            .unwrap_or_else(|| Entry::Unknown(text.to_owned()))
    }

    /// The path of the parameter that the entry is of, directly or through what it names.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Entry::Parameter(path) | Entry::Source(path) | Entry::External(path) => Some(path),
            _ => None,
        }
    }

    /// The input that the entry is of.
    pub(crate) fn input(&self) -> Option<&InputName> {
        match self {
            Entry::Input(input, _) => Some(input),
            _ => None,
        }
    }
}

/// `rows.0.columns.tempo`, `inputs.songs.1`.
fn input(text: &str) -> Option<Entry> {
    let (port, rest) = text.split_once('.')?;
    let (label, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let (label, rest) = quoted.split_once("\".")?;
            (Some(label), rest)
        }
        None => match rest.split_once('.') {
            Some((label, rest)) if !is_number(label) => (Some(label), rest),
            _ => (None, rest),
        },
    };
    let (item, what) = match rest.split_once('.') {
        Some((item, what)) => (item, InputEntry::parse(what)),
        None => (rest, InputEntry::Whole),
    };
    let item = is_number(item).then(|| item.parse().ok())??;
    let name = InputName { port: port.to_owned(), label: label.map(str::to_owned), item };
    Some(Entry::Input(name, what))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Engine => f.write_str("engine"),
            Entry::Kind => f.write_str("kind"),
            Entry::Version => f.write_str("version"),
            Entry::Device => f.write_str("device"),
            Entry::Seed => f.write_str("seed"),
            Entry::Aim(key) => f.write_str(key),
            // A kind without parameters.
            Entry::Parameter(path) if path.is_empty() => f.write_str("params"),
            Entry::Parameter(path) => write!(f, "params.{path}"),
            Entry::Source(path) => write!(f, "source.{path}"),
            Entry::External(path) => write!(f, "external.{path}"),
            Entry::Lineage => f.write_str("lineage"),
            Entry::Needed(path) => write!(f, "lineage.needs.{path}"),
            Entry::Input(name, what) => write!(f, "input.{name}{what}"),
            Entry::Unknown(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for InputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.port)?;
        match self.label.as_deref() {
            // What would be read as a number or as two words is quoted.
            Some(label) if is_number(label) || label.contains(['.', '"']) => write!(f, "\"{label}\".")?,
            Some(label) => write!(f, "{label}.")?,
            None => {}
        }
        write!(f, "{}", self.item)
    }
}

/// With the point before it.
impl fmt::Display for InputEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputEntry::Whole => Ok(()),
            InputEntry::Metadata => f.write_str(".metadata"),
            InputEntry::Rows => f.write_str(".rows"),
            InputEntry::Column(name) => write!(f, ".columns.{name}"),
            InputEntry::Stage => f.write_str(".stage"),
            InputEntry::Warnings => f.write_str(".warnings"),
            InputEntry::Output(name) => write!(f, ".{name}"),
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Entry::parse(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_printed_as(entry: Entry, text: &str) {
        assert_eq!(entry.to_string(), text);
        assert_eq!(Entry::parse(text), entry);
    }

    fn rows(what: InputEntry) -> Entry {
        Entry::Input(InputName { port: "rows".into(), label: None, item: 0 }, what)
    }

    #[test]
    fn every_entry_is_printed_and_read_back() {
        is_printed_as(Entry::Engine, "engine");
        is_printed_as(Entry::Aim("metric"), "metric");
        is_printed_as(Entry::Parameter("optimizer.lr".into()), "params.optimizer.lr");
        is_printed_as(Entry::Source("files.train".into()), "source.files.train");
        is_printed_as(Entry::Needed("data/a.csv".into()), "lineage.needs.data/a.csv");
        is_printed_as(rows(InputEntry::Whole), "input.rows.0");
        is_printed_as(rows(InputEntry::Metadata), "input.rows.0.metadata");
        is_printed_as(rows(InputEntry::Column("a.b".into())), "input.rows.0.columns.a.b");
        is_printed_as(rows(InputEntry::Output("model".into())), "input.rows.0.model");
        let labelled = |label: &str| InputName { port: "inputs".into(), label: Some(label.into()), item: 1 };
        is_printed_as(Entry::Input(labelled("songs"), InputEntry::Rows), "input.inputs.songs.1.rows");
        is_printed_as(Entry::Input(labelled("7"), InputEntry::Whole), "input.inputs.\"7\".1");
        is_printed_as(Entry::Input(labelled("a.b"), InputEntry::Stage), "input.inputs.\"a.b\".1.stage");
        is_printed_as(Entry::Input(labelled("a.b"), InputEntry::Warnings), "input.inputs.\"a.b\".1.warnings");
        is_printed_as(Entry::Unknown("input.rows".into()), "input.rows");
    }

    proptest! {
        #[test]
        fn whatever_a_record_names_keeps_its_name(text in "(params|source|input|lineage|x)?[.\"a-z0-9]{0,20}") {
            prop_assert_eq!(Entry::parse(&text).to_string(), text);
        }
    }
}
