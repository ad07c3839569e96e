//! The comment by which a pipeline file tells editors where its schema is: `# yaml-language-server: $schema=./schema.json`.

use std::path::Path;

use super::problem::Problem;
use super::source::Sources;

const MARK: &str = "# yaml-language-server:";
const KEY: &str = "$schema=";

/// A warning if the file names a schema that is not there.
pub(super) fn missing(sources: &Sources, file: usize) -> Option<Problem> {
    let text = sources.text(file);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // Editors look for it among the comments at the head.
        let begins = line.trim_start_matches('\u{feff}').trim_start();
        if !begins.is_empty() && !begins.starts_with('#') {
            return None;
        }
        let named = begins.strip_prefix(MARK).and_then(|rest| rest.split_once(KEY)).map(|(_, rest)| rest);
        if let Some(named) = named.and_then(|rest| rest.split_whitespace().next()) {
            let path = named.strip_prefix("file://").unwrap_or(named);
            if path.contains("://") || Path::new(sources.name(file)).parent()?.join(path).exists() {
                return None;
            }
            let at = start + line.find(named)?;
            let span = sources.span(file, at..at + named.len());
            let message = format!("the schema '{named}' is not there, so editors cannot check this file");
            return Some(
                Problem::new(span, message)
                    .help("`runner schema > FILE` writes it; paths count from the folder of this file"),
            );
        }
        start += line.len();
    }
    None
}
