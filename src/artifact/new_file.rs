//! `NewFile`: a file that a user named, written beside its place and put there whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::disk::{Disk, behind_links, folder_of};
use runner_boundary::files::refuse_special;

/// A file on its way to a place of the user's. Dropped before it is there, it leaves nothing.
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// A file that will stand at `path`, or where a symbolic link there points to.
    ///
    /// # Errors
    /// Something else than a file stands there, or its folder cannot be written to.
    pub fn at(path: &Path) -> io::Result<Self> {
        let path = behind_links(path)?;
        let before = fs::metadata(&path).ok();
        if let Some(before) = &before {
            refuse_special(before)?;
        }
        let mut builder = Builder::new();
        // For whoever may read the user's other files: the system takes off what the user's mask says.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(&path))?;
        if let Some(before) = before {
            file.as_file().set_permissions(before.permissions())?;
        }
        Ok(NewFile { file, path })
    }

    /// The file itself, which can be sought in.
    pub fn file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts it in its place, instead of what stands there; a power failure from then on takes nothing of it.
    ///
    /// # Errors
    /// It cannot be written to its end, or not be put there.
    pub fn persist(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Disk::default().sync_folder(folder_of(&self.path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether two paths are of one file, as `a.csv` and `./a.csv`.
pub fn same_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let path = behind_links(path).ok()?;
        path.canonicalize().ok().or_else(|| std::path::absolute(&path).ok())
    };
    whole(one).is_some_and(|one| whole(other) == Some(one))
}
