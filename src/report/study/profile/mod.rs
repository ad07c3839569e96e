//! The data section: leakage audit first, then columns, balance, distributions, correlations, relevance, components.
//!
//! Knows the shape of the profile's JSON, not how it was computed.

mod audit;
mod columns;

use serde_json::Value;

use super::{Study, class_names, plural, stage_id};
use crate::figure::text::{count as count_text, decimals, percent};
use crate::figure::{
    self, Bar, HistogramPanel, Paint, Palette, Point, ScatterChart, bar_chart, class_histogram, panels_caption, scatter,
};
use crate::page::{Block, Figure, Section};
use crate::read::{count, list, number, numbers, text, texts};

/// Bars of the relevance chart, at most.
const MOST_BARS: usize = 24;

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("data", "Data");
    let profiles: Vec<_> = study
        .stages
        .iter()
        .filter_map(|s| {
            Some((s, s.document("audit").or_else(|| s.document("columns").filter(|_| s.kind == "describe"))?))
        })
        .collect();
    for (stage, profile) in &profiles {
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
        if let Some(rows) = count(profile, "rows") {
            let mut sentence = plural(rows, "row");
            if let Some(labelled) = count(profile, "labelled") {
                sentence.push_str(&if labelled == rows {
                    ", all labelled".to_string()
                } else {
                    format!(", {} labelled", count_text(labelled))
                });
            }
            sentence.push_str(&format!(", {}.", plural(list(profile, "columns").count() as u64, "column")));
            section.say(sentence);
        }
        section.subsections.extend(parts);
    }
    Some(section)
}

fn balance(study: &Study, profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let classes: Vec<(String, u64)> = list(profile, "classes")
        .filter_map(|class| Some((text(class, "class")?.to_string(), count(class, "rows")?)))
        .collect();
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

fn histograms(study: &Study, profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let groups = texts(profile.get("class_groups"));
    let classes = if groups.is_empty() { class_names(profile) } else { groups };
    let figures: Vec<Figure> = list(profile, "histograms")
        .filter_map(|histogram| {
            let edges = numbers(histogram.get("edges"));
            let by_class: Vec<Vec<f64>> = list(histogram, "by_class").map(|c| numbers(Some(c))).collect();
            let rows = if by_class.len() == classes.len() && !classes.is_empty() {
                classes.iter().cloned().zip(by_class).collect()
            } else {
                vec![("all".to_string(), numbers(histogram.get("overall")))]
            };
            let fits = rows.iter().all(|(_, counts): &(_, Vec<f64>)| counts.len() + 1 == edges.len());
            let column = text(histogram, "column")?;
            let panel = HistogramPanel { column, edges: &edges, classes: rows };
            fits.then(|| Figure::new(class_histogram(&panel, &study.palette), ""))
        })
        .collect();
    if !figures.is_empty() {
        let mut words =
            "Each ridge is the share of its class' rows by bin; heights compare within a figure.".to_owned();
        let numeric = list(profile, "columns").filter(|column| column.get("numeric").is_some()).count();
        if numeric > figures.len() {
            words.push_str(&format!(" The {} most relevant of {numeric} numeric columns.", figures.len()));
        }
        section.say(words);
        section.push(Block::Gallery { figures, narrow: true });
    }
    section
}

fn correlations(profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let Some(found) = profile.get("correlations") else {
        return section;
    };
    let columns = texts(found.get("columns"));
    let figures: Vec<Figure> = [("pearson", "Pearson: linear"), ("spearman", "Spearman: by rank")]
        .into_iter()
        .filter_map(|(key, title)| {
            let matrix: Vec<Vec<f64>> = list(found, key).map(|row| numbers(Some(row))).collect();
            if matrix.len() != columns.len() || columns.len() < 2 {
                return None;
            }
            let mut sentence = strongest(found, key, &columns, &matrix);
            if let Some(all) = count(found, "numeric_columns").filter(|all| *all > columns.len() as u64) {
                let shown = columns.len();
                sentence.push_str(&format!(
                    " The {shown} columns that correlate most, of {} numeric ones.",
                    count_text(all)
                ));
            }
            Some(Figure::new(figure::correlation(title, &sentence, &columns, &matrix), sentence))
        })
        .collect();
    if !figures.is_empty() {
        section.push(Block::Gallery { figures, narrow: false });
    }
    section
}

/// The pair with the largest coefficient, in words.
fn strongest(found: &Value, key: &str, columns: &[String], matrix: &[Vec<f64>]) -> String {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, row) in matrix.iter().enumerate() {
        pairs.extend(row.iter().take(i).enumerate().filter(|(_, r)| r.is_finite()).map(|(j, r)| (*r, i, j)));
    }
    pairs.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    match pairs.first() {
        Some(&(r, i, j)) => {
            let strong = pairs.iter().filter(|p| p.0.abs() >= 0.5).count() as u64;
            // The matrix may be of some columns only.
            let strong = found.get("pairs_from_half").and_then(|counts| count(counts, key)).unwrap_or(strong);
            format!(
                "Strongest: {} and {} ({}); {} at 0.5 or beyond.",
                columns[j],
                columns[i],
                decimals(r, 2),
                plural(strong, "pair")
            )
        }
        None => String::new(),
    }
}

