//! `profile`: the numbers behind `describe`, from a frame and its labels to one document.
//!
//! Statistics of the columns, and a leakage audit that judges them. Missing numbers (NaN) are left out of every statistic; infinities are treated as
//! missing and counted. Same input, options and seed give the same document for any thread count.

mod audit;
mod statistics;
mod table;

use runner_results::profile::Profile;

pub use table::error::ProfileError;
pub use table::input::{Origins, ProfileInput, TEST, TRAIN, VALID};
pub use table::options::ProfileOptions;

use super::progress::{Cancelled, Progress};
use statistics::Statistics;
use table::input::Checked;

/// Profiles `input` with at most `threads` threads (0 counts as 1).
///
/// # Errors
/// Lengths that disagree, labels or parts out of range, vector columns, an empty table, options out of range, a
/// thread pool that the system refuses, or cancellation.
pub fn profile(
    input: &ProfileInput,
    options: &ProfileOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Profile, ProfileError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|error| ProfileError::Threads(error.to_string()))?;
    pool.install(|| Ok(profile_checked(&Checked::new(input, options, progress)?)?))
}

fn profile_checked(input: &Checked) -> Result<Profile, Cancelled> {
    let found = statistics::of_table(input)?;
    let audit = audit::audit(input, &found.columns, &found.classes, &found.correlations)?;
    let Statistics { columns, classes, class_groups, parts, correlations, relevance, pca, histograms } = found;
    Ok(Profile {
        rows: input.rows as u64,
        labelled: input.labelled as u64,
        columns,
        classes,
        class_groups,
        parts,
        correlations,
        relevance,
        pca,
        histograms,
        audit,
        label_classes: input.classes.to_vec(),
    })
}

#[cfg(test)]
mod tests;
