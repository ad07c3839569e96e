//! The n-grams of a fitted encoder and their weights: text → sparse TF-IDF row.

use std::cmp::Reverse;

use super::super::{EncodeError, parallel};
use super::hash::GramMap;
use super::ngrams::{self, WordRuns};
use super::numbers::Numbers;
use super::{CHUNK, TfidfOptions};
use crate::progress::Progress;

/// A text's features and their weights, in the order of the features.
pub(crate) type SparseRow = Vec<(u32, f32)>;

/// What one text after another is taken apart in.
#[derive(Default)]
struct Scratch {
    lowered: String,
    cut: Cut,
    row: SparseRow,
}

/// The features of the text at hand, as often as they occur.
#[derive(Default)]
pub(crate) struct Cut {
    runs: WordRuns,
    found: Vec<u32>,
}

/// Features in order: words first, then character n-grams, each sorted by its bytes.
pub(crate) struct Vocabulary {
    terms: Vec<Box<str>>,
    /// Of the words, then of the character n-grams.
    numbers: [Numbers; 2],
    /// How many of the features are words.
    pub(crate) words: usize,
    /// For each feature ln((1 + texts) / (1 + texts that have it)) + 1.
    pub(crate) idf: Vec<f32>,
}

impl Vocabulary {
    /// Counts the n-grams of `texts`, keeps those frequent enough and weighs them.
    pub(crate) fn fit(
        texts: &[&str],
        options: &TfidfOptions,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Self, EncodeError> {
        let chunks: Vec<&[&str]> = texts.chunks(4 * CHUNK).collect();
        let mut counts: [GramMap<Box<str>, u32>; 2] = Default::default();
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
        if texts.iter().all(|text| text.trim().is_empty()) {
            let count = texts.len();
            return Err(EncodeError::Fit(format!(
                "the {count} texts to learn from are all empty: there is no word in them"
            )));
        }
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
    pub(crate) fn new(terms: Vec<Box<str>>, words: usize, idf: Vec<f32>) -> Self {
        let (first, then) = terms.split_at(words);
        let numbers = [Numbers::new(first, 0), Numbers::new(then, words)];
        Vocabulary { terms, numbers, words, idf }
    }

    pub(crate) fn len(&self) -> usize {
        self.idf.len()
    }

    /// The n-grams in the order of their numbers.
    pub(crate) fn terms(&self) -> &[Box<str>] {
        &self.terms
    }

    /// The number of a run of characters.
    pub(crate) fn character_run(&self, gram: &str) -> Option<u32> {
        self.numbers[1].get(gram)
    }

    /// (1 + ln tf) · idf of each known n-gram of a text, normalised (L2) within words and within characters.
    fn weights<'a>(&self, text: &str, options: &TfidfOptions, scratch: &'a mut Scratch) -> &'a [(u32, f32)] {
        let Scratch { lowered, cut, row } = scratch;
        let text = lower(text, options, lowered);
        row.clear();
        self.word_weights(text, options, cut, row);
        self.character_weights(text, options, cut, row);
        row
    }

    /// Those of the runs of characters alone, of a text that went through `lower`, behind what `row` has already.
    pub(crate) fn character_weights(&self, text: &str, options: &TfidfOptions, cut: &mut Cut, row: &mut SparseRow) {
        cut.found.clear();
        ngrams::characters(text, options.char_ngrams, |gram| cut.found.extend(self.character_run(gram)));
        self.weigh(&mut cut.found, row);
    }

    /// The same of the runs of words.
    pub(crate) fn word_weights(&self, text: &str, options: &TfidfOptions, cut: &mut Cut, row: &mut SparseRow) {
        cut.found.clear();
        cut.runs.each(text, options.word_ngrams, |gram| cut.found.extend(self.numbers[0].get(gram)));
        self.weigh(&mut cut.found, row);
    }

    /// The weights of features, each given as often as it occurs, behind what `row` has already.
    fn weigh(&self, found: &mut [u32], row: &mut SparseRow) {
        found.sort_unstable();
        let first = row.len();
        row.extend(found.chunk_by(|a, b| a == b).map(|same| {
            let frequency = if same.len() == 1 { 1.0 } else { 1.0 + (same.len() as f32).ln() };
            (same[0], frequency * self.idf[same[0] as usize])
        }));
        let part = &mut row[first..];
        let norm = part.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        part.iter_mut().for_each(|(_, weight)| *weight /= norm);
    }

    /// The rows of many texts, in order.
    pub(crate) fn transform(
        &self,
        texts: &[&str],
        options: &TfidfOptions,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<SparseRow>, EncodeError> {
        let chunks: Vec<&[&str]> = texts.chunks(CHUNK).collect();
        let rows = parallel::map(chunks.len(), threads, progress, |i| {
            let mut scratch = Scratch::default();
            Ok(chunks[i].iter().map(|text| self.weights(text, options, &mut scratch).to_vec()).collect::<Vec<_>>())
        })?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// In how many of `texts` each word run and each character run occurs.
fn count_texts(texts: &[&str], options: &TfidfOptions) -> [GramMap<Box<str>, u32>; 2] {
    // With each count, the last text that added to it.
    let mut counts: [GramMap<Box<str>, (u32, usize)>; 2] = Default::default();
    let (mut lowered, mut runs) = (String::new(), WordRuns::default());
    for (i, text) in texts.iter().enumerate() {
        let text = lower(text, options, &mut lowered);
        let mut count = |kind: usize, gram: &str| match counts[kind].get_mut(gram) {
            Some((_, last)) if *last == i => {}
            Some((count, last)) => (*count, *last) = (*count + 1, i),
            None => {
                counts[kind].insert(gram.into(), (1, i));
            }
        };
        runs.each(text, options.word_ngrams, |gram| count(0, gram));
        ngrams::characters(text, options.char_ngrams, |gram| count(1, gram));
    }
    counts.map(|counts| counts.into_iter().map(|(gram, (count, _))| (gram, count)).collect())
}

/// `text`, in lower case where upper and lower case are the same.
pub(crate) fn lower<'a>(text: &'a str, options: &TfidfOptions, buffer: &'a mut String) -> &'a str {
    if !options.lowercase {
        return text;
    }
    if text.is_ascii() {
        buffer.clear();
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        *buffer = text.to_lowercase();
    }
    buffer
}
