//! Texts → token numbers, by the model's own tokenizer.json. Texts that differ only in what the tokenizer ignores
//! (case, accents, white space, as the model has it) share one sequence and are computed once.

use std::borrow::Cow;
use std::collections::HashMap;

use tokenizers::{PostProcessor, Tokenizer, TruncationParams};

use super::files::read_bytes;
use super::folder::ModelFolder;
use super::{EncodeError, guard, parallel};
use crate::progress::{Cancelled, Progress};

pub(crate) struct TextTokenizer {
    tokenizer: Tokenizer,
    lowercase: bool,
    prefix: String,
    /// Whether special tokens are put around a text.
    special: bool,
    /// A token that is left out.
    dropped: Option<u32>,
    vocabulary: usize,
    max_length: Option<usize>,
    /// Longer texts are cut there, in characters, before anything else.
    max_characters: Option<usize>,
}

/// Which tokens stand for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Its own between special ones.
    Special,
    /// Its own.
    Plain,
    /// Its own without the unknown ones, as model2vec has it.
    KnownOnly,
}

/// Distinct sequences, and for each text the number of its own.
pub(crate) struct Sequences {
    pub(crate) distinct: Vec<Vec<u32>>,
    pub(crate) of_text: Vec<usize>,
}

/// Bytes of a tokenizer.json: vocabularies of 250,000 tokens have 20 MB.
const LARGEST: u64 = 256 << 20;

/// Texts tokenized between two looks at `Progress::cancelled`.
const CHUNK: usize = 64;

impl TextTokenizer {
    /// The tokenizer of a model that knows `vocabulary` tokens.
    pub(crate) fn open(model: &ModelFolder, marks: Marks, vocabulary: usize) -> Result<Self, EncodeError> {
        let path = model.place.join("tokenizer.json");
        let bytes =
            read_bytes(&path, LARGEST, "fetch it, or save the tokenizer as a fast one with the transformers library")?;
        let corrupt = |reason| EncodeError::Corrupt { path: path.clone(), reason };
        let mut tokenizer = guarded(|| Tokenizer::from_bytes(&bytes)).map_err(corrupt)?;
        let file: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if file["model"]["dropout"].as_f64().is_some_and(|share| share > 0.0) {
            let reason =
                "dropout in its tokenizer, which would part the same text in other ways each time; set it to null";
            return Err(EncodeError::Unsupported { path: path.clone(), reason: reason.to_owned() });
        }
        let grows = growth(&file["normalizer"]).saturating_mul(growth(&file["pre_tokenizer"]));
        if grows > MOST_GROWTH {
            return Err(corrupt(format!("its normalizer makes texts up to {grows} times longer")));
        }
        let special = marks == Marks::Special;
        let added = match (special, tokenizer.get_post_processor()) {
            (true, Some(processor)) => processor.added_tokens(false),
            _ => 0,
        };
        let known_only = marks == Marks::KnownOnly;
        let max_length = model.max_length;
        if let Some(length) = max_length.filter(|length| *length <= added) {
            return Err(EncodeError::Option {
                option: "max_length",
                reason: format!("{length} leaves no room beside {added} special tokens"),
            });
        }
        // Sequences are never padded here; the file may ask for it (all-MiniLM-L6-v2: to 128 tokens).
        tokenizer.with_padding(None);
        if let Some(max_length) = max_length {
            tokenizer
                .with_truncation(Some(TruncationParams { max_length, ..TruncationParams::default() }))
                .map_err(|error| corrupt(error.to_string()))?;
        }
        guarded(|| tokenizer.encode_fast("a", special)).map_err(corrupt)?;
        Ok(TextTokenizer {
            max_characters: max_length
                .filter(|_| known_only)
                .map(|length| length.saturating_mul(median_length(&tokenizer))),
            dropped: if known_only { unknown_token(&file, &tokenizer) } else { None },
            tokenizer,
            lowercase: model.lowercase,
            prefix: model.prefix.clone(),
            special,
            vocabulary,
            max_length,
        })
    }

    /// Tokenizes the distinct texts over `threads`.
    pub(crate) fn sequences(
        &self,
        texts: &[&str],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Sequences, EncodeError> {
        let mut distinct_texts = Vec::new();
        let mut numbers = HashMap::new();
        let of_text: Vec<usize> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                *numbers.entry(*text).or_insert_with(|| {
                    distinct_texts.push((index, *text));
                    distinct_texts.len() - 1
                })
            })
            .collect();
        let chunks: Vec<_> = distinct_texts.chunks(CHUNK).collect();
        let tokenized = parallel::map(chunks.len(), threads, progress, |i| {
            chunks[i]
                .iter()
                .map(|(index, text)| {
                    if progress.cancelled() {
                        return Err(Cancelled.into());
                    }
                    self.tokenize(*index, text)
                })
                .collect::<Result<Vec<_>, EncodeError>>()
        })?;

