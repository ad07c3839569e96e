//! How the vectors of a text's tokens become one (Reimers and Gurevych, arXiv 1908.10084).

use runner_results::encoder::Pooling;

/// Each of `poolings` of the rows of one text's tokens, side by side in `out`. Rows may be longer than their share of it.
pub(crate) fn pool<'a>(poolings: &[Pooling], rows: impl Iterator<Item = &'a [f32]> + Clone, out: &mut [f32]) {
    let dim = out.len() / poolings.len().max(1);
    for (pooling, out) in poolings.iter().zip(out.chunks_exact_mut(dim)) {
        pool_one(*pooling, rows.clone(), out);
    }
}

/// Pools the rows of one text's tokens into `out`; rows may be longer than `out`.
fn pool_one<'a>(pooling: Pooling, mut rows: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
    let Some(first) = rows.next() else {
        out.fill(0.0);
        return;
    };
    out.copy_from_slice(&first[..out.len()]);
    match pooling {
        Pooling::Cls => {}
        Pooling::Last => {
            if let Some(last) = rows.last() {
                out.copy_from_slice(&last[..out.len()]);
            }
        }
        Pooling::Max => {
            for row in rows {
                for (out, value) in out.iter_mut().zip(row) {
                    *out = out.max(*value);
                }
            }
        }
        Pooling::Mean | Pooling::MeanSqrtLen => {
            let mut count = 1u32;
            for row in rows {
                for (out, value) in out.iter_mut().zip(row) {
                    *out += value;
                }
                count += 1;
            }
            let by = if pooling == Pooling::Mean { count as f32 } else { (count as f32).sqrt() };
            out.iter_mut().for_each(|value| *value /= by);
        }
        Pooling::Weighted => {
            let (mut weight, mut total) = (1.0, 1.0);
            for row in rows {
                weight += 1.0;
                total += weight;
                for (out, value) in out.iter_mut().zip(row) {
                    *out += weight * value;
                }
            }
            out.iter_mut().for_each(|value| *value /= total);
        }
    }
}
