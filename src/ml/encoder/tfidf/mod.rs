//! TF-IDF with latent semantic analysis: the encoder that needs no model.
//!
//! Words and character n-grams of a text are counted, weighted as scikit-learn's `TfidfVectorizer` does with
//! `sublinear_tf` and `smooth_idf`, normalised within each of the two kinds (as a `FeatureUnion` of two vectorizers)
//! and projected on the leading singular vectors of the texts it was fitted on (Deerwester et al., 1990).
//! The vocabulary comes from the fitted texts alone; unseen n-grams count for nothing, and a text that has no other
//! gets zeros.

pub(crate) mod hash;
mod lsa;
pub(crate) mod ngrams;
pub(crate) mod numbers;
mod vocabulary;
mod words;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pulp::{Simd, WithSimd};
use runner_results::encoder::{EncoderRecipe, TfidfOptions, TfidfRecipe};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;
use serde_json::json;

use super::head::normalize;
use super::{EncodeError, TextEncoder, parallel};
use crate::matrix::Matrix;
use crate::progress::Progress;
use crate::rng::Stream;
use crate::simd::dispatch;
use vocabulary::{Cut, SparseRow, Vocabulary, lower};
use words::Words;

/// Holds every option against its range; usable before any text is at hand.
///
/// # Errors
/// The first option that is out of its range.
pub fn check_tfidf(options: &TfidfOptions) -> Result<(), EncodeError> {
    let fail = |option, reason: &str| Err(EncodeError::Option { option, reason: reason.to_owned() });
    let range = |[shortest, longest]: [usize; 2]| {
        (shortest, longest) == (0, 0) || (1 <= shortest && shortest <= longest && longest <= 64)
    };
    if !range(options.word_ngrams) {
        return fail("word_ngrams", "give [shortest, longest] of 1 to 64, or [0, 0] for none");
    }
    if !range(options.char_ngrams) {
        return fail("char_ngrams", "give [shortest, longest] of 1 to 64, or [0, 0] for none");
    }
    if options.word_ngrams[1] + options.char_ngrams[1] == 0 {
        return fail("word_ngrams", "words and characters cannot both be left out");
    }
    if !(1..=8192).contains(&options.dim) {
        return fail("dim", "give 1 to 8192 dimensions");
    }
    if options.max_features == 0 {
        return fail("max_features", "0 keeps no n-gram; the default is 20000");
    }
    if options.projection_texts == 0 {
        return fail("projection_texts", "0 texts have no directions; the default is 50000");
    }
    Ok(())
}

/// Raised when the same texts and options give other vectors than before.
const RECIPE: u32 = 2;

/// Texts encoded between two looks at `Progress::cancelled`.
const CHUNK: usize = 256;

/// A fitted TF-IDF encoder.
pub struct Tfidf {
    options: TfidfOptions,
    vocabulary: Vocabulary,
    /// features × dim
    components: Vec<f32>,
    digest: String,
    /// Of threads that have ended, for those that come.
    sessions: Mutex<Vec<Session>>,
}

/// What one thread works with.
#[derive(Default)]
struct Session {
    lowered: String,
    cut: Cut,
    weights: SparseRow,
    words: Words,
}

