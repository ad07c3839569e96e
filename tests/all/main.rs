//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod determinism;
mod encoder;
mod engine;
mod faults;
mod layers;
mod models;
mod pipelines;
mod python;
mod report;
mod sample;
mod spec;
mod workspace;
