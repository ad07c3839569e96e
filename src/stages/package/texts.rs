//! Vectors and tokens of texts, by the encoders that a model learnt with.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{anyhow, bail};

use crate::adapter::Adapter;
use crate::columns::strings;
use crate::encoder::{self, TFIDF};
use crate::model_file::ModelFile;
use runner_artifact::Table;
use runner_engine::Report;
use runner_ml::encoder::{TextEncoder, Tfidf};
use runner_ml::frame::{Column, Frame};
use runner_results::encoder::Encoder;

/// The encoders of a model.
#[derive(Default)]
pub(super) struct Texts {
    /// What the built-in encoder learnt, by the digest of its bytes.
    pub(super) vocabularies: BTreeMap<String, Vec<u8>>,
    /// Folders of pretrained encoders that came with the package, by their digest.
    pub(super) folders: BTreeMap<String, PathBuf>,
    /// Keeps the folders while they are needed.
    pub(super) unpacked: Option<tempfile::TempDir>,
    /// Those that were opened, by their JSON.
    opened: Mutex<HashMap<String, Arc<dyn TextEncoder>>>,
}

/// The texts of some rows.
pub(super) struct TextsOfRows<'a> {
    texts: &'a Texts,
    rows: &'a Table,
    /// Vectors by column and encoder: several models of an average may read the same.
    known: RefCell<HashMap<(String, String), Column>>,
}

impl Texts {
    /// What the built-in encoder learnt, by digest; pretrained encoders are found where they are.
    pub(super) fn of_vocabularies(vocabularies: BTreeMap<String, Vec<u8>>) -> Texts {
        Texts { vocabularies, ..Texts::default() }
    }

    pub(super) fn of<'a>(&'a self, rows: &'a Table) -> TextsOfRows<'a> {
        TextsOfRows { texts: self, rows, known: RefCell::default() }
    }

    /// By what name an encoder is found: that of its folder, where it came with the package.
    pub(super) fn place_of(&self, encoder: &Encoder) -> Option<String> {
        self.folders.get(&encoder.digest).map(|folder| folder.display().to_string())
    }

    fn open(&self, made_by: &Encoder, report: &dyn Report) -> anyhow::Result<Arc<dyn TextEncoder>> {
        let key = serde_json::to_string(made_by)?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(encoder) = opened.get(&key) {
            return Ok(encoder.clone());
        }
        let encoder: Arc<dyn TextEncoder> = if made_by.name == TFIDF {
            let bytes = self.vocabularies.get(&made_by.digest);
            let bytes = bytes.ok_or_else(|| anyhow!("the vocabulary of a text column is missing"))?;
            Arc::new(Tfidf::from_bytes(bytes)?)
        } else {
            encoder::open_again(made_by, report)?
        };
        opened.insert(key, encoder.clone());
        Ok(encoder)
    }
}

impl TextsOfRows<'_> {
    /// Adds what a model reads of texts: a vector for each, and the tokens of those that it has layers of its own for.
    pub(super) fn add(&self, model: &ModelFile, frame: &mut Frame, report: &dyn Report) -> anyhow::Result<()> {
        for (column, made_by) in model.encoders() {
            let Some(made_by) = made_by else {
                bail!(
                    "nothing tells what made the vectors of '{column}', e.g. a program, so new texts have none (predict by a `predict` stage, whose rows the \
                     program embeds, too)"
                );
            };
            let key = (column.to_owned(), serde_json::to_string(made_by)?);
            let known = self.known.borrow().get(&key).cloned();
            let vectors = match known {
                Some(vectors) => vectors,
                None => {
                    let vectors = self.vectors(column, made_by, report)?;
                    self.known.borrow_mut().insert(key, vectors.clone());
                    vectors
                }
            };
            frame.insert(column.to_owned(), vectors);
        }
        model.add_tokens(frame, self.rows, report)
    }

    /// Each distinct text is embedded once.
    fn vectors(&self, column: &str, made_by: &Encoder, report: &dyn Report) -> anyhow::Result<Column> {
        let encoder = self.texts.open(made_by, report)?;
        let texts = strings(self.rows, column)?;
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut distinct: Vec<&str> = Vec::new();
        let of_rows: Vec<usize> = texts
            .iter()
            .map(|text| {
                let text = text.as_deref().unwrap_or_default();
                *places.entry(text).or_insert_with(|| {
                    distinct.push(text);
                    distinct.len() - 1
                })
            })
            .collect();
        let vectors = encoder.encode(&distinct, rayon::current_num_threads(), &Adapter(report))?;
        let dim = encoder.dim();
        let mut values = Vec::with_capacity(of_rows.len() * dim);
        of_rows.iter().for_each(|&place| values.extend_from_slice(vectors.row(place)));
        Ok(Column::Vector { dim, values })
    }
}
