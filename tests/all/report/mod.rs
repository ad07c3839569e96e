//! Tests of reports through the public door.

mod figures;
mod fixture;
mod markup;
mod pages;
