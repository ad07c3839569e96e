//! What a pipeline's parameters mean, in a sentence each, for whoever reads a pipeline without the documentation at hand.

use std::cell::RefCell;
use std::collections::HashMap;

use schemars::SchemaGenerator;
use serde_json::Value;

use super::keys;
use super::stage::KindInfo;

/// Choices within choices.
const DEEPEST: usize = 6;
/// Characters of a comment.
const LONGEST: usize = 160;

/// The first sentences of the descriptions of kinds' parameters.
#[derive(Default)]
pub(super) struct ParameterComments {
    schemas: RefCell<HashMap<&'static str, Value>>,
}

impl ParameterComments {
    /// What a parameter or input of this kind is.
    pub(super) fn of(&self, kind: &'static KindInfo, key: &str) -> Option<String> {
        if let Some(port) = kind.inputs.iter().find(|port| port.name == key) {
            return Some(port.summary.to_owned());
        }
        let mut schemas = self.schemas.borrow_mut();
        let schema = schemas.entry(kind.name).or_insert_with(|| {
            let mut generator = SchemaGenerator::default();
            let own = (kind.schema)(&mut generator).to_value();
            serde_json::json!({"allOf": [own], "$defs": generator.take_definitions(true)})
        });
        let description = description(schema, &schema["$defs"], key, DEEPEST)?;
        Some(first_sentence(description))
    }
}

fn description<'a>(schema: &'a Value, definitions: &'a Value, key: &str, depth: usize) -> Option<&'a str> {
    if let Some(own) = schema["properties"].get(key) {
        return own["description"].as_str();
    }
    let depth = depth.checked_sub(1)?;
    keys::parts(schema, definitions).find_map(|part| description(part, definitions, key, depth))
}

fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_end =
        |&(at, end): &(usize, &str)| end == "; " || !["e.g", "i.e"].iter().any(|short| line[..at].ends_with(short));
    let end = [". ", "; "].into_iter().flat_map(|end| line.match_indices(end)).filter(is_end).map(|(at, _)| at).min();
    let sentence = line[..end.unwrap_or(line.len())].trim_end_matches('.');
    match sentence.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &sentence[..cut]),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn one_sentence_is_told() {
        assert_eq!(first_sentence("Rows of a\nbatch. More rows are faster."), "Rows of a batch");
        assert_eq!(first_sentence("Share of rows, e.g. 0.7; the rest."), "Share of rows, e.g. 0.7");
        assert_eq!(first_sentence(&"é".repeat(200)).chars().count(), 161);
    }
}
