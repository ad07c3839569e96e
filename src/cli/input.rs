//! Standard input that a signal ends the wait for.

use std::fs::File;
use std::io::{self, Read};

use super::interrupt::interrupted;

/// Standard input without a buffer, so that what was not read yet is known to the system.
pub(super) struct StandardInput {
    file: File,
}

impl StandardInput {
    #[cfg(unix)]
    pub(super) fn open() -> io::Result<StandardInput> {
        use std::os::fd::AsFd as _;
        Ok(StandardInput { file: io::stdin().as_fd().try_clone_to_owned()?.into() })
    }

    #[cfg(windows)]
    pub(super) fn open() -> io::Result<StandardInput> {
        use std::os::windows::io::AsHandle as _;
        Ok(StandardInput { file: io::stdin().as_handle().try_clone_to_owned()?.into() })
    }

    /// Waits until there is something to read, or the end.
    #[cfg(unix)]
    fn wait(&self) -> io::Result<()> {
        use nix::errno::Errno;
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd as _;

        const LOOK: u8 = 100;
        loop {
            if interrupted() {
                return Err(io::Error::other("interrupted"));
            }
            match poll(&mut [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)], PollTimeout::from(LOOK)) {
                Ok(0) | Err(Errno::EINTR) => {}
                // What is wrong with it, the read says.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }

    #[cfg(not(unix))]
    fn wait(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.file.read(buffer)
    }
}
