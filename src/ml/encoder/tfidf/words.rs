//! What the characters of a word add to a text's vector, kept: it is the same in every text.
//!
//! n-grams of characters do not cross the borders of words, so that, with idf·c the weighted component of an n-gram,
//! their part of a text is a sum over its words, each Σ idf·c over the word's n-grams. An n-gram that occurs k > 1 times in
//! the text should count 1 + ln k times but has been added k times: the difference is added for each such n-gram. The squared
//! length is mended in the same way. Four vectors are read for a title of four words instead of fifty.
//!
//! An n-gram that occurs very often would be added and taken away again until little is right of what remains: such texts are
//! left to whoever weighs each n-gram.

use super::numbers::Numbers;
use super::vocabulary::SparseRow;
use super::{Project, Tfidf, ngrams};
use crate::simd::dispatch;

/// Bytes of vectors and n-grams kept by one thread; beyond them it begins anew.
const KEPT: usize = 64 * 1024 * 1024;
/// Times that an n-gram may occur in a text: beyond them more than two bits of a sum are lost.
const MOST: u32 = 12;

/// The words that one thread has met.
#[derive(Default)]
pub(crate) struct Words {
    numbers: Numbers,
    /// Where the n-grams of each word end.
    ends: Vec<usize>,
    /// The known n-grams of one word after the other, as often as they occur.
    grams: Vec<u32>,
    /// Σ idf² of each word's n-grams.
    squares: Vec<f32>,
    /// words × dim: Σ idf · component of each word's n-grams
    sums: Vec<f32>,
    /// For each feature how often it occurs in the text at hand; zeros between two texts.
    counts: Vec<u32>,
    /// Numbers of the words of the text at hand, with the weight of each.
    found: SparseRow,
    weights: SparseRow,
}

impl Words {
    /// Adds the part of a text's characters, scaled to length 1, to `row` (`dim` values). What is still to be added of
    /// single features goes to `more`. False, and nothing done, where an n-gram occurs too often.
    pub(crate) fn add(&mut self, model: &Tfidf, text: &str, row: &mut [f32], more: &mut SparseRow) -> bool {
        if size_of_val(self.sums.as_slice()) + size_of_val(self.grams.as_slice()) > KEPT {
            *self = Words { counts: std::mem::take(&mut self.counts), ..Words::default() };
        }
        self.counts.resize(model.vocabulary.len(), 0);
        self.found.clear();
        for word in text.split_whitespace() {
            let number = self.numbers.get(word).unwrap_or_else(|| self.learn(model, word));
            self.found.push((number, 1.0));
        }

        let idf = &model.vocabulary.idf;
        let first = more.len();
        let mut square: f32 = self.found.iter().map(|(word, _)| self.squares[*word as usize]).sum();
        for (word, _) in &self.found {
            for gram in &self.grams[span(&self.ends, *word)] {
                let count = &mut self.counts[*gram as usize];
                *count += 1;
                if *count == 2 {
                    more.push((*gram, 0.0));
                }
            }
        }
        let most = more[first..].iter().map(|(gram, _)| self.counts[*gram as usize]).max();
        for (gram, weight) in &mut more[first..] {
            let (count, idf) = (self.counts[*gram as usize] as f32, idf[*gram as usize]);
            let frequency = 1.0 + count.ln();
            *weight = (frequency - count) * idf;
            square += (frequency * frequency - count) * idf * idf;
        }
        for (word, _) in &self.found {
            self.grams[span(&self.ends, *word)].iter().for_each(|gram| self.counts[*gram as usize] = 0);
        }
        if most.is_some_and(|most| most > MOST) {
            more.truncate(first);
            return false;
        }
        if square == 0.0 {
            return true; // no n-gram is known
        }
        let scale = 1.0 / square.sqrt();
        self.found.iter_mut().chain(&mut more[first..]).for_each(|(_, weight)| *weight *= scale);
        dispatch(Project { weights: &self.found, vectors: &self.sums, row });
        true
    }

    #[cold]
    fn learn(&mut self, model: &Tfidf, word: &str) -> u32 {
        let number = self.ends.len() as u32;
        self.numbers.insert(word, number);
        let start = self.grams.len();
        ngrams::characters(word, model.options.char_ngrams, |gram| {
            self.grams.extend(model.vocabulary.character_run(gram));
        });
        self.ends.push(self.grams.len());
        self.weights.clear();
        let idf = |gram: &u32| (*gram, model.vocabulary.idf[*gram as usize]);
        self.weights.extend(self.grams[start..].iter().map(idf));
        self.squares.push(self.weights.iter().map(|(_, idf)| idf * idf).sum());
        let end = self.sums.len();
        self.sums.resize(end + model.options.dim, 0.0);
        let row = &mut self.sums[end..];
        dispatch(Project { weights: &self.weights, vectors: &model.components, row });
        number
    }
}

fn span(ends: &[usize], word: u32) -> std::ops::Range<usize> {
    let word = word as usize;
    if word == 0 { 0..ends[0] } else { ends[word - 1]..ends[word] }
}
