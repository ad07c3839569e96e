//! The numbers of a song, drawn by a Gaussian copula: correlated normal scores, each turned into a quantile of its
//! column.
//!
//! Only `+ - * /` and `sqrt` are used, which IEEE 754 fixes to the last bit, so that every platform makes the same
//! files.

use runner_ml::rng::Stream;

use super::figures::{COLUMNS, CORRELATIONS, Figures, LEVELS};

/// Normal scores of one artist or song.
pub(super) type Scores = [f64; COLUMNS];

/// The share of the variance of normal scores that songs of one artist have in common.
const ARTIST_SHARE: f64 = 0.3;

/// Lower triangle L of the correlation matrix R = L·Lᵀ (Cholesky).
pub(super) struct Copula([[f64; COLUMNS]; COLUMNS]);

impl Copula {
    pub(crate) fn new() -> Self {
        let mut matrix = [[0.0; COLUMNS]; COLUMNS];
        for (index, row) in matrix.iter_mut().enumerate() {
            row[index] = 1.0;
        }
        for (a, b, coefficient) in CORRELATIONS {
            matrix[a][b] = coefficient;
            matrix[b][a] = coefficient;
        }
        let mut lower = [[0.0; COLUMNS]; COLUMNS];
        for row in 0..COLUMNS {
            for column in 0..=row {
                let mut rest = matrix[row][column];
                for (a, b) in lower[row][..column].iter().zip(&lower[column][..column]) {
                    rest -= a * b;
                }
                lower[row][column] = if row == column { rest.sqrt() } else { rest / lower[column][column] };
            }
        }
        Copula(lower)
    }

    /// The numbers of a song in the order of [`Figures::quantiles`], near those of other songs of its artist.
    pub(crate) fn draw(&self, figures: &Figures, artist: &Scores, stream: &mut Stream) -> Scores {
        let own = scores(stream);
        let (common, apart) = (ARTIST_SHARE.sqrt(), (1.0 - ARTIST_SHARE).sqrt());
        let mut numbers = [0.0; COLUMNS];
        for (column, number) in numbers.iter_mut().enumerate() {
            let mut score = 0.0;
            for (factor, (artist, own)) in self.0[column].iter().zip(artist.iter().zip(&own)) {
                score += factor * (common * artist + apart * own);
            }
            *number = quantile(&figures.quantiles[column], probability(score));
        }
        numbers
    }
}

/// Independent standard normal scores.
pub(super) fn scores(stream: &mut Stream) -> Scores {
    std::array::from_fn(|_| normal(stream))
}

/// Standard normal to a good approximation: twelve uniform numbers less their mean. The tails end at ±6, and no
/// logarithm is needed.
fn normal(stream: &mut Stream) -> f64 {
    let mut sum = -6.0;
    for _ in 0..12 {
        sum += stream.uniform();
    }
    sum
}

/// The normal distribution function, to 1.5e-7 (Abramowitz and Stegun 1964, 26.2.19).
fn probability(score: f64) -> f64 {
    const FACTORS: [f64; 6] = [0.0498673470, 0.0211410061, 0.0032776263, 0.0000380036, 0.0000488906, 0.0000053830];
    let x = if score < 0.0 { -score } else { score };
    let mut polynomial = 0.0;
    for factor in FACTORS.iter().rev() {
        polynomial = (polynomial + factor) * x;
    }
    let mut power = 1.0 + polynomial;
    for _ in 0..4 {
        power *= power;
    }
    let upper = 0.5 / power;
    if score < 0.0 { upper } else { 1.0 - upper }
}

/// The quantile at `probability`, linear between the levels.
fn quantile(quantiles: &[f64; LEVELS.len()], probability: f64) -> f64 {
    let above = LEVELS[1..].iter().position(|level| probability <= *level);
    let below = above.unwrap_or(LEVELS.len() - 2);
    let width = LEVELS[below + 1] - LEVELS[below];
    let share = (probability - LEVELS[below]) / width;
    quantiles[below] + share * (quantiles[below + 1] - quantiles[below])
}

#[cfg(test)]
mod tests {
    use super::super::figures::GENRES;
    use super::*;

    #[test]
    fn the_distribution_function_is_that_of_the_normal() {
        // scipy.stats.norm.cdf([-2.5, -1, 0, 0.3, 1.96])
        let expected = [0.006209665, 0.158655254, 0.5, 0.617911422, 0.975002105];
        for (score, expected) in [-2.5, -1.0, 0.0, 0.3, 1.96].into_iter().zip(expected) {
            assert!((probability(score) - expected).abs() < 2e-7, "{score}");
        }
    }

    #[test]
    fn drawn_numbers_have_the_quantiles_and_correlations_asked_for() {
        let (copula, mut stream) = (Copula::new(), Stream::new(1, "test", 0));
        assert!(copula.0.iter().flatten().all(|value| value.is_finite()));
        let mut songs: Vec<Scores> = (0..20_000)
            .map(|_| {
                let artist = scores(&mut stream);
                copula.draw(&GENRES[2], &artist, &mut stream)
            })
            .collect();
        // Energy goes with loudness, and against acousticness.
        let correlation = |a: usize, b: usize| {
            let count = songs.len() as f64;
            let mean = |c: usize| songs.iter().map(|song| song[c]).sum::<f64>() / count;
            let (mean_a, mean_b) = (mean(a), mean(b));
            let moment = |c: usize, d: usize, mc: f64, md: f64| {
                songs.iter().map(|song| (song[c] - mc) * (song[d] - md)).sum::<f64>()
            };
            moment(a, b, mean_a, mean_b) / (moment(a, a, mean_a, mean_a) * moment(b, b, mean_b, mean_b)).sqrt()
        };
        assert!((0.55..0.75).contains(&correlation(2, 3)));
        assert!((-0.6..-0.3).contains(&correlation(2, 5)));
        songs.sort_by(|a, b| a[9].total_cmp(&b[9]));
        let expected = GENRES[2].quantiles[9];
        for (level, expected) in LEVELS.into_iter().zip(expected).take(7).skip(2) {
            let found = songs[(level * songs.len() as f64) as usize][9];
            assert!((found - expected).abs() < 2.0, "{found} is not {expected} at {level}");
        }
    }
}
