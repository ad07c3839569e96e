//! The engine: what runs again, what a store survives, who runs beside whom.

mod cache;
mod crash;
mod faults;
mod freshness;
mod gc;
mod interrupt;
mod lock;
mod property;
mod schedule;
#[cfg(unix)]
mod special_files;
mod stale;
mod verify;

use runner_test_support::{kinds, screen, studies, toy_store, toys, workspace};
