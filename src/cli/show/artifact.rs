//! One artifact of a stage: rows of a table, a document, the names of files. And the list of all.

use arrow::array::Array;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

use super::super::screen::{self, Style};
use crate::artifact::{Store, Table};
use crate::boundary;
use crate::engine::OutputRecord;
use crate::engine::{ActionRecord, PortType};
use crate::report::counted;
use crate::spec::listed;
use crate::stages::shown_names;

/// Longer lists are cut in a text; `--json` has all.
const SHOWN: usize = 24;

/// Columns of the terminal that a column's name takes at most.
const LONGEST_NAME: usize = 80;

/// The same of what has a name for each value.
const MOST_KEYS: usize = 100;

/// Characters of a text in a document.
const LONGEST_TEXT: usize = 1000;

/// Lines of JSON are not longer than this where they can be broken.
const JSON_WIDTH: usize = 100;

/// A file each: its port, its size, and of a table its extent.
pub(super) fn list(record: &ActionRecord, stage: &str, style: Style) -> String {
    let mut rows = Vec::new();
    for output in &record.outputs {
        let files = output.files.len();
        let bytes: u64 = output.files.iter().map(|file| file.bytes).sum();
        let extent = output.table.as_ref().map(|table| size(table.rows, table.columns.len()));
        let names = match output.files.as_slice() {
            [only] => only.name.clone(),
            _ if output.table.is_some() => format!("{} ({})", output.table_name(), counted(files as u64, "file")),
            _ => counted(files as u64, "file"),
        };
        let what = extent.map(|extent| format!("{names}, {extent}")).unwrap_or(names);
        rows.push(vec![format!("{stage}.{}", output.port), screen::bytes(bytes), style.dim(&what)]);
    }
    screen::right(&mut rows, &[1]);
    screen::table_within(&rows, screen::width())
}

pub(super) fn text(store: &Store, output: &OutputRecord, rows: usize, style: Style) -> anyhow::Result<String> {
    let mut text = String::new();
    match output.holds {
        PortType::Table => {
            let reader = output.reader(store)?;
            text.push_str(&table(&reader.head(rows)?, reader.rows()?, style)?);
        }
        PortType::Json => {
            for file in &output.files {
                let mut value: Value = serde_json::from_slice(&store.get(file.digest)?)?;
                shorten(&mut value);
                write(&value, 0, 0, &mut text);
                text.push('\n');
            }
        }
        PortType::Model | PortType::Files => {
            let files = output.files.iter().map(|file| vec![file.name.clone(), screen::bytes(file.bytes)]);
            text.push_str(&screen::table(&files.collect::<Vec<_>>()));
        }
    }
    Ok(text)
}

/// Columns of a table that are shown however wide the terminal is, or where there is none.
const MOST_COLUMNS: usize = 100;

/// The first rows of `rows`, as many columns as fit.
fn table(head: &Table, rows: usize, style: Style) -> anyhow::Result<String> {
    let names = shown_names(&head.column_names());
    let batch = head.batch();
    let options = FormatOptions::default().with_null("·");
    let mut columns: Vec<Vec<String>> = Vec::new();
    let (mut used, mut hidden) = (0, 0);
    for (name, column) in names.iter().zip(batch.columns()) {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
        let float = matches!(column.data_type(), DataType::Float32 | DataType::Float64);
        let value = |i: usize| {
            let exact = formatter.value(i).to_string();
            let number = exact.parse::<f64>().ok().filter(|_| float);
            screen::cut(&number.map_or(exact, screen::compact), 24)
        };
        let mut cells = vec![style.bold(&screen::cut(name, screen::width().min(LONGEST_NAME)))];
        cells.extend((0..batch.num_rows()).map(value));
        let wide = cells.iter().map(|cell| screen::visible(cell)).max().unwrap_or(0) + 2;
        // A table is cut on its right: the rest is named, and --json has it.
        if hidden > 0 || used + wide > screen::width() || columns.len() == MOST_COLUMNS {
            hidden += 1;
            continue;
        }
        used += wide;
        columns.push(cells);
    }
    let lines: Vec<Vec<String>> =
        (0..=batch.num_rows()).map(|i| columns.iter().map(|cells| cells[i].clone()).collect()).collect();
    let mut text = screen::table(&lines);
    let more = if hidden > 0 {
        let right = names[names.len() - hidden..].iter().map(|name| screen::cut(name, LONGEST_NAME));
        format!("; to the right: {} (--json has all)", listed(right))
    } else {
        String::new()
    };
    let size = size(rows, names.len()) + &more;
    text.push_str(&style.note(&size));
    Ok(text)
}

