//! A quick hash of short strings: n-grams are counted some fifty times a text, and the standard hash would take most of that.
//!
//! After wyhash (Wang Yi): words of eight bytes are folded in by the two halves of a 128-bit product. Not safe against whoever picks texts to
//! collide, who would slow down their own run.

use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type GramMap<Gram, V> = std::collections::HashMap<Gram, V, BuildHasherDefault<GramHasher>>;

#[derive(Default)]
pub(crate) struct GramHasher(u64);

impl Hasher for GramHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        // The length keeps strings apart that end in zero bytes.
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.fold(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    /// The byte that ends a string: the length is in the hash already.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl GramHasher {
    fn fold(&mut self, word: u64) {
        const ODD: u64 = 0xa076_1d64_78bd_642f;
        const OTHER: u64 = 0xe703_7ed1_a0b4_28db;
        let product = u128::from(self.0 ^ word ^ ODD) * u128::from(OTHER ^ self.0.rotate_left(32));
        self.0 = (product as u64) ^ (product >> 64) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    #[test]
    fn short_strings_rarely_share_a_hash_or_its_ends() {
        let build = BuildHasherDefault::<GramHasher>::default();
        let strings: Vec<String> = (0..20_000).map(|i| format!("{:x}{}", i, ["", " ", "é", "\0"][i % 4])).collect();
        let hashes: Vec<u64> = strings.iter().map(|text| build.hash_one(text.as_str())).collect();
        let distinct = |bits: fn(u64) -> u64| hashes.iter().map(|hash| bits(*hash)).collect::<HashSet<u64>>().len();
        assert_eq!(distinct(|hash| hash), 20_000);
        // Of 20,000 balls in 2²⁰ boxes 190 share one, give or take 14.
        assert!(distinct(|hash| hash >> 44) > 19_700, "{}", distinct(|hash| hash >> 44));
        assert!(distinct(|hash| hash & 0xf_ffff) > 19_700, "{}", distinct(|hash| hash & 0xf_ffff));
    }
}
