//! `article`: an article of at most eight pages, made of the stages that it reads, for LaTeX or as PDF.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::language::TextLanguage;
use super::report_input::ReportInput;
use super::train::SEARCH;
use super::typeset::{self, OnThisMachine, Typesetter};
use runner_boundary::files::read_bounded_text;
use runner_engine::{
    Accepts, Arity, CheckContext, External, InputPort, InputShape, OutputPort, PortType, Source, Stage, StageContext,
};
use runner_names::Localized;
use runner_report::article::{self, MOST_PAGES, OwnText, PlannedStage, Request, SECTIONS, Subject, TextPosition};
use runner_report::counted;

/// Bytes of one text; eight pages have thirty thousand.
const LONGEST_TEXT: u64 = 1 << 20;

/// Writes an article with abstract, introduction, data, method, results, discussion and conclusion. Its sentences, numbers, tables and figures come from
/// the stages, and each comparison is chosen by the tests that they hold; your own text can stand before or after each section.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Article {
    /// The article's title; in two languages as `{en: …, fr: …}`.
    title: Localized,
    /// Who writes it.
    author: String,
    /// Where the author belongs, e.g. a university.
    #[serde(default)]
    affiliation: String,
    /// The author's address for mail.
    #[serde(default)]
    email: Option<String>,
    /// `latex`: sources for Springer's class llncs, and `article.pdf` where `latexmk` or `typst` is on PATH. `pdf`: the finished article, which needs a runner built with `--features pdf`.
    #[serde(default)]
    format: Format,
    /// `en` or `fr`.
    #[serde(default)]
    language: TextLanguage,
    /// What only you know of the study: what rows and classes are, why it is worth doing, what columns mean, what others have reached.
    #[serde(default)]
    subject: Subject,
    /// Files with text of your own that stands at the beginning of a section, by its name: `introduction`, `data`, `method`, `results`,
    /// `discussion` or `conclusion`. Small Markdown, with references such as `@fig:curves` and citations such as `[@adamw]`.
    #[serde(default)]
    text: BTreeMap<SectionName, String>,
    /// The same for text that stands at a section's end.
    #[serde(default)]
    text_after: BTreeMap<SectionName, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// `article.tex`, `references.bib` and `figures/`; and `article.pdf` where there is a typesetter.
    #[default]
    Latex,
    /// `article.pdf`.
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SectionName {
    Introduction,
    Data,
    Method,
    Results,
    Discussion,
    Conclusion,
}

impl Stage for Article {
    const KIND: &'static str = "article";
    const VERSION: u32 = 17;
    const SUMMARY: &'static str = "an article of at most eight pages, LaTeX or PDF";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages to write of",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("article", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        let source =
            |(at, _, _, file): (String, &'static str, TextPosition, &str)| Source { at, path: PathBuf::from(file) };
        self.own_files().map(source).collect()
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        match self.format {
            Format::Latex => vec![Box::new(OnThisMachine)],
            Format::Pdf => Vec::new(),
        }
    }

