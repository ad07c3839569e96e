//! How readers are told what kind of interval is shown.

use runner_results::interval::IntervalMethod;

fn one(method: IntervalMethod, is_alone: bool) -> &'static str {
    match (method, is_alone) {
        (IntervalMethod::Bootstrap, _) => "percentile bootstrap over rows",
        (IntervalMethod::GroupBootstrap, _) => "bootstrap over the groups of rows that the split keeps together",
        (IntervalMethod::Wilson, true) => "Wilson's score interval",
        (IntervalMethod::Wilson, false) => "of rows that stand alone, Wilson's score interval",
        (IntervalMethod::GroupWilson, _) => {
            "Wilson's score interval for as many rows as tell as much alone, by the design effect of the groups that the split keeps together"
        }
        (IntervalMethod::Tango, true) => "Tango's score interval for new rows",
        (IntervalMethod::Tango, false) => {
            "of differences that all resamples have alike, as of models that are right on the same rows, Tango's score interval for new rows"
        }
    }
}

/// What the intervals of a table are, e.g. `percentile bootstrap over rows; of differences that … Tango's score interval`. Nothing without any.
pub fn words(methods: impl IntoIterator<Item = IntervalMethod>) -> String {
    let mut methods: Vec<IntervalMethod> = methods.into_iter().collect();
    methods.sort_unstable();
    methods.dedup();
    let is_resampled = matches!(methods.first(), Some(IntervalMethod::Bootstrap | IntervalMethod::GroupBootstrap));
    let of_each = methods.into_iter().map(|method| one(method, !is_resampled));
    of_each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_of_the_intervals_that_it_has() {
        use IntervalMethod::{Bootstrap, GroupBootstrap, GroupWilson, Tango, Wilson};
        assert_eq!(words([Wilson, Wilson]), "Wilson's score interval");
        assert_eq!(words([Tango]), "Tango's score interval for new rows");
        let mixed = words([Tango, Bootstrap, Tango]);
        assert!(mixed.starts_with("percentile bootstrap over rows; of differences that") && mixed.contains("Tango"));
        assert!(words([Wilson, GroupBootstrap]).starts_with("bootstrap over the groups of rows that the split keeps"));
        assert!(words([GroupWilson]).contains("design effect of the groups"));
        assert_eq!(words([]), "");
    }
}
