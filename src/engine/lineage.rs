//! How results can be made again.

use std::path::PathBuf;

use super::port::Source;

/// What somebody needs who wants to make results again: a pipeline and files.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// The command that led to it, without options that do not change results.
    pub command: String,
    /// The pipeline's variables that are texts, and their values.
    pub variables: Vec<(String, String)>,
    /// The pipeline in one piece, with no other stages than those that are needed.
    pub pipeline: String,
    /// Texts and scripts that the stages read, to be carried along.
    pub carried: Vec<Source>,
    /// Files that must be there by themselves, such as the data, as they are named.
    pub needed: Vec<PathBuf>,
}
