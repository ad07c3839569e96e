//! `Disk`: every file operation of the store, each with a fail point before and after it.
//!
//! Tests hang a [`Hook`] in there that returns an error or ends the process; so each place where a disk can fill up or a machine can stop is tried.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use runner_boundary::files::{open_regular, read_regular, refuse_special};

/// What is done to a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Missing parents too.
    CreateFolder,
    /// A temporary file, before it has a name of its own.
    CreateFile,
    /// Bytes into an open file.
    Write,
    /// Sets who may read and write it.
    Protect,
    /// A file's content to disk.
    Sync,
    /// The step that makes a file visible.
    Rename,
    /// A folder's entries to disk.
    SyncFolder,
    /// Another file of the same content, sharing blocks where the file system can.
    Copy,
    /// Of a file or an empty folder.
    Remove,
    /// Of a whole file.
    Read,
    /// The entries of a folder.
    List,
    /// Of a lock file, which is made where it is missing.
    OpenLock,
    /// Notes that the file was used: its modification time.
    Touch,
}

impl Operation {
    /// Whether it would change something on disk.
    pub fn writes(self) -> bool {
        !matches!(self, Operation::Read | Operation::List)
    }
}

/// When a hook is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// The operation has not begun.
    Before,
    /// The operation has succeeded.
    After,
}

/// Asked before and after each operation on the path; its error becomes the operation's.
pub type Hook = dyn Fn(Operation, Moment, &Path) -> io::Result<()> + Send + Sync;

/// Who may change a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    /// For results: nobody edits them by mistake.
    ReadOnly,
}

#[derive(Clone)]
pub(crate) struct Disk {
    durable: bool,
    hook: Option<Arc<Hook>>,
}

impl Default for Disk {
    fn default() -> Self {
        Disk { durable: true, hook: None }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("durable", &self.durable).field("hook", &self.hook.is_some()).finish()
    }
}

impl Disk {
    /// `durable`: wait until the device has what was written, so that a power failure takes nothing of it.
    pub(crate) fn new(durable: bool, hook: Option<Arc<Hook>>) -> Self {
        Disk { durable, hook }
    }

    /// The same without waiting for the device: for what the next run makes again by itself. Still atomic when a process dies.
    pub(crate) fn relaxed(&self) -> Self {
        Disk { durable: false, hook: self.hook.clone() }
    }

    /// Creates the folder and those above it; one that is there is left alone.
    pub(crate) fn create_folder(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.step(Operation::CreateFolder, path, || fs::create_dir_all(path))?;
        // The new name lies in the folder above.
        self.sync_folder(folder_of(path))
    }

    /// Writes the file so that it is there whole or not at all: a temporary file in `scratch` (of the same file system), then [`Pending::commit`].
    pub(crate) fn write(&self, scratch: &Path, path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
        let mut pending = self.pending(scratch)?;
        pending.write_all(bytes)?;
        pending.commit(path, access)
    }

