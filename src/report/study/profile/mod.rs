//! The data section: leakage audit first, then columns, balance, distributions, correlations, relevance, components.

mod audit;
mod columns;

use runner_results::profile::Profile;
use runner_results::profile::{Correlations, PairCounts, PrincipalComponents, Relevance};

use super::{Study, plural, stage_id};
use crate::audit::group;
use crate::figure::text::{count as count_text, decimals, percent};
use crate::figure::{
    self, Bar, HistogramPanel, Paint, Palette, Point, ScatterChart, bar_chart, class_histogram, panels_caption, scatter,
};
use crate::page::{Block, Figure, Section};

/// Bars of the relevance chart, at most.
const MOST_BARS: usize = 24;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("data", "Data");
    let profiles: Vec<(_, &Profile)> = study.with().collect();
    for &(stage, profile) in &profiles {
        let id = |part: &str| format!("{}-{part}", stage_id(stage));
        let of = if profiles.len() > 1 { format!(" ({})", stage.stage) } else { String::new() };
        let mut parts = vec![
            audit::section(profile, id("audit"), format!("Leakage audit{of}")),
            balance(study, profile, id("balance"), format!("Classes{of}")),
            columns::section(profile, id("columns"), format!("Columns{of}")),
            histograms(study, profile, id("histograms"), format!("Distributions by class{of}")),
            relevance(profile, id("relevance"), format!("Relevance to the label{of}")),
            correlations(profile, id("correlations"), format!("Correlations{of}")),
            components(&study.palette, profile, id("pca"), format!("Principal components{of}")),
        ];
        parts.retain(|part| !part.is_empty());
        if let Some(first) = parts.first_mut() {
            // The stage's own anchor is where its story begins.
            first.id = stage_id(stage);
        }
        let labelled = match profile.labelled {
            labelled if labelled == profile.rows => "all labelled".to_string(),
            labelled => format!("{} labelled", count_text(labelled)),
        };
        let columns = plural(profile.columns.len() as u64, "column");
        section.say(format!("{}, {labelled}, {columns}.", plural(profile.rows, "row")));
        section.subsections.extend(parts);
    }
    Some(section)
}

fn balance(study: &Study, profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let classes: Vec<(String, u64)> = profile.classes.iter().map(|class| (class.class.clone(), class.rows)).collect();
    let total: u64 = classes.iter().map(|(_, rows)| rows).sum();
    let largest = classes.iter().max_by_key(|(_, rows)| rows);
    let smallest = classes.iter().min_by_key(|(_, rows)| rows);
    if let (Some(largest), Some(smallest)) = (largest, smallest)
        && total > 0
    {
        section.say(if largest.1 == smallest.1 {
            format!(
                "All {} have {}: always guessing one would be right on {}.",
                plural(classes.len() as u64, "class").replace("classs", "classes"),
                plural(largest.1, "row"),
                percent(largest.1 as f64 / total as f64)
            )
        } else {
            format!(
                "Always guessing {} would be right on {} of the rows; {} is {} times as frequent as {}.",
                largest.0,
                percent(largest.1 as f64 / total as f64),
                largest.0,
                decimals(largest.1 as f64 / smallest.1.max(1) as f64, 2),
                smallest.0,
            )
        });
        let svg = figure::class_balance("Rows by class", &classes, &study.palette);
        section.push(Block::Figure(Figure::new(svg, "")));
    }
    section
}

fn histograms(study: &Study, profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let groups: Vec<String> = profile.class_groups.iter().map(group).collect();
    let numbers = |counts: &[u64]| counts.iter().map(|&count| count as f64).collect::<Vec<f64>>();
    let figures: Vec<Figure> = (profile.histograms.iter())
        .map(|histogram| {
            let classes = match groups.is_empty() {
                // Without labels there is nothing to tell apart.
                true => vec![("all".to_string(), numbers(&histogram.overall))],
                false => groups.iter().cloned().zip(histogram.by_class.iter().map(|counts| numbers(counts))).collect(),
            };
            let panel = HistogramPanel { column: &histogram.column, edges: &histogram.edges, classes };
            Figure::new(class_histogram(&panel, &study.palette), "")
        })
        .collect();
    if !figures.is_empty() {
        let mut words =
            "Each ridge is the share of its class' rows by bin; heights compare within a figure.".to_owned();
        let numeric = profile.columns.iter().filter(|column| column.numeric.is_some()).count();
        if numeric > figures.len() {
            words.push_str(&format!(" The {} most relevant of {numeric} numeric columns.", figures.len()));
        }
        section.say(words);
        section.push(Block::Gallery { figures, narrow: true });
    }
    section
}

