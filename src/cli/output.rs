//! The one place that everything printed passes: text of others is escaped (`boundary::text`), colours become the terminal's codes, and what
//! cannot be written is remembered, so that a command whose output was lost ends with an error, but never before its work is done.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Serialize;

use super::color::pieces;
use super::{DONE, FAILED, interrupt, screen};
use crate::boundary::text;

/// Text as a terminal gets it: only colours of ours are codes, and nothing of others steers it.
pub(super) fn rendered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (code, piece) in pieces(text) {
        if let Some(code) = code {
            out.push_str(&format!("\x1b[{code}m"));
        }
        out.push_str(&text::escaped(piece));
    }
    out
}

/// Writes to standard output. Never fails: see [`finish`].
pub(super) fn print(text: &str) {
    OUT.write(rendered(text).as_bytes());
}

/// Writes a file's content to standard output: as it is for another program, escaped where a person looks.
pub(super) fn print_content(text: &str) {
    if io::stdout().is_terminal() { print(text) } else { OUT.write(text.as_bytes()) }
}

/// Writes a value as a line of JSON to standard output.
pub(super) fn print_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => print_json_text(&format!("{line}\n")),
        Err(error) => OUT.note(Lost::Failed(error.to_string())),
    }
}

/// Writes JSON, of one or several lines, to standard output.
pub(super) fn print_json_text(json: &str) {
    HAS_PRINTED_JSON.store(true, Ordering::Relaxed);
    OUT.write(text::json(json).as_bytes());
}

/// Writes to standard error. Never fails: see [`finish`].
pub(super) fn eprint(text: &str) {
    ERROR.write(rendered(text).as_bytes());
}

/// Whether standard output is lost: nobody will see what is printed from now on.
pub(super) fn is_lost() -> bool {
    OUT.lost().is_some()
}

/// The exit code, which is that of a failure where output was lost; says so where that can still be said. Output that nobody wants any more
/// (`| head`) is no error.
pub(super) fn finish(code: u8) -> u8 {
    let mut code = code;
    let mut fail = |told: &dyn Fn(&str), message: String| {
        told(&message);
        if code == DONE {
            code = FAILED;
        }
    };
    if let Some(Lost::Failed(reason)) = OUT.lost() {
        let style = screen::Style::stderr();
        fail(&eprint, format!("{} cannot write to standard output: {reason}\n", style.error("error:")));
    }
    if let Some(Lost::Failed(reason)) = ERROR.lost() {
        let say = |message: &str| {
            // A reader of events wants nothing else between them.
            if !HAS_PRINTED_JSON.load(Ordering::Relaxed) {
                print(message);
            }
        };
        fail(&say, format!("error: cannot write to standard error: {reason}\n"));
    }
    code
}

/// Notes which of the two were closed when the program was started. Rust opens `/dev/null` in their place, which would swallow all in silence.
pub(super) fn note_closed(out: bool, error: bool) {
    for (closed, stream) in [(out, &OUT), (error, &ERROR)] {
        stream.closed.store(closed, Ordering::Relaxed);
    }
}

static OUT: Stream = Stream::new(|| open(&io::stdout()));
static ERROR: Stream = Stream::new(|| open(&io::stderr()));
static HAS_PRINTED_JSON: AtomicBool = AtomicBool::new(false);

#[derive(Clone)]
enum Lost {
    /// Whoever read it has gone away.
    Unread,
    /// It could not be written, and why.
    Failed(String),
}

struct Stream {
    /// Whether it was closed from the start.
    closed: AtomicBool,
    lost: Mutex<Option<Lost>>,
    open: LazyLock<Option<Opened>>,
}

/// The stream without a buffer, so that what a write says is of these bytes.
struct Opened {
    file: std::fs::File,
}

#[cfg(unix)]
fn open<S: std::os::fd::AsFd>(stream: &S) -> Option<Opened> {
    let file = stream.as_fd().try_clone_to_owned().ok()?.into();
    Some(Opened { file })
}

