//! Encoders: their files and what they compute.

mod download;
mod encoder;
mod models;

use runner_test_support::{machine, records, screen, small_model, workspace, zips};
