//! Tests of reports through the public door.

mod articles;
mod figures;
pub mod fixture;
mod markup;
mod pages;
