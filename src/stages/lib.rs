//! The stage kinds, one file each: the only place where the engine and the learning library meet.
//!
//! A kind is a struct of typed parameters that implements `engine::Stage`; its `run` reads tables, calls `ml`, and gives artifacts.
//! To add one: a file here, and a line in `KINDS`.

mod adapter;
pub mod aims;
mod article;
mod baseline;
mod bundle;
mod calibration;
mod categories;
mod checkpoint;
mod class_order;
mod columns;
mod command;
pub mod compare;
mod conditions;
mod dataset;
mod describe;
pub mod documents;
mod download;
mod embed;
mod encoder;
mod ensemble;
mod ensemble_scores;
pub mod extension;
mod figures;
mod fitted_on;
mod inspect;
mod joined;
mod labelled;
mod language;
mod load;
mod map;
mod model_file;
mod network_shape;
pub mod package;
pub mod page;
mod paired_tests;
mod predict;
mod predictions;
mod predictor;
mod procedure;
mod range;
mod refit;
mod report;
mod report_input;
mod required;
mod run_history;
mod save_throttle;
pub mod schema;
pub mod show;
mod split;
mod split_rows;
mod split_ways;
mod text_vectors;
mod train;
mod training;
mod transfer;
mod typeset;
mod unnamed;

pub use columns::shown_names;

use runner_engine::{Kind, KindInfo, Registry};

/// Every kind of ours, in the order in which a study uses them.
static KINDS: &[KindInfo] = &[
    load::Load::INFO,
    split::Split::INFO,
    describe::Describe::INFO,
    baseline::Baseline::INFO,
    embed::Embed::INFO,
    train::Train::INFO,
    train::Variations::INFO,
    ensemble::Ensemble::INFO,
    inspect::Inspect::INFO,
    map::Map::INFO,
    transfer::Transfer::INFO,
    refit::Refit::INFO,
    predict::Predict::INFO,
    report::Report::INFO,
    article::Article::INFO,
    bundle::Bundle::INFO,
    command::Command::INFO,
];

/// Every kind of this program.
pub fn registry() -> Registry {
    Registry(extension::kinds())
}

/// What computes: part of every cache key, since devices may differ in the last bits.
pub fn device_class() -> &'static str {
    if cfg!(feature = "cuda") {
        "cuda"
    } else if cfg!(feature = "metal") {
        "metal"
    } else {
        "cpu"
    }
}
