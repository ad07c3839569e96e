//! Numbers that may be none.

use serde::{Deserialize, Deserializer};

/// NaN where there is `null`, as which JSON writes what is not finite.
pub(crate) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
