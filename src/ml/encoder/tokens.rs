//! Texts → token numbers, by the model's own tokenizer.json. Texts that differ only in what the tokenizer ignores
//! (case, accents, white space, as the model has it) share one sequence and are computed once.
//!
//! Knows nothing of what becomes of the tokens.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::{PostProcessor, Tokenizer, TruncationParams};

use super::folder::{ModelFolder, read_bytes};
use super::{EncodeError, parallel};
use crate::ml::progress::{Cancelled, Progress};

pub struct TextTokenizer {
    tokenizer: Tokenizer,
    lowercase: bool,
    vocabulary: usize,
    max_length: usize,
}

/// Distinct sequences, and for each text the number of its own.
pub struct Sequences {
    pub distinct: Vec<Vec<u32>>,
    pub of_text: Vec<usize>,
}

/// Texts tokenized between two looks at `Progress::cancelled`.
const CHUNK: usize = 64;

impl TextTokenizer {
    pub fn open(model: &ModelFolder) -> Result<Self, EncodeError> {
        let path = model.transformer.join("tokenizer.json");
        let bytes = read_bytes(&path, "fetch it, or save the tokenizer as a fast one with the transformers library")?;
        let corrupt = |reason| EncodeError::Corrupt { path: path.clone(), reason };
        let mut tokenizer = guarded(|| Tokenizer::from_bytes(bytes)).map_err(corrupt)?;
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if model.max_length <= special {
            return Err(EncodeError::Option {
                option: "max_length",
                reason: format!("{} leaves no room beside {special} special tokens", model.max_length),
            });
        }
        // Sequences are never padded here; the file may ask for it (all-MiniLM-L6-v2: to 128 tokens).
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(Some(TruncationParams { max_length: model.max_length, ..TruncationParams::default() }))
            .map_err(|error| corrupt(error.to_string()))?;
        guarded(|| tokenizer.encode_fast("a", true)).map_err(corrupt)?;
        Ok(TextTokenizer {
            tokenizer,
            lowercase: model.lowercase,
            vocabulary: model.architecture.vocabulary,
            max_length: model.max_length,
        })
    }

    /// Tokenizes the distinct texts over `threads`.
    pub fn sequences(&self, texts: &[&str], threads: usize, progress: &dyn Progress) -> Result<Sequences, EncodeError> {
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
                self.max_length
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
        let lowered;
        let text = if self.lowercase {
            lowered = text.to_lowercase();
            &lowered
        } else {
            text
        };
        // All tokenizers of the BERT family part words at white space, so a prefix that ends there and fills the
        // length gives the tokens of the whole text, megabytes of which would take seconds.
        let mut enough = 32 * self.max_length;
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
        self.encode(index, text)
    }

    fn encode(&self, index: usize, text: &str) -> Result<(Vec<u32>, bool), EncodeError> {
        let encoding = guarded(|| self.tokenizer.encode_fast(text, true))
            .map_err(|reason| EncodeError::Tokenize { index, reason })?;
        let tokens = encoding.get_ids().to_vec();
        match tokens.iter().find(|&&token| token as usize >= self.vocabulary) {
            Some(&token) => Err(EncodeError::Vocabulary { token, vocabulary: self.vocabulary }),
            None => Ok((tokens, !encoding.get_overflowing().is_empty())),
        }
    }
}

/// The tokenizers library believes a tokenizer.json that it could parse, and panics where the file contradicts itself
/// (a template naming a special token that is not listed). That too must end in an error.
fn guarded<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("tokenizer.json contradicts itself".to_owned()),
    }
}
