//! The data: where they are from, how they are divided, and the balance of the classes.

use runner_results::{SplitPart, profile::Profile};

use super::{ArticleContext, bilingual, description};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;

/// Classes in the table of parts: more columns do not fit the page.
const MOST_COLUMNS: usize = 8;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:data", voice.say("Data", "Données"));
    let parts = parts(context);
    let profile = context.profile();
    section.blocks.extend(context.own_blocks(context.subject.source.as_ref()));
    section.blocks.extend(context.paragraph([
        source(context, profile),
        filtered_out(context),
        grouping(context),
        profile.and_then(|profile| largest(context, profile)),
    ]));
    section.blocks.extend(parts.map(|(table, _)| Block::Float(table)));
    description::describe(context, &mut section);
    section
}

/// Files and label; the data set that has these columns.
fn source(context: &ArticleContext, profile: Option<&Profile>) -> Option<String> {
    let load = context.of_kind("load").next()?;
    let settings = load.settings();
    let files = settings.files.map_or(0, |files| files.len()) + settings.downloads.map_or(0, |files| files.len());
    let their = if files == 1 { "its" } else { "their" };
    let files = match files {
        1 => context.voice.say("one CSV file", "d'un fichier CSV").to_owned(),
        files => bilingual!(context, "{files} CSV files", "de {files} fichiers CSV"),
    };
    let label = markup::code(context.label()?);
    let count = profile.map_or(0, |profile| profile.columns.len());
    let is_cut = context.split().is_some_and(|split| split.filtered_out > 0);
    let (and_used, et_retenues) = if is_cut { (" and used", " et retenues") } else { ("", "") };
    let rows = profile.map(|profile| context.voice.count(profile.rows));
    Some(match rows {
        Some(rows) => bilingual!(
            context,
            "The data come as {files}; {rows} of {their} rows are labelled{and_used}, with {count} columns besides the label {label}.",
            "Les données viennent {files} ; elles comptent {rows} lignes étiquetées{et_retenues} et {count} colonnes en plus de l'étiquette {label}.",
        ),
        None => bilingual!(
            context,
            "The data come as {files}; the label is {label}.",
            "Les données viennent {files} ; l'étiquette est {label}.",
        ),
    })
}

/// Rows and classes that a condition of the split leaves out.
fn filtered_out(context: &ArticleContext) -> Option<String> {
    let split = context.split().filter(|split| split.filtered_out > 0)?;
    let rows = match (split.filtered_out, context.voice.is_french()) {
        (1, false) => "one row of the files".to_owned(),
        (1, true) => "une ligne des fichiers".to_owned(),
        (rows, false) => format!("{} rows of the files", context.voice.count(rows)),
        (rows, true) => format!("{} lignes des fichiers", context.voice.count(rows)),
    };
    let classes = match (split.filtered_out_classes, context.voice.is_french()) {
        (0, _) => String::new(),
        (1, false) => ", among them all rows of one class".to_owned(),
        (1, true) => ", dont toutes celles d'une classe".to_owned(),
        (gone, false) => format!(", among them all rows of {} classes", context.voice.count(gone)),
        (gone, true) => format!(", dont toutes celles de {} classes", context.voice.count(gone)),
    };
    Some(bilingual!(
        context,
        "Left out before the split by a condition (`where`) are {rows}{classes}: all counts and scores are without them.",
        "Sont écartées avant le partage par une condition (`where`) {rows}{classes} : tous les comptes et scores sont sans elles.",
    ))
}

/// A part by its name on the page.
type Part<'a> = (&'a str, &'a SplitPart);

/// The table, and how many classes there are.
fn parts(context: &ArticleContext) -> Option<(Float, usize)> {
    let parts = &context.split()?.parts;
    let found: [Part; 3] = [
        (context.voice.say("training", "apprentissage"), &parts.train),
        (context.voice.say("validation", "validation"), &parts.valid),
        (context.voice.say("test", "test"), &parts.test),
    ];
    let all = parts.train.classes.len();
    let mut classes: Vec<&String> = parts.train.classes.keys().collect();
    // Of classes of one size the first by name.
    classes.sort_by_key(|class| (std::cmp::Reverse(parts.train.classes[*class]), *class));
    classes.truncate(MOST_COLUMNS);
    classes.sort_by_key(|class| context.study.palette.rank(class));
    let shown: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let mut heads =
        vec![(context.voice.say("Part", "Partie"), Align::Left), (context.voice.say("Rows", "Lignes"), Align::Right)];
    heads.extend(shown.iter().map(|class| (class.as_str(), Align::Right)));
    let row = |(name, part): &Part| {
        let of = |class: &str| part.classes.get(class).copied().unwrap_or(0);
        let counts = classes.iter().map(|class| context.voice.count(of(class)));
        [(*name).to_owned(), context.voice.count(part.rows)].into_iter().chain(counts).collect()
    };
    let caption = match all {
        all if all > MOST_COLUMNS => bilingual!(
            context,
            "Rows by part and class; of {all} classes the {MOST_COLUMNS} with most rows in the training part.",
            "Lignes par partie et par classe ; des {all} classes, les {MOST_COLUMNS} qui comptent le plus de lignes d'apprentissage.",
        ),
        _ => context.voice.say("Rows by part and class.", "Lignes par partie et par classe.").to_owned(),
    };
    Some((context.table("tab:data", &caption, &heads, found.iter().map(row).collect()), all))
}

fn grouping(context: &ArticleContext) -> Option<String> {
    let split = context.split()?;
    let keys: Vec<String> = split.group_keys.iter().map(|key| markup::code(key)).collect();
    let mut sentence = bilingual!(
        context,
        "Rows that agree in {keys} form {groups} groups, which the split (@tab:data) never divides between parts",
        "Les lignes de même {keys} forment {groups} groupes, que la séparation (@tab:data) ne répartit jamais entre parties",
        keys = keys.join(context.voice.say(" or in ", " ou de même ")),
        groups = context.voice.count(split.groups?),
    );
    if split.folds > 1 {
        sentence.push_str(&bilingual!(context, " or folds", " ou plis",));
    }
    Some(sentence + ".")
}

fn largest(context: &ArticleContext, profile: &Profile) -> Option<String> {
    let classes = &profile.classes;
    let largest = classes.iter().max_by_key(|class| class.rows)?;
    let smallest = classes.iter().min_by_key(|class| class.rows)?;
    if largest.rows == smallest.rows {
        return Some(bilingual!(
            context,
            "Over all rows, all classes are of one size: each holds {share} of them.",
            "Toutes lignes confondues, les classes sont de même taille : chacune en compte {share}.",
            share = context.voice.percent(largest.share),
        ));
    }
    Some(bilingual!(
        context,
        "Over all rows, {most} is the largest class, {times} times as frequent as {least}: it holds {share} of them.",
        "Toutes lignes confondues, {most} est la classe la plus nombreuse, {times} fois plus fréquente que {least} : elle en compte {share}.",
        most = markup::escaped(&largest.class),
        least = markup::escaped(&smallest.class),
        times = context.voice.decimals(largest.rows as f64 / smallest.rows.max(1) as f64, 1),
        share = context.voice.percent(largest.share),
    ))
}
