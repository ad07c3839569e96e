//! What the columns are and how they differ between classes; how they go together; what the audit of leaks found.

use runner_results::profile::audit::{Overlap, RowKey, TargetLeakVerdict};
use runner_results::profile::{ClassGroup, ColumnProfile, NumericSummary, Profile};

use super::{ArticleContext, bilingual, codes};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::language::Voice;
use crate::article::markup;
use crate::figure::Drawing;
use crate::figure::print::{Spread, class_boxes};
use crate::leaks;

/// A share of test rows with a duplicate in the training part that is worth a sentence.
const FEW_DUPLICATES: f64 = 0.01;
/// Columns in the table of columns; more would fill a page.
const MOST_COLUMNS: usize = 20;
/// Columns whose means are shown by class, and classes beside one another.
const MOST_TELLING: usize = 6;
const MOST_CLASSES: usize = 7;
/// Distributions drawn: a line.
const DRAWN: usize = 3;

/// Adds what is said of the columns to the section on the data.
pub(crate) fn describe(context: &ArticleContext, section: &mut Section) {
    let Some(profile) = context.profile() else { return };
    let columns = columns_table(context, profile);
    let listed = columns.as_ref().map(|(_, left)| columns_sentence(context, *left));
    section.blocks.extend(columns.map(|(table, _)| Block::Float(table)));
    let telling = telling(context, profile);
    let means = means_table(context, profile, &telling);
    let figure = distributions(context, profile, &telling);
    section.blocks.extend(
        context.paragraph([listed, differences(context, profile, &telling, means.is_some(), figure.is_some())]),
    );
    section.blocks.extend(means.map(Block::Float));
    section.blocks.extend(figure.map(Block::Float));
    section.blocks.extend(context.paragraph([
        target_leaks(context, profile),
        ceiling(context, profile),
        duplicates(context, profile),
    ]));
}

/// The numeric columns that models read, as the author lists them, else in the order of the table.
fn read_columns<'a>(context: &ArticleContext, profile: &'a Profile) -> Vec<&'a ColumnProfile> {
    let [read, _, _] = context.inputs();
    let order = |column: &&ColumnProfile| {
        context.subject.columns.get_index_of(&column.name).unwrap_or(context.subject.columns.len())
    };
    let mut columns: Vec<&ColumnProfile> =
        profile.columns.iter().filter(|column| column.numeric.is_some() && read.contains(&column.name)).collect();
    columns.sort_by_key(order);
    columns
}

/// The table, two columns of the data on each line, and how many it leaves out.
fn columns_table(context: &ArticleContext, profile: &Profile) -> Option<(Float, usize)> {
    let voice = context.voice;
    let columns = read_columns(context, profile);
    let left = columns.len().saturating_sub(MOST_COLUMNS);
    let shown = &columns[..columns.len() - left];
    let own = |text: Option<&runner_names::Localized>| {
        text.map_or_else(String::new, |text| markup::escaped(text.get(voice.code())))
    };
    let meaning = |column: &ColumnProfile| context.subject.columns.get(&column.name);
    let has_meaning = shown.iter().any(|column| meaning(column).is_some());
    let cells = |column: Option<&&ColumnProfile>| -> Vec<String> {
        let count = if has_meaning { 3 } else { 2 };
        let Some(column) = column else { return vec![String::new(); count] };
        let mut cells = vec![markup::code(&column.name)];
        cells.extend(has_meaning.then(|| own(meaning(column).map(|meaning| &meaning.meaning))));
        let unit = own(meaning(column).and_then(|meaning| meaning.unit.as_ref()));
        let numeric = column.numeric.as_ref();
        let range = numeric.map(|numeric| format!("{} {unit}", range(voice, numeric)).trim_end().to_owned());
        cells.push(range.unwrap_or_default());
        cells
    };
    let mut half = vec![(voice.say("Column", "Colonne"), Align::Left)];
    half.extend(has_meaning.then_some((voice.say("Meaning", "Signification"), Align::Left)));
    half.push((voice.say("Range", "Étendue"), Align::Left));
    let lines = shown.len().div_ceil(2);
    let heads: Vec<_> = half.iter().chain(&half).copied().collect();
    let rows: Vec<Vec<String>> =
        (0..lines).map(|i| [cells(shown.get(i)), cells(shown.get(lines + i))].concat()).collect();
    let caption = match has_meaning {
        true => voice.say(
            "The numeric columns that models read, with their range and unit.",
            "Les colonnes numériques que lisent les modèles, avec leur étendue et leur unité.",
        ),
        false => voice.say(
            "The numeric columns that models read, with their range.",
            "Les colonnes numériques que lisent les modèles, avec leur étendue.",
        ),
    };
    (!rows.is_empty()).then(|| (context.table("tab:columns", caption, &heads, rows), left))
}

