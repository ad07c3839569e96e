//! Colours within texts that are still to be printed.
//!
//! They are written as a mark that is drawn anew for every process, never as the terminal's codes: text from a table, a file name or a server
//! cannot hold the mark, so a place that forgets to escape it is safe all the same.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;

/// What stands before a colour's code and its `m`, in place of ESC and `[`. Nobody can know it: it holds 128 random bits.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let random = || RandomState::new().build_hasher().finish();
    format!("\u{fdd0}{:016x}{:016x}", random(), random())
});

/// `text` in the colour of `code`, e.g. `1;31`.
pub(super) fn colored(code: &str, text: &str) -> String {
    format!("{mark}{code}m{text}{mark}0m", mark = *MARK)
}

/// The pieces of a text, each behind the code of the colour that begins there; the first has none.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    text.split(MARK.as_str()).enumerate().map(|(i, piece)| match piece.split_once('m') {
        Some((code, rest)) if i > 0 => (Some(code), rest),
        _ => (None, piece),
    })
}

/// The colour of `code` begins, as [`pieces`] gave it.
pub(super) fn begin(code: &str) -> String {
    format!("{}{code}m", *MARK)
}

/// Help of clap's, which quotes nobody: its codes are kept as colours.
pub(super) fn with_colors_of_clap(text: &str) -> String {
    text.replace("\x1b[", &MARK)
}
