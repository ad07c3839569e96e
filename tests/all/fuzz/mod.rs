//! What comes from outside, damaged at random: an error or a result, never a panic.

mod arrow;
mod encoders;