fn columns_sentence(context: &ArticleContext, left: usize) -> String {
    let [_, texts, _] = context.inputs();
    let words = match texts.len() {
        0 => String::new(),
        1 => bilingual!(
            context,
            "; the text is {list}",
            " ; le texte est {list}",
            list = context.voice.list(&codes(&texts), 4),
        ),
        _ => bilingual!(
            context,
            "; the texts are {list}",
            " ; les textes sont {list}",
            list = context.voice.list(&codes(&texts), 4),
        ),
    };
    match left {
        0 => bilingual!(
            context,
            "@tab:columns lists the numeric columns{words}.",
            "Le @tab:columns présente les colonnes numériques{words}.",
        ),
        left => bilingual!(
            context,
            "@tab:columns lists {MOST_COLUMNS} of the numeric columns, of which {left} more are read{words}.",
            "Le @tab:columns présente {MOST_COLUMNS} des colonnes numériques, dont {left} autres sont lues{words}.",
        ),
    }
}

/// `0.65 ± 0.13`: as many decimals as the deviation has meaning; beyond ten thousand in thousands, below a ten-thousandth in powers of ten.
fn mean(voice: Voice, numeric: &NumericSummary) -> String {
    let deviation = numeric.standard_deviation;
    let (unit, letter) = if numeric.mean.abs() >= 10_000.0 { (1000.0, "k") } else { (1.0, "") };
    let size = deviation.unwrap_or(numeric.mean).abs() / unit;
    // One digit of the deviation, two where the first is a 1: more means nothing.
    let magnitude = size.log10().floor();
    let more = if size / 10f64.powf(magnitude) < 2.0 { 1.0 } else { 0.0 };
    let shown = |value: f64| match size > 0.0 && more - magnitude > MOST_DECIMALS {
        true => voice.compact(value),
        false => {
            let places = if size > 0.0 { (more - magnitude).max(0.0) as usize } else { 0 };
            // What does not vary is shown as it is.
            let value = value / unit;
            let number = if size > 0.0 { voice.decimals(value, places) } else { voice.compact(value) };
            format!("{number}{letter}")
        }
    };
    match deviation {
        Some(deviation) => format!("{} ± {}", shown(numeric.mean), shown(deviation)),
        None => shown(numeric.mean),
    }
}

/// Decimals of a mean; of more a power of ten is easier to read.
const MOST_DECIMALS: f64 = 4.0;
/// Beside the other end of a range, an end this small is none.
const NEGLIGIBLE: f64 = 1e-3;

/// Both ends of a range in three digits; beyond ten thousand in thousands.
fn range(voice: Voice, numeric: &NumericSummary) -> String {
    let (low, high) = (numeric.minimum, numeric.maximum);
    let widest = low.abs().max(high.abs());
    let end = |value: f64| match value.abs() {
        size if size < widest * NEGLIGIBLE => "0".to_owned(),
        size if size >= 10_000.0 => format!("{}k", voice.decimals(value / 1000.0, 0)),
        size if size >= 1000.0 => voice.decimals(value, 0),
        _ => voice.compact(value),
    };
    format!("{} – {}", end(low), end(high))
}