fn relevance(profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let mut found: Vec<(f64, &Value)> = list(profile, "relevance")
        .filter_map(|r| {
            let share = number(r, "information_share").or_else(|| number(r, "mutual_information"))?;
            Some((share, r))
        })
        .collect();
    if found.is_empty() {
        return section;
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let is_share = list(profile, "relevance").any(|r| r.get("information_share").is_some());
    let bars: Vec<Bar> = found
        .iter()
        .take(MOST_BARS)
        .filter_map(|(share, r)| {
            let column = text(r, "column")?.to_string();
            let note = if is_share { percent(*share) } else { decimals(*share, 3) };
            Some(Bar { label: column, value: *share, paint: Paint::Positive, note })
        })
        .collect();
    let (title, said) = if is_share {
        (
            "Share of the label's entropy that a column explains",
            "Mutual information of one column with the label, less what shuffled labels would show, over the label's \
             entropy; missing counts as a value. Columns are taken alone: what they say together can be more or less.",
        )
    } else {
        (
            "Mutual information with the label, in nats",
            "Columns are taken alone: what they say together can be more or less.",
        )
    };
    let description = bars.iter().map(|b| format!("{} {}", b.label, b.note)).collect::<Vec<_>>().join("; ");
    section.push(Block::Figure(Figure::new(bar_chart(title, &description, "", &bars), said)));
    section.blocks.extend(columns::relevance_table(&found));
    section
}

fn components(palette: &Palette, profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let Some(pca) = profile.get("pca").filter(|p| p.is_object()) else {
        return section;
    };
    let classes = class_names(profile);
    let ratios = numbers(pca.get("explained_variance_ratio"));
    let axis = |k: usize| match ratios.get(k).filter(|r| r.is_finite()) {
        Some(ratio) => format!("component {} ({})", k + 1, percent(*ratio)),
        None => format!("component {}", k + 1),
    };
    if ratios.len() >= 2 {
        let sum: f64 = ratios.iter().take(2).sum();
        section.say(format!(
            "The first two components hold {} of the variance of {} standardised columns.",
            percent(sum),
            texts(pca.get("columns")).len()
        ));
    }
    if let Some(points) = pca.get("points") {
        let (x, y) = (numbers(points.get("x")), numbers(points.get("y")));
        let class = numbers(points.get("class"));
        let points: Vec<Point> = (0..x.len().min(y.len()))
            .map(|i| {
                let class = class.get(i).copied().filter(|c| *c >= 0.0);
                Point { x: x[i], y: y[i], class: class.map_or(usize::MAX, |c| c as usize) }
            })
            .collect();
        if !points.is_empty() {
            let sample =
                format!("A sample of {}, {}", plural(points.len() as u64, "row"), panels_caption(classes.len()));
            let chart = ScatterChart {
                title: "Rows on the first two components",
                description: &sample,
                axes: Some((&axis(0), &axis(1))),
                classes: &classes,
                points: &points,
            };
            section.push(Block::Figure(Figure::new(scatter(&chart, palette), format!("{sample}."))));
        }
    }
    section.blocks.extend(columns::loadings_table(pca, &ratios));
    section
}
