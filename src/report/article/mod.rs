//! The article of a study: a document without a format, made of what the artifacts hold, and its writers.
//!
//! `sections` say what is said, section by section, in either language; `document` holds it; `latex` and `typst` write it down. Generated
//! sentences and the author's own are written in one small markup (`markup`), so that both can cite and refer. Nothing here opens a file.

mod bibliography;
mod document;
mod language;
mod latex;
mod markup;
mod math;
mod pages;
#[cfg(feature = "pdf")]
mod pdf;
mod sections;
mod subject;
mod tex_characters;
mod tex_text;
mod text;
mod typst;

pub use bibliography::Work;
pub use document::Float;
pub use document::Section;
pub use document::{Article, Block, Table};
pub use language::Language;
pub(crate) use language::Voice;
pub use latex::latex;
pub use math::Formula;
pub use pages::{MOST_PAGES, estimate, filled};
#[cfg(feature = "pdf")]
pub use pdf::pdf;
pub use sections::SECTIONS;
pub use subject::{EarlierResult, Meaning, Reference, Subject};
pub use text::Piece;
pub use text::Text;
pub use typst::sources as typst_sources;

use runner_boundary::text::quoted;

use super::ReportError;
use super::characters::code_point;
use super::figure::Drawing;
use super::read::StageArtifacts;
use super::study::Study;
use runner_results::paired_test::PairedTests;
use sections::ArticleContext;

/// What an author gives besides the study.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// As the user wrote it.
    pub title: String,
    /// As the user wrote it.
    pub author: String,
    /// May be empty.
    pub affiliation: String,
    /// Left out where there is none.
    pub email: Option<String>,
    /// Of all sentences.
    pub language: Language,
    /// What the author says of the study.
    pub subject: Subject,
    /// The user's own paragraphs.
    pub own: Vec<OwnText>,
}

/// A text of the author's own.
#[derive(Clone, Debug)]
pub struct OwnText {
    /// One of [`SECTIONS`].
    pub section: &'static str,
    /// Where it goes.
    pub place: TextPosition,
    /// How its file is called, for messages only: the result does not depend on it.
    pub file: String,
    /// In the markup of articles.
    pub source: String,
}

/// Before or after what is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPosition {
    /// At the beginning of the section.
    Before,
    /// At the end of the section.
    After,
}

/// Why an article cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum ArticleError {
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Every mistake of the author's own texts, as `file:line: what`.
    #[error("{}", .0.join("\n"))]
    Text(Vec<String>),
}

/// Floats in the order in which they leave for the appendix where pages run out: what supports first, what answers last.
pub(crate) const LEAVES_FIRST: [&str; 16] = [
    "fig:search",
    "fig:map",
    "tab:published",
    "tab:data",
    "tab:predictions",
    "tab:baselines",
    "tab:networks",
    "fig:transfer",
    "tab:columns",
    "fig:confusion",
    "fig:curves",
    "tab:means",
    "fig:distributions",
    "tab:variations",
    "fig:variations",
    "fig:architecture",
];

/// What an article needs to have something that a text can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Every study has it.
    Nothing,
    /// A stage of one of these kinds.
    Stage(&'static [&'static str]),
    /// A `train` stage with a search.
    Search,
    /// Two models, of whatever stages.
    SeveralModels,
}

/// Kinds of stages among which an article chooses what it looks into.
const CHOSEN_AMONG: &[&str] = &["train", "ensemble"];
/// Kinds of stages with models that have scores; but for `baseline` one each.
const OF_MODELS: &[&str] = &["train", "ensemble", "baseline", "transfer"];

/// What a text of the author's own can refer to, each with what the article needs to have it.
pub const LABELS: [(&str, Needs); 31] = [
    ("sec:introduction", Needs::Nothing),
    ("sec:data", Needs::Nothing),
    ("sec:method", Needs::Nothing),
    ("sec:results", Needs::Stage(OF_MODELS)),
    ("sec:comparison", Needs::Stage(OF_MODELS)),
    ("sec:convergence", Needs::Stage(&["train"])),
    ("sec:inside", Needs::Stage(CHOSEN_AMONG)),
    ("sec:transfer", Needs::Stage(&["transfer"])),
    ("sec:standard", Needs::Stage(&["baseline"])),
    ("sec:design", Needs::Stage(&["variations"])),
    ("sec:predictions", Needs::Stage(&["predict"])),
    ("sec:discussion", Needs::Stage(&["describe"])),
    ("sec:conclusion", Needs::Nothing),
    ("tab:data", Needs::Stage(&["split"])),
    ("tab:published", Needs::Nothing),
    ("tab:variations", Needs::Stage(&["variations"])),
    ("tab:predictions", Needs::Stage(&["predict"])),
    ("fig:variations", Needs::Stage(&["variations"])),
    ("tab:networks", Needs::Stage(&["train"])),
    ("tab:models", Needs::Stage(OF_MODELS)),
    ("tab:baselines", Needs::Stage(&["baseline"])),
    ("tab:transfer", Needs::Stage(&["transfer"])),
    ("tab:columns", Needs::Stage(&["describe"])),
    ("tab:means", Needs::Stage(&["describe"])),
    ("fig:distributions", Needs::Stage(&["describe"])),
    ("fig:architecture", Needs::Stage(&["train"])),
    ("fig:map", Needs::Stage(&["map"])),
    ("fig:search", Needs::Search),
    ("fig:confusion", Needs::Stage(CHOSEN_AMONG)),
    ("fig:curves", Needs::Stage(&["train"])),
    ("fig:transfer", Needs::Stage(&["transfer"])),
];

