//! Texts as TF-IDF weights of their words and runs of characters, without a projection: what linear models learn from as a sparse matrix.
//!
//! A text is cut into n-grams once (`Texts`); which of them make up a vocabulary, and their weights, come from the rows of each fit alone
//! (`Vocabulary`), so that no row of another fold has a part in it. Weights are those of scikit-learn's `TfidfVectorizer` with `smooth_idf` and
//! `norm="l2"`, words and characters of each column apart, as in a `FeatureUnion`.

use std::sync::Arc;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrays::{ArrayError, Arrays};
use super::class_totals::class_counts;
use crate::encoder::tfidf::hash::GramMap;
use crate::encoder::tfidf::ngrams::{WordRuns, characters};
use crate::encoder::tfidf::numbers::Numbers;
use crate::progress::{Cancelled, Progress};
use crate::sparse::Csr;

/// Texts that one task cuts, and those between two looks at `Progress::cancelled`.
const CHUNK: usize = 4096;
const LOOK: usize = 256;

/// How texts are cut into n-grams and weighed, with the names of scikit-learn's `TfidfVectorizer`. Each vector is scaled to length 1 (`norm="l2"`),
/// words and characters apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextOptions {
    /// Runs of words; null for none.
    pub words: Option<WordGrams>,
    /// Runs of characters within a word and its borders (`analyzer="char_wb"`); null for none.
    pub characters: Option<CharacterGrams>,
    /// Count an n-gram that occurs n times as 1 + ln n.
    pub sublinear_tf: bool,
    /// Whether upper and lower case are the same.
    pub lowercase: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        TextOptions {
            words: Some(WordGrams::default()),
            characters: Some(CharacterGrams::default()),
            sublinear_tf: true,
            lowercase: true,
        }
    }
}

macro_rules! grams {
    ($(#[$docs:meta])* $name:ident, $range:expr) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Shortest and longest run.
            #[schemars(inner(range(min = 1, max = 64)))]
            pub ngram_range: [usize; 2],
            /// An n-gram must occur in as many texts of the fit to be kept.
            #[schemars(range(min = 1, max = 1_000_000_000))]
            pub min_df: usize,
            /// At most so many n-grams are kept, those that occur most often first.
            #[schemars(range(min = 1, max = 10_000_000))]
            pub max_features: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                $name { ngram_range: $range, min_df: 2, max_features: 200_000 }
            }
        }

        impl $name {
            fn range(&self) -> Kept {
                Kept { range: self.ngram_range, min_df: self.min_df, max_features: self.max_features }
            }
        }
    };
}

grams! {
    /// Runs of words.
    WordGrams, [1, 2]
}
grams! {
    /// Runs of characters.
    CharacterGrams, [2, 5]
}

/// Which n-grams of one kind are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kept {
    range: [usize; 2],
    min_df: usize,
    max_features: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Analyzer {
    Words,
    Characters,
}

impl TextOptions {
    /// The first option that is out of its range, by its path, and what it may be.
    pub fn problem(&self) -> Option<(Vec<&'static str>, &'static str)> {
        if self.words.is_none() && self.characters.is_none() {
            return Some((vec!["words"], "`words` and `characters` cannot both be left out"));
        }
        let kinds = [
            ("words", self.words.as_ref().map(WordGrams::range)),
            ("characters", self.characters.as_ref().map(CharacterGrams::range)),
        ];
        kinds.into_iter().find_map(|(name, kept)| {
            let Kept { range: [shortest, longest], min_df, max_features } = kept?;
            if !(1 <= shortest && shortest <= longest && longest <= 64) {
                Some((vec![name, "ngram_range"], "give [shortest, longest] of 1 to 64"))
            } else if min_df == 0 {
                Some((vec![name, "min_df"], "0 texts have every n-gram: give 1 or more"))
            } else if max_features == 0 {
                Some((vec![name, "max_features"], "0 keeps no n-gram: give 1 or more"))
            } else {
                None
            }
        })
    }

    fn analyzers(&self) -> Vec<(Analyzer, Kept)> {
        let words = self.words.as_ref().map(|words| (Analyzer::Words, words.range()));
        let characters = self.characters.as_ref().map(|characters| (Analyzer::Characters, characters.range()));
        words.into_iter().chain(characters).collect()
    }

    /// How many blocks of n-grams a column has.
    pub(super) fn blocks(&self) -> usize {
        self.analyzers().len()
    }
}

/// The n-grams of one analyzer in the texts of one column.
#[derive(Debug, PartialEq)]
struct Block {
    /// In the order of their first appearance.
    grams: Vec<Box<str>>,
    /// How often each occurs in each text.
    counts: Csr,
    kept: Kept,
    sublinear: bool,
}

