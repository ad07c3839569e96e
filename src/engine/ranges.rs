//! Values out of their range, and values given twice, by the JSON Schema of a stage's parameters: one declaration for the editor, the check and the message.
//!
//! A range stands where the parameter is declared, e.g. `#[schemars(range(min = 1, max = 1000))]`; an end that is not in it is an
//! `exclusiveMinimum` or `exclusiveMaximum`. Rules over several parameters are for the stage's own check.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;
use schemars::SchemaGenerator;
use serde_json::Value;

use super::stage::KindInfo;
use runner_spec::{Step, display_path};

/// Definitions within definitions; what is nested deeper has no range of its own.
const DEEPEST: usize = 12;
/// An upper end from here on only keeps slips of the keyboard out; a value below the range is told the lower end alone.
const BEYOND_USE: f64 = 100_000.0;

/// A value out of its range.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfRange {
    /// Where it stands.
    pub path: Vec<Step>,
    /// What is wrong, e.g. `dropout must be in [0, 1); got 1.4`.
    pub message: String,
    /// Whether it would be in its range as a percentage.
    pub(crate) is_percentage: bool,
}

impl OutOfRange {
    fn new(path: Vec<Step>, message: String) -> Self {
        OutOfRange { path, message, is_percentage: false }
    }
}

/// Everything in `params` that is out of its range. Values of a wrong type are passed over: they are told as such.
pub fn out_of_range(kind: &KindInfo, params: &Value) -> Vec<OutOfRange> {
    let mut found = Vec::new();
    let (rule, binds) = rule_of(kind);
    if binds {
        rule.check(params, &mut Vec::new(), &mut found);
    }
    found
}

/// Whether a kind has a parameter of that name.
pub(crate) fn has_parameter(kind: &KindInfo, name: &str) -> bool {
    rule_of(kind).0.properties.contains_key(name)
}