/// A stage that an article is to tell of, as the pipeline has it.
#[derive(Clone, Debug)]
pub struct PlannedStage {
    /// Its kind's name.
    pub kind: String,
    /// Whether it has a search.
    pub searches: bool,
}

impl Needs {
    /// Whether articles of these stages can have it.
    fn is_met(self, stages: &[PlannedStage]) -> bool {
        let count = |kinds: &[&str]| stages.iter().filter(|stage| kinds.contains(&stage.kind.as_str())).count();
        match self {
            Needs::Nothing => true,
            Needs::Stage(kinds) => count(kinds) > 0,
            Needs::Search => stages.iter().any(|stage| stage.kind == "train" && stage.searches),
            // A `baseline` may have several.
            Needs::SeveralModels => count(&["baseline"]) > 0 || count(OF_MODELS) > 1,
        }
    }

    /// What is missing.
    fn told(self) -> String {
        match self {
            Needs::Nothing => "nothing".to_owned(),
            Needs::Stage(kinds) => format!("a `{}` stage", kinds.join("` or `")),
            Needs::Search => "a `train` stage with a `search`".to_owned(),
            Needs::SeveralModels => "two models".to_owned(),
        }
    }
}

/// The article, whole: every reference and citation of it leads somewhere.
///
/// # Errors
/// No stage, two of one name, or texts of the author's own that cannot be read.
pub fn article(
    request: &Request,
    stages: &[StageArtifacts],
    edges: &[(String, String)],
    tests: &[PairedTests],
) -> Result<Article, ArticleError> {
    let voice = Voice(request.language);
    let context = ArticleContext::new(Study::new(stages, edges, tests)?, voice, &request.subject);
    let mut sections = context.sections();
    let mut wrong = Vec::new();
    let mut places: Vec<(String, Text)> = Vec::new();
    for (key, text) in request.subject.texts() {
        for (line, block) in markup::blocks(text.get(voice.code())).unwrap_or_default() {
            set(block, voice, &format!("subject.{key}:{line}"), &mut places);
        }
    }
    for own in &request.own {
        match markup::blocks(&own.source) {
            Ok(blocks) => {
                let blocks = blocks
                    .into_iter()
                    .map(|(line, block)| set(block, voice, &format!("{}:{line}", own.file), &mut places));
                let section =
                    sections.iter_mut().find(|section| section.label.strip_prefix("sec:") == Some(own.section));
                let Some(section) = section else { continue };
                match own.place {
                    TextPosition::Before => section.blocks.splice(0..0, blocks.collect::<Vec<_>>()).for_each(drop),
                    TextPosition::After => add_last(section, blocks.collect()),
                }
            }
            Err(all) => wrong.extend(all.into_iter().map(|one| format!("{}:{}: {}", own.file, one.line, one.message))),
        }
    }
    let is_own =
        |section: &&Section| request.own.iter().any(|own| section.label.strip_prefix("sec:") == Some(own.section));
    let by_hand: Vec<String> = sections.iter().filter(is_own).map(|section| section.title.clone()).collect();
    sections.retain(|section| !section.is_empty());
    let mut article = Article {
        voice,
        title: shown(&request.title),
        author: shown(&request.author),
        affiliation: shown(&request.affiliation),
        email: request.email.as_deref().map(shown),
        summary: sections::summary(&context),
        keywords: sections::keywords(&context),
        sections,
        note: sections::note(&context, &by_hand),
        works: Vec::new(),
        appendix: Vec::new(),
    };
    drop_references_to_nothing(&mut article);
    article.works = cited(&article, &request.subject);
    // The author's own texts may name what is not there.
    for (place, text) in &places {
        text.visit(&mut |piece| match piece {
            Piece::Reference(label) if article.target(label).is_none() => {
                let known: Vec<&str> = article.floats().map(|float| float.label.as_str()).collect();
                wrong.push(format!("{place}: there is no '@{label}' (there are {})", known.join(", ")));
            }
            Piece::Citation(keys) => wrong.extend(unknown_works(place, keys, &request.subject)),
            _ => {}
        });
    }
    if wrong.is_empty() { Ok(article) } else { Err(ArticleError::Text(wrong)) }
}

