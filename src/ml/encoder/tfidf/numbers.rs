//! The number of each n-gram, found without following a pointer where the n-gram is short.
//!
//! A text has some fifty n-grams, nearly all of at most seven bytes: those are one 64-bit integer each, in a table of
//! open addressing that fits the second-level cache. Knows nothing of where n-grams come from.

use super::hash::GramMap;

/// Bytes of an n-gram that fit one integer beside their count.
const SHORT: usize = 7;
/// Slots for each n-gram, at least.
const ROOM: usize = 2;

/// N-gram → number.
pub struct Numbers {
    /// `key` of the n-gram in each slot, 0 where there is none.
    keys: Vec<u64>,
    /// The number that belongs to each key.
    values: Vec<u32>,
    long: GramMap<Box<str>, u32>,
}

impl Numbers {
    /// `grams[i]` has the number `first + i`.
    pub fn new(grams: &[Box<str>], first: usize) -> Self {
        let short = grams.iter().filter(|gram| key(gram).is_some()).count();
        let slots = (ROOM * short).next_power_of_two();
        let mut numbers = Numbers { keys: vec![0; slots], values: vec![0; slots], long: GramMap::default() };
        for (gram, value) in grams.iter().zip(first as u32..) {
            if let Some(key) = key(gram) {
                let at = numbers.slot(key);
                (numbers.keys[at], numbers.values[at]) = (key, value);
            } else {
                numbers.long.insert(gram.clone(), value);
            }
        }
        numbers
    }

    #[inline]
    pub fn get(&self, gram: &str) -> Option<u32> {
        let Some(key) = key(gram) else { return self.long.get(gram).copied() };
        let at = self.slot(key);
        (self.keys[at] == key).then(|| self.values[at])
    }

    /// Where `key` is, or would be. The table always has empty slots.
    #[inline]
    fn slot(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.keys[at] != key && self.keys[at] != 0 {
            at = (at + 1) & mask;
        }
        at
    }
}

/// The bytes of a short n-gram and their count in the highest byte. None for a longer one and for the empty one, whose
/// key would be that of an empty slot.
#[inline]
fn key(gram: &str) -> Option<u64> {
    let bytes = gram.as_bytes();
    let count = bytes.len();
    if count == 0 || count > SHORT {
        return None;
    }
    // Parts of fixed size, which overlap where there are fewer bytes; there they agree.
    let value = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
        }
        _ => [0, count / 2, count - 1].into_iter().fold(0, |value, i| value | u64::from(bytes[i]) << (8 * i)),
    };
    Some(value | (count as u64) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gram_has_its_number_and_no_other_has_one() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "ba",
            "abc",
            "abcd",
            "abcde",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "é",
            "éa",
            "漢字",
            "漢字か",
            "a\0",
            "\0",
        ];
        let grams: Vec<Box<str>> = texts.iter().map(|text| (*text).into()).collect();
        for left_out in 0..grams.len() {
            let mut some = grams.clone();
            some.remove(left_out);
            let numbers = Numbers::new(&some, 5);
            for (gram, value) in some.iter().zip(5..) {
                assert_eq!(numbers.get(gram), Some(value), "{gram:?}");
            }
            assert_eq!(numbers.get(&grams[left_out]), None, "{:?}", grams[left_out]);
        }
        assert_eq!(Numbers::new(&[], 0).get("a"), None);
    }
}
