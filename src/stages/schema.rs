//! The JSON Schema of pipeline files, made from the stages' Rust types.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use runner_engine::{Arity, DISPLAY_NAME, InputPort, Resources, SEED};
use runner_names::Localized;
use runner_results::Metric;
use runner_results::costs::Costs;

/// A schema for editors (draft 2020-12): a definition per stage kind, inputs beside parameters. A stage that extends templates may leave
/// everything to them, so nothing is required of it; the same holds for templates.
pub fn pipeline_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let kinds: Vec<Kind> = super::extension::kinds().iter().map(|kind| Kind::new(&mut generator, kind)).collect();
    let names: Vec<&str> = super::extension::kinds().iter().map(|kind| kind.name).collect();
    let whole: Vec<Value> =
        kinds.iter().map(|kind| json!({"$ref": kind.reference, "required": kind.required})).collect();
    let parts: Vec<Value> = kinds.iter().map(|kind| json!({"$ref": kind.reference})).collect();
    let resources = generator.subschema_for::<Resources>().to_value();
    let display_name = json!({"allOf": [generator.subschema_for::<Localized>().to_value()], "description": CALLED});
    let mut costs = generator.subschema_for::<Costs>().to_value();
    costs["description"] = json!(COSTS);
    let mut definitions = generator.take_definitions(true);
    definitions.extend(kinds.into_iter().map(|kind| (kind.name, kind.schema)));
    definitions.values_mut().for_each(relax);
    let one_or_more = |what: &str, description: &str| {
        let one = json!({"type": "string", "description": what});
        json!({"description": description, "anyOf": [one, {"type": "array", "items": one}]})
    };
    definitions.insert("extends".to_owned(), one_or_more("A name under `templates`.", EXTENDS));
    definitions.insert("matrix".to_owned(), matrix_schema());
    let metrics: Vec<&str> = Metric::ALL.iter().map(|metric| metric.key()).chain(["log_loss"]).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A runner pipeline",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "description": "Names the folder of results under `artifacts`; the file's name unless given."},
            "seed": {"type": "integer", "minimum": 0, "description": "Every random number follows from it."},
            "metric": {"enum": metrics, "description": METRIC},
            "positive": {"type": ["string", "number", "boolean"], "description": POSITIVE},
            "costs": costs,
            "include": one_or_more("A path that counts from the folder of this file.", INCLUDE),
            "vars": {"type": "object", "description": "Values for `${name}`; `--set name=value` replaces them."},
            "templates": {
                "type": "object",
                "description": "What several stages share, by a name for `extends`.",
                "additionalProperties": {"anyOf": parts},
            },
            "stages": {
                "type": "object",
                "description": "What is done, by names of your choice.",
                "additionalProperties": {
                    "type": "object",
                    "properties": {"kind": {"enum": names}, Resources::KEY: resources, DISPLAY_NAME: display_name, SEED: {"type": "integer", "minimum": 0, "description": OWN_SEED}},
                    "if": {"required": ["extends"]},
                    "then": {"anyOf": parts},
                    "else": {"required": ["kind"], "oneOf": whole},
                },
            },
        },
        "$defs": definitions,
    })
}

const METRIC: &str = "What models are chosen by, on the validation part: the epoch that is kept, the best trial of a search, the weights of an ensemble, the best \
    model of page, article and terminal. A stage's own setting wins. Without it epochs and trials are chosen by macro_f1, weights by log loss, and the best model \
    by average_precision where the rarer of two classes has less than 20 % of the rows, else by macro_f1.";

const POSITIVE: &str = "Of two classes the one that average precision, curves and thresholds are of; the one with fewer training rows unless given.";

const COSTS: &str = "What mistakes cost: by the class of a row, then by the class that is predicted, e.g. `{sick: {healthy: 10}}`; 1 for pairs that are left out. \
    Every model then predicts the class of least expected cost under its calibrated probabilities, unless it has a `threshold`, and the metric `cost`, the \
    mean over rows, is computed.";

const INCLUDE: &str = "Pipeline files whose vars, templates and stages join these. This file's vars win; stages and templates have one place each. \
    The `seed` of an included file holds for its stages unless this file says one, its `metric`, `positive` and `costs` for all stages; its `name` does not count here.";

const EXTENDS: &str = "Templates to take over; of several a later one wins, and the stage's own keys win over all. Mappings are merged key by key, \
    everything else is replaced; `null` takes a key away.";

const OWN_SEED: &str = "What the stage's random numbers follow from; the pipeline's `seed` unless given. `seed` on a `split` stage alone \
    keeps the parts while models are drawn anew.";