/// What is wrong with a text of the author's own in an article of these stages, whatever they give, as `file:line: what`. `filled` are the sections that
/// texts of the author's own go into.
pub fn mistakes(file: &str, source: &str, stages: &[PlannedStage], filled: &[&str], subject: &Subject) -> Vec<String> {
    let blocks = match markup::blocks(source) {
        Ok(blocks) => blocks,
        Err(all) => return all.into_iter().map(|one| format!("{file}:{}: {}", one.line, one.message)).collect(),
    };
    let mut wrong = Vec::new();
    for (line, block) in &blocks {
        let texts = match block {
            Block::Paragraph(text) => std::slice::from_ref(text),
            Block::List { items, .. } => items.as_slice(),
            Block::Code(_) | Block::Float(_) | Block::Equation { .. } => &[],
        };
        for text in texts {
            let place = format!("{file}:{line}");
            text.visit(&mut |piece| match piece {
                Piece::Citation(keys) => wrong.extend(unknown_works(&place, keys, subject)),
                Piece::Reference(label) => {
                    wrong.extend(unknown_label(label, stages, filled).map(|message| format!("{place}: {message}")));
                }
                _ => {}
            });
        }
    }
    wrong
}

/// What a text of the author's own has that nobody sees, as `file:line:column: what`.
pub fn hidden(file: &str, source: &str) -> Option<String> {
    let markup::Hidden { line, column, shown, more_lines } = markup::hidden(source)?;
    let more = match more_lines {
        0 => String::new(),
        1 => ", and another line has such characters".to_owned(),
        more => format!(", and {more} more lines have such characters"),
    };
    Some(format!("{file}:{line}:{column}: a hidden character, which the article shows as '{shown}'{more}"))
}

/// What the fonts of the LaTeX article and of its figures lack, and what to do; `None` where they have everything.
pub fn latex_lacks(article: &Article) -> Option<String> {
    let missing = article.missing(&tex_text::lacks, &Drawing::pdf_lacks);
    // Those that the fonts of the PDF have.
    let is_european = missing.characters().all(|character| character < '\u{530}');
    let remedy = match is_european {
        true => "`format: pdf` has fonts for them",
        false => {
            "for their true form load a package for their script instead of the lines `\\DeclareUnicodeCharacter` in article.tex"
        }
    };
    (!missing.is_empty()).then(|| {
        format!(
            "the fonts of LaTeX and of the figures lack {}: they are shown by their numbers, e.g. [{}]; {remedy}",
            missing.told(),
            missing.characters().next().map(code_point).unwrap_or_default(),
        )
    })
}

/// Why the article can have nothing of that label.
fn unknown_label(label: &str, stages: &[PlannedStage], filled: &[&str]) -> Option<String> {
    let can_be = |(known, needs): &&(&str, Needs)| {
        needs.is_met(stages) || known.strip_prefix("sec:").is_some_and(|section| filled.contains(&section))
    };
    match LABELS.iter().find(|(known, _)| *known == label) {
        None => {
            let known: Vec<&str> = LABELS.iter().filter(can_be).map(|(label, _)| *label).collect();
            Some(format!("there is no '@{label}' (there can be {})", known.join(", ")))
        }
        Some(one) if can_be(&one) => None,
        Some((_, needs)) => {
            Some(format!("there is no '@{label}' here: the article needs {} under `stages` for it", needs.told()))
        }
    }
}

/// Citations of works that there are not.
fn unknown_works(place: &str, keys: &[String], subject: &Subject) -> Vec<String> {
    let unknown = keys.iter().filter(|key| subject.work(key).is_none());
    unknown.map(|key| format!("{place}: {}", unknown_work(key, subject))).collect()
}

/// What is said of a key that no work has.
pub fn unknown_work(key: &str, subject: &Subject) -> String {
    let own = subject.references.keys().map(String::as_str);
    let known: Vec<&str> = own.chain(bibliography::WORKS.iter().map(|work| work.key.as_ref())).collect();
    format!("no work has the key '{key}' (there are {})", known.join(", "))
}

/// Whether articles know a work of that key.
pub fn is_known_work(key: &str, subject: &Subject) -> bool {
    subject.work(key).is_some()
}

