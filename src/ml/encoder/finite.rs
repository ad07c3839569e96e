//! Whether numbers from outside are finite. One that is not makes every vector that it reaches meaningless.

/// Values looked at together: as many as keep two wide registers busy.
const LANES: usize = 32;

/// The place of the first value that is NaN or infinite.
pub(crate) fn first_not_finite(values: &[f32]) -> Option<usize> {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let blocks_are = |blocks: &[[f32; LANES]]| {
        // Zero times a finite number is zero, times any other NaN. One sum in each lane, so that lanes need not wait.
        let mut sums = [0f32; LANES];
        for block in blocks {
            for (sum, value) in sums.iter_mut().zip(block) {
                *sum += value * 0.0;
            }
        }
        sums.iter().all(|sum| *sum == 0.0)
    };
    if blocks_are(blocks) && rest.iter().all(|value| value.is_finite()) {
        return None;
    }
    values.iter().position(|value| !value.is_finite())
}

/// `7` of a tensor of 2 × 4 → `[1, 3]`
pub(crate) fn position(mut index: usize, shape: &[usize]) -> String {
    let mut places = vec![0; shape.len()];
    for (place, size) in places.iter_mut().zip(shape).rev() {
        *place = index % (*size).max(1);
        index /= (*size).max(1);
    }
    format!("{places:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_found_wherever_it_is() {
        for length in [1, 31, 32, 33, 200] {
            let sound: Vec<f32> =
                (0..length).map(|i| [f32::MAX, -f32::MIN_POSITIVE, 0.0, -0.0, 1e-45][i % 5]).collect();
            assert_eq!(first_not_finite(&sound), None);
            for at in 0..length {
                for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut broken = sound.clone();
                    broken[at] = value;
                    assert_eq!(first_not_finite(&broken), Some(at));
                }
            }
        }
        assert_eq!(first_not_finite(&[]), None);
    }

    #[test]
    fn positions_count_as_the_shape_does() {
        assert_eq!(position(7, &[2, 4]), "[1, 3]");
        assert_eq!(position(23, &[2, 3, 4]), "[1, 2, 3]");
        assert_eq!(position(5, &[6]), "[5]");
    }
}
