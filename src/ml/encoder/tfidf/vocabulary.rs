//! The n-grams of a fitted encoder and their weights: text → sparse TF-IDF row.
//!
//! Knows nothing of the projection that follows.

use std::cmp::Reverse;

use super::super::{EncodeError, parallel};
use super::hash::GramMap;
use super::{CHUNK, TfidfOptions, ngrams};
use crate::ml::progress::Progress;

/// A text's features and their weights, in the order of the features.
pub type SparseRow = Vec<(u32, f32)>;

/// Features in order: words first, then character n-grams, each sorted by its bytes.
pub struct Vocabulary {
    word_numbers: GramMap<u32>,
    character_numbers: GramMap<u32>,
    /// How many of the features are words.
    pub words: usize,
    /// For each feature ln((1 + texts) / (1 + texts that have it)) + 1.
    pub idf: Vec<f32>,
}

impl Vocabulary {
    /// Counts the n-grams of `texts`, keeps those frequent enough and weighs them.
    pub fn fit(
        texts: &[&str],
        options: &TfidfOptions,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Self, EncodeError> {
        let chunks: Vec<&[&str]> = texts.chunks(4 * CHUNK).collect();
        let mut counts: [GramMap<u32>; 2] = Default::default();
        parallel::for_each(
            chunks.len(),
            threads,
            progress,
            || (),
            |(), i| Ok(count_texts(chunks[i], options)),
            |_, chunk| {
                for (counts, chunk) in counts.iter_mut().zip(chunk) {
                    for (gram, count) in chunk {
                        *counts.entry(gram).or_insert(0) += count;
                    }
                }
            },
        )?;
        let mut kept: Vec<(usize, Box<str>, u32)> = counts
            .into_iter()
            .enumerate()
            .flat_map(|(kind, counts)| counts.into_iter().map(move |(gram, count)| (kind, gram, count)))
            .filter(|(_, _, count)| *count as usize >= options.min_count)
            .collect();
        if kept.is_empty() {
            return Err(EncodeError::Fit(format!(
                "no n-gram occurs in {} of the {} texts; lower min_count",
                options.min_count,
                texts.len()
            )));
        }
        kept.sort_unstable_by(|(kind_a, a, count_a), (kind_b, b, count_b)| {
            (Reverse(count_a), kind_a, a).cmp(&(Reverse(count_b), kind_b, b))
        });
        kept.truncate(options.max_features);
        kept.sort_unstable();
        let words = kept.iter().filter(|(kind, _, _)| *kind == 0).count();
        let total = (1 + texts.len()) as f64;
        let idf = kept.iter().map(|(_, _, count)| ((total / f64::from(1 + count)).ln() + 1.0) as f32).collect();
        Ok(Vocabulary::new(kept.into_iter().map(|(_, gram, _)| gram).collect(), words, idf))
    }

    /// `terms` in the order of `Vocabulary::terms`, the first `words` of them words.
    pub fn new(terms: Vec<Box<str>>, words: usize, idf: Vec<f32>) -> Self {
        let mut terms = terms.into_iter().zip(0u32..);
        let word_numbers = terms.by_ref().take(words).collect();
        Vocabulary { word_numbers, character_numbers: terms.collect(), words, idf }
    }

    pub fn len(&self) -> usize {
        self.idf.len()
    }

    /// The n-grams in the order of their numbers.
    pub fn terms(&self) -> Vec<&str> {
        let mut terms = vec![""; self.len()];
        for (term, number) in self.word_numbers.iter().chain(&self.character_numbers) {
            terms[*number as usize] = term;
        }
        terms
    }

    /// (1 + ln tf) · idf of each known n-gram of a text, normalised (L2) within words and within characters.
    pub fn weights(&self, text: &str, options: &TfidfOptions) -> SparseRow {
        let mut found: Vec<u32> = Vec::new();
        each_gram(text, options, |kind, gram| {
            let numbers = [&self.word_numbers, &self.character_numbers][kind];
            found.extend(numbers.get(gram));
        });
        found.sort_unstable();
        let mut row: SparseRow = found
            .chunk_by(|a, b| a == b)
            .map(|same| {
                let frequency = if same.len() == 1 { 1.0 } else { 1.0 + (same.len() as f32).ln() };
                (same[0], frequency * self.idf[same[0] as usize])
            })
            .collect();
        let words = row.partition_point(|(feature, _)| (*feature as usize) < self.words);
        let (words, characters) = row.split_at_mut(words);
        for part in [words, characters] {
            let norm = part.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
            part.iter_mut().for_each(|(_, weight)| *weight /= norm);
        }
        row
    }

    /// The rows of many texts, in order.
    pub fn transform(
        &self,
        texts: &[&str],
        options: &TfidfOptions,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<SparseRow>, EncodeError> {
        let chunks: Vec<&[&str]> = texts.chunks(CHUNK).collect();
        let rows = parallel::map(chunks.len(), threads, progress, |i| {
            Ok(chunks[i].iter().map(|text| self.weights(text, options)).collect::<Vec<_>>())
        })?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// In how many of `texts` each word run and each character run occurs.
fn count_texts(texts: &[&str], options: &TfidfOptions) -> [GramMap<u32>; 2] {
    // With each count, the last text that added to it.
    let mut counts: [GramMap<(u32, usize)>; 2] = Default::default();
    for (i, text) in texts.iter().enumerate() {
        each_gram(text, options, |kind, gram| match counts[kind].get_mut(gram) {
            Some((_, last)) if *last == i => {}
            Some((count, last)) => (*count, *last) = (*count + 1, i),
            None => {
                counts[kind].insert(gram.into(), (1, i));
            }
        });
    }
    counts.map(|counts| counts.into_iter().map(|(gram, (count, _))| (gram, count)).collect())
}

/// Calls `found` with 0 and each word run, then with 1 and each character run.
fn each_gram(text: &str, options: &TfidfOptions, mut found: impl FnMut(usize, &str)) {
    let lowered;
    let text = if options.lowercase {
        lowered = text.to_lowercase();
        &lowered
    } else {
        text
    };
    ngrams::words(text, options.word_ngrams, |gram| found(0, gram));
    ngrams::characters(text, options.char_ngrams, |gram| found(1, gram));
}
