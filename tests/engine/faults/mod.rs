//! What a store survives: an error or the end of the process before and after every file operation, damage, a full or read-only disk, a clock that jumps.
//!
//! With toy stages. After each accident the next run must end as a run from scratch does, and nothing that was committed may be lost.

mod accidents;
mod damage;
#[cfg(unix)]
mod foreign;
#[cfg(unix)]
mod obstacles;
#[cfg(unix)]
mod rot;
mod scenario;
mod together;
