//! The dotted paths of a kind's parameters, e.g. `optimizer.lr`, read from the JSON Schema of its type.
//!
//! For messages: who writes a key one level too high is told where it belongs.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// Choices within choices; what is nested deeper nobody mistakes for a key of the stage.
const DEEPEST: usize = 8;

/// All paths of parameters of a kind, e.g. `optimizer.lr`.
pub fn parameter_paths<S: JsonSchema>() -> Vec<String> {
    let schema = SchemaGenerator::default().into_root_schema_for::<S>().to_value();
    let mut paths = Vec::new();
    collect(&schema, &schema["$defs"], "", DEEPEST, &mut paths);
    paths
}

/// The schemas that one consists of or chooses among.
pub(super) fn parts<'a>(schema: &'a Value, definitions: &'a Value) -> impl Iterator<Item = &'a Value> {
    let referred = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    let choices = ["anyOf", "oneOf", "allOf"].into_iter().flat_map(|key| schema[key].as_array()).flatten();
    referred.map(|name| &definitions[name]).into_iter().chain(choices)
}

fn collect(schema: &Value, definitions: &Value, above: &str, depth: usize, paths: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    for part in parts(schema, definitions) {
        collect(part, definitions, above, depth - 1, paths);
    }
    for (key, child) in schema["properties"].as_object().into_iter().flatten() {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        // A choice may repeat the keys of another.
        if !paths.contains(&path) {
            paths.push(path.clone());
            collect(child, definitions, &path, depth - 1, paths);
        }
    }
}