/// The numeric columns that say most of the label, most first: by the share of its entropy that they explain beyond chance.
fn telling<'a>(context: &ArticleContext, profile: &'a Profile) -> Vec<&'a ColumnProfile> {
    let [numeric, _, _] = context.inputs();
    let mut found: Vec<(f64, &ColumnProfile)> = profile
        .relevance
        .iter()
        .filter_map(|relevance| {
            let column = profile.columns.iter().find(|column| column.name == relevance.column)?;
            let is_read = numeric.is_empty() || numeric.contains(&column.name);
            let is_clear = relevance.mutual_information? > relevance.chance_limit;
            (is_read && is_clear && column.numeric.is_some()).then_some((relevance.information_share, column))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, column)| column).take(MOST_TELLING).collect()
}

/// The classes whose means stand beside one another: all, or the largest.
fn shown_classes(profile: &Profile) -> Vec<&str> {
    let mut classes: Vec<_> = profile.classes.iter().collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.rows));
    classes.truncate(MOST_CLASSES);
    let is_kept = |class: &&runner_results::profile::ClassBalance| classes.iter().any(|kept| kept.class == class.class);
    profile.classes.iter().filter(is_kept).map(|class| class.class.as_str()).collect()
}

fn of_class<'a>(column: &'a ColumnProfile, class: &str) -> Option<&'a NumericSummary> {
    let is_it = |group: &ClassGroup| matches!(group, ClassGroup::Class(own) if own == class);
    column.by_class.iter().find(|one| is_it(&one.class))?.numeric.as_ref()
}

