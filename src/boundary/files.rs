//! Opens files that are given by name. Pipes, devices, sockets and folders are refused as what they are, at once: opening a pipe waits for a
//! writer, and a source is read more than once (its header, its digest, its rows), which a pipe cannot give.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading, without ever waiting.
///
/// # Errors
/// As [`File::open`]; of kind `IsADirectory` for a folder, and `InvalidInput` for what is neither: the error says what it is and what to do.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Before it is opened, since opening alone may act on a device; and after, since another may stand there now.
    refuse_special(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        (nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOCTTY).bits(),
    );
    let file = options.open(path)?;
    refuse_special(&file.metadata()?)?;
    Ok(file)
}

/// The content of a regular file: to its end, whatever size the system tells (files of `/proc` have none).
///
/// # Errors
/// As [`open_regular`], and if it cannot be read.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |metadata| metadata.len() as usize));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same as text, of at most `limit` bytes.
///
/// # Errors
/// As [`read_regular_text`]; of kind `FileTooLarge` if it has more.
pub fn read_bounded_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("it has more than {} MB", limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The same as text.
///
/// # Errors
/// As [`read_regular`]; of kind `InvalidData` if it is not UTF-8.
pub fn read_regular_text(path: &Path) -> io::Result<String> {
    let bytes = read_regular(path)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// # Errors
/// If that is no regular file, with what it is instead.
pub fn refuse_special(metadata: &Metadata) -> io::Result<()> {
    let Some(what) = special(metadata.file_type()) else { return Ok(()) };
    let kind = if metadata.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    Err(io::Error::new(kind, what))
}

/// Whether an error says that what stands there is no regular file, as [`refuse_special`] does.
pub fn says_special(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory)
}

/// What a file is that is no regular one.
fn special(kind: FileType) -> Option<&'static str> {
    const PIPE: &str = "it is a pipe, not a file: write what comes out of it to a file first, and name that";
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("it is a folder, not a file: name a file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some(PIPE);
        }
        if kind.is_socket() {
            return Some("it is a socket, not a file: name a regular file");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("it is a device, not a file: name a regular file");
        }
    }
    Some("it is not a regular file: name one")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "x").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, word) in [
            (pipe.as_path(), "a pipe"),
            (&link, "a pipe"),
            (&socket, "a socket"),
            (folder.path(), "a folder"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let error = open_regular(path).unwrap_err().to_string();
            assert!(error.contains(word), "{}: {error}", path.display());
        }
        assert_eq!(read_regular(&plain).unwrap(), b"x");
        assert_eq!(open_regular(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_that_tell_no_size_are_read_to_their_end() {
        let text = read_regular_text(Path::new("/proc/self/status")).unwrap();
        assert!(text.starts_with("Name:"), "{text}");
    }
}
