//! A pipeline in one piece: the tree of all its files, written as YAML again.
//!
//! Variables and matrices stay as they are, so that instances keep their names. Numbers are written as the user wrote them, since they may be
//! part of a name. Does not know what the keys mean.

use std::collections::HashSet;
use std::fmt::Write as _;

use runner_boundary::text::is_hidden;

use super::include::AIMS;
use super::node::{Node, Value};
use super::source::Sources;
use super::variables::text_of;

/// What an editor would read as something else than text.
const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];

pub(super) fn text(
    name: &str,
    root: &Node,
    sources: &Sources,
    keep: &dyn Fn(&str) -> bool,
    seed: &dyn Fn(&str) -> Option<u64>,
    comment: &dyn Fn(&str, Option<&str>) -> Option<String>,
) -> String {
    // What was said of a stage or parameter is not said again of the next of its kind.
    let mut said: HashSet<String> = HashSet::new();
    let mut told = |out: &mut String, indent: &str, kind: &str, key: Option<&str>, of: &str| {
        let words = comment(of, key).filter(|_| said.insert(format!("{kind}.{}", key.unwrap_or_default())));
        for line in words.iter().flat_map(|words| words.lines()) {
            let _ = writeln!(out, "{indent}# {line}");
        }
    };
    let mut out = format!("name: {}\n", quoted(name));
    for key in ["seed"].into_iter().chain(AIMS).chain(["vars"]) {
        let Some(node) = root.get(key).filter(|node| node.value != Value::Null) else { continue };
        match &node.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                let _ = writeln!(out, "\n{key}:");
                for (name, entry) in entries {
                    let _ = writeln!(out, "  {}: {}", quoted(name), flow(&entry.node, sources));
                }
            }
            _ => {
                let _ = writeln!(out, "{key}: {}", flow(node, sources));
            }
        }
    }
    out.push_str("\nstages:\n");
    for (name, entry) in root.get("stages").map(Node::entries).unwrap_or_default() {
        if !keep(name) {
            continue;
        }
        let kind = entry.node.get("kind").and_then(Node::as_str).unwrap_or_default();
        told(&mut out, "  ", kind, None, name);
        let _ = writeln!(out, "  {}:", quoted(name));
        for (key, value) in entry.node.entries() {
            told(&mut out, "    ", kind, Some(key), name);
            let _ = writeln!(out, "    {}: {}", quoted(key), flow(&value.node, sources));
        }
        if let Some(seed) = seed(name).filter(|_| entry.node.get("seed").is_none()) {
            let _ = writeln!(out, "    seed: {seed}");
        }
    }
    out
}

/// A value on one line.
fn flow(node: &Node, sources: &Sources) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::String(text) => quoted(text),
        Value::Bool(_) | Value::Number(_) => text_of(node, sources).unwrap_or_default(),
        Value::Sequence(items) => {
            format!("[{}]", items.iter().map(|item| flow(item, sources)).collect::<Vec<_>>().join(", "))
        }
        Value::Mapping(entries) => {
            let pairs = entries.iter().map(|(key, entry)| format!("{}: {}", quoted(key), flow(&entry.node, sources)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text as it stands where nothing else can be read in it, otherwise in double quotes.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !WORDS.contains(&text.to_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            // Letters are readable; anything that an editor would hide or a parser break a line at is escaped.
            c if c.is_alphanumeric() && !is_hidden(c) => out.push(c),
            c if u32::from(c) > 0xffff => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}
