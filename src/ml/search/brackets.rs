//! Brackets: which trials are begun together, and the rungs at which the worse of them stop.
//!
//! Successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943) and Hyperband (Li et al. 2018, arXiv 1603.06560),
//! synchronous: a rung is decided when all its trials are there, so no order in which they end reaches a result. ASHA's
//! asynchronous promotions would.

use super::spec::{PruningKind, PruningSpec, SearchSpec};

/// Trials that are begun together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bracket {
    /// Trials at most; `None` for all that there are.
    pub(crate) trials: Option<usize>,
    /// Epochs after which the worse trials stop, ascending; what remains runs to its end.
    pub(crate) rungs: Vec<usize>,
}

/// The brackets of a search in turn, without end. `epochs`: those of a whole trial.
pub(crate) fn brackets(spec: &SearchSpec, epochs: usize) -> impl Iterator<Item = Bracket> {
    let turn: Vec<Bracket> = match &spec.pruning {
        None => vec![Bracket { trials: spec.batch(), rungs: Vec::new() }],
        Some(pruning) => {
            let rungs = rungs(pruning, epochs);
            match pruning.kind {
                PruningKind::Halving => vec![Bracket { trials: spec.batch(), rungs }],
                PruningKind::Hyperband => (0..=rungs.len())
                    .map(|skipped| {
                        let trials = Some(size(rungs.len(), rungs.len() - skipped, pruning.factor));
                        Bracket { trials, rungs: rungs[skipped..].to_vec() }
                    })
                    .collect(),
            }
        }
    };
    (0..).map(move |number| turn[number % turn.len()].clone())
}

/// How many of `trials` go on from a rung: the best 1 / factor, but always one.
pub(crate) fn promoted(trials: usize, factor: usize) -> usize {
    (trials / factor.max(1)).max(1)
}

/// `epochs` divided by the factor again and again, as long as `min_epochs` are left; without `epochs` itself, ascending.
fn rungs(pruning: &PruningSpec, epochs: usize) -> Vec<usize> {
    let mut rungs = Vec::new();
    let mut divisor = pruning.factor as f64;
    loop {
        let rung = (epochs as f64 / divisor).round() as usize;
        if rung < pruning.min_epochs.max(1) || rungs.last().is_some_and(|last| rung >= *last) || rung >= epochs {
            break;
        }
        rungs.push(rung);
        divisor *= pruning.factor as f64;
    }
    rungs.reverse();
    rungs
}

/// Trials of Hyperband's bracket with `left` of `most` rungs: ⌈(most + 1) / (left + 1) · factor^left⌉.
fn size(most: usize, left: usize, factor: usize) -> usize {
    ((most + 1) * factor.saturating_pow(left as u32)).div_ceil(left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn spec(pruning: Value) -> SearchSpec {
        serde_json::from_value(json!({"pruning": pruning, "space": {"a": {"choice": [1]}}})).unwrap()
    }

    // Li et al. 2018, Table 1: R = 81, η = 3. Rows are s = 4, 3, 2, 1, 0; columns n_i and r_i.
    #[test]
    fn hyperband_has_the_brackets_of_the_paper() {
        let spec = spec(json!({"kind": "hyperband", "factor": 3, "min_epochs": 1}));
        let expected: [&[(usize, usize)]; 5] = [
            &[(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
            &[(34, 3), (11, 9), (3, 27), (1, 81)],
            &[(15, 9), (5, 27), (1, 81)],
            &[(8, 27), (2, 81)],
            &[(5, 81)],
        ];
        let found: Vec<Vec<(usize, usize)>> = brackets(&spec, 81)
            .take(5)
            .map(|bracket| {
                let mut trials = bracket.trials.unwrap();
                let mut steps = Vec::new();
                for rung in bracket.rungs {
                    steps.push((trials, rung));
                    trials = promoted(trials, 3);
                }
                steps.push((trials, 81));
                steps
            })
            .collect();
        assert_eq!(found, expected);
        let mut endless = brackets(&spec, 81);
        assert_eq!(endless.next(), endless.nth(4), "after the last comes the first");
    }

    #[test]
    fn rungs_end_at_the_least_epochs() {
        let rungs = |epochs, min| {
            let spec = spec(json!({"min_epochs": min}));
            brackets(&spec, epochs).next().unwrap().rungs
        };
        assert_eq!(rungs(25, 3), [3, 8]);
        assert_eq!(rungs(27, 1), [1, 3, 9]);
        assert_eq!(rungs(20, 3), [7]);
        assert_eq!(rungs(5, 3), [0; 0], "nothing to halve: trials run to their end");
        assert_eq!(rungs(1, 1), [0; 0]);
    }
}
