//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod compare;
mod determinism;
mod encoder;
mod engine;
mod history;
mod layers;
mod models;
mod pipelines;
mod python;
mod report;
mod sample;
mod spec;
mod workspace;
