//! One request and its answer, on a thread of its own under supervision: reads of a socket cannot be interrupted, so a server
//! that is silent for too long is abandoned together with the thread, which holds nothing but the connection.

use std::io::Read as _;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use super::address::Address;
use super::head::{Head, shown};
use super::{Failure, SLOWEST, Watch};

const BLOCK: usize = 64 << 10;

/// Between two looks at `Watch::cancelled`.
const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Exchange {
    events: Receiver<Event>,
    /// Lets the thread read the body.
    go: SyncSender<()>,
    head_limit: Duration,
    silence: Duration,
    /// Time spent on waiting for the bytes below.
    waited: Duration,
    /// Since they were last enough.
    bytes: u64,
    /// Time spent on waiting since the last of them.
    quiet: Duration,
    started: bool,
}

enum Event {
    Head(Result<Box<Head>, String>),
    Block(Vec<u8>),
    End(Result<(), String>),
}

impl Exchange {
    /// Asks for the bytes from `from` on.
    pub(super) fn begin(
        address: &Address,
        token: Option<&str>,
        from: u64,
        head_limit: Duration,
        silence: Duration,
    ) -> Result<Exchange, Failure> {
        // Few blocks, so that a disk slower than the server holds the server up.
        let (sender, events) = mpsc::sync_channel(2);
        let (go, told_to_go) = mpsc::sync_channel(1);
        let uri = address.uri().clone();
        let authorization = token.map(|token| format!("Bearer {token}"));
        thread::Builder::new()
            .name("fetch".to_string())
            // Whoever went away does not want to know the rest.
            .spawn(move || drop(run(uri, authorization, from, (head_limit, silence), &sender, &told_to_go)))
            .map_err(|error| Failure::Other(error.to_string()))?;
        Ok(Exchange {
            events,
            go,
            head_limit,
            silence,
            waited: Duration::ZERO,
            bytes: 0,
            quiet: Duration::ZERO,
            started: false,
        })
    }

    pub(super) fn head(&mut self, watch: &dyn Watch) -> Result<Head, Failure> {
        loop {
            match self.event(watch)? {
                Some(Event::Head(Ok(head))) => return Ok(*head),
                Some(Event::Head(Err(reason))) => return Err(Failure::Other(reason)),
                Some(_) => return Err(senseless()),
                None if self.waited > self.head_limit => return Err(Failure::Silent(self.head_limit)),
                None => {}
            }
        }
    }

    /// The next bytes of the body; `None` at its end. `left` bytes are still to come.
    pub(super) fn block(&mut self, left: u64, watch: &dyn Watch) -> Result<Option<Vec<u8>>, Failure> {
        if !self.started {
            self.started = true;
            (self.waited, self.quiet) = (Duration::ZERO, Duration::ZERO);
            // Fails only if the thread is gone, which the events tell.
            let _ = self.go.send(());
        }
        loop {
            match self.event(watch)? {
                Some(Event::Block(block)) => {
                    self.bytes += block.len() as u64;
                    self.quiet = Duration::ZERO;
                    if self.bytes >= SLOWEST {
                        self.bytes = 0;
                        self.waited = Duration::ZERO;
                    }
                    if self.waited <= self.silence || block.len() as u64 >= left {
                        return Ok(Some(block));
                    }
                }
                Some(Event::End(Ok(()))) => return Ok(None),
                Some(Event::End(Err(reason))) => return Err(Failure::Broken(reason)),
                Some(Event::Head(_)) => return Err(senseless()),
                None => {}
            }
            if self.waited > self.silence {
                return Err(match self.bytes {
                    bytes if bytes > 0 && self.quiet < self.silence / 2 => Failure::Slow(bytes, self.silence),
                    _ => Failure::Silent(self.silence),
                });
            }
        }
    }

    /// `None`: nothing yet.
    fn event(&mut self, watch: &dyn Watch) -> Result<Option<Event>, Failure> {
        if watch.cancelled() {
            return Err(Failure::Cancelled);
        }
        let begun = Instant::now();
        let event = self.events.recv_timeout(LOOK);
        // What the disk takes between two events is not the server's fault.
        self.waited += begun.elapsed();
        self.quiet += begun.elapsed();
        match event {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(senseless()),
        }
    }
}

fn senseless() -> Failure {
    Failure::Other("the answer made no sense".to_string())
}

/// Ends early, with an error that nobody reads, when the other side is gone.
fn run(
    uri: Uri,
    authorization: Option<String>,
    from: u64,
    (head_limit, silence): (Duration, Duration),
    sender: &SyncSender<Event>,
    go: &Receiver<()>,
) -> Result<(), mpsc::SendError<Event>> {
    // So that an abandoned thread ends; whoever waits for it gives up first, and says so.
    let (head_limit, silence) = (2 * head_limit, 2 * silence);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")))
        // An answer that is longer than it says must not be taken for the next one.
        .max_idle_connections(0)
        .timeout_resolve(Some(head_limit))
        .timeout_connect(Some(head_limit))
        .timeout_recv_response(Some(head_limit))
        .timeout_per_read(Some(silence.max(head_limit)))
        .timeout_per_write(Some(head_limit))
        .build()
        .into();
    let mut request = agent.get(uri);
    if let Some(authorization) = authorization {
        request = request.header("Authorization", authorization);
    }
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => return sender.send(Event::Head(Err(shown(&error.to_string())))),
    };
    sender.send(Event::Head(Ok(Box::new(Head::of(&response)))))?;
    if go.recv().is_err() {
        return Ok(());
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut block = vec![0; BLOCK];
        match body.read(&mut block) {
            Ok(0) => return sender.send(Event::End(Ok(()))),
            Ok(read) => {
                block.truncate(read);
                sender.send(Event::Block(block))?;
            }
            Err(error) => return sender.send(Event::End(Err(shown(&error.to_string())))),
        }
    }
}
