//! A server on loopback that does whatever a test tells it to, and remembers who asked for what.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as far as anything here depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    /// The first byte wanted.
    pub from: usize,
}

/// What a test's server answers with. Writing fails once the client is gone, which ends the answer.
pub(crate) type Answer = dyn Fn(&Asked, &mut Reply) -> std::io::Result<()> + Send + Sync;

pub(crate) struct Stranger {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
    sent: AtomicU64,
    stopped: AtomicBool,
}

pub(crate) struct Reply {
    stream: TcpStream,
    shared: Arc<Shared>,
}

impl Stranger {
    pub(crate) fn start(
        answer: impl Fn(&Asked, &mut Reply) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Stranger {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            asked: Mutex::default(),
            sent: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&server);
                thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Stranger { address, shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("requests").clone()
    }

    /// Bytes that went out.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(shared: &Arc<Shared>, stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_string();
    let mut asked = Asked { path, authorization: None, from: 0 };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => asked.authorization = Some(value.to_string()),
            "range" => {
                let from = value.strip_prefix("bytes=").and_then(|range| range.split('-').next());
                asked.from = from.and_then(|from| from.parse().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    shared.asked.lock().expect("requests").push(asked.clone());
    (shared.answer)(&asked, &mut Reply { stream, shared: Arc::clone(shared) })
}

impl Reply {
    pub(crate) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        self.shared.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    /// A status line and headers, each ending in `\r\n`.
    pub(crate) fn head(&mut self, status: &str, headers: &str) -> std::io::Result<()> {
        self.send(format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").as_bytes())
    }

    /// A whole answer with its length.
    pub(crate) fn whole(&mut self, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
        self.head(status, &format!("{headers}Content-Length: {}\r\n", body.len()))?;
        self.send(body)
    }

    pub(crate) fn not_found(&mut self) -> std::io::Result<()> {
        self.whole("404 Not Found", "", b"")
    }

    /// The same bytes again and again until nobody reads them any more.
    pub(crate) fn endlessly(&mut self, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
        loop {
            self.send(bytes)?;
            self.stream.flush()?;
            thread::sleep(pause);
        }
    }
}