/// The texts of some rows, cut into n-grams. A selection of rows shares what was cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    blocks: Vec<Arc<Block>>,
    /// By row its place in the blocks.
    rows: Vec<u32>,
}

impl Texts {
    /// Cuts columns of texts, a missing one like an empty one.
    pub(super) fn cut(
        columns: &[&[Option<String>]],
        options: &TextOptions,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let mut blocks = Vec::new();
        for column in columns {
            for (analyzer, kept) in options.analyzers() {
                blocks.push(Arc::new(Block::cut(column, analyzer, kept, options, progress)?));
            }
        }
        let rows = columns.first().map_or(0, |column| column.len() as u32);
        Ok(Texts { blocks, rows: (0..rows).collect() })
    }

    /// How many blocks of n-grams each row has.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows at `indices`, in that order.
    pub(super) fn take(&self, indices: &[usize]) -> Texts {
        let rows = if self.blocks.is_empty() { Vec::new() } else { indices.iter().map(|&i| self.rows[i]).collect() };
        Texts { blocks: self.blocks.clone(), rows }
    }
}

impl Block {
    fn cut(
        texts: &[Option<String>],
        analyzer: Analyzer,
        kept: Kept,
        options: &TextOptions,
        progress: &dyn Progress,
    ) -> Result<Block, Cancelled> {
        let chunks = texts.par_chunks(CHUNK).map(|texts| cut_chunk(texts, analyzer, kept.range, options, progress));
        let chunks = chunks.collect::<Result<Vec<_>, Cancelled>>()?;
        let mut numbers: GramMap<Box<str>, u32> = GramMap::default();
        let mut counts = Csr::new(0);
        let mut row = Vec::new();
        for (grams, own) in chunks {
            progress.go_on()?;
            let number = grams.into_iter().map(|gram| {
                let next = numbers.len() as u32;
                *numbers.entry(gram).or_insert(next)
            });
            let number: Vec<u32> = number.collect();
            for i in 0..own.rows() {
                row.clear();
                row.extend(own.pairs(i).map(|(gram, count)| (number[gram as usize], count)));
                row.sort_unstable_by_key(|&(gram, _)| gram);
                counts.push(row.iter().copied());
            }
        }
        let mut grams = vec![Box::<str>::default(); numbers.len()];
        numbers.into_iter().for_each(|(gram, number)| grams[number as usize] = gram);
        counts.cols = grams.len();
        Ok(Block { grams, counts, kept, sublinear: options.sublinear_tf })
    }
}

/// The n-grams of some texts in the order of their first appearance, and how often each occurs in each text.
fn cut_chunk(
    texts: &[Option<String>],
    analyzer: Analyzer,
    range: [usize; 2],
    options: &TextOptions,
    progress: &dyn Progress,
) -> Result<(Vec<Box<str>>, Csr), Cancelled> {
    let mut numbers: GramMap<Box<str>, u32> = GramMap::default();
    let (mut runs, mut found, mut counts) = (WordRuns::default(), Vec::new(), Csr::new(0));
    for (i, text) in texts.iter().enumerate() {
        if i % LOOK == 0 {
            progress.go_on()?;
        }
        let text = text.as_deref().unwrap_or("");
        let lowered;
        let text = if options.lowercase {
            lowered = text.to_lowercase();
            lowered.as_str()
        } else {
            text
        };
        found.clear();
        let mut note = |gram: &str| {
            let number = match numbers.get(gram) {
                Some(number) => *number,
                None => {
                    let next = numbers.len() as u32;
                    numbers.insert(gram.into(), next);
                    next
                }
            };
            found.push(number);
        };
        match analyzer {
            Analyzer::Words => runs.each(text, range, &mut note),
            Analyzer::Characters => characters(text, range, &mut note),
        }
        found.sort_unstable();
        counts.push(found.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f32)));
    }
    let mut grams = vec![Box::<str>::default(); numbers.len()];
    numbers.into_iter().for_each(|(gram, number)| grams[number as usize] = gram);
    Ok((grams, counts))
}

/// The n-grams of a block that a fit kept, sorted by their bytes, with their weights.
pub(super) struct Vocabulary {
    grams: Vec<Box<str>>,
    numbers: Numbers,
    /// For each n-gram ln((1 + texts) / (1 + texts that have it)) + 1.
    idf: Vec<f32>,
}

/// An n-gram that may be kept.
struct Candidate {
    block: usize,
    /// Its number in the block.
    gram: u32,
    /// Texts that have it, and how often it occurs in all of them.
    texts: u32,
    times: f32,
}

impl Vocabulary {
    fn new(grams: Vec<Box<str>>, idf: Vec<f32>) -> Self {
        let numbers = Numbers::new(&grams, 0);
        Vocabulary { grams, numbers, idf }
    }

