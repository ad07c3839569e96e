//! All integration tests in one program: one link, and shared helpers.

mod bad_input;
mod cache;
mod cli;
mod command;
mod compare;
mod determinism;
mod encoder;
mod engine;
mod gc;
mod history;
mod layers;
mod lock;
mod models;
mod pipelines;
mod python;
mod report;
mod resume;
mod sample;
mod spec;
mod verify;
#[cfg(unix)]
mod watch;
mod workspace;