impl Tfidf {
    /// Learns vocabulary, weights and projection from `texts`. The same texts, options and seed give the same bytes
    /// for any number of threads.
    pub fn fit(
        texts: &[&str],
        options: TfidfOptions,
        seed: u64,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Self, EncodeError> {
        check_tfidf(&options)?;
        if texts.is_empty() {
            return Err(EncodeError::Fit("there are no texts".to_owned()));
        }
        let vocabulary = Vocabulary::fit(texts, &options, threads, progress)?;
        let rows = vocabulary.transform(&drawn(texts, options.projection_texts, seed), &options, threads, progress)?;
        let components = lsa::components(&rows, vocabulary.len(), options.dim, seed, threads, progress)?;
        Ok(Tfidf::new(options, vocabulary, components))
    }

    fn new(options: TfidfOptions, vocabulary: Vocabulary, components: Vec<f32>) -> Self {
        let mut tfidf = Tfidf { options, vocabulary, components, digest: String::new(), sessions: Mutex::default() };
        tfidf.digest = blake3::hash(&tfidf.to_bytes()).to_hex().to_string();
        tfidf
    }

    /// A safetensors file: `idf`, `components` (features × dim) and `vocabulary` (n-grams, each on its own line, as
    /// bytes); the options are its metadata.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let idf = bytes(&self.vocabulary.idf);
        let components = bytes(&self.components);
        let terms = self.vocabulary.terms().join("\n").into_bytes();
        let header = json!({
            "version": RECIPE,
            "options": self.options,
            "words": self.vocabulary.words,
        });
        let tensor = |kind, shape: &[usize], data| TensorView::new(kind, shape.to_vec(), data);
        let features = self.vocabulary.len();
        let tensors = [
            ("idf", tensor(Dtype::F32, &[features], &idf)),
            ("components", tensor(Dtype::F32, &[features, self.options.dim], &components)),
            ("vocabulary", tensor(Dtype::U8, &[terms.len()], &terms)),
        ]
        .into_iter()
        .filter_map(|(name, tensor)| Some((name, tensor.ok()?)));
        let metadata = HashMap::from([("tfidf".to_owned(), header.to_string())]);
        // Shapes and data agree by construction, the only thing that could fail.
        safetensors::serialize(tensors, Some(metadata)).unwrap_or_default()
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodeError> {
        let damaged = |reason: &str| EncodeError::Stored(reason.to_owned());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error.to_string()))?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get("tfidf"))
            .ok_or_else(|| damaged("its options are missing"))?;
        let header: Header = serde_json::from_str(header).map_err(|error| damaged(&error.to_string()))?;
        if header.version != RECIPE {
            return Err(damaged(&format!("it has format {}, not {RECIPE}", header.version)));
        }
        check_tfidf(&header.options)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(&error.to_string()))?;
        let tensor = |name, kind, shape: &[Option<usize>]| {
            let tensor = tensors.tensor(name).map_err(|error| damaged(&error.to_string()))?;
            let fits = tensor.dtype() == kind
                && tensor.shape().len() == shape.len()
                && tensor.shape().iter().zip(shape).all(|(a, b)| b.is_none_or(|b| *a == b));
            if fits { Ok(tensor.data()) } else { Err(damaged(&format!("tensor '{name}' has another shape"))) }
        };
        let numbers = |data: &[u8]| data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>();
        let terms = std::str::from_utf8(tensor("vocabulary", Dtype::U8, &[None])?)
            .map_err(|error| damaged(&error.to_string()))?;
        let terms: Vec<Box<str>> = terms.split('\n').map(Into::into).collect();
        let features = terms.len();
        let idf = numbers(tensor("idf", Dtype::F32, &[Some(features)])?);
        let shape = [Some(features), Some(header.options.dim)];
        let components = numbers(tensor("components", Dtype::F32, &shape)?);
        if header.words > features {
            return Err(damaged("it counts more words than n-grams"));
        }
        let vocabulary = Vocabulary::new(terms, header.words, idf);
        Ok(Tfidf::new(header.options, vocabulary, components))
    }
}

/// `count` of the texts, or all where there are no more, in their order.
fn drawn<'a>(texts: &[&'a str], count: usize, seed: u64) -> Vec<&'a str> {
    if texts.len() <= count {
        return texts.to_vec();
    }
    let mut order: Vec<usize> = (0..texts.len()).collect();
    Stream::new(seed, "tfidf texts", 0).shuffle(&mut order);
    order.truncate(count);
    order.sort_unstable();
    order.into_iter().map(|i| texts[i]).collect()
}

/// A sparse row times a matrix of as many columns as `row`, added to `row`.
struct Project<'a> {
    /// Numbers of rows of the matrix, and their weights.
    weights: &'a [(u32, f32)],
    vectors: &'a [f32],
    row: &'a mut [f32],
}

