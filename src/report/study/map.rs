//! Maps: what vectors know of the classes before anything is learnt from them.

use runner_results::{Layout, Map};

use super::{Study, plural, stage_id};
use crate::figure::text::{beginning, percent};
use crate::figure::{ClassScatterChart, Point, ScatterChart, panels_caption, scatter, scatter_classes};
use crate::page::{Block, Figure, Section};
use crate::read::{ColumnView, TableView};

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("maps", "Maps of the vectors");
    for (stage, map) in study.with::<Map>() {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        inner.say(sentence(map));
        if let Some(table) = stage.tables.get("points") {
            figures(study, &mut inner, map, table);
        }
        section.subsections.push(inner);
    }
    Some(section)
}

/// How far neighbours share the class, and how much of that the plane keeps.
fn sentence(map: &Map) -> String {
    let near = &map.neighbours;
    let more = if near.of_own_class > 2.0 * near.by_chance {
        "the vectors alone tell much of the class"
    } else if near.of_own_class > 1.2 * near.by_chance {
        "the vectors alone tell something of the class"
    } else {
        "the vectors alone tell little of the class"
    };
    let caution = match map.layout {
        Layout::Pca => "",
        Layout::Tsne => "; distances between groups mean nothing in t-SNE",
    };
    format!(
        "Of the {} nearest neighbours of a row in {} {} have its own class, {} would by chance: {more}. The plane keeps {} of these neighbours{caution}.",
        near.count,
        map.columns.all().join(", "),
        percent(near.of_own_class),
        percent(near.by_chance),
        percent(near.kept_in_plane),
    )
}

fn figures(study: &Study, section: &mut Section, map: &Map, table: &TableView) {
    let (Some(label), Some(x), Some(y)) =
        (table.added_texts("label"), table.added_numbers("x"), table.added_numbers("y"))
    else {
        return;
    };
    let classes = &map.classes;
    let class = |label: &String| classes.iter().position(|class| class == label).unwrap_or(usize::MAX);
    let points: Vec<Point> = (0..label.len()).map(|i| Point { x: x[i], y: y[i], class: class(&label[i]) }).collect();
    let names: Vec<String> = (0..label.len()).map(|i| name(table, i)).collect();
    let method = match map.layout {
        Layout::Pca => "principal components",
        Layout::Tsne => "t-SNE",
    };
    let sample =
        format!("{} of the training part, whose vectors all differ, by {method}", plural(points.len() as u64, "row"));
    let shown = map.columns.all().join(", ");
    let title = format!("Map of {shown}");
    let chart = ClassScatterChart { title: &title, description: &sample, classes, points: &points, names: &names };
    section.push(Block::Figure(Figure::new(
        scatter_classes(&chart, &study.palette),
        format!("{sample}. A point tells on hover what it is."),
    )));
    let title = format!("Each class on the map of {shown}");
    let columns = study.layout.columns.unwrap_or(3);
    let chart = ScatterChart { title: &title, description: &sample, axes: None, classes, points: &points, columns };
    section
        .push(Block::Figure(Figure::new(scatter(&chart, &study.palette), capitalised(&panels_caption(classes.len())))));
}

/// As a sentence.
fn capitalised(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Characters shown of a cell.
const LONGEST: usize = 120;

/// What the shown columns say of a row.
fn name(table: &TableView, row: usize) -> String {
    let shown = table.asked_for(&["row_id", "label", "x", "y"]);
    let texts: Vec<String> = (shown.iter())
        .map(|(_, column)| match column {
            ColumnView::Text(values) => beginning(&values[row], LONGEST),
            ColumnView::Number(values) => values[row].to_string(),
        })
        .collect();
    texts.join(", ")
}