    /// One for each block of `texts`: all n-grams that are frequent enough, or those `most` of all blocks that tell most of the classes by chi²,
    /// as scikit-learn's `SelectKBest(chi2)` on whether a text has an n-gram.
    pub(super) fn fit(texts: &Texts, y: &[u32], classes: usize, most: Option<usize>) -> Vec<Vocabulary> {
        let mut candidates: Vec<Candidate> =
            (0..texts.len()).into_par_iter().flat_map_iter(|block| frequent(texts, block)).collect();
        if let Some(most) = most.filter(|&most| most < candidates.len()) {
            let scores = chi_squared(texts, &candidates, y, classes);
            let mut order: Vec<usize> = (0..candidates.len()).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
            order.truncate(most);
            order.sort_unstable();
            let mut at = 0;
            candidates.retain(|_| {
                at += 1;
                order.binary_search(&(at - 1)).is_ok()
            });
        }
        let rows = texts.rows.len() as f64;
        let vocabulary = |block: usize| {
            let own = || candidates.iter().filter(|candidate| candidate.block == block);
            let grams = own().map(|candidate| texts.blocks[block].grams[candidate.gram as usize].clone());
            let idf = own().map(|candidate| (((1.0 + rows) / (1.0 + f64::from(candidate.texts))).ln() + 1.0) as f32);
            Vocabulary::new(grams.collect(), idf.collect())
        };
        (0..texts.len()).map(vocabulary).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.grams.len()
    }
}

/// The n-grams of a block that its options keep, sorted by their bytes.
fn frequent(texts: &Texts, at: usize) -> Vec<Candidate> {
    let block = &texts.blocks[at];
    let mut all: Vec<Candidate> =
        (0..block.grams.len() as u32).map(|gram| Candidate { block: at, gram, texts: 0, times: 0.0 }).collect();
    for &row in &texts.rows {
        for (gram, count) in block.counts.pairs(row as usize) {
            let candidate = &mut all[gram as usize];
            candidate.texts += 1;
            candidate.times += count;
        }
    }
    all.retain(|candidate| candidate.texts as usize >= block.kept.min_df);
    let name = |candidate: &Candidate| &block.grams[candidate.gram as usize];
    if all.len() > block.kept.max_features {
        all.sort_unstable_by(|a, b| b.times.total_cmp(&a.times).then_with(|| name(a).cmp(name(b))));
        all.truncate(block.kept.max_features);
    }
    all.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    all
}

/// By candidate how far the classes of the texts that have it are from those of all texts.
fn chi_squared(texts: &Texts, candidates: &[Candidate], y: &[u32], classes: usize) -> Vec<f64> {
    let mut place: Vec<Vec<u32>> = texts.blocks.iter().map(|block| vec![u32::MAX; block.grams.len()]).collect();
    for (at, candidate) in candidates.iter().enumerate() {
        place[candidate.block][candidate.gram as usize] = at as u32;
    }
    let mut observed = vec![0u32; candidates.len() * classes];
    for (block, place) in texts.blocks.iter().zip(&place) {
        for (&row, &label) in texts.rows.iter().zip(y) {
            let places = block.counts.row(row as usize).0.iter().map(|&gram| place[gram as usize]);
            places
                .filter(|&place| place != u32::MAX)
                .for_each(|place| observed[place as usize * classes + label as usize] += 1);
        }
    }
    let (rows, of_class) = (y.len() as f64, class_counts(y, classes));
    let score = |(candidate, observed): (&Candidate, &[u32])| {
        let of_classes = observed.iter().zip(&of_class).filter(|(_, count)| **count > 0);
        let terms = of_classes.map(|(&observed, &count)| {
            let expected = f64::from(candidate.texts) * count as f64 / rows;
            (f64::from(observed) - expected).powi(2) / expected
        });
        terms.sum()
    };
    candidates.iter().zip(observed.chunks_exact(classes)).map(score).collect()
}

/// What turns texts into weights of the n-grams of vocabularies, one block behind the other.
#[derive(Clone)]
pub(super) struct Weights<'a> {
    texts: &'a Texts,
    blocks: Vec<OfBlock<'a>>,
    row: Vec<(u32, f32)>,
}

#[derive(Clone)]
struct OfBlock<'a> {
    block: &'a Block,
    vocabulary: &'a Vocabulary,
    /// By number of an n-gram of the block its number in the vocabulary, if it has one.
    known: Arc<[Option<u32>]>,
    /// N-grams of the vocabularies before.
    first: u32,
}

