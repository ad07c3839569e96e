//! Random numbers: one seeded ChaCha stream for each purpose, so that a new consumer never shifts another.
//!
//! candle's own CPU generator cannot be seeded, hence this one.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers that belongs to one purpose, e.g. `Stream::new(7, "dropout", 3)`.
#[derive(Clone)]
pub struct Stream {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of `purpose` number `index` under `seed`. Distinct triples give independent streams.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("runner random stream v1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&index.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Stream { rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()), spare_normal: None }
    }

    /// How far whole words have been drawn, to come back to with [`Stream::seek`]. Half a pair of normals is not in it.
    pub(crate) fn position(&self) -> u128 {
        self.rng.get_word_pos()
    }

    /// Goes on from a position of this stream.
    pub(crate) fn seek(&mut self, position: u128) {
        self.rng.set_word_pos(position);
        self.spare_normal = None;
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Random bytes: those of the words that `next_u64` would give, the lowest first.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.rng.fill_bytes(bytes);
    }

    /// Uniform in [0, 1), 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [0, 1), 24 random bits.
    #[cfg(test)]
    pub(crate) fn uniform_f32(&mut self) -> f32 {
        (self.rng.next_u32() >> 8) as f32 * (1.0 / (1u32 << 24) as f32)
    }

    /// Uniform integer in `0..bound`, without bias (Lemire 2019, arXiv 1805.10941). Panics when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "an empty range has no element to draw");
        let bound = bound as u64;
        loop {
            let product = u128::from(self.rng.next_u64()) * u128::from(bound);
            if (product as u64) >= bound.wrapping_neg() % bound {
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal by the polar method of Marsaglia and Bray (1964).
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare_normal.take() {
            return value;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare_normal = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Fisher-Yates shuffle in place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// A random permutation of `0..length`.
    pub fn permutation(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_distinct() {
        let draw = |seed, purpose, index| Stream::new(seed, purpose, index).next_u64();
        assert_eq!(draw(1, "init", 0), draw(1, "init", 0));
        let all = [draw(1, "init", 0), draw(2, "init", 0), draw(1, "shuffle", 0), draw(1, "init", 1)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn a_stream_goes_on_from_any_position() {
        let mut stream = Stream::new(5, "dropout", 0);
        for drawn in 0..300 {
            let mut again = Stream::new(5, "dropout", 0);
            again.seek(stream.position());
            let mut twin = stream.clone();
            (0..20).for_each(|_| assert_eq!(again.next_u64(), twin.next_u64(), "after {drawn} words"));
            stream.next_u64();
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut stream = Stream::new(3, "test", 0);
        let count = 200_000;
        let uniform: f64 = (0..count).map(|_| stream.uniform()).sum::<f64>() / f64::from(count);
        assert!((uniform - 0.5).abs() < 0.005);
        let normals: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(count);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02);
        let mut permutation = stream.permutation(100);
        assert_ne!(permutation, (0..100).collect::<Vec<_>>());
        permutation.sort_unstable();
        assert_eq!(permutation, (0..100).collect::<Vec<_>>());
    }
}
