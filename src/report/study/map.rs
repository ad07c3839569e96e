//! Maps: what vectors know of the classes before anything is learnt from them.

use serde_json::Value;

use super::{Study, class_names, plural, stage_id};
use crate::figure::text::percent;
use crate::figure::{ClassScatterChart, Point, ScatterChart, panels_caption, scatter, scatter_classes};
use crate::page::{Block, Figure, Section};
use crate::read::{ColumnView, TableView, count, number, text, texts};

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("maps", "Maps of the vectors");
    for (stage, document) in study.with_document("layout").filter(|(stage, _)| stage.kind == "map") {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        if let Some(sentence) = sentence(document) {
            inner.say(sentence);
        }
        if let Some(table) = stage.tables.get("points") {
            figures(study, &mut inner, document, table);
        }
        section.subsections.push(inner);
    }
    Some(section)
}

/// How far neighbours share the class, and how much of that the plane keeps.
fn sentence(document: &Value) -> Option<String> {
    let near = document.get("neighbours")?;
    let (own, chance) = (number(near, "of_own_class")?, number(near, "by_chance")?);
    let neighbours = count(near, "count")?;
    let more = if own > 2.0 * chance {
        "the vectors alone tell much of the class"
    } else if own > 1.2 * chance {
        "the vectors alone tell something of the class"
    } else {
        "the vectors alone tell little of the class"
    };
    let caution = if is_straight(document) { "" } else { "; distances between groups mean nothing in t-SNE" };
    let kept = number(near, "kept_in_plane");
    let kept =
        kept.map_or(String::new(), |kept| format!(" The plane keeps {} of these neighbours{caution}.", percent(kept)));
    Some(format!(
        "Of the {neighbours} nearest neighbours of a row in {} {} have its own class, {} would by chance: {more}.{kept}",
        columns(document).join(", "),
        percent(own),
        percent(chance),
    ))
}

/// The columns that the vectors are made of.
pub fn columns(document: &Value) -> Vec<String> {
    let of = |kind| texts(document.get("columns").and_then(|columns| columns.get(kind)));
    [of("text"), of("numeric")].concat()
}

/// Whether the axes are principal components, and mean something.
pub fn is_straight(document: &Value) -> bool {
    text(document, "layout") == Some("pca")
}

fn figures(study: &Study, section: &mut Section, document: &Value, table: &TableView) {
    let (Some(label), Some(x), Some(y)) =
        (table.added_texts("label"), table.added_numbers("x"), table.added_numbers("y"))
    else {
        return;
    };
    let classes = class_names(document);
    let class = |label: &String| classes.iter().position(|class| class == label).unwrap_or(usize::MAX);
    let points: Vec<Point> = (0..label.len()).map(|i| Point { x: x[i], y: y[i], class: class(&label[i]) }).collect();
    let names: Vec<String> = (0..label.len()).map(|i| name(table, i)).collect();
    let method = if is_straight(document) { "principal components" } else { "t-SNE" };
    let sample =
        format!("{} of the training part, whose vectors all differ, by {method}", plural(points.len() as u64, "row"));
    let shown = columns(document).join(", ");
    let title = format!("Map of {shown}");
    let chart =
        ClassScatterChart { title: &title, description: &sample, classes: &classes, points: &points, names: &names };
    section.push(Block::Figure(Figure::new(
        scatter_classes(&chart, &study.palette),
        format!("{sample}. A point tells on hover what it is."),
    )));
    let title = format!("Each class on the map of {shown}");
    let chart = ScatterChart { title: &title, description: &sample, axes: None, classes: &classes, points: &points };
    section
        .push(Block::Figure(Figure::new(scatter(&chart, &study.palette), capitalised(&panels_caption(classes.len())))));
}

/// As a sentence.
fn capitalised(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What the shown columns say of a row.
fn name(table: &TableView, row: usize) -> String {
    let shown = table.asked_for(&["row_id", "label", "x", "y"]);
    let texts: Vec<String> = (shown.iter())
        .map(|(_, column)| match column {
            ColumnView::Text(values) => values[row].clone(),
            ColumnView::Number(values) => values[row].to_string(),
        })
        .collect();
    texts.join(", ")
}
