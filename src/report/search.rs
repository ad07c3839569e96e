//! What a search amounts to, in words.

use runner_results::search::Search;
use runner_results::search::State;

/// `40 trials (12 complete, 28 pruned), out of time`.
pub fn trial_counts(search: &Search) -> String {
    let mut parts = vec![format!("{} complete", search.ended(State::Complete))];
    for state in [State::Pruned, State::Diverged] {
        if search.ended(state) > 0 {
            parts.push(format!("{} {}", search.ended(state), state.name()));
        }
    }
    let time = if search.out_of_time { ", out of time" } else { "" };
    let trials = search.trials.len();
    let plural = if trials == 1 { "" } else { "s" };
    match parts.len() {
        1 => format!("{trials} trial{plural}{time}"),
        _ => format!("{trials} trial{plural} ({}){time}", parts.join(", ")),
    }
}
