//! Data and task: rows by part and class, what the audit found, and what standard classifiers reach.

use runner_results::profile::audit::{Overlap, RowKey, TargetLeakVerdict};
use runner_results::{Layout, Map, SplitPart, profile::Profile};

use super::{ArticleContext, bilingual, codes, earlier};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::leaks;
use crate::study::profile::has_gaps;

/// A share of test rows with a duplicate in the training part that is worth a sentence.
const FEW_DUPLICATES: f64 = 0.01;

/// Classes in the table of parts: more columns do not fit the page.
const MOST_COLUMNS: usize = 8;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:data", voice.say("Data and Task", "Données et tâche"));
    let parts = parts(context);
    let balance = class_figure(context);
    let profile = context.profile();
    section.blocks.extend(context.paragraph([
        source(context, profile),
        filtered_out(context),
        parts.as_ref().map(|(_, all)| {
            let all = *all;
            bilingual!(
                context,
                "@tab:data shows the rows of {classes} by part.",
                "Le @tab:data donne les lignes {classes} par partie.",
                classes = match all {
                    all if all > MOST_COLUMNS => bilingual!(
                        context,
                        "the {MOST_COLUMNS} largest of {all} classes",
                        "des {MOST_COLUMNS} plus grandes des {all} classes",
                    ),
                    _ => context.voice.say("each class", "de chaque classe").to_owned(),
                },
            )
        }),
        grouping(context),
        profile.and_then(|profile| largest(context, profile, balance.is_some())),
    ]));
    section.blocks.extend(parts.map(|(table, _)| Block::Float(table)));
    section.blocks.extend(balance.map(Block::Float));
    if let Some(profile) = profile {
        let (correlation, map) = (correlation_figure(context), map_figure(context));
        section.blocks.extend(context.paragraph([
            target_leaks(context, profile),
            ceiling(context, profile),
            duplicates(context, profile),
            strongest(context, profile, correlation.is_some()),
            variance(context, profile, map.is_some()),
        ]));
        section.blocks.extend(correlation.map(Block::Float));
        section.blocks.extend(map.map(Block::Float));
    }
    let neighbourhood = neighbours_figure(context);
    section.blocks.extend(context.paragraph([neighbours(context, neighbourhood.is_some())]));
    section.blocks.extend(neighbourhood.map(Block::Float));
    let (sentences, table) = earlier::earlier(context);
    section.blocks.extend(context.paragraph(sentences));
    section.blocks.extend(table.map(Block::Float));
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
    let columns = profile.map_or(&[][..], |profile| profile.columns.as_slice());
    let is_spotify = ["track_id", "danceability", "playlist_subgenre"]
        .iter()
        .all(|name| columns.iter().any(|column| column.name == *name));
    let (count, cite) = (
        columns.len(),
        if is_spotify {
            context.voice.say(
                ", with the columns of the Spotify Songs data [@spotify]",
                ", avec les colonnes des données Spotify Songs [@spotify]",
            )
        } else {
            ""
        },
    );
    let is_cut = context.split().is_some_and(|split| split.filtered_out > 0);
    let (and_used, et_retenues) = if is_cut { (" and used", " et retenues") } else { ("", "") };
    let rows = profile.map(|profile| context.voice.count(profile.rows));
    Some(match rows {
        Some(rows) => bilingual!(
            context,
            "The data come as {files}{cite}; {rows} of {their} rows are labelled{and_used}, with {count} columns besides the label {label}.",
            "Les données viennent {files}{cite} ; elles comptent {rows} lignes étiquetées{et_retenues} et {count} colonnes en plus de l'étiquette {label}.",
        ),
        None => bilingual!(
            context,
            "The data come as {files}{cite}; the label is {label}.",
            "Les données viennent {files}{cite} ; l'étiquette est {label}.",
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
        "Rows that agree in {keys} are joined in {groups} groups, none of which is divided between the parts",
        "Les lignes de même {keys} sont réunies en {groups} groupes, dont aucun n'est partagé entre les parties",
        keys = keys.join(context.voice.say(" or in ", " ou de même ")),
        groups = context.voice.count(split.groups?),
    );
    if split.folds > 1 {
        sentence.push_str(&bilingual!(
            context,
            " or between the {folds} folds of cross-validation",
            " ni entre les {folds} plis de la validation croisée",
            folds = split.folds,
        ));
    }
    Some(sentence + ".")
}

fn largest(context: &ArticleContext, profile: &Profile, has_figure: bool) -> Option<String> {
    let classes = &profile.classes;
    let largest = classes.iter().max_by_key(|class| class.rows)?;
    let smallest = classes.iter().min_by_key(|class| class.rows)?;
    let see = if has_figure { " (@fig:classes)" } else { "" };
    if largest.rows == smallest.rows {
        return Some(bilingual!(
            context,
            "Over all rows, all classes are of one size{see}: each holds {share} of them.",
            "Toutes lignes confondues, les classes sont de même taille{see} : chacune en compte {share}.",
            share = context.voice.percent(largest.share),
        ));
    }
    Some(bilingual!(
        context,
        "Over all rows, {most} is the largest class{see}, {times} times as frequent as {least}: it holds {share} of them.",
        "Toutes lignes confondues, {most} est la classe la plus nombreuse{see}, {times} fois plus fréquente que {least} : elle en compte {share}.",
        most = markup::escaped(&largest.class),
        least = markup::escaped(&smallest.class),
        times = context.voice.decimals(largest.rows as f64 / smallest.rows.max(1) as f64, 1),
        share = context.voice.percent(largest.share),
    ))
}

fn class_figure(context: &ArticleContext) -> Option<Float> {
    let stage = context.of_kind("describe").next()?;
    let drawings = context.drawings(stage, &["rows-by-class"], None);
    let caption = context
        .voice
        .say("Rows of each class, all parts together.", "Lignes de chaque classe, toutes parties confondues.");
    (!drawings.is_empty()).then(|| context.figure("fig:classes", caption, drawings, 0.62))
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

fn strongest(context: &ArticleContext, profile: &Profile, has_figure: bool) -> Option<String> {
    let found = &profile.correlations;
    let mut best: Option<(f64, usize, usize)> = None;
    for (i, row) in found.spearman.iter().enumerate() {
        for (j, value) in row.iter().take(i).enumerate().filter_map(|(j, value)| Some((j, (*value)?))) {
            if best.is_none_or(|(most, _, _)| value.abs() > most.abs()) {
                best = Some((value, i, j));
            }
        }
    }
    let (value, i, j) = best?;
    let see = if has_figure { " (@fig:correlation)" } else { "" };
    Some(bilingual!(
        context,
        "The strongest rank correlation between numeric columns is {value}, of {a} and {b}{see}.",
        "La plus forte corrélation de rang entre colonnes numériques vaut {value}, entre {a} et {b}{see}.",
        value = context.voice.decimals(value, 2),
        a = markup::code(&found.columns[j]),
        b = markup::code(&found.columns[i]),
    ))
}

fn correlation_figure(context: &ArticleContext) -> Option<Float> {
    let drawings = context.drawings(context.of_kind("describe").next()?, &["spearman"], None);
    let caption = context.voice.say(
        "Spearman's rank correlations of the numeric columns.",
        "Corrélations de rang de Spearman des colonnes numériques.",
    );
    (!drawings.is_empty()).then(|| context.figure("fig:correlation", caption, drawings, 0.66))
}

fn variance(context: &ArticleContext, profile: &Profile, has_figure: bool) -> Option<String> {
    let pca = profile.pca.as_ref()?;
    let [first, second, ..] = pca.explained_variance_ratio.as_slice() else { return None };
    let filled = match has_gaps(profile, pca) {
        true => context
            .voice
            .say(", missing values filled in by the mean", ", valeurs manquantes remplacées par la moyenne"),
        false => "",
    };
    let see = if has_figure { " (@fig:components)" } else { "" };
    Some(bilingual!(
        context,
        "The first two principal components hold {share} of the variance of the standardised columns{filled}{see}.",
        "Les deux premières composantes principales portent {share} de la variance des colonnes standardisées{filled}{see}.",
        share = context.voice.percent(first + second),
    ))
}

fn map_figure(context: &ArticleContext) -> Option<Float> {
    let drawings = context.drawings(context.of_kind("describe").next()?, &["rows-on-the-first-two"], None);
    let caption = context.voice.say(
        "A sample of rows on the first two principal components, one panel per class over all the others.",
        "Un échantillon de lignes sur les deux premières composantes principales, un panneau par classe sur fond des autres.",
    );
    (!drawings.is_empty()).then(|| context.figure("fig:components", caption, drawings, 0.8))
}

/// How far nearest neighbours share the class before anything is learnt.
fn neighbours(context: &ArticleContext, has_figure: bool) -> Option<String> {
    let (_, map) = context.study.with::<Map>().next()?;
    let near = &map.neighbours;
    let see = match has_figure {
        true => bilingual!(
            context,
            "; the plane of @fig:map{method} keeps {kept} of these neighbours",
            " ; le plan de la @fig:map{method} garde {kept} de ces voisines",
            method = match map.layout {
                Layout::Pca => "",
                Layout::Tsne => context.voice.say(", by t-SNE [@tsne],", ", par t-SNE [@tsne],"),
            },
            kept = context.voice.percent(near.kept_in_plane),
        ),
        false => String::new(),
    };
    Some(bilingual!(
        context,
        "In the raw embedding space of {columns}, {own} of the {number} nearest neighbours of a training row share its class ({chance} expected by chance){see}.",
        "Avant tout apprentissage, {own} des {number} plus proches voisines d'une ligne d'apprentissage, d'après les vecteurs de {columns}, sont de sa classe, contre {chance} au hasard{see}.",
        own = context.voice.percent(near.of_own_class),
        chance = context.voice.percent(near.by_chance),
        number = near.count,
        columns = context.voice.list(&codes(&map.columns.all()), 4),
    ))
}

fn neighbours_figure(context: &ArticleContext) -> Option<Float> {
    let (stage, map) = context.study.with::<Map>().next()?;
    let drawings = context.drawings(stage, &["each-class-on-the-map"], None);
    let caption = match map.layout {
        Layout::Pca => context.voice.say(
            "Training rows in the plane of the first two principal components of their vectors, one panel per class over all the others.",
            "Lignes d'apprentissage dans le plan des deux premières composantes principales de leurs vecteurs, un panneau par classe sur fond des autres.",
        ),
        Layout::Tsne => context.voice.say(
            "Training rows in the plane by t-SNE of their vectors, one panel per class over all the others; distances between groups mean nothing.",
            "Lignes d'apprentissage dans le plan par t-SNE de leurs vecteurs, un panneau par classe sur fond des autres ; les distances entre groupes n'ont pas de sens.",
        ),
    };
    (!drawings.is_empty()).then(|| context.figure("fig:map", caption, drawings, 0.8))
}
