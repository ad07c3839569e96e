//! All integration tests in one program: one link, and shared helpers.

mod adapt;
mod article;
mod bad_input;
mod browser;
mod cache;
mod checks;
mod claims;
mod cli;
mod columns;
mod command;
mod compare;
mod crash;
mod determinism;
mod download;
mod encoder;
mod engine;
mod engine_property;
mod engine_schedule;
mod examples;
mod faults;
mod foreign_arrow;
mod foreign_text;
mod fuzz;
mod gc;
mod growth;
mod history;
mod insight;
mod interrupt;
mod kept;
mod layers;
mod lock;
#[cfg(unix)]
mod lost_output;
mod mapped;
mod models;
mod page;
mod pipelines;
mod python;
mod report;
mod resume;
mod sample;
mod seeds;
mod spec;
#[cfg(unix)]
mod special_files;
mod stale;
mod standing;
mod statements;
mod statistics;
mod tables;
mod terminal;
mod toys;
mod verify;
#[cfg(unix)]
mod watch;
mod workspace;
