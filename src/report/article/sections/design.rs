//! How the network was designed: what each choice does, one at a time, and what keeps training stable.

use super::ArticleContext;

/// The choice that mattered most, for the abstract and the conclusion.
pub(crate) fn in_short(_context: &ArticleContext) -> Option<String> {
    None
}
