//! The README of a bundle: what each file is, and how to make them again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runner_boundary::text::quoted;
use runner_engine::Lineage;

use super::{Bundle, RERUN};
use crate::language::TextLanguage;

/// A stage whose files the bundle has.
pub(super) struct Collected {
    pub(super) stage: String,
    pub(super) kind: String,
    /// Of a `predict` stage: the model.
    pub(super) model: Option<String>,
}

pub(super) fn text(
    bundle: &Bundle,
    files: &BTreeMap<String, Vec<u8>>,
    collected: &[Collected],
    lineage: &Lineage,
) -> String {
    let language = bundle.language;
    let title = bundle.title.as_ref().map_or(bundle.name.as_str(), |title| language.of(title));
    let mut text = format!("# {}\n\n", quoted(title.trim()));
    if let Some(author) = &bundle.author {
        let _ = writeln!(text, "{}\n", quoted(author.trim()));
    }
    text.push_str(language.say("| what | where |\n|---|---|\n", "| quoi | où |\n|---|---|\n"));
    let mut row = |what: &str, place: &str| {
        let _ = writeln!(text, "| {what} | {} |", code(place).replace('|', "\\|"));
    };
    for stage in collected {
        describe(stage, files, language, &mut row);
    }
    for name in bundle.files.keys() {
        row(language.say("file of the author's", "fichier de l'auteur"), name);
    }
    row(
        language.say(
            "pipeline as it was run, each parameter explained once",
            "pipeline tel qu'il a tourné, chaque paramètre expliqué une fois",
        ),
        RERUN,
    );
    row(
        language.say(
            "digest of every result behind these files",
            "empreinte de chaque résultat dont ces fichiers sont issus",
        ),
        "results.lock",
    );
    row(
        language.say("digests of these files, for `sha256sum -c`", "empreintes de ces fichiers, pour `sha256sum -c`"),
        "SHA256SUMS",
    );
    again(&mut text, language, lineage);
    text
}

/// The files of one stage: what a reader opens has a row of its own.
fn describe(
    stage: &Collected,
    files: &BTreeMap<String, Vec<u8>>,
    language: TextLanguage,
    row: &mut impl FnMut(&str, &str),
) {
    let folder = format!("{}/", stage.stage);
    let own: Vec<&str> = files.keys().map(String::as_str).filter(|name| name.starts_with(&folder)).collect();
    let has = |name: &str| own.iter().copied().find(|path| path.strip_prefix(&folder) == Some(name));
    match stage.kind.as_str() {
        "article" => {
            if let Some(pdf) = has("article.pdf") {
                row(language.say("article", "article"), pdf);
            }
            if let Some(pdf) = has("appendix.pdf") {
                row(language.say("its appendix", "son annexe"), pdf);
            }
            match (has("article.tex"), has("article.pdf")) {
                (Some(source), Some(_)) => row(language.say("its source", "sa source"), source),
                (Some(source), None) => row(
                    language.say(
                        "article; for the PDF install TeX Live, and `latexmk -pdf article.tex`",
                        "article ; pour le PDF, installer TeX Live, puis `latexmk -pdf article.tex`",
                    ),
                    source,
                ),
                (None, _) => {}
            }
        }
        "report" => {
            if let Some(page) = has("report.html") {
                row(
                    language
                        .say("page of all results, for a browser", "page de tous les résultats, pour un navigateur"),
                    page,
                );
            }
        }
        "predict" => {
            let of = stage.model.as_deref().map(code);
            let what = match of {
                Some(model) => format!("{} {model}", language.say("predictions of", "prédictions de")),
                None => language.say("predictions", "prédictions").to_owned(),
            };
            own.iter().for_each(|name| row(&what, name));
        }
        _ => row(language.say("files of a stage", "fichiers d'une étape"), &folder),
    }
}

fn again(text: &mut String, language: TextLanguage, lineage: &Lineage) {
    let _ = write!(
        text,
        "\n## {}\n\n`runner run {RERUN}` {}",
        language.say("Again", "Refaire"),
        language.say("in this folder makes all of it anew.", "dans ce dossier refait le tout.",),
    );
    if !lineage.needed.is_empty() {
        let needed: Vec<String> = lineage.needed.iter().map(|path| code(&path.display().to_string())).collect();
        let _ = write!(
            text,
            " {} {}.",
            language.say(
                "It reads the data, which must lie where these paths lead from here:",
                "Il lit les données, qui doivent se trouver là où mènent ces chemins :",
            ),
            needed.join(", ")
        );
        if let Some(name) = folder_variable(lineage) {
            let _ = write!(
                text,
                " {} `runner run {RERUN} --set {name}={}`.",
                language.say("From another folder:", "Depuis un autre dossier :"),
                language.say("FOLDER", "DOSSIER"),
            );
        }
    }
    let _ = writeln!(
        text,
        "\n\n{} (`runner {}`):\n\n    {}",
        language.say("They were made by", "Commande d'origine"),
        env!("CARGO_PKG_VERSION"),
        quoted(&lineage.command),
    );
}

/// The variable that says in which folder all the data are.
fn folder_variable(lineage: &Lineage) -> Option<&str> {
    let is_above = |folder: &str| !folder.is_empty() && lineage.needed.iter().all(|path| path.starts_with(folder));
    lineage.variables.iter().find(|(_, value)| is_above(value)).map(|(name, _)| name.as_str())
}

/// A name in a fixed font, which a grave accent of its own does not end.
fn code(name: &str) -> String {
    let name = quoted(name);
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}
