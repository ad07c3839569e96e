//! The settings of a model's config.json, each read by its name and refused with the file's.

use std::fmt::Display;
use std::path::Path;

use serde_json::Value;

use super::EncodeError;
use super::files::setting;

/// The bounds keep products of sizes far from overflow; no encoder comes near them.
const LARGEST_SIZE: u64 = 100_000_000;
const MOST_LAYERS: u64 = 1000;
const MOST_POSITIONS: u64 = 1_000_000;
/// Positions × dimensions: 131,072 of 512.
const LARGEST_ROTATION: usize = 1 << 26;

#[derive(Clone, Copy)]
pub(crate) struct Settings<'v> {
    pub(crate) values: &'v Value,
    pub(crate) path: &'v Path,
}

impl<'v> Settings<'v> {
    pub(crate) fn unsupported(&self, reason: impl Display) -> EncodeError {
        EncodeError::Unsupported { path: self.path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn corrupt(&self, reason: impl Display) -> EncodeError {
        EncodeError::Corrupt { path: self.path.to_owned(), reason: reason.to_string() }
    }

    /// A size that must be there.
    pub(crate) fn size(&self, name: &str) -> Result<usize, EncodeError> {
        self.size_to(LARGEST_SIZE, name)
    }

    /// The number of layers.
    pub(crate) fn layers(&self, name: &str) -> Result<usize, EncodeError> {
        self.size_to(MOST_LAYERS, name)
    }

    /// How many tokens have positions, of which tables are made.
    pub(crate) fn positions(&self, name: &str) -> Result<usize, EncodeError> {
        self.size_to(MOST_POSITIONS, name)
    }

    /// Refuses dimensions of a head that rotary positions cannot turn in pairs, and tables of them that are larger than any model's.
    pub(crate) fn rotated(&self, dimensions: usize, positions: usize) -> Result<(), EncodeError> {
        if !dimensions.is_multiple_of(2) {
            return Err(self.corrupt(format!("heads of {dimensions} dimensions cannot have rotary positions")));
        }
        if dimensions.saturating_mul(positions) > LARGEST_ROTATION {
            return Err(self.corrupt(format!("{positions} rotary positions of {dimensions} dimensions are too many")));
        }
        Ok(())
    }

    fn size_to(&self, largest: u64, name: &str) -> Result<usize, EncodeError> {
        match self.values[name].as_u64() {
            Some(value) if (1..=largest).contains(&value) => Ok(value as usize),
            _ => Err(self.corrupt(format!("'{name}' is {}, not a number of 1 to {largest}", self.values[name]))),
        }
    }

    /// Of two names for the same setting the one that the file has.
    pub(crate) fn either<'n>(&self, name: &'n str, other: &'n str) -> &'n str {
        if self.values[name].is_null() && !self.values[other].is_null() { other } else { name }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, EncodeError> {
        setting(self.values, name, self.path, "true or false", Value::as_bool)
    }

    pub(crate) fn name(&self, name: &str) -> Result<Option<&'v str>, EncodeError> {
        setting(self.values, name, self.path, "a name", Value::as_str)
    }

    /// The number of a token.
    pub(crate) fn token(&self, name: &str) -> Result<Option<u64>, EncodeError> {
        setting(self.values, name, self.path, "the number of a token", Value::as_u64)
    }

    /// What a norm adds to a variance.
    pub(crate) fn epsilon(&self, name: &str, default: f64) -> Result<f64, EncodeError> {
        let epsilon = setting(self.values, name, self.path, "a number of 0 to 1", Value::as_f64)?.unwrap_or(default);
        if !(0.0..=1.0).contains(&epsilon) {
            return Err(self.corrupt(format!("'{name}' is {epsilon}, not a number of 0 to 1")));
        }
        Ok(epsilon)
    }

    /// Refuses a setting that is there and has none of these values.
    pub(crate) fn only(&self, name: &str, allowed: &[Value]) -> Result<(), EncodeError> {
        let value = &self.values[name];
        if value.is_null() || allowed.contains(value) {
            return Ok(());
        }
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let allowed = if allowed.is_empty() { "null".to_owned() } else { allowed.join(", ") };
        Err(self.unsupported(format!("{name} {value}; supported is {allowed}")))
    }

    /// The base of rotary positions: in `rope_parameters` (of the layers of that kind, where there are several), or as `old` in older files.
    pub(crate) fn rope_theta(&self, layers: Option<&str>, old: &str) -> Result<f64, EncodeError> {
        self.only("rope_scaling", &[])?;
        let parameters = &self.values["rope_parameters"];
        let own = match layers {
            Some(layers) if !parameters[layers].is_null() => &parameters[layers],
            _ => parameters,
        };
        let settings = Settings { values: own, path: self.path };
        settings.only("rope_type", &["default".into()])?;
        settings.only("partial_rotary_factor", &[1.into(), 1.0.into()])?;
        let (name, theta) = match &own["rope_theta"] {
            Value::Null => (old, &self.values[old]),
            theta => ("rope_theta", theta),
        };
        match theta.as_f64() {
            Some(theta) if (1.0..=1e12).contains(&theta) => Ok(theta),
            _ => Err(self.corrupt(format!("'{name}' is {theta}, not a number of 1 to 1000000000000"))),
        }
    }

    /// The dimensions of each of `heads` heads that share `hidden`.
    pub(crate) fn shared(&self, hidden: usize, heads: usize) -> Result<usize, EncodeError> {
        if !hidden.is_multiple_of(heads) {
            return Err(self.corrupt(format!("{hidden} dimensions cannot be shared by {heads} heads")));
        }
        Ok(hidden / heads)
    }
}
