//! What the program takes from others and what it shows of it: regular files only, text without hidden characters, panics of libraries contained.
//!
//! A leaf: every layer may import it.

pub mod contained;
pub mod files;
pub mod text;
