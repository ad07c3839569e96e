//! Names of the columns that the program adds to those of a file: all begin with `ADDED`, as `runner.row_id`, and no column of a file does.
//!
//! A file whose own columns begin so is read all the same: they are called `_runner.…` then. So every name that a file can hold is free for it.

/// What the names of added columns begin with.
pub(crate) const ADDED: &str = "runner.";

/// The record's number over all files from 0, whatever `where` keeps (Int64).
pub const ROW_ID: &str = "runner.row_id";
/// The name that the user gave the file.
pub const SOURCE: &str = "runner.source";
/// Where the record starts in its file, counted from 1 (Int64).
pub const LINE: &str = "runner.line";
/// The record's exact text without what ends its line.
pub const RECORD: &str = "runner.record";

/// Characters of a column's name, which stands in every message and table.
pub(crate) const LONGEST_NAME: usize = 1000;

/// The columns that loading puts before those of the files.
pub(crate) const ROW_COLUMNS: [&str; 4] = [ROW_ID, SOURCE, LINE, RECORD];

/// `runner.NAME`.
pub fn added(name: &str) -> String {
    format!("{ADDED}{name}")
}

/// NAME of `runner.NAME`; `None` for a column of the user's.
pub fn added_as(column: &str) -> Option<&str> {
    column.strip_prefix(ADDED)
}

/// What a column that a file calls `name` is called in a table: the same, unless that could be taken for an added one.
pub(crate) fn own(name: &str) -> String {
    if added_as(name.trim_start_matches('_')).is_some() { format!("_{name}") } else { name.to_owned() }
}

/// What a file calls the column that a table calls `column`: the inverse of `own`.
pub fn in_file(column: &str) -> &str {
    match column.strip_prefix('_') {
        Some(name) if added_as(name.trim_start_matches('_')).is_some() => name,
        _ => column,
    }
}

/// The column that a user means by `name`: the table's own of that name, else the added one, so that `source` is `runner.source` wherever no file has
/// a column `source`. For conditions, groups and the like; what a model learns from is never an added column.
pub fn meant(name: &str, is_present: impl Fn(&str) -> bool) -> Option<String> {
    [name.to_owned(), added(name)].into_iter().find(|name| is_present(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_column_of_a_file_is_called_as_an_added_one_and_no_two_are_called_alike() {
        let names = [
            "label",
            "runner.label",
            "_runner.label",
            "__runner.label",
            "runner",
            "Runner.label",
            "_label",
            "runner_label",
        ];
        let own = names.map(own);
        assert_eq!(own[..4], ["label", "_runner.label", "__runner.label", "___runner.label"]);
        assert_eq!(own[4..], names[4..]);
        assert!(own.iter().all(|name| added_as(name).is_none()));
        assert_eq!(own.each_ref().map(|name| in_file(name)), names);
    }

    #[test]
    fn a_name_means_the_tables_own_column_first() {
        let split = |name: &str| ["part", "runner.part", "runner.fold"].contains(&name);
        assert_eq!(meant("part", split).as_deref(), Some("part"));
        assert_eq!(meant("runner.part", split).as_deref(), Some("runner.part"));
        assert_eq!(meant("fold", split).as_deref(), Some("runner.fold"));
        assert_eq!(meant("label", split), None);
    }
}
