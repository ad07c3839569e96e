//! The folder of run records. What they hold is the engine's affair.

use std::path::{Path, PathBuf};

use super::disk::Access;
use super::error::{At, StoreError};
use super::store::Store;

impl Store {
    /// The folder of the store itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the records of runs.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Makes the folder ready for writing; what stands in its place is taken out of the way.
    pub fn prepare_runs(&self) -> Result<PathBuf, StoreError> {
        let folder = self.runs();
        if !folder.is_dir() {
            self.prepare()?;
            self.make_way(&folder.join("run"))?;
            self.disk.create_folder(&folder).at("create", &folder)?;
        }
        Ok(folder)
    }

    /// Writes a file of that folder, whole or not at all. `durable`: wait for the device; else a power failure may leave it empty.
    pub fn put_run(&self, name: &str, bytes: &[u8], durable: bool) -> Result<(), StoreError> {
        let path = self.runs().join(name);
        let disk = if durable { self.disk.clone() } else { self.disk.relaxed() };
        self.refuse_links_above(&path)?;
        self.make_way(&path)?;
        disk.write(&self.scratch(), &path, bytes, Access::ReadWrite).at("write", &path)
    }
}
