//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod crash;
mod determinism;
mod encoder;
mod engine;
mod engine_property;
mod engine_schedule;
mod faults;
mod layers;
mod mapped;
mod models;
mod pipelines;
mod python;
mod report;
mod sample;
mod spec;
mod workspace;