    fn check(&self, context: &mut CheckContext) {
        if self.format == Format::Pdf && !cfg!(feature = "pdf") {
            let help = "build one with `cargo install --path . --features pdf`, or ask for `format: latex`".to_owned();
            context.problem(&["format"], "this runner was built without PDF", Some(help));
        }
        let title_page = [
            ("title", Some(self.language.of(&self.title))),
            ("author", Some(self.author.as_str())),
            ("affiliation", Some(self.affiliation.as_str())),
            ("email", self.email.as_deref()),
        ];
        for (key, text) in title_page {
            let Some(text) = text else { continue };
            let shown = article::shown(text);
            if shown != text.trim() {
                let message = format!("{key} has hidden characters, which the article shows as escapes: '{shown}'");
                context.warn(&[key], message, Some("take them out".to_owned()));
            }
        }
        // A stage whose parameters cannot be read may have a search.
        let planned = |shape: &InputShape| PlannedStage {
            kind: shape.kind.clone(),
            searches: shape.outputs.as_ref().is_none_or(|outputs| outputs.iter().any(|output| output == SEARCH)),
        };
        let stages: Vec<PlannedStage> = context.inputs("stages").iter().map(planned).collect();
        let filled: Vec<&str> = self.own_files().map(|(_, section, _, _)| section).collect();
        self.check_subject(context, &stages, &filled);
        for (at, _, _, file) in self.own_files() {
            let path: Vec<&str> = at.split('.').collect();
            match read_bounded_text(Path::new(file), LONGEST_TEXT) {
                Ok(source) => {
                    if let Some(found) = article::hidden(file, &source) {
                        context.warn(&path, found, Some("take it out".to_owned()));
                    }
                    let mistakes = article::mistakes(file, &source, &stages, &filled, &self.subject);
                    // However many articles have the text.
                    for found in mistakes {
                        context.common_problem(&path, found.clone(), found, None);
                    }
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    context.problem(&path, format!("'{file}' is not UTF-8 text"), Some("save it as UTF-8".to_owned()));
                }
                Err(error) => {
                    let help = "paths count from where runner is started".to_owned();
                    context.source_problem(
                        &path,
                        format!("{at} {file}"),
                        format!("cannot read '{file}': {error}"),
                        Some(help),
                    );
                }
            }
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let told = ReportInput::read(context, "stages")?;
        let request = Request {
            title: self.language.of(&self.title).to_owned(),
            author: self.author.clone(),
            affiliation: self.affiliation.clone(),
            email: self.email.clone(),
            language: self.language.language(),
            subject: self.subject.clone(),
            own: self.own_texts(context)?,
        };
        let mut article = article::article(&request, &told.stages, &told.edges, &told.tests)?;
        let (files, pages, lacks) = match self.format {
            Format::Latex => latex(&mut article, context)?,
            Format::Pdf => pdf(&mut article)?,
        };
        if let Some(message) = lacks {
            context.report().warn(&message);
        }
        if pages > MOST_PAGES {
            let message = format!(
                "the article has about {pages} pages, and nothing is left to move to its appendix: shorten `text`, or name fewer stages"
            );
            context.report().warn(&message);
        }
        let moved = article.appendix.len();
        let has_pdf = files.iter().any(|(name, _)| name == "article.pdf");
        let about = if has_pdf { "" } else { "about " };
        let moved = match moved {
            0 => "no appendix".to_owned(),
            1 => "1 figure or table in the appendix".to_owned(),
            several => format!("{several} figures and tables in the appendix"),
        };
        context.headline(format!("{about}{}, {moved}", counted(pages as u64, "page")));
        files.iter().try_for_each(|(name, bytes)| context.put_file("article", name, bytes))
    }
}

impl Article {
    /// The author's own Markdown and citations within the pipeline file.
    fn check_subject(&self, context: &mut CheckContext, stages: &[PlannedStage], filled: &[&str]) {
        for (key, text) in self.subject.texts() {
            for language in Localized::LANGUAGES.into_iter().filter(|language| text.has(language)) {
                let source = text.get(language);
                let found = article::mistakes(key, source, stages, filled, &self.subject);
                let hidden = article::hidden(key, source);
                for message in found {
                    context.problem(&["subject", key], message, None);
                }
                if let Some(message) = hidden {
                    context.warn(&["subject", key], message, Some("take it out".to_owned()));
                }
            }
        }
        for (i, result) in self.subject.earlier_results.iter().enumerate() {
            let path = ["subject", "earlier_results", &i.to_string()];
            if !article::is_known_work(&result.cite, &self.subject) {
                let message = article::unknown_work(&result.cite, &self.subject);
                let help = Some("give it under `references`".to_owned());
                context.problem(&[&path[..], &["cite"]].concat(), message, help);
            }
            if !result.score.is_finite() {
                context.problem(&[&path[..], &["score"]].concat(), "the score is no number", None);
            }
        }
    }

    /// Each file of the author's own: its parameter, section, place and path.
    fn own_files(&self) -> impl Iterator<Item = (String, &'static str, TextPosition, &str)> {
        let all = [("text", TextPosition::Before, &self.text), ("text_after", TextPosition::After, &self.text_after)];
        all.into_iter().flat_map(|(key, place, files)| {
            files.iter().map(move |(section, file)| {
                let name = SECTIONS[*section as usize];
                (format!("{key}.{name}"), name, place, file.as_str())
            })
        })
    }