/// The rule of a kind's parameters, read from the schema once, and whether it can refuse anything.
fn rule_of(kind: &KindInfo) -> (&'static Rule, bool) {
    // By what makes the schema: registries of tests have kinds of one name.
    static RULES: OnceLock<Mutex<HashMap<usize, (&'static Rule, bool)>>> = OnceLock::new();
    let mut rules = RULES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    *rules.entry(kind.schema as usize).or_insert_with(|| {
        let mut generator = SchemaGenerator::default();
        let schema = (kind.schema)(&mut generator).to_value();
        let definitions: HashMap<String, Value> = generator.take_definitions(true).into_iter().collect();
        let rule = Rule::read(&schema, &definitions, DEEPEST);
        // As many as there are kinds, for as long as the program runs.
        let binds = rule.binds();
        (&*Box::leak(Box::new(rule)), binds)
    })
}

/// What a schema says of ranges, at a place and below it.
#[derive(Debug, Default)]
struct Rule {
    /// The JSON types that fit; empty for any.
    types: Vec<String>,
    bounds: Bounds,
    /// Lists that are too short are for the stage's own check, which knows what is missing.
    most_items: Option<u64>,
    /// Whether each value may stand in a list once only.
    is_set: bool,
    properties: IndexMap<String, Rule>,
    required: Vec<String>,
    /// Values of keys that are no properties; `None` where there may be none.
    others: Option<Box<Rule>>,
    items: Option<Box<Rule>>,
    choices: Vec<Rule>,
    /// The only values that fit, where they are listed.
    listed: Option<Vec<Value>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
    above: Option<f64>,
    below: Option<f64>,
}

impl Rule {
    fn read(schema: &Value, definitions: &HashMap<String, Value>, depth: usize) -> Rule {
        if depth == 0 {
            return Rule::default();
        }
        let read = |schema: &Value| Rule::read(schema, definitions, depth - 1);
        let mut rule = match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => definitions.get(name).map(read).unwrap_or_default(),
            None => Rule::default(),
        };
        match &schema["type"] {
            Value::String(one) => rule.types = vec![one.clone()],
            Value::Array(several) => rule.types = several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => {}
        }
        let number = |key: &str| schema[key].as_f64();
        let bounds = Bounds {
            low: number("minimum"),
            high: number("maximum"),
            above: number("exclusiveMinimum"),
            below: number("exclusiveMaximum"),
        };
        if bounds != Bounds::default() {
            rule.bounds = bounds;
        }
        rule.is_set = schema["uniqueItems"].as_bool().unwrap_or(rule.is_set);
        rule.most_items = schema["maxItems"].as_u64().or(rule.most_items);
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            rule.properties.insert(key.clone(), read(property));
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        rule.required.extend(required.map(str::to_owned));
        if rule.others.is_none() {
            rule.others = match &schema["additionalProperties"] {
                Value::Bool(false) => None,
                other => Some(Box::new(read(other))),
            };
        }
        if schema["items"].is_object() {
            rule.items = Some(Box::new(read(&schema["items"])));
        }
        for choice in ["anyOf", "oneOf"].into_iter().flat_map(|key| schema[key].as_array()).flatten() {
            rule.choices.push(read(choice));
        }
        rule.listed = match (&schema["const"], &schema["enum"]) {
            (Value::Null, Value::Array(values)) => Some(values.clone()),
            (Value::Null, _) => rule.listed,
            (only, _) => Some(vec![only.clone()]),
        };
        rule
    }

    /// Whether it can refuse anything at all.
    fn binds(&self) -> bool {
        let below = self.properties.values().chain(self.others.as_deref()).chain(self.items.as_deref());
        self.bounds != Bounds::default()
            || self.most_items.is_some()
            || self.is_set
            || below.chain(&self.choices).any(Rule::binds)
    }

    /// Whether a value has the form that the rule is for; `whole`: with all that is required.
    fn fits(&self, value: &Value, whole: bool) -> bool {
        let is = |name: &String| match (name.as_str(), value) {
            ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
            ("array", Value::Array(_)) | ("object", Value::Object(_)) => true,
            ("number", Value::Number(_)) => true,
            ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
            _ => false,
        };
        let keys = |object: &serde_json::Map<String, Value>| {
            (!whole || self.required.iter().all(|key| object.contains_key(key)))
                && (self.others.is_some() || object.keys().all(|key| self.properties.contains_key(key)))
        };
        (self.types.is_empty() || self.types.iter().any(is))
            && self.listed.as_ref().is_none_or(|listed| listed.contains(value))
            && value.as_object().is_none_or(|object| self.properties.is_empty() || keys(object))
            && (self.choices.is_empty() || self.choices.iter().any(|choice| choice.fits(value, whole)))
    }

    fn check(&self, value: &Value, path: &mut Vec<Step>, found: &mut Vec<OutOfRange>) {
        if let Value::Number(number) = value
            && let Some(number) = number.as_f64()
            && (self.types.is_empty() || self.types.iter().any(|name| name == "number") || number.fract() == 0.0)
            && let Some(demand) = self.bounds.demand(number)
        {
            let message = format!("{} must be {demand}; got {value}", display_path(path));
            found.push(match self.bounds.of_percentage(number) {
                Some(share) => OutOfRange {
                    path: path.clone(),
                    message: format!("{message} ({value} % is {share})"),
                    is_percentage: true,
                },
                None => OutOfRange::new(path.clone(), message),
            });
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    if let Some(rule) = self.properties.get(key).or(self.others.as_deref()) {
                        path.push(Step::Key(key.clone()));
                        rule.check(value, path, found);
                        path.pop();
                    }
                }
            }
            Value::Array(items) => {
                let count = items.len() as u64;
                if let Some(most) = self.most_items
                    && count > most
                {
                    let message = format!("{} must hold at most {most} values; got {count}", display_path(path));
                    found.push(OutOfRange::new(path.clone(), message));
                }
                let mut seen = HashSet::new();
                for (i, item) in items.iter().enumerate().filter(|_| self.is_set) {
                    if !seen.insert(item.to_string()) {
                        let place = path.iter().cloned().chain([Step::Index(i)]).collect();
                        let shown = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                        let message = format!("{} names '{shown}' twice: leave one out", display_path(path));
                        found.push(OutOfRange::new(place, message));
                    }
                }
                for (i, item) in items.iter().enumerate() {
                    let Some(rule) = &self.items else { break };
                    path.push(Step::Index(i));
                    rule.check(item, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
        // The form that it has, or of several the one that it violates least.
        let whole = self.choices.iter().any(|choice| choice.fits(value, true));
        let fitting = self.choices.iter().filter(|choice| choice.fits(value, whole)).map(|choice| {
            let mut found = Vec::new();
            choice.check(value, path, &mut found);
            found
        });
        if let Some(least) = fitting.min_by_key(Vec::len) {
            found.extend(least);
        }
    }
}

impl Bounds {
    /// The share that a number was perhaps meant as, e.g. 0.8 for 80, where the range is one of shares.
    fn of_percentage(&self, number: f64) -> Option<f64> {
        let share = number / 100.0;
        let is_of_shares = self.high.or(self.below) == Some(1.0) && self.low.or(self.above) == Some(0.0);
        (is_of_shares && number >= 2.0 && self.demand(share).is_none()).then_some(share)
    }

    /// What a number out of the range must be.
    fn demand(&self, number: f64) -> Option<String> {
        let too_low = self.low.is_some_and(|low| number < low) || self.above.is_some_and(|above| number <= above);
        let too_high = self.high.is_some_and(|high| number > high) || self.below.is_some_and(|below| number >= below);
        if !too_low && !too_high {
            return None;
        }
        let high = self.high.or(self.below).filter(|high| *high < BEYOND_USE);
        Some(match (high, self.low, self.above) {
            (Some(high), low, above) if low.is_some() || above.is_some() => {
                let open = if above.is_some() { "(" } else { "[" };
                let close = if self.below.is_some() { ")" } else { "]" };
                format!("in {open}{}, {high}{close}", above.or(low).unwrap_or(f64::NEG_INFINITY))
            }
            (_, _, Some(above)) if too_low && above == 0.0 => "positive".to_owned(),
            (_, _, Some(above)) if too_low => format!("above {above}"),
            (_, Some(low), _) if too_low => format!("at least {low}"),
            _ => match (self.high, self.below) {
                (Some(high), _) => format!("at most {high}"),
                (_, below) => format!("below {}", below.unwrap_or(f64::INFINITY)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schema: Value, value: Value) -> Vec<String> {
        let definitions = schema["$defs"].as_object().cloned().unwrap_or_default().into_iter().collect();
        let mut found = Vec::new();
        Rule::read(&schema, &definitions, DEEPEST).check(&value, &mut Vec::new(), &mut found);
        found.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn each_kind_of_range_is_told_with_the_value() {
        let schema = json!({"properties": {
            "dropout": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "lr": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6},
            "epochs": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
            "folds": {"type": ["integer", "null"], "minimum": 2, "maximum": 100},
            "layers": {"type": "array", "maxItems": 2, "items": {"type": "integer", "minimum": 1}},
            "numeric": {"type": "array", "uniqueItems": true, "items": {"type": "string"}},
        }});
        let values =
            json!({"dropout": 1.4, "lr": -1, "epochs": 0, "folds": 1, "layers": [8, 0, 4], "numeric": ["a", "b", "a"]});
        let expected = [
            "dropout must be in [0, 1); got 1.4",
            "lr must be positive; got -1",
            "epochs must be at least 1; got 0",
            "folds must be in [2, 100]; got 1",
            "layers must hold at most 2 values; got 3",
            "layers[1] must be at least 1; got 0",
            "numeric names 'a' twice: leave one out",
        ];
        assert_eq!(found(schema.clone(), values), expected);
        let values = json!({"lr": 1e9, "epochs": 10_000_000, "folds": null});
        let expected = ["lr must be at most 1000000; got 1000000000.0", "epochs must be at most 1000000; got 10000000"];
        assert_eq!(found(schema.clone(), values), expected);
        // Told as values of a wrong type.
        assert!(found(schema, json!({"epochs": 0.5, "lr": "fast", "layers": {}})).is_empty());
    }

    #[test]
    fn of_several_forms_the_one_that_a_value_has_counts() {
        let schema = json!({
            "anyOf": [{"$ref": "#/$defs/block"}, {"type": "null"}, {"type": "number", "minimum": 5}],
            "$defs": {"block": {"type": "object", "additionalProperties": false, "properties": {"share": {"type": "number", "maximum": 1}}}},
        });
        assert_eq!(found(schema.clone(), json!({"share": 2})), ["share must be at most 1; got 2"]);
        assert_eq!(found(schema.clone(), json!(4)), [" must be at least 5; got 4"]);
        assert!(found(schema, json!(null)).is_empty());
    }
}