/// Moves floats to the appendix, least important first, until `pages` says that the rest fits, or nothing is left to move; then takes back
/// what turns out to have room after all, most important first: a large float that left makes some before it needless.
pub fn fit<E>(article: &mut Article, mut pages: impl FnMut(&Article) -> Result<usize, E>) -> Result<usize, E> {
    let whole = article.clone();
    let mut count = pages(article)?;
    let mut left: Vec<&str> = Vec::new();
    for label in LEAVES_FIRST {
        if count <= MOST_PAGES {
            break;
        }
        if whole.floats().any(|float| float.label == label) {
            left.push(label);
            *article = whole.without(&left);
            count = pages(article)?;
        }
    }
    // The last one to leave was needed.
    for label in left.clone().into_iter().rev().skip(1) {
        let fewer: Vec<&str> = left.iter().copied().filter(|other| *other != label).collect();
        let with = whole.without(&fewer);
        let pages = pages(&with)?;
        if pages <= MOST_PAGES {
            (*article, count, left) = (with, pages, fewer);
        }
    }
    Ok(count)
}

/// Fits an article by what a typesetter made of it: `whole` has all floats in the text, `article` those that an estimate had room for. The least
/// important leave until it fits; then the most important that left come back, each if it still fits, in at most `tries` compilations.
pub fn fit_by_pages<E>(
    whole: &Article,
    article: &mut Article,
    tries: usize,
    mut pages: impl FnMut(&Article) -> Result<usize, E>,
) -> Result<usize, E> {
    let rank = |label: &str| LEAVES_FIRST.iter().position(|known| *known == label);
    let mut left: Vec<&str> =
        LEAVES_FIRST.into_iter().filter(|label| article.appendix.iter().any(|float| float.label == *label)).collect();
    let mut tries = (0..tries).fuse();
    let mut count = pages(article)?;
    while count > MOST_PAGES && tries.next().is_some() {
        let is_there = |label: &&str| article.floats().any(|float| float.label == **label);
        let Some(next) = LEAVES_FIRST.into_iter().find(|label| is_there(label)) else { break };
        left.push(next);
        *article = whole.without(&left);
        count = pages(article)?;
    }
    left.sort_by_key(|label| std::cmp::Reverse(rank(label)));
    for label in left.clone() {
        if count > MOST_PAGES || tries.next().is_none() {
            break;
        }
        let fewer: Vec<&str> = left.iter().copied().filter(|other| *other != label).collect();
        let with = whole.without(&fewer);
        let of_it = pages(&with)?;
        if of_it <= MOST_PAGES {
            (*article, count, left) = (with, of_it, fewer);
        }
    }
    Ok(count)
}

/// A text of the title page, in one line.
pub fn shown(text: &str) -> String {
    quoted(text.trim()).into_owned()
}

/// After all that a section says, also in its last subsection.
fn add_last(section: &mut Section, blocks: Vec<Block>) {
    match section.subsections.last_mut() {
        Some(last) => last.blocks.extend(blocks),
        None => section.blocks.extend(blocks),
    }
}

/// A block of the author's own with the language's typography; its texts are noted with their place.
fn set(mut block: Block, voice: Voice, place: &str, places: &mut Vec<(String, Text)>) -> Block {
    for text in block.texts_mut() {
        text.map_plain(&|plain| voice.typography(plain));
        places.push((place.to_owned(), text.clone()));
    }
    block
}

/// A sentence of ours may name a section that turned out empty.
fn drop_references_to_nothing(article: &mut Article) {
    let known: Vec<String> = article.all_sections().map(|section| section.label.clone()).collect();
    let is_lost = |text: &Text| {
        let mut lost = false;
        text.visit(&mut |piece| {
            lost |= matches!(piece, Piece::Reference(label) if label.starts_with("sec:") && !known.contains(label))
        });
        lost
    };
    for section in &mut article.sections {
        section.blocks.retain(|block| !matches!(block, Block::Paragraph(text) if is_lost(text)));
    }
}

/// The cited works by their authors, as LNCS lists them.
fn cited(article: &Article, subject: &Subject) -> Vec<Work> {
    let mut works: Vec<Work> = Vec::new();
    for text in article.texts() {
        text.visit(&mut |piece| {
            if let Piece::Citation(keys) = piece {
                for work in keys.iter().filter_map(|key| subject.work(key)) {
                    if !works.iter().any(|known| known.key == work.key) {
                        works.push(work);
                    }
                }
            }
        });
    }
    works.sort_by(|a, b| (&a.authors, a.year, &a.title).cmp(&(&b.authors, b.year, &b.title)));
    works
}
