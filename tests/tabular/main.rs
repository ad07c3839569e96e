//! Tables that users have: CSV, columns, Arrow of others, tables larger than memory.

mod columns;
mod dialects;
mod foreign_arrow;
mod foreign_text;
mod mapped;
mod split_ways;
mod tables;

use runner_test_support::{records, screen, workspace};
