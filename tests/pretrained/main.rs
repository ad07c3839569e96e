//! Encoders: their files and what they compute.

mod download;
mod encoder;
mod models;

use runner_test_support::{machine, screen, small_model, workspace, zips};