#[cfg(windows)]
fn open<S: std::os::windows::io::AsHandle>(stream: &S) -> Option<Opened> {
    let file = stream.as_handle().try_clone_to_owned().ok()?.into();
    Some(Opened { file })
}

impl Stream {
    const fn new(open: fn() -> Option<Opened>) -> Self {
        Stream { closed: AtomicBool::new(false), lost: Mutex::new(None), open: LazyLock::new(open) }
    }

    fn lost(&self) -> Option<Lost> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, lost: Lost) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(lost);
    }

    /// Once something is lost nothing more is tried: what came after it would read as if nothing were missing.
    fn write(&self, bytes: &[u8]) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.is_some() || bytes.is_empty() {
            return;
        }
        *lost = match self.open.as_ref() {
            _ if self.closed.load(Ordering::Relaxed) => Some(Lost::Failed("it is closed".to_owned())),
            None => Some(Lost::Failed("it cannot be opened".to_owned())),
            Some(opened) => opened.write(bytes).err(),
        };
    }
}

/// So much is always taken by a pipe that takes anything at all (PIPE_BUF of pipe(7)), so that no write waits within the system.
const PIECE: usize = 4096;

impl Opened {
    fn write(&self, bytes: &[u8]) -> Result<(), Lost> {
        for mut piece in bytes.chunks(PIECE) {
            while !piece.is_empty() {
                self.wait()?;
                match (&self.file).write(piece) {
                    Ok(count) => piece = &piece[count..],
                    Err(error) => match error.kind() {
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => {}
                        io::ErrorKind::BrokenPipe => return Err(Lost::Unread),
                        _ if self.is_hung_up(&error) => return Err(Lost::Unread),
                        _ => return Err(Lost::Failed(error.to_string())),
                    },
                }
            }
        }
        Ok(())
    }

    /// Whether it is a terminal that has gone away: it says EIO, which of a disk would be a fault.
    #[cfg(unix)]
    fn is_hung_up(&self, error: &io::Error) -> bool {
        use std::os::unix::fs::FileTypeExt as _;
        let is_device = self.file.metadata().is_ok_and(|metadata| metadata.file_type().is_char_device());
        is_device && error.raw_os_error() == Some(nix::errno::Errno::EIO as i32)
    }

    #[cfg(not(unix))]
    fn is_hung_up(&self, _: &io::Error) -> bool {
        false
    }

    /// Waits until the stream takes more. A reader who has stopped reading is not waited for after Ctrl-C.
    #[cfg(unix)]
    fn wait(&self) -> Result<(), Lost> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd as _;

        const LOOK: u8 = 100;
        /// A reader who still reads has taken its part by then.
        const PATIENCE: u32 = 5;
        let mut patience = PATIENCE;
        loop {
            let mut polled = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
            match poll(&mut polled, PollTimeout::from(LOOK)) {
                Ok(0) if interrupt::interrupted() => {
                    patience -= 1;
                    if patience == 0 {
                        return Err(Lost::Unread);
                    }
                }
                Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                // What is wrong with it, the write says.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }

    #[cfg(not(unix))]
    fn wait(&self) -> Result<(), Lost> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::color::colored;

    #[test]
    fn only_colours_of_ours_reach_the_terminal() {
        let forged = "x\x1b[31mred\x1b[0m\u{fdd0}31m";
        let text = format!("{} {forged}\n", colored("1;31", &format!("error: {forged}")));
        let shown = rendered(&text);
        assert_eq!(shown.matches('\x1b').count(), 2, "{shown:?}");
        assert!(shown.starts_with("\x1b[1;31merror: x\\u{1b}[31mred"), "{shown:?}");
        assert!(shown.ends_with("\x1b[0m x\\u{1b}[31mred\\u{1b}[0m\u{fdd0}31m\n"), "{shown:?}");
    }
}
