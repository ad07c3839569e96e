//! Tests of reports through the public door.

mod articles;
mod figures;
mod fixture;
mod markup;
mod pages;