    /// A file without a name of its own yet, to be filled. Dropped without a commit, it is gone.
    pub(crate) fn pending(&self, scratch: &Path) -> io::Result<Pending> {
        self.create_folder(scratch)?;
        // Its own error names the temporary file, which nobody knows.
        let new = || tempfile::NamedTempFile::new_in(scratch).map_err(|error| io::Error::from(error.kind()));
        let file = self.step(Operation::CreateFile, scratch, new)?;
        Ok(Pending { disk: self.clone(), file })
    }

    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.step(Operation::Read, path, || read_regular(path))
    }

    /// For reading in pieces.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        self.step(Operation::Read, path, || open_regular(path))
    }

    /// Replaces `target` by a read-only copy of `from`; the two share blocks until one of them is written where the file system can do that
    /// (btrfs, XFS, …). `target` is never half a file. Nobody waits for the device: who copies has the content still.
    pub(crate) fn copy(&self, scratch: &Path, from: &File, target: &Path) -> io::Result<()> {
        match self.copy_by(scratch, from, target) {
            // Then beside the target.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.copy_by(target.parent().ok_or(io::ErrorKind::InvalidInput)?, from, target)
            }
            copied => copied,
        }
    }

    fn copy_by(&self, scratch: &Path, mut from: &File, target: &Path) -> io::Result<()> {
        let mut pending = self.relaxed().pending(scratch)?;
        self.step(Operation::Copy, target, || {
            from.seek(SeekFrom::Start(0))?;
            // On Linux the kernel copies (copy_file_range), by reference where it can.
            io::copy(&mut from, pending.file.as_file_mut())
        })?;
        pending.commit(target, Access::ReadOnly)
    }

    /// Removes the file; one that is gone already is not an error.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::Remove, path, || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Moves whatever stands at `path` into a folder of its own in `scratch`.
    pub(crate) fn set_aside(&self, scratch: &Path, path: &Path) -> io::Result<()> {
        self.create_folder(scratch)?;
        self.step(Operation::Rename, path, || {
            let folder = tempfile::tempdir_in(scratch)?;
            fs::rename(path, folder.path().join("aside"))?;
            let _ = folder.keep();
            Ok(())
        })
    }

    /// Removes the folder unless something is in it; tells whether it did.
    pub(crate) fn remove_if_empty(&self, path: &Path) -> io::Result<bool> {
        self.step(Operation::Remove, path, || match fs::remove_dir(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// Removes the folder with all that is in it.
    pub(crate) fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::Remove, path, || fs::remove_dir_all(path))
    }

    /// What lies in the folder, sorted by name; a folder that is not there holds nothing.
    pub(crate) fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.step(Operation::List, folder, || {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            paths.sort_unstable();
            Ok(paths)
        })
    }

    /// Opens a file to lock it. Where it cannot be written, for reading: a kernel lock needs no more.
    pub(crate) fn open_lock(&self, path: &Path) -> io::Result<File> {
        let writing = self.step(Operation::OpenLock, path, || {
            File::options().create(true).truncate(false).write(true).read(true).open(path)
        });
        writing.or_else(|error| File::open(path).map_err(|_| error))
    }

    /// Notes that the file was used now. Its owner may do so also where nobody may write.
    pub(crate) fn touch(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::Touch, path, || File::open(path)?.set_modified(SystemTime::now()))
    }

    /// Waits until the names in the folder are on the device.
    pub(crate) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(Operation::SyncFolder, folder, || match self.durable {
            #[cfg(unix)]
            true => File::open(folder)?.sync_all(),
            _ => Ok(()),
        })
    }

    fn step<T>(&self, operation: Operation, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(hook) = &self.hook else { return act() };
        hook(operation, Moment::Before, path)?;
        let value = act()?;
        hook(operation, Moment::After, path)?;
        Ok(value)
    }
}

/// A temporary file that becomes one of the store, or nothing.
pub(crate) struct Pending {
    disk: Disk,
    file: tempfile::NamedTempFile,
}

impl Pending {
    /// Gives the file its name: permissions, fsync, rename, fsync of the folder.
    pub(crate) fn commit(self, path: &Path, access: Access) -> io::Result<()> {
        let Pending { disk, file } = self;
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        disk.step(Operation::Protect, file.path(), || protect(file.as_file(), access))?;
        disk.step(Operation::Sync, file.path(), || if disk.durable { file.as_file().sync_all() } else { Ok(()) })?;
        disk.create_folder(folder)?;
        // An empty folder in the file's place holds nothing that could be lost; another one stays, and is told of.
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            let _ = disk.step(Operation::Remove, path, || fs::remove_dir(path));
        }
        disk.step(Operation::Rename, path, || file.persist(path).map(drop).map_err(|error| error.error))?;
        disk.sync_folder(folder)
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Pending { disk, file } = self;
        let path = file.path().to_owned();
        disk.step(Operation::Write, &path, || file.as_file_mut().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads `reader` to its end in pieces, which `each` gets.
pub(crate) fn in_pieces(mut reader: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; 1 << 18];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => each(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a file outside the store so that it is there whole or not at all, also after a power failure. A symbolic link at `path` is replaced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // A rename would put the file in the place of the pipe or device.
    if let Ok(metadata) = fs::metadata(path) {
        refuse_special(&metadata)?;
    }
    Disk::default().write(folder, path, bytes, Access::ReadWrite).map_err(|error| match error.kind() {
        kind @ (io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            io::Error::new(kind, format!("{kind} (make the folder writable, or name a file in another one)"))
        }
        _ => error,
    })
}

/// As [`write_atomically`], of a path that the user gave: where it is a symbolic link, the file that it points to is written, and the link stays.
pub fn write_through_links(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically(&behind_links(path)?, bytes)
}

/// The folder that holds a name: of a bare one the current folder.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that a path means, which need not be there yet.
pub(crate) fn behind_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("its symbolic links lead in a circle"))
}

/// Temporary files are private; artifacts are for whoever may read the folder.
pub(super) fn protect(file: &File, access: Access) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(access == Access::ReadOnly);
    #[cfg(unix)]
    {
        let mode = if access == Access::ReadOnly { 0o444 } else { 0o644 };
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, mode);
    }
    file.set_permissions(permissions)
}
