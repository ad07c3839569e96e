//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod determinism;
mod engine;
mod fetching;
mod layers;
mod pipelines;
mod python;
mod sample;
mod workspace;