impl WithSimd for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) {
        // The sums of a block stay in registers: half of AVX-512's 32, of AVX2's 16.
        let done = if S::F32_LANES == 16 { self.blocks::<256>() } else { self.blocks::<64>() };
        let Project { weights, vectors, row } = self;
        let (dim, rest) = (row.len(), &mut row[done..]);
        if rest.is_empty() {
            return;
        }
        for (number, weight) in weights {
            let vector = &vectors[*number as usize * dim + done..][..rest.len()];
            for (value, part) in rest.iter_mut().zip(vector) {
                *value += weight * part;
            }
        }
    }
}

impl Project<'_> {
    /// Adds to all columns that make up whole blocks and tells how many those are.
    #[inline(always)]
    fn blocks<const BLOCK: usize>(&mut self) -> usize {
        let dim = self.row.len();
        let (blocks, _) = self.row.as_chunks_mut::<BLOCK>();
        for (block, at) in blocks.iter_mut().zip((0..).step_by(BLOCK)) {
            let mut sums = *block;
            for (number, weight) in self.weights {
                let vector = &self.vectors[*number as usize * dim + at..][..BLOCK];
                for (sum, part) in sums.iter_mut().zip(vector) {
                    *sum += weight * part;
                }
            }
            *block = sums;
        }
        dim / BLOCK * BLOCK
    }
}

#[derive(Deserialize)]
struct Header {
    version: u32,
    options: TfidfOptions,
    words: usize,
}

impl Tfidf {
    /// Into a row of zeros.
    fn encode_text(&self, text: &str, session: &mut Session, row: &mut [f32]) {
        let Session { lowered, cut, weights, words } = session;
        let text = lower(text, &self.options, lowered);
        weights.clear();
        self.vocabulary.word_weights(text, &self.options, cut, weights);
        if !words.add(self, text, row, weights) {
            self.vocabulary.character_weights(text, &self.options, cut, weights);
        }
        dispatch(Project { weights, vectors: &self.components, row });
        if self.options.normalize {
            normalize(row);
        }
    }
}

impl TextEncoder for Tfidf {
    fn dim(&self) -> usize {
        self.options.dim
    }

    /// A text that comes again is computed again: that takes no longer than to find it.
    fn encode(&self, texts: &[&str], threads: usize, progress: &dyn Progress) -> Result<Matrix, EncodeError> {
        let mut rows = Matrix::zeros(texts.len(), self.options.dim);
        let size = CHUNK * self.options.dim;
        // A thread writes where the rows shall be; nobody else asks for its chunk.
        let chunks: Vec<_> = texts.chunks(CHUNK).zip(rows.data.chunks_mut(size).map(Mutex::new)).collect();
        let mut finished = 0;
        parallel::for_each(
            chunks.len(),
            threads,
            progress,
            || Borrowed { session: locked(&self.sessions).pop().unwrap_or_default(), home: &self.sessions },
            |borrowed, i| {
                let (texts, rows) = &chunks[i];
                for (text, row) in texts.iter().zip(locked(rows).chunks_exact_mut(self.options.dim)) {
                    self.encode_text(text, &mut borrowed.session, row);
                }
                Ok(())
            },
            |i, ()| {
                finished += chunks[i].0.len() as u64;
                progress.update(finished, texts.len() as u64, "texts", "");
            },
        )?;
        drop(chunks);
        Ok(rows)
    }

    fn recipe(&self) -> EncoderRecipe {
        EncoderRecipe::Tfidf(TfidfRecipe {
            version: RECIPE,
            options: self.options.clone(),
            fitted: self.digest.clone(),
        })
    }
}

/// A session that goes back when its thread ends.
struct Borrowed<'a> {
    session: Session,
    home: &'a Mutex<Vec<Session>>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        locked(self.home).push(std::mem::take(&mut self.session));
    }
}

/// A panic elsewhere leaves nothing half done that matters here.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
