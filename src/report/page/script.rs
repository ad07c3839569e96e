//! The page's script: one file per concern, joined when the program is compiled, within one function so that nothing is global.

use super::html::Words;

/// Each file may use `words` and what the files before it define.
const FILES: [&str; 6] = [
    include_str!("script/theme.js"),
    include_str!("script/tables.js"),
    include_str!("script/contents.js"),
    include_str!("script/panels.js"),
    include_str!("script/plot.js"),
    include_str!("script/courses.js"),
];

/// The script with the page's own words in it.
pub(super) fn with(words: &Words) -> String {
    let words: Vec<String> = words.script.iter().map(|(name, word)| format!("{name}: '{word}'")).collect();
    format!("(function () {{\n'use strict';\nvar words = {{{}}};\n{}}})();\n", words.join(", "), FILES.concat())
}