    fn own_texts(&self, context: &StageContext) -> anyhow::Result<Vec<OwnText>> {
        self.own_files()
            .map(|(at, section, place, file)| {
                let (_, bytes) = context.source(&at)?;
                let source =
                    String::from_utf8(bytes).map_err(|_| anyhow!("'{file}' is not UTF-8 text: save it as UTF-8"));
                Ok(OwnText { section, place, file: file.to_owned(), source: source.context(at)? })
            })
            .collect()
    }
}

/// The sources and, where this machine has a typesetter, the PDF.
fn latex(article: &mut article::Article, context: &mut StageContext) -> anyhow::Result<Pages> {
    let lacks = article::latex_lacks(article);
    let whole = article.clone();
    let Ok(pages) = article::fit(article, |article| Ok::<_, std::convert::Infallible>(article::estimate(article)));
    context.measure("pages_estimated", article::filled(article));
    let mut fitted = article.clone();
    let made = Typesetter::here().map(|typesetter| typeset(typesetter, &whole, &mut fitted, context));
    let missing = match made {
        Some(Ok((files, pages))) => {
            *article = fitted;
            return Ok((files, pages, lacks));
        }
        Some(Err(error)) if context.report().cancelled() => return Err(error),
        // Without Springer's class the sources are still what was asked for.
        Some(Err(error)) => format!("{error:#}; of TeX Live it needs texlive-publishers"),
        None => {
            "neither `latexmk` nor `typst` is on PATH: install TeX Live with latexmk and texlive-publishers, or Typst"
                .to_owned()
        }
    };
    context.report().warn(&format!("there is no article.pdf ({missing}); article.tex can be compiled elsewhere"));
    Ok((article::latex(article), pages, lacks))
}

/// Compilations to find out what there is room for; each takes a second or two.
const TRIES: usize = 16;

/// The sources and the PDF, fitted by the pages that a typesetter gives them.
fn typeset(
    typesetter: Typesetter,
    whole: &article::Article,
    article: &mut article::Article,
    context: &mut StageContext,
) -> anyhow::Result<(Files, usize)> {
    let report = context.report();
    let scratch = context.scratch()?;
    let mut made = 0;
    let mut compiled = |article: &article::Article| -> anyhow::Result<(PathBuf, Option<usize>)> {
        made += 1;
        let folder = scratch.path().join(made.to_string());
        let sources = match typesetter {
            Typesetter::Latexmk => article::latex(article),
            Typesetter::Typst => article::typst_sources(article),
        };
        for (name, bytes) in &sources {
            let path = folder.join(name);
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, bytes).with_context(|| format!("cannot write '{}'", path.display()))?;
        }
        typesetter.pdf(&folder, "article", report)?;
        let log = std::fs::read(folder.join("article.log")).unwrap_or_default();
        Ok((folder, typeset::pages(&String::from_utf8_lossy(&log))))
    };
    let mut folders: Vec<(Vec<String>, PathBuf)> = Vec::new();
    let pages = article::fit_by_pages(whole, article, TRIES, |article| {
        // Where a typesetter keeps no log the estimate has to do.
        let (folder, pages) = compiled(article)?;
        folders.push((article.appendix.iter().map(|float| float.label.clone()).collect(), folder));
        Ok::<_, anyhow::Error>(pages.unwrap_or_else(|| article::estimate(article)))
    })?;
    // The one that was kept was compiled already.
    let left: Vec<String> = article.appendix.iter().map(|float| float.label.clone()).collect();
    let folder = folders.into_iter().rev().find(|(other, _)| *other == left).map(|(_, folder)| folder);
    let folder = folder.ok_or_else(|| anyhow!("the article that was kept is none of those that were compiled"))?;
    let mut files = article::latex(article);
    for name in ["article", "appendix"] {
        let has_source = files.iter().any(|(file, _)| *file == format!("{name}.tex"));
        if has_source {
            files.push((format!("{name}.pdf"), typesetter.pdf(&folder, name, report)?));
        }
    }
    Ok((files, pages))
}

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// Files by name, the number of pages, and what the fonts lack.
type Pages = (Files, usize, Option<String>);

#[cfg(feature = "pdf")]
fn pdf(article: &mut article::Article) -> anyhow::Result<Pages> {
    article::pdf(article)
}

#[cfg(not(feature = "pdf"))]
fn pdf(_: &mut article::Article) -> anyhow::Result<Pages> {
    anyhow::bail!(
        "this runner was built without PDF: build one with `cargo install --path . --features pdf`, or ask for `format: latex`"
    )
}
