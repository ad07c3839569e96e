//! The folder of run records. What they hold is the engine's affair.

use std::path::PathBuf;

use super::disk::Access;
use super::error::{At, StoreError};
use super::store::Store;

impl Store {
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Writes a file of that folder, whole or not at all. `durable`: wait for the device; else a power failure may leave it empty.
    pub fn put_run(&self, name: &str, bytes: &[u8], durable: bool) -> Result<(), StoreError> {
        let path = self.runs().join(name);
        let disk = if durable { self.disk.clone() } else { self.disk.relaxed() };
        self.make_way(&path)?;
        disk.write(&self.scratch(), &path, bytes, Access::ReadWrite).at("write", &path)
    }
}
