//! What only the author knows of a study: what its rows and classes are, why it is worth doing, what its columns mean, and what others have reached.
//!
//! All of it comes from the pipeline file; without it an article speaks of rows, classes and columns by their names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use runner_names::Localized;
use runner_results::Metric;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::bibliography::{Kind, Work};
use super::language::Voice;

/// What the author says of the study, in the article's language or in several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Subject {
    /// What the rows are, in the plural, e.g. `songs`; `rows` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Localized>,
    /// What the classes are, in the plural, e.g. `genres`; `classes` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Localized>,
    /// What one class is, e.g. `genre`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Localized>,
    /// What is predicted, with its article, e.g. `{en: the genre, fr: le genre}`; the label's column unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Localized>,
    /// Where the data are from, as a sentence or two, in the small Markdown of `text`, with citations such as `[@spotify]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Localized>,
    /// Why the task is worth doing: the first paragraphs of the introduction, in the small Markdown of `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motivation: Option<Localized>,
    /// What others have done, after the motivation, in the small Markdown of `text`; the figures of `earlier_results` follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related_work: Option<Localized>,
    /// What the reader should keep in mind of these data, for the discussion, in the small Markdown of `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Localized>,
    /// What columns mean, by their names, in the order in which the article lists them.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Meaning>")]
    pub columns: IndexMap<String, Meaning>,
    /// What others have reached on these data, as published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_results: Vec<EarlierResult>,
    /// Works to be cited besides those that the article knows, by a key of your choice.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, Reference>,
}

/// What a column means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// In a few words, e.g. `perceived loudness, averaged over the song`.
    pub meaning: Localized,
    /// Of its numbers, e.g. `dB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Localized>,
}

/// A score that a publication reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierResult {
    /// The model, e.g. `random forest`.
    pub model: Localized,
    /// What it reads, e.g. `12 audio features`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Localized>,
    /// The score, e.g. 0.544.
    #[schemars(range(min = -1.0, max = 1e6))]
    pub score: f64,
    /// What the score is of.
    #[serde(default = "accuracy")]
    pub metric: Metric,
    /// How many classes there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub classes: Option<usize>,
    /// How the test rows were chosen, e.g. `random rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Localized>,
    /// The work that reports it: a key of `references`, or of a work that the article knows.
    pub cite: String,
}

fn accuracy() -> Metric {
    Metric::Accuracy
}

/// A work of the author's own choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// `Last, First` joined by ` and `.
    pub authors: String,
    /// The title.
    pub title: String,
    /// Journal, proceedings, publisher or web site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub venue: String,
    /// Volume, number and pages, e.g. `45(1), 5–32`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// The year of publication.
    #[schemars(range(min = 1, max = 9_999))]
    pub year: u16,
    /// `doi:…`, `arXiv:…` or `https://…`.
    #[serde(default, skip_serializing_if = "String::is_empty", deserialize_with = "link")]
    pub link: String,
}

/// What neither BibTeX nor a reader of the address could take for something else.
fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_known = ["doi:", "arXiv:", "https://"].iter().any(|scheme| text.starts_with(scheme));
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && !"{}\\^\"<>`|".contains(c));
    match is_known && is_plain {
        true => Ok(text),
        false => Err(serde::de::Error::custom(format!("'{text}' is no link: write doi:…, arXiv:… or https://…"))),
    }
}

impl Reference {
    fn work(&self, key: &str) -> Work {
        let own = |text: &str| Cow::Owned(text.trim().to_owned());
        Work {
            key: own(key),
            kind: if self.venue.is_empty() { Kind::Preprint } else { Kind::Article },
            authors: own(&self.authors),
            title: own(&self.title),
            venue: own(&self.venue),
            place: own(&self.place),
            year: self.year,
            link: own(&self.link),
        }
    }
}

impl Subject {
    /// The work of that key: of the author's own choice, or one that articles know.
    pub(crate) fn work(&self, key: &str) -> Option<Work> {
        self.references.get(key).map(|own| own.work(key)).or_else(|| Work::find(key).cloned())
    }

    /// `songs`, or `rows`.
    pub(crate) fn rows(&self, voice: Voice) -> &str {
        self.rows.as_ref().map_or(voice.say("rows", "lignes"), |own| own.get(voice.code()))
    }

    /// `genres`, or `classes`.
    pub(crate) fn classes(&self, voice: Voice) -> &str {
        self.classes.as_ref().map_or("classes", |own| own.get(voice.code()))
    }

    /// Everything in the small Markdown of articles, by the parameter that holds it.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &Localized)> {
        let all = [
            ("source", &self.source),
            ("motivation", &self.motivation),
            ("related_work", &self.related_work),
            ("limits", &self.limits),
        ];
        all.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)))
    }
}
