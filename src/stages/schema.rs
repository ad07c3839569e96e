//! The JSON Schema of pipeline files, made from the stages' Rust types.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::engine::{Arity, InputPort, Resources};

/// A schema for editors (draft 2020-12): one branch per stage kind, inputs beside parameters.
pub fn pipeline_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let kinds: Vec<Value> = super::KINDS.iter().map(|kind| stage_schema(&mut generator, kind)).collect();
    let names: Vec<&str> = super::KINDS.iter().map(|kind| kind.name).collect();
    let resources = generator.subschema_for::<Resources>().to_value();
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A runner pipeline",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "stages"],
        "properties": {
            "name": {"type": "string", "description": "Names the folder of results under `artifacts`."},
            "seed": {"type": "integer", "minimum": 0, "description": "Every random number follows from it."},
            "vars": {"type": "object", "description": "Values for `${name}`; `--set name=value` replaces them."},
            "stages": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["kind"],
                    "properties": {"kind": {"enum": names}, Resources::KEY: resources},
                    "oneOf": kinds,
                },
            },
        },
        "$defs": definitions,
    })
}

fn stage_schema(generator: &mut SchemaGenerator, kind: &crate::engine::KindInfo) -> Value {
    // Inlined rather than referenced: the inputs and `kind` must be properties of the same object.
    let reference = (kind.schema)(generator).to_value();
    let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
    let mut schema = generator.definitions().get(&name).cloned().unwrap_or(reference);
    let properties = schema.as_object_mut().map(|object| object.entry("properties").or_insert_with(|| json!({})));
    if let Some(properties) = properties.and_then(Value::as_object_mut) {
        let own = std::mem::take(properties);
        properties.insert("kind".to_owned(), json!({"const": kind.name, "description": kind.summary}));
        let axis = json!({"type": "object", "description": "Makes an instance of the stage for every combination of these values."});
        properties.insert("matrix".to_owned(), axis);
        // Described above for all kinds alike; named here because no other property is allowed.
        properties.insert(Resources::KEY.to_owned(), json!(true));
        for input in kind.inputs {
            properties.insert(input.name.to_owned(), input_schema(input));
        }
        properties.extend(relaxed(own));
    }
    let required: Vec<&str> = (kind.inputs.iter())
        .filter(|input| matches!(input.arity, Arity::One | Arity::Many))
        .map(|input| input.name)
        .collect();
    if let Some(object) = schema.as_object_mut() {
        let list = object.entry("required").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.extend(required.into_iter().chain(["kind"]).map(Value::from));
        }
    }
    schema
}

/// Numbers may be written as `${variable}` too.
fn relaxed(properties: Map<String, Value>) -> Map<String, Value> {
    properties
        .into_iter()
        .map(|(name, schema)| {
            let kind = schema["type"].as_str().unwrap_or_default();
            if !matches!(kind, "integer" | "number" | "boolean") {
                return (name, schema);
            }
            let variable = json!({"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_.]*\}$"});
            let description = schema["description"].clone();
            (name, json!({"anyOf": [schema, variable], "description": description}))
        })
        .collect()
}

fn input_schema(input: &InputPort) -> Value {
    let reference = json!({"type": "string"});
    match input.arity {
        Arity::One | Arity::Optional => json!({"type": "string", "description": input.summary}),
        Arity::Many | Arity::Any => json!({
            "description": input.summary,
            "anyOf": [reference, {"type": "array", "items": reference}],
        }),
    }
}