fn means_table(context: &ArticleContext, profile: &Profile, telling: &[&ColumnProfile]) -> Option<Float> {
    let voice = context.voice;
    let classes = shown_classes(profile);
    let names: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let mut heads = vec![(voice.say("Column", "Colonne"), Align::Left)];
    heads.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    let row = |column: &&ColumnProfile| {
        let cells = classes
            .iter()
            .map(|class| of_class(column, class).map_or_else(|| "–".to_owned(), |numeric| mean(voice, numeric)));
        std::iter::once(markup::code(&column.name)).chain(cells).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = telling.iter().map(row).collect();
    let caption = bilingual!(
        context,
        "Mean ± standard deviation by {class} of the {count} numeric columns that say most about it{largest}.",
        "Moyenne ± écart-type selon {class} pour les {count} colonnes numériques les plus informatives{largest}.",
        class = context.by_class(),
        count = rows.len(),
        largest = match profile.classes.len() > classes.len() {
            true => bilingual!(
                context,
                "; of {all} classes the {MOST_CLASSES} largest",
                " ; des {all} classes, les {MOST_CLASSES} plus grandes",
                all = profile.classes.len(),
            ),
            false => String::new(),
        },
    );
    (rows.len() > 1 && classes.len() > 1).then(|| context.table("tab:means", &caption, &heads, rows))
}

fn distributions(context: &ArticleContext, profile: &Profile, telling: &[&ColumnProfile]) -> Option<Float> {
    let classes = shown_classes(profile);
    let boxes = |column: &&ColumnProfile| {
        let of = |class: &&str| {
            let quantiles = &of_class(column, class)?.quantiles;
            let spread = Spread {
                whiskers: (quantiles.p05, quantiles.p95),
                quartiles: (quantiles.p25, quantiles.p75),
                median: quantiles.p50,
            };
            Some(((*class).to_owned(), spread))
        };
        let found: Vec<(String, Spread)> = classes.iter().filter_map(of).collect();
        class_boxes(&column.name, &found, &context.study.palette)
    };
    let drawings: Vec<Drawing> = telling.iter().take(DRAWN).map(boxes).collect();
    let caption = bilingual!(
        context,
        "The {count} most telling columns by {class}: median, quartiles, and 5th to 95th percentile.",
        "Les {count} colonnes les plus informatives selon {class} : médiane, quartiles, et du 5e au 95e centile.",
        count = drawings.len(),
        class = context.by_class(),
    );
    (drawings.len() > 1 && classes.len() > 1).then(|| context.figure("fig:distributions", &caption, drawings, 0.32))
}

/// How the classes differ in the column that says most.
fn differences(
    context: &ArticleContext,
    profile: &Profile,
    telling: &[&ColumnProfile],
    has_table: bool,
    has_figure: bool,
) -> Option<String> {
    let voice = context.voice;
    let first = telling.first()?;
    let classes = shown_classes(profile);
    let mut means: Vec<(&str, f64)> =
        classes.iter().filter_map(|class| Some((*class, of_class(first, class)?.mean))).collect();
    means.sort_by(|a, b| a.1.total_cmp(&b.1));
    let ((low, least), (high, most)) = (*means.first()?, *means.last()?);
    let share = profile.relevance.iter().find(|one| one.column == first.name)?.information_share;
    let see = match (has_table, has_figure) {
        (true, true) => {
            voice.say("@tab:means and @fig:distributions show", "Le @tab:means et la @fig:distributions montrent")
        }
        (true, false) => voice.say("@tab:means shows", "Le @tab:means montre"),
        (false, true) => voice.say("@fig:distributions shows", "La @fig:distributions montre"),
        (false, false) => return None,
    };
    Some(bilingual!(
        context,
        "{see} how the {classes} differ: even the most telling column, {name}, explains only {share} of the entropy of the label; its mean goes from {least} ({low}) to {most} ({high}).",
        "{see} en quoi diffèrent les {classes} : même la colonne la plus informative, {name}, n'explique que {share} de l'entropie de l'étiquette ; sa moyenne va de {least} ({low}) à {most} ({high}).",
        classes = context.subject.classes(voice),
        name = markup::code(&first.name),
        share = voice.percent(share),
        least = voice.compact(least),
        most = voice.compact(most),
        low = markup::escaped(low),
        high = markup::escaped(high),
    ))
}

/// Columns that leak the label are no features.
fn target_leaks(context: &ArticleContext, profile: &Profile) -> Option<String> {
    let found = profile.audit.target_leaks.iter().filter(|entry| entry.verdict == TargetLeakVerdict::Nearly);
    let nearly: Vec<String> = found.map(|entry| markup::code(&entry.column)).collect();
    let full: Vec<String> = profile.audit.leaking().map(str::to_owned).collect();
    let leaks = leaks::all(context.study.stages, context.study.edges);
    let readers: Vec<String> = leaks.iter().map(|leak| markup::code(&leak.stage)).collect();
    let mut sentences = Vec::new();
    if !full.is_empty() {
        let them = if full.len() == 1 { context.voice.say("it", "la") } else { context.voice.say("them", "les") };
        sentences.push(bilingual!(
            context,
            "An audit found that {which} {list} leaks the label; {seen}.",
            "Un audit a établi que la valeur de {which}{list} suffit à elle seule à révéler l'étiquette ; {seen}.",
            list = context.voice.list(&codes(&full), 5),
            which = match full.len() {
                1 => context.voice.say("looking up the value of", ""),
                _ => context.voice.say("looking up the value of any one of", "chacune des colonnes "),
            },
            seen = match readers.len() {
                0 => bilingual!(context, "no model is shown {them}", "aucun modèle ne {them} voit"),
                1 => bilingual!(
                    context,
                    "{list} reads what leaks all the same",
                    "{list} lit néanmoins ce qui la révèle",
                    list = context.voice.list(&readers, 6),
                ),
                _ => bilingual!(
                    context,
                    "{list} read what leaks all the same",
                    "{list} lisent néanmoins ce qui la révèle",
                    list = context.voice.list(&readers, 6),
                ),
            },
        ));
    }
    if !nearly.is_empty() {
        sentences.push(bilingual!(
            context,
            "{list} nearly {verb} so too, where the value is known from another row.",
            "{list} la {verb} presque, quand la valeur est connue d'une autre ligne.",
            list = context.voice.list(&nearly, 4),
            verb = match nearly.len() {
                1 => context.voice.say("does", "révèle"),
                _ => context.voice.say("do", "révèlent"),
            },
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// What no function of a key can exceed: the lowest such bound that is no triviality.
fn ceiling(context: &ArticleContext, profile: &Profile) -> Option<String> {
    let of_models = context.ceiling();
    let of_any = || profile.audit.capping().min_by(|a, b| a.0.ceiling.total_cmp(&b.0.ceiling));
    let (found, key) = of_models.or_else(of_any)?;
    Some(bilingual!(
        context,
        "Labels contradict one another: {values} of {key} {carry} several, so that no function of {it} can be right on more than {ceiling} of the rows.",
        "Des étiquettes se contredisent : {values} de {key} en {portent} plusieurs, si bien qu'aucune fonction {de} ne peut être juste pour plus de \
         {ceiling} des lignes.",
        values = context.voice.counted(found.contradictory, ("value", "values"), ("valeur", "valeurs")),
        carry = if found.contradictory == 1 { "carries" } else { "carry" },
        portent = if found.contradictory == 1 { "porte" } else { "portent" },
        it = if of_models.is_some() { "it" } else { "it alone" },
        de = if of_models.is_some() { "de cette clé" } else { "de cette seule clé" },
        key = codes(&key.split(" + ").map(String::from).collect::<Vec<_>>()).join(" + "),
        ceiling = context.voice.percent(found.ceiling),
    ))
}

/// What a split row by row would have done.
fn duplicates(context: &ArticleContext, profile: &Profile) -> Option<String> {
    let connected = |one: &&Overlap| matches!(one.key, RowKey::Connected { .. });
    let overlap = profile.audit.overlaps.iter().rfind(connected)?;
    let (given, random) = (overlap.given.as_ref()?.test_in_train?, overlap.random.test_in_train?);
    (random >= FEW_DUPLICATES && given < random).then(|| bilingual!(
        context,
        "A random split by rows would have left {random} of the test rows with a duplicate in the training part; here it is {given}.",
        "Une séparation aléatoire ligne par ligne aurait laissé à {random} des lignes de test un double dans l'apprentissage ; ici, la part est de {given}.",
        random = context.voice.percent(random),
        given = context.voice.percent(given),
    ))
}

#[cfg(test)]
mod tests {
    use runner_results::profile::{NumericSummary, Quantiles};

    use super::{mean, range};
    use crate::article::language::{Language, Voice};

    fn summary(mean: f64, deviation: f64, minimum: f64, maximum: f64) -> NumericSummary {
        let quantiles = Quantiles { p01: mean, p05: mean, p25: mean, p50: mean, p75: mean, p95: mean, p99: mean };
        NumericSummary {
            mean,
            standard_deviation: Some(deviation),
            minimum,
            maximum,
            quantiles,
            lower_fence: None,
            upper_fence: None,
            outliers_low: 0,
            outliers_high: 0,
        }
    }

    #[test]
    fn small_and_large_numbers_keep_what_they_mean() {
        let (english, french) = (Voice(Language::English), Voice(Language::French));
        for (one, shown, ends) in [
            (summary(0.6543, 0.1321, 0.0, 0.98), "0.65 ± 0.13", "0 – 0.98"),
            (summary(0.0872, 0.0721, 0.0001, 0.9), "0.09 ± 0.07", "0 – 0.9"),
            (summary(226_000.0, 61_000.0, 4_000.0, 517_810.0), "226k ± 61k", "4000 – 518k"),
            (summary(2010.0, 11.0, 1957.0, 2020.0), "2010 ± 11", "1957 – 2020"),
            (summary(3.1e-6, 1.4e-6, 1e-7, 9e-6), "3.1e−6 ± 1.4e−6", "1e−7 – 9e−6"),
            (summary(5.0, 0.0, 5.0, 5.0), "5 ± 0", "5 – 5"),
        ] {
            assert_eq!((mean(english, &one), range(english, &one)), (shown.to_owned(), ends.to_owned()));
        }
        assert_eq!(mean(french, &summary(0.6543, 0.1321, 0.0, 1.0)), "0,65 ± 0,13");
    }
}