fn correlations(profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let found = &profile.correlations;
    let columns = &found.columns;
    if columns.len() < 2 {
        return section;
    }
    let PairCounts { pearson, spearman } = found.pairs_from_half;
    let both = [("Pearson: linear", &found.pearson, pearson), ("Spearman: by rank", &found.spearman, spearman)];
    let figures = both.map(|(title, matrix, strong)| {
        let mut sentence = strongest(found, matrix, strong);
        if found.numeric_columns > columns.len() as u64 {
            sentence.push_str(&format!(
                " The {} columns that correlate most, of {} numeric ones.",
                columns.len(),
                count_text(found.numeric_columns)
            ));
        }
        let values: Vec<Vec<f64>> =
            matrix.iter().map(|row| row.iter().map(|value| value.unwrap_or(f64::NAN)).collect()).collect();
        Figure::new(figure::correlation(title, &sentence, columns, &values), sentence)
    });
    section.push(Block::Gallery { figures: figures.to_vec(), narrow: false });
    section
}

/// The pair with the largest coefficient, in words; `strong`: pairs of 0.5 or more, of all columns.
fn strongest(found: &Correlations, matrix: &[Vec<Option<f64>>], strong: u64) -> String {
    let mut best: Option<(f64, usize, usize)> = None;
    for (i, row) in matrix.iter().enumerate() {
        for (j, value) in row.iter().take(i).enumerate().filter_map(|(j, value)| Some((j, (*value)?))) {
            if best.is_none_or(|(most, _, _)| value.abs() > most.abs()) {
                best = Some((value, i, j));
            }
        }
    }
    match best {
        Some((value, i, j)) => format!(
            "Strongest: {} and {} ({}); {} at 0.5 or beyond.",
            found.columns[j],
            found.columns[i],
            decimals(value, 2),
            plural(strong, "pair")
        ),
        None => String::new(),
    }
}

fn relevance(profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let mut found: Vec<&Relevance> = profile.relevance.iter().collect();
    if found.is_empty() {
        return section;
    }
    found.sort_by(|a, b| b.information_share.total_cmp(&a.information_share));
    let bars: Vec<Bar> = (found.iter().take(MOST_BARS))
        .map(|one| {
            let (label, value) = (one.column.clone(), one.information_share);
            let note = if one.is_beyond_chance() { percent(value) } else { "within chance".to_string() };
            Bar { label, value, paint: Paint::Positive, note }
        })
        .collect();
    let title = "Share of the label's entropy that a column explains";
    let said = "Mutual information of one column with the label, over the label's entropy, where it is more than shuffled \
                labels would show (two standard deviations); missing counts as a value. Columns are taken alone: what they say together can be more or less.";
    let description = bars.iter().map(|b| format!("{} {}", b.label, b.note)).collect::<Vec<_>>().join("; ");
    section.push(Block::Figure(Figure::new(bar_chart(title, &description, "", &bars), said)));
    section.push(columns::relevance_table(&found));
    section
}

/// Whether values of the components' columns were filled in.
pub(crate) fn has_gaps(profile: &Profile, pca: &PrincipalComponents) -> bool {
    profile.columns.iter().any(|column| column.missing > 0 && pca.columns.contains(&column.name))
}

fn components(palette: &Palette, profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let Some(pca) = &profile.pca else {
        return section;
    };
    let classes: Vec<String> = profile.classes.iter().map(|class| class.class.clone()).collect();
    let ratios = &pca.explained_variance_ratio;
    let axis = |k: usize| match ratios.get(k) {
        Some(ratio) => format!("component {} ({})", k + 1, percent(*ratio)),
        None => format!("component {}", k + 1),
    };
    if let [first, second, ..] = ratios.as_slice() {
        section.say(format!(
            "The first two components hold {} of the variance of {} standardised columns{}.",
            percent(first + second),
            pca.columns.len(),
            if has_gaps(profile, pca) { ", missing values filled in by the mean" } else { "" }
        ));
    }
    let drawn = &pca.points;
    let points: Vec<Point> = (drawn.x.iter().zip(&drawn.y).zip(&drawn.class))
        .map(|((&x, &y), class)| Point { x, y, class: class.map_or(usize::MAX, |class| class as usize) })
        .collect();
    if !points.is_empty() {
        let sample = format!("A sample of {}, {}", plural(points.len() as u64, "row"), panels_caption(classes.len()));
        let chart = ScatterChart {
            title: "Rows on the first two components",
            description: &sample,
            axes: Some((&axis(0), &axis(1))),
            classes: &classes,
            points: &points,
            columns: 3,
        };
        section.push(Block::Figure(Figure::new(scatter(&chart, palette), format!("{sample}."))));
    }
    section.blocks.extend(columns::loadings_table(pca));
    section
}