impl<'a> Weights<'a> {
    /// Panics when there is not one vocabulary for each block.
    pub(super) fn new(vocabularies: &'a [Vocabulary], texts: &'a Texts) -> Self {
        assert_eq!(vocabularies.len(), texts.len(), "predict with the columns of the fit");
        let mut first = 0;
        let blocks = vocabularies.iter().zip(&texts.blocks).map(|(vocabulary, block)| {
            let known = block.grams.par_iter().map(|gram| vocabulary.numbers.get(gram)).collect::<Vec<_>>();
            first += vocabulary.len() as u32;
            OfBlock { block, vocabulary, known: known.into(), first: first - vocabulary.len() as u32 }
        });
        Weights { texts, blocks: blocks.collect(), row: Vec::new() }
    }

    /// TF-IDF weights of a row, by n-gram in the order of the vocabularies.
    pub(super) fn of_row(&mut self, row: usize) -> &[(u32, f32)] {
        self.row.clear();
        for block in &self.blocks {
            let first = self.row.len();
            block.counts(self.texts.rows[row], &mut self.row);
            let own = &mut self.row[first..];
            let mut squares = 0.0;
            for (gram, value) in own.iter_mut() {
                let times = f64::from(*value);
                let times = if block.block.sublinear { 1.0 + times.ln() } else { times };
                let weight = times * f64::from(block.vocabulary.idf[(*gram - block.first) as usize]);
                squares += weight * weight;
                *value = weight as f32;
            }
            let norm = squares.sqrt();
            own.iter_mut().for_each(|(_, value)| *value = (f64::from(*value) / norm) as f32);
        }
        &self.row
    }

    /// How often each n-gram of the vocabularies occurs in a row.
    pub(super) fn counts_of_row(&mut self, row: usize) -> &[(u32, f32)] {
        self.row.clear();
        self.blocks.iter().for_each(|block| block.counts(self.texts.rows[row], &mut self.row));
        &self.row
    }
}

impl OfBlock<'_> {
    /// Adds how often each known n-gram occurs in the text at a place, in the order of the vocabulary.
    fn counts(&self, place: u32, row: &mut Vec<(u32, f32)>) {
        let first = row.len();
        let found = self.block.counts.pairs(place as usize);
        row.extend(found.filter_map(|(gram, count)| Some((self.first + self.known[gram as usize]?, count))));
        row[first..].sort_unstable_by_key(|&(gram, _)| gram);
    }
}

/// Arrays of vocabularies: how many n-grams each has, then of all in turn the n-grams, each with a line break behind it, as bytes of UTF-8, and their
/// weights.
const COUNTS: &str = "text_counts";
const GRAMS: &str = "text_grams";
const IDF: &str = "text_idf";

impl Vocabulary {
    pub(super) fn put(all: &[Vocabulary], arrays: &mut Arrays) {
        if all.is_empty() {
            return;
        }
        let counts: Vec<u32> = all.iter().map(|one| one.len() as u32).collect();
        arrays.put_whole(COUNTS, &counts);
        let grams = all.iter().flat_map(|one| &one.grams);
        let bytes: Vec<u32> = grams.flat_map(|gram| gram.bytes().chain([b'\n'])).map(u32::from).collect();
        arrays.put_whole(GRAMS, &bytes);
        let idf: Vec<f32> = all.iter().flat_map(|one| one.idf.iter().copied()).collect();
        arrays.put_f32(IDF, &[idf.len()], &idf);
    }

    pub(super) fn take(arrays: &mut Arrays, blocks: usize) -> Result<Vec<Vocabulary>, ArrayError> {
        if blocks == 0 {
            return Ok(Vec::new());
        }
        let counts = arrays.take_whole(COUNTS, Some(blocks), usize::MAX)?;
        let bytes: Vec<u8> = arrays.take_whole(GRAMS, None, 256)?.into_iter().map(|byte| byte as u8).collect();
        let idf = arrays.take_f32(IDF, &[Some(counts.iter().map(|&count| count as usize).sum())])?;
        let text = String::from_utf8(bytes).map_err(|_| ArrayError::unfit(GRAMS, "is no UTF-8"))?;
        let grams: Vec<&str> = text.split_terminator('\n').collect();
        if grams.len() != idf.len() {
            return Err(ArrayError::unfit(GRAMS, format!("has {} n-grams instead of {}", grams.len(), idf.len())));
        }
        let (mut grams, mut idf) = (grams.as_slice(), idf.as_slice());
        let mut vocabularies = Vec::with_capacity(blocks);
        for count in counts {
            let (own_grams, more_grams) = grams.split_at(count as usize);
            let (own_idf, more_idf) = idf.split_at(count as usize);
            (grams, idf) = (more_grams, more_idf);
            if !own_grams.is_sorted_by(|a, b| a < b) {
                return Err(ArrayError::unfit(GRAMS, "is not sorted, or has an n-gram twice"));
            }
            vocabularies.push(Vocabulary::new(own_grams.iter().map(|&gram| gram.into()).collect(), own_idf.to_vec()));
        }
        Ok(vocabularies)
    }
}
