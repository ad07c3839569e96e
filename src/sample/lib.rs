//! The sample study: an invented catalogue of songs in the form of the real data, made by a seeded generator, so that
//! every pipeline can be tried without a download.
//!
//! | file | holds |
//! |---|---|
//! | `figures` | quantiles by genre, and correlations |
//! | `numbers` | a song's numbers, drawn from the figures |
//! | `words`, `names` | word lists, and the grammar of titles and artists |
//! | `catalogue` | artists, songs, releases, playlists |
//! | `files` | the catalogue as CSV |
//!
//! Genre shows in numbers, titles and artists, in none of them surely: each tells something that the others do not.

mod catalogue;
mod figures;
mod files;
mod names;
mod numbers;
mod words;

use catalogue::Catalogue;

/// The seed of `data/sample`.
pub const SEED: u64 = 2020;

/// The files of the study as names and contents: `train.csv` (about 3,600 rows of five genres), `test.csv` (about 700
/// rows, without the four columns that tell the genre) and `data_EDM_full.csv` (about 700 rows of a sixth genre).
///
/// The same seed gives the same bytes on every platform. The quirks of the real files are there: songs listed in
/// several playlists, some in two genres; songs released twice; missing names; quoted commas and quotes; dates to the
/// day, the month or the year.
pub fn generate(seed: u64) -> Vec<(String, Vec<u8>)> {
    files::files(&Catalogue::new(seed), seed)
}

#[cfg(test)]
mod tests;
