//! The number of each string, found without following a pointer where the string is short.
//!
//! n-grams and words are nearly all of at most eleven bytes: such a one and its number are one 128-bit integer in a table of
//! open addressing.

use super::hash::GramMap;

/// Bytes of a string that fit a slot beside their count and the number.
const SHORT: usize = 11;
/// Slots for each string, at least.
const ROOM: usize = 2;
/// Where a slot's number begins; below it is the string's `key`.
const NUMBER: u32 = 96;

/// String → number.
#[derive(Default)]
pub(crate) struct Numbers {
    /// Always a power of two, with empty slots (0) among them, once there is one.
    slots: Vec<u128>,
    short: usize,
    long: GramMap<Box<str>, u32>,
}

impl Numbers {
    /// `strings[i]` has the number `first + i`.
    pub(crate) fn new(strings: &[Box<str>], first: usize) -> Self {
        let mut numbers = Numbers::default();
        for (string, number) in strings.iter().zip(first as u32..) {
            numbers.insert(string, number);
        }
        numbers
    }

    #[inline]
    pub(crate) fn get(&self, string: &str) -> Option<u32> {
        let Some(key) = key(string) else { return self.long.get(string).copied() };
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slots[place(&self.slots, key)];
        (slot != 0).then_some((slot >> NUMBER) as u32)
    }

    /// Gives `string`, which has none yet, its number.
    pub(crate) fn insert(&mut self, string: &str, number: u32) {
        let Some(key) = key(string) else {
            self.long.insert(string.into(), number);
            return;
        };
        self.short += 1;
        if self.slots.len() < ROOM * self.short {
            let mut slots = vec![0; (ROOM * self.short).next_power_of_two()];
            for slot in self.slots.iter().filter(|slot| **slot != 0) {
                let place = place(&slots, *slot & KEY);
                slots[place] = *slot;
            }
            self.slots = slots;
        }
        let place = place(&self.slots, key);
        self.slots[place] = key | u128::from(number) << NUMBER;
    }
}

const KEY: u128 = (1 << NUMBER) - 1;

/// Where `key` is, or would be.
#[inline]
fn place(slots: &[u128], key: u128) -> usize {
    let mask = slots.len() - 1;
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
    let mut at = (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
    while slots[at] & KEY != key && slots[at] != 0 {
        at = (at + 1) & mask;
    }
    at
}

/// The bytes of a short string, and their count above them. None for a longer one and for the empty one, whose key would
/// be that of an empty slot.
#[inline]
fn key(string: &str) -> Option<u128> {
    let bytes = string.as_bytes();
    let count = bytes.len();
    if count == 0 || count > SHORT {
        return None;
    }
    // Two parts of fixed size, which overlap where there are fewer bytes; there they agree.
    let value = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << (8 * (count - 8))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u128::from(u32::from_le_bytes(*first)) | u128::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
    } else {
        [0, count / 2, count - 1].into_iter().fold(0, |value, i| value | u128::from(bytes[i]) << (8 * i))
    };
    Some(value | (count as u128) << (8 * SHORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_has_its_number_and_no_other_has_one() {
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
            "abcdefghi",
            "abcdefghij",
            "abcdefghijk",
            "abcdefghijkl",
            "abcdefghijkm",
            "é",
            "éa",
            "漢字",
            "漢字か",
            "a\0",
            "\0",
        ];
        let strings: Vec<Box<str>> = texts.iter().map(|text| (*text).into()).collect();
        for left_out in 0..strings.len() {
            let mut some = strings.clone();
            some.remove(left_out);
            let numbers = Numbers::new(&some, 5);
            for (string, number) in some.iter().zip(5..) {
                assert_eq!(numbers.get(string), Some(number), "{string:?}");
            }
            assert_eq!(numbers.get(&strings[left_out]), None, "{:?}", strings[left_out]);
        }
        assert_eq!(Numbers::new(&[], 0).get("a"), None);
    }

    #[test]
    fn numbers_are_found_again_among_many() {
        let strings: Vec<Box<str>> = (0..5000).map(|i| format!("{:x}", i * 7919).into()).collect();
        let numbers = Numbers::new(&strings, u32::MAX as usize - 5000);
        for (string, number) in strings.iter().zip(u32::MAX - 5000..) {
            assert_eq!(numbers.get(string), Some(number), "{string}");
        }
    }
}
