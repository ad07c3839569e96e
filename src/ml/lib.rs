//! Learning: everything between numbers and predictions.
//!
//! Of ours it imports the types of what is found out (`results`): no YAML, no stores, no Arrow. A model can be used without a cache.

pub mod calibration;
pub mod classical;
pub mod diagnosis;
mod eigen;
pub mod encoder;
pub mod ensemble;
pub mod frame;
pub mod importance;
pub mod input;
mod matmul;
pub mod matrix;
pub mod metrics;
pub mod network;
pub mod preprocess;
pub mod profile;
pub mod progress;
pub mod projection;
pub mod rng;
pub mod search;
mod simd;
mod sparse;
pub mod split;
pub mod stats;
pub mod threshold;
pub mod train;
pub mod transfer;
pub mod variations;
