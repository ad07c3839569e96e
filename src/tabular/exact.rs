//! `Exact`: whole and fractional numbers compared without rounding: as floats, ids beyond 2^53 would run together.

use std::cmp::Ordering;

/// Whether a float is equal to the integer.
pub fn is_exact(integer: i64) -> bool {
    // In 128 bits: 2^63, to which the largest integers are rounded, is none of 64.
    integer as f64 as i128 == i128::from(integer)
}

/// A number of a cell or of a condition; floats are not NaN.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exact {
    Integer(i128),
    Float(f64),
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Exact::Integer(a), Exact::Integer(b)) => Some(a.cmp(b)),
            (Exact::Float(a), Exact::Float(b)) => a.partial_cmp(b),
            (Exact::Integer(a), Exact::Float(b)) => compare(*a, *b),
            (Exact::Float(a), Exact::Integer(b)) => compare(*b, *a).map(Ordering::reverse),
        }
    }
}

fn compare(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // The cast saturates, at bounds that no 64-bit integer reaches; what it cuts off decides between equals.
    let fraction = if float.is_finite() { float.fract() } else { float };
    Some(integer.cmp(&(float as i128)).then(0.0.partial_cmp(&fraction)?))
}

#[cfg(test)]
mod tests {
    use super::Exact::{Float, Integer};

    #[test]
    fn integers_and_floats_compare_exactly() {
        let large = 9_007_199_254_740_993;
        assert!(Integer(large) > Float(9_007_199_254_740_992.0) && Integer(large) != Float(large as f64));
        assert!(Integer(large - 1) == Float(9_007_199_254_740_992.0));
        assert!(Integer(2) < Float(2.5) && Integer(-2) > Float(-2.5) && Integer(3) > Float(2.5));
        assert!(Integer(i128::from(u64::MAX)) < Float(1e300) && Integer(0) > Float(f64::NEG_INFINITY));
    }
}
