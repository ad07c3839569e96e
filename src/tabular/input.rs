//! What is loaded.

/// A file in memory.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the table's column of sources calls it, e.g. "train".
    pub name: &'a str,
    /// What messages call it.
    pub path: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
}
