//! A checked table, and what all statistics and the audit need of its columns.

pub(super) mod error;
pub(super) mod input;
pub(super) mod key;
pub(super) mod options;
pub(super) mod short;
