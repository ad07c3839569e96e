//! Encoders are found, fetched, verified, imported and refused: through `Resolver` and `import` alone, without a network.
//! The hub is a small server on loopback, pip a shell script.

mod archives;
mod fetching;
mod hostile;
mod local;
mod mirroring;
mod server;
pub(crate) mod stranger;