        let mut sequences: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut of_distinct_text = Vec::with_capacity(distinct_texts.len());
        let mut cut = 0;
        for (tokens, truncated) in tokenized.into_iter().flatten() {
            cut += usize::from(truncated);
            let next = sequences.len();
            of_distinct_text.push(*sequences.entry(tokens).or_insert(next));
        }
        if cut > 0 {
            progress.warn(&format!(
                "{cut} of {} distinct texts are longer than {} tokens and were cut",
                distinct_texts.len(),
                self.max_length.unwrap_or(0)
            ));
        }
        let mut distinct = vec![Vec::new(); sequences.len()];
        for (tokens, number) in sequences {
            distinct[number] = tokens;
        }
        Ok(Sequences { distinct, of_text: of_text.iter().map(|&i| of_distinct_text[i]).collect() })
    }

    /// The tokens of one text, and whether it was cut.
    fn tokenize(&self, index: usize, text: &str) -> Result<(Vec<u32>, bool), EncodeError> {
        let mut text = Cow::Borrowed(text);
        if !self.prefix.is_empty() {
            text = Cow::Owned(format!("{}{text}", self.prefix));
        }
        if self.lowercase {
            text = Cow::Owned(text.to_lowercase());
        }
        let mut text = text.as_ref();
        let mut shortened = false;
        if let Some((end, _)) = self.max_characters.and_then(|characters| text.char_indices().nth(characters)) {
            text = &text[..end];
            shortened = true;
        }
        let Some(max_length) = self.max_length else {
            return self.encode(index, text);
        };
        // All tokenizers of the BERT family part words at white space, so a prefix that ends there and fills the
        // length gives the tokens of the whole text, megabytes of which would take seconds.
        let mut enough = max_length.saturating_mul(32);
        while enough < text.len() {
            let start = text.ceil_char_boundary(enough);
            let Some(space) = text[start..].find(char::is_whitespace) else {
                break;
            };
            let (tokens, cut) = self.encode(index, &text[..start + space])?;
            if cut {
                return Ok((tokens, cut));
            }
            enough = 4 * (start + space);
        }
        self.encode(index, text).map(|(tokens, cut)| (tokens, cut || shortened))
    }

    fn encode(&self, index: usize, text: &str) -> Result<(Vec<u32>, bool), EncodeError> {
        let encoding = guarded(|| self.tokenizer.encode_fast(text, self.special))
            .map_err(|reason| EncodeError::Tokenize { index, reason })?;
        let mut tokens = encoding.get_ids().to_vec();
        tokens.retain(|token| Some(*token) != self.dropped);
        match tokens.iter().find(|&&token| token as usize >= self.vocabulary) {
            Some(&token) => Err(EncodeError::Vocabulary { token, vocabulary: self.vocabulary }),
            None => Ok((tokens, !encoding.get_overflowing().is_empty())),
        }
    }
}

/// The median number of characters of a token of the vocabulary, by which model2vec cuts long texts.
fn median_length(tokenizer: &Tokenizer) -> usize {
    let mut lengths: Vec<usize> = tokenizer.get_vocab(true).keys().map(|token| token.chars().count()).collect();
    lengths.sort_unstable();
    match lengths.len() {
        0 => 1,
        count if count % 2 == 1 => lengths[count / 2],
        count => (lengths[count / 2 - 1] + lengths[count / 2]) / 2,
    }
}

/// The token for what the vocabulary lacks: named, or (unigram) numbered.
fn unknown_token(file: &serde_json::Value, tokenizer: &Tokenizer) -> Option<u32> {
    let model = &file["model"];
    match model["unk_token"].as_str() {
        Some(token) => tokenizer.token_to_id(token),
        None => model["unk_id"].as_u64().and_then(|id| u32::try_from(id).ok()),
    }
}

/// A tokenizer.json that parses may still contradict itself (a template naming a special token that is not listed).
fn guarded<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match guard::guarded(work) {
        Some(result) => result.map_err(|error| error.to_string()),
        None => Err("tokenizer.json contradicts itself".to_owned()),
    }
}

/// How many times longer a text may become before it is parted into words. Real normalizers put a few bytes for one.
const MOST_GROWTH: usize = 4096;

/// Replacements one after the other multiply: thirty that double each letter make a gigabyte of one.
fn growth(normalizer: &serde_json::Value) -> usize {
    match normalizer {
        serde_json::Value::Array(steps) => steps.iter().map(growth).fold(1, usize::saturating_mul),
        serde_json::Value::Object(step) => {
            let own = match (step.get("type").and_then(|kind| kind.as_str()), step.get("content")) {
                (Some("Replace"), Some(content)) => content.as_str().map_or(1, |content| content.len().max(1)),
                _ => 1,
            };
            step.values().map(growth).fold(own, usize::saturating_mul)
        }
        _ => 1,
    }
}
