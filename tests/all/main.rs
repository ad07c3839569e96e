//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod compare;
mod determinism;
mod encoder;
mod engine;
mod faults;
mod gc;
mod history;
mod layers;
mod lock;
mod models;
mod pipelines;
mod python;
mod report;
mod sample;
mod spec;
mod verify;
mod workspace;