/// Nothing cut: documents as they are, an object for each row of a table, the files with their digests.
pub(super) fn json(store: &Store, output: &OutputRecord) -> anyhow::Result<String> {
    let mut text = String::new();
    match output.holds {
        PortType::Table => output.reader(store)?.batches().try_for_each(|batch| rows(&batch?, &mut text))?,
        PortType::Json => {
            for file in &output.files {
                let value: Value = serde_json::from_slice(&store.get(file.digest)?)?;
                text.push_str(&format!("{value}\n"));
            }
        }
        PortType::Model | PortType::Files => {
            for file in &output.files {
                text.push_str(&format!("{}\n", serde_json::to_string(file)?));
            }
        }
    }
    Ok(text)
}

fn rows(table: &Table, text: &mut String) -> anyhow::Result<()> {
    let options = FormatOptions::default();
    let names = shown_names(&table.column_names());
    let columns = table.batch().columns();
    let formatters = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    for i in 0..table.rows() {
        let value = |j: usize| match columns[j].data_type() {
            _ if columns[j].is_null(i) => Value::Null,
            DataType::Utf8 | DataType::LargeUtf8 => Value::from(formatters[j].value(i).to_string()),
            // Numbers, truth values and lists of them are written as JSON writes them.
            _ => {
                let written = formatters[j].value(i).to_string();
                serde_json::from_str(&written).unwrap_or(Value::from(written))
            }
        };
        let row: serde_json::Map<String, Value> =
            names.iter().enumerate().map(|(j, name)| (name.clone(), value(j))).collect();
        text.push_str(&format!("{}\n", Value::Object(row)));
    }
    Ok(())
}

/// JSON of which whatever fits stands in one line.
fn write(value: &Value, depth: usize, used: usize, text: &mut String) {
    let inline = as_json(value);
    let room = JSON_WIDTH.saturating_sub(depth * 2 + used);
    let (open, close) = match value {
        Value::Array(_) => ('[', ']'),
        Value::Object(_) => ('{', '}'),
        _ => return text.push_str(&inline),
    };
    if inline.chars().count() <= room {
        return text.push_str(&inline);
    }
    let items: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().map(|item| (String::new(), item)).collect(),
        Value::Object(items) => {
            items.iter().map(|(key, item)| (format!("{}: ", as_json(&Value::from(key.as_str()))), item)).collect()
        }
        _ => Vec::new(),
    };
    text.push(open);
    for (i, (key, item)) in items.iter().enumerate() {
        text.push_str(if i == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(key);
        write(item, depth + 1, key.chars().count(), text);
    }
    text.push_str(&format!("\n{}{close}", "  ".repeat(depth)));
}

/// Still JSON where text of others holds hidden characters: their escapes are those of JSON.
fn as_json(value: &Value) -> String {
    boundary::text::json(&value.to_string()).into_owned()
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let more = items.len().saturating_sub(SHOWN);
            items.truncate(SHOWN);
            items.iter_mut().for_each(shorten);
            if more > 0 {
                items.push(Value::from(format!("… and {more} more (--json has all)")));
            }
        }
        Value::Object(object) => {
            let more = object.len().saturating_sub(MOST_KEYS);
            if more > 0 {
                *object = std::mem::take(object).into_iter().take(MOST_KEYS).collect();
            }
            object.values_mut().for_each(shorten);
            if more > 0 {
                object.insert("…".to_owned(), Value::from(format!("and {more} more (--json has all)")));
            }
        }
        Value::String(text) if text.chars().count() > LONGEST_TEXT => {
            *text = text.chars().take(LONGEST_TEXT).chain(['…']).collect();
        }
        _ => {}
    }
}

/// `1,200 rows × 4 columns`.
fn size(rows: usize, columns: usize) -> String {
    format!("{} × {}", counted(rows as u64, "row"), counted(columns as u64, "column"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stands_in_one_line_and_all_of_it_is_json() {
        let value = json!({"confusion": [[275, 109], [81, 311]], "long": vec!["a word"; 20], "empty": {}});
        let mut text = String::new();
        write(&value, 0, 0, &mut text);
        assert!(text.contains("\n  \"confusion\": [[275,109],[81,311]],\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= JSON_WIDTH), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
    }
}