const CALLED: &str = "What an article calls the stage in place of its name, e.g. `network on numbers`; it enters no result but those of `article` and `report`.";

/// A stage kind in the schema.
struct Kind {
    name: String,
    reference: String,
    schema: Value,
    required: Vec<Value>,
}

impl Kind {
    fn new(generator: &mut SchemaGenerator, kind: &runner_engine::KindInfo) -> Self {
        // Taken out of its own definition: the inputs and `kind` must be properties of the same object, since others are denied.
        let reference = (kind.schema)(generator).to_value();
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
        let mut schema = generator.definitions().get(&name).cloned().unwrap_or(reference);
        let mut required = vec![json!("kind")];
        if let Some(object) = schema.as_object_mut() {
            if let Some(Value::Array(own)) = object.shift_remove("required") {
                required.extend(own);
            }
            let own = object.shift_remove("properties");
            let mut properties = Map::new();
            properties.insert("kind".to_owned(), json!({"const": kind.name, "description": kind.summary}));
            properties.insert("extends".to_owned(), json!({"$ref": "#/$defs/extends"}));
            properties.insert("matrix".to_owned(), json!({"$ref": "#/$defs/matrix"}));
            properties.insert("as".to_owned(), json!({"type": "string", "description": AS}));
            // Described above for all kinds alike; named here because no other property is allowed.
            properties.insert(Resources::KEY.to_owned(), json!(true));
            properties.insert(DISPLAY_NAME.to_owned(), json!(true));
            if kind.seeded {
                properties.insert(SEED.to_owned(), json!(true));
            }
            for input in kind.inputs {
                properties.insert(input.name.to_owned(), input_schema(input));
            }
            if let Some(Value::Object(own)) = own {
                properties.extend(own);
            }
            object.insert("properties".to_owned(), Value::Object(properties));
        }
        let inputs = kind.inputs.iter().filter(|input| matches!(input.arity, Arity::One | Arity::Many));
        required.extend(inputs.map(|input| json!(input.name)));
        let name = format!("stage.{}", kind.name);
        Kind { reference: format!("#/$defs/{name}"), name, schema, required }
    }
}

const AS: &str = "What the instances of the matrix are called, e.g. `fused-${size}`; `${size}` is the choice's name here. Unless given: \
    `fused@size=small`. The stage's own name always means all instances.";

fn matrix_schema() -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let named = json!({"type": "object", "description": "Values of any shape, by names of your choice."});
    let axis = json!({"anyOf": [
        {"type": "array", "items": scalar, "description": "Scalars."},
        named,
        {"type": "string", "pattern": VARIABLE},
    ]});
    let choice = json!({"anyOf": [scalar, {"type": "object", "minProperties": 1, "maxProperties": 1, "description": "One named value."}]});
    json!({
        "description": "Makes an instance of the stage for every combination of these values, which `${key}` stands for: a mapping of \
            keys to lists of scalars or to named values, e.g. `{lr: [1e-3, 1e-2], size: {small: [64], large: [256, 256]}}`; or a list \
            of the combinations themselves, e.g. `[{lr: 1e-3, size: {small: [64]}}]`.",
        "anyOf": [
            {"type": "object", "additionalProperties": axis},
            {"type": "array", "items": {"type": "object", "additionalProperties": choice}},
        ],
    })
}

/// Lets numbers, true/false and lists be written as `${variable}` too, at any depth.
fn relax(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(relax),
        Value::Object(object) => {
            object.values_mut().for_each(relax);
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                properties.values_mut().for_each(allow_variable);
            }
        }
        _ => {}
    }
}

fn allow_variable(property: &mut Value) {
    let types: Vec<&str> = match &property["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let other = types.iter().any(|name| matches!(*name, "integer" | "number" | "boolean" | "array"));
    if !other || types.contains(&"string") {
        return;
    }
    let own = property.take();
    let description = own["description"].clone();
    *property = json!({"anyOf": [own, {"type": "string", "pattern": VARIABLE}]});
    if !description.is_null() {
        property["description"] = description;
    }
}

/// A scalar that is one variable.
const VARIABLE: &str = r"^\$\{[A-Za-z_][A-Za-z0-9_.-]*\}$";

fn input_schema(input: &InputPort) -> Value {
    let reference = json!({"type": "string"});
    match input.arity {
        Arity::One | Arity::Optional => json!({"type": "string", "description": input.summary}),
        Arity::Many | Arity::Any => json!({
            "description": input.summary,
            "anyOf": [reference, {"type": "array", "items": reference}],
        }),
        Arity::Named => json!({
            "description": input.summary,
            "type": "object",
            "additionalProperties": {"anyOf": [reference, {"type": "array", "items": reference}]},
        }),
    }
}
