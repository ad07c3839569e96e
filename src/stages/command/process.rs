//! Runs a program in a process group of its own, so that it ends with all that it started; who leaves the group is for `orphans`.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::orphans;
use runner_engine::Report;

/// Between the polite end and the forced one. With the polling below, an interrupted program is gone well within a second.
const GRACE: Duration = Duration::from_millis(300);
/// The longest time between two looks at the program and at Ctrl-C.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// Lines of output that an error shows.
const LINES_SHOWN: usize = 20;
/// Longer lines are cut.
const LONGEST_LINE: usize = 2_000;
/// How long to wait for the rest of the output of a program that has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

pub(crate) struct Program<'a> {
    /// The program and its arguments; at least one.
    pub(crate) words: &'a [String],
    /// All that the program sees.
    pub(crate) environment: Vec<(String, OsString)>,
    pub(crate) timeout: Option<Duration>,
}

/// How a program ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// With exit code 0.
    Done,
    /// In words, e.g. `exit code 3`.
    Failed(String),
    TimedOut,
    Cancelled,
}

/// Runs the program to its end and returns how it ended, and the last lines of its standard error (or, if it has none, of its standard
/// output). The last line is reported as progress.
///
/// # Errors
/// If the program cannot be started or waited for.
pub(crate) fn run(program: &Program, report: &dyn Report) -> io::Result<(End, Vec<String>)> {
    let mut command = Command::new(&program.words[0]);
    command.args(&program.words[1..]).env_clear().envs(program.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = Instant::now();
    // Declared first, so that it is dropped after the group: only then is nobody adopted any more.
    let (child, _adopting) = orphans::guarded(|| command.spawn())?;
    let mut group = Group(child);
    let mut output = Output::of(&mut group.0);
    let mut pause = Duration::from_millis(1);
    let end = loop {
        output.drain(report);
        if let Some(status) = group.0.try_wait()? {
            break if status.success() { End::Done } else { End::Failed(describe(status)) };
        }
        if report.cancelled() {
            break End::Cancelled;
        }
        if program.timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
            break End::TimedOut;
        }
        output.wait(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    if matches!(end, End::Cancelled | End::TimedOut) {
        group.ask_to_end();
        let asked = Instant::now();
        while asked.elapsed() < GRACE && group.0.try_wait()?.is_none() {
            output.wait(Duration::from_millis(5));
        }
    }
    // Also after a good end: what a program leaves behind in its group would go on writing into a folder that is about to be removed.
    drop(group);
    output.finish(report);
    Ok((end, output.tail()))
}

/// A child that leads its own process group. Dropped, it is gone with the whole group.
struct Group(Child);

impl Group {
    /// SIGTERM to the group.
    fn ask_to_end(&self) {
        #[cfg(unix)]
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// The leader may have been waited for already. Its number is still the group's as long as anyone is in the group; if nobody is, this
    /// does nothing, since the system gives out process numbers in turn and does not come back to this one at once.
    #[cfg(unix)]
    fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        self.signal(nix::sys::signal::Signal::SIGKILL);
        #[cfg(not(unix))]
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = nix::sys::signal::Signal::try_from(signal).map_or("signal", nix::sys::signal::Signal::as_str);
        let memory = if signal == 9 { " (perhaps it ran out of memory)" } else { "" };
        return format!("{name}{memory}");
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

#[derive(Clone, Copy, PartialEq)]
enum Stream {
    Out,
    Error,
}

/// What the program prints, line by line.
struct Output {
    lines: Receiver<(Stream, String)>,
    closed: bool,
    last: [VecDeque<String>; 2],
}

impl Output {
    fn of(child: &mut Child) -> Self {
        // Bounded: a program that prints faster than we look has to wait.
        let (sender, lines) = sync_channel(256);
        if let Some(pipe) = child.stdout.take() {
            read(pipe, Stream::Out, sender.clone());
        }
        if let Some(pipe) = child.stderr.take() {
            read(pipe, Stream::Error, sender);
        }
        Output { lines, closed: false, last: Default::default() }
    }

    fn note(&mut self, (stream, line): (Stream, String)) {
        let kept = &mut self.last[usize::from(stream == Stream::Error)];
        if kept.len() == LINES_SHOWN {
            kept.pop_front();
        }
        kept.push_back(line);
    }

    /// Takes all that has come, and reports the last of it.
    fn drain(&mut self, report: &dyn Report) {
        let mut latest = None;
        while let Ok((stream, line)) = self.lines.try_recv() {
            if !line.trim().is_empty() {
                latest = Some(line.clone());
            }
            self.note((stream, line));
        }
        if let Some(line) = latest {
            report.progress(0, 0, "", line.trim());
        }
    }

    /// Waits for output, but no longer than `pause`.
    fn wait(&mut self, pause: Duration) {
        if self.closed {
            thread::sleep(pause);
            return;
        }
        match self.lines.recv_timeout(pause) {
            Ok(line) => self.note(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.closed = true,
        }
    }

    /// Takes what is still in the pipes. A process that left the group may hold them open for ever: it is not waited for.
    fn finish(&mut self, report: &dyn Report) {
        let started = Instant::now();
        while !self.closed && started.elapsed() < LAST_WORDS {
            self.wait(Duration::from_millis(5));
        }
        self.drain(report);
    }

    fn tail(&self) -> Vec<String> {
        let [out, error] = &self.last;
        let lines = if error.is_empty() { out } else { error };
        lines.iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }
}

/// Sends the lines of a pipe on until it ends or nobody listens. A carriage return ends a line too: progress bars use it.
fn read(mut pipe: impl Read + Send + 'static, stream: Stream, lines: SyncSender<(Stream, String)>) {
    thread::spawn(move || {
        let mut line: Vec<u8> = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(count) = pipe.read(&mut chunk) {
            if count == 0 {
                break;
            }
            for &byte in &chunk[..count] {
                if byte != b'\n' && byte != b'\r' {
                    if line.len() < LONGEST_LINE {
                        line.push(byte);
                    }
                    continue;
                }
                if lines.send((stream, String::from_utf8_lossy(&line).into_owned())).is_err() {
                    return;
                }
                line.clear();
            }
        }
        if !line.is_empty() {
            let _ = lines.send((stream, String::from_utf8_lossy(&line).into_owned()));
        }
    });
}
