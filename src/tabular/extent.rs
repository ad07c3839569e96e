//! How much of a file is read.

/// How much of a file is at hand.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    Whole,
    /// Its start, of which so many bytes are wanted.
    Start(usize),
}
