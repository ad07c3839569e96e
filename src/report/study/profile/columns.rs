//! Tables about columns: summaries of numbers and texts, relevance, loadings.

use std::collections::HashMap;

use runner_results::profile::Profile;
use runner_results::profile::{ColumnProfile, PrincipalComponents, Relevance};

use crate::figure::text::beginning;
use crate::page::{Block, Cell, Column, Section, Table};

/// Characters shown of a frequent value.
const LONGEST: usize = 40;

pub(crate) fn section(profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let columns = most_relevant_first(profile);
    section.blocks.extend(numeric(&columns));
    section.blocks.extend(textual(&columns));
    section
}

/// Rows of a table of columns; a wide table has more columns than anyone reads.
pub(super) const MOST_ROWS: usize = 100;
/// What the first ones are, and where the others.
pub(super) const ORDER: &str = "most relevant";
pub(super) const WHOLE: &str = "profile.json";

/// The columns, of a wide table those first that tell most of the label.
fn most_relevant_first(profile: &Profile) -> Vec<&ColumnProfile> {
    let mut columns: Vec<&ColumnProfile> = profile.columns.iter().collect();
    if columns.len() > MOST_ROWS {
        let shares: HashMap<&str, f64> =
            profile.relevance.iter().map(|one| (one.column.as_str(), one.information_share)).collect();
        let share = |column: &ColumnProfile| shares.get(column.name.as_str()).copied().unwrap_or(0.0);
        columns.sort_by(|a, b| share(b).total_cmp(&share(a)));
    }
    columns
}

fn numeric(columns: &[&ColumnProfile]) -> Option<Block> {
    let mut table = Table::new(
        "Numeric columns",
        vec![
            Column::text("column"),
            Column::number("missing"),
            Column::number("distinct"),
            Column::number("mean"),
            Column::number("deviation").hint("sample standard deviation"),
            Column::number("min"),
            Column::number("5 %"),
            Column::number("25 %"),
            Column::number("median"),
            Column::number("75 %"),
            Column::number("95 %"),
            Column::number("max"),
            Column::number("outliers").hint("beyond 1.5 interquartile ranges from the quartiles"),
        ],
    );
    for &column in columns {
        let Some(summary) = &column.numeric else { continue };
        let quantiles = &summary.quantiles;
        table.push(vec![
            Cell::text(&column.name),
            missing(column),
            Cell::count(column.distinct),
            Cell::compact(summary.mean),
            Cell::compact(summary.standard_deviation),
            Cell::compact(summary.minimum),
            Cell::compact(quantiles.p05),
            Cell::compact(quantiles.p25),
            Cell::compact(quantiles.p50),
            Cell::compact(quantiles.p75),
            Cell::compact(quantiles.p95),
            Cell::compact(summary.maximum),
            Cell::count(summary.outliers_low + summary.outliers_high),
        ]);
    }
    (!table.rows.is_empty()).then(|| Block::Table(table.first(MOST_ROWS, ORDER, WHOLE)))
}

fn textual(columns: &[&ColumnProfile]) -> Option<Block> {
    let mut table = Table::new(
        "Text columns",
        vec![
            Column::text("column"),
            Column::number("missing"),
            Column::number("distinct"),
            Column::number("once").hint("values that occur on one row only"),
            Column::number("mean length").hint("in characters"),
            Column::text("most frequent"),
        ],
    );
    for &column in columns {
        let Some(summary) = &column.text else { continue };
        let most = summary.most_frequent.iter().take(3);
        let frequent: Vec<String> =
            most.map(|value| format!("{} ({})", beginning(&value.value, LONGEST), value.rows)).collect();
        table.push(vec![
            Cell::text(&column.name),
            missing(column),
            Cell::count(column.distinct),
            Cell::count(summary.unique),
            Cell::decimals(summary.mean_length, 1),
            Cell::text(frequent.join(", ")).muted_if(true),
        ]);
    }
    (!table.rows.is_empty()).then(|| Block::Table(table.first(MOST_ROWS, ORDER, WHOLE)))
}

/// One row per column with the statistics behind the chart, most relevant first.
pub(crate) fn relevance_table(found: &[&Relevance]) -> Block {
    let mut table = Table::new(
        "Relevance of each column, taken alone",
        vec![
            Column::text("column"),
            Column::number("share of entropy").hint("of the label's entropy; 0 up to the limit of chance"),
            Column::number("mutual information")
                .hint("nats, less those subtracted for chance; missing counts as a value"),
            Column::number("limit of chance")
                .hint("nats that the mutual information beside it exceeds once in forty columns that say nothing of the label"),
            Column::number("subtracted").hint("nats that counting shows on average with shuffled labels; the mutual information is without them"),
            Column::number("ANOVA F"),
            Column::number("p").hint("chance of such an F if all classes had one mean"),
            Column::number("η²").hint("share of the variance that lies between classes"),
        ],
    );
    for one in found {
        let p = match one.p_value {
            Some(p) if p < 1e-300 => Cell::text("< 1e−300").sort_by(p),
            p => Cell::compact(p),
        };
        table.push(vec![
            Cell::text(&one.column),
            Cell::percent(one.information_share),
            Cell::decimals(one.mutual_information, 3).muted_if(!one.is_beyond_chance()),
            Cell::decimals(one.chance_limit, 3),
            Cell::decimals(one.by_chance, 3),
            Cell::compact(one.anova_f),
            p,
            Cell::decimals(one.eta_squared, 3),
        ]);
    }
    let blocks = vec![Block::Table(table.first(MOST_ROWS, ORDER, WHOLE))];
    Block::Details { summary: "statistics behind the chart".to_string(), blocks }
}

/// Loadings of each column on the components.
pub(crate) fn loadings_table(pca: &PrincipalComponents) -> Option<Block> {
    let PrincipalComponents { columns, components, explained_variance_ratio: ratios, .. } = pca;
    if components.is_empty() {
        return None;
    }
    let mut heads = vec![Column::text("column")];
    for k in 0..components.len() {
        let share = ratios.get(k).map(|r| format!(" ({:.0} %)", r * 100.0)).unwrap_or_default();
        heads.push(Column::number(&format!("{}{share}", k + 1)));
    }
    let mut table = Table::new("Loadings on the components, the largest of each in bold", heads);
    let largest: Vec<f64> = components.iter().map(|c| c.iter().map(|v| v.abs()).fold(0.0, f64::max)).collect();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    if columns.len() > MOST_ROWS {
        let loading = |column: usize| components.iter().map(|c| c[column].abs()).fold(0.0, f64::max);
        order.sort_by(|&a, &b| loading(b).total_cmp(&loading(a)));
    }
    for (j, column) in order.into_iter().map(|j| (j, &columns[j])) {
        let mut row = vec![Cell::text(column)];
        row.extend(
            components
                .iter()
                .zip(&largest)
                .map(|(c, most)| Cell::decimals(c[j], 2).strong_if(c[j].abs() == *most).muted_if(c[j].abs() < 0.2)),
        );
        table.push(row);
    }
    let blocks = vec![Block::Table(table.first(MOST_ROWS, "largest", WHOLE))];
    Some(Block::Details { summary: "loadings".to_string(), blocks })
}

fn missing(column: &ColumnProfile) -> Cell {
    Cell::count(column.missing).muted_if(column.missing == 0)
}
