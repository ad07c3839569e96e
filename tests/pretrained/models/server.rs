//! A hub on loopback: a few lines of HTTP/1.1, with the hub's headers and the failures that a test asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::machine::{COMMIT, Files, sha256};

/// What the server does wrong, if anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Closes the connection in the middle of the weights, the first `times` times, after `after` bytes.
    Cut {
        after: usize,
        times: usize,
    },
    /// Sends the start of the weights and then nothing more.
    Stall {
        after: usize,
    },
    /// Accepts connections and never answers.
    Mute,
    /// Answers every request with this status.
    Status(u16),
}

pub(super) struct Hub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    files: Files,
    fault: Fault,
    faults_left: AtomicUsize,
    stopped: AtomicBool,
    /// `GET path range` of each request.
    requests: Mutex<Vec<String>>,
}

impl Hub {
    pub(super) fn start(files: Files, fault: Fault) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let times = match fault {
            Fault::Cut { times, .. } => times,
            _ => usize::MAX,
        };
        let shared = Arc::new(Shared {
            files,
            fault,
            faults_left: AtomicUsize::new(times),
            stopped: AtomicBool::new(false),
            requests: Mutex::new(Vec::new()),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                // A client that went away is a client's matter.
                thread::spawn(move || drop(server.serve(stream)));
            }
        });
        Hub { address, shared }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("requests").clone()
    }

    /// Downloads of the weights themselves, by first byte.
    pub(super) fn downloads_of_weights(&self) -> Vec<u64> {
        let requests = self.requests();
        let ranges = requests.iter().filter_map(|request| request.strip_prefix("GET /cdn/model.safetensors "));
        let first = |range: &str| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok();
        ranges.map(|range| first(range).unwrap_or(0)).collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// An endpoint that nobody listens at.
pub(super) fn closed_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_string();
        let mut range = String::new();
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("range")
            {
                range = value.to_string();
            }
        }
        self.requests.lock().expect("requests").push(format!("GET {path} {range}"));
        if self.fault == Fault::Mute {
            thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        if let Fault::Status(status) = self.fault {
            return answer(&mut stream, &format!("{status} As Asked"), "", b"");
        }
        // `/toys/tiny/resolve/<revision>/<file>`, or the store for large files that it redirects to.
        let file = match path.strip_prefix("/cdn/") {
            Some(file) => Some(file),
            None => path.splitn(6, '/').nth(5),
        };
        let Some((file, bytes)) = file.and_then(|file| self.files.get_key_value(file)) else {
            return answer(&mut stream, "404 Not Found", "", b"");
        };
        let tag = sha256(bytes);
        if file == "model.safetensors" && !path.starts_with("/cdn/") {
            let target = format!("http://{}/cdn/{file}", stream.local_addr()?);
            let headers = format!(
                "Location: {target}\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{tag}\"\r\nETag: \"other\"\r\n"
            );
            return answer(&mut stream, "302 Found", &headers, b"");
        }
        // The hub tags small files with another kind of sum: here its first 40 digits.
        let tag = &tag[..40];
        let (from, to) = parse_range(&range, bytes.len());
        if from >= bytes.len() {
            return answer(&mut stream, "416 Range Not Satisfiable", "", b"");
        }
        let headers = format!(
            "X-Repo-Commit: {COMMIT}\r\nETag: \"{tag}\"\r\nContent-Range: bytes {from}-{}/{}\r\n",
            to - 1,
            bytes.len()
        );
        let body = &bytes[from..to];
        let status = if range.is_empty() { "200 OK" } else { "206 Partial Content" };
        if file == "model.safetensors" {
            match self.fault {
                Fault::Cut { after, .. } if self.take_fault() => {
                    return partial(&mut stream, status, &headers, body, after);
                }
                Fault::Stall { after } => {
                    partial(&mut stream, status, &headers, body, after)?;
                    thread::sleep(Duration::from_secs(20));
                    return Ok(());
                }
                _ => {}
            }
        }
        answer(&mut stream, status, &headers, body)
    }

    fn take_fault(&self) -> bool {
        let fewer = |left: usize| left.checked_sub(1);
        self.faults_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok()
    }
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)
}

/// Announces the whole body and sends its start.
fn partial(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8], after: usize) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body[..after.min(length)])?;
    stream.flush()
}

/// `bytes=from-to` or `bytes=from-` → half-open.
fn parse_range(range: &str, length: usize) -> (usize, usize) {
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return (0, length);
    };
    let from = from.parse().unwrap_or(0);
    let to = to.parse().map_or(length, |to: usize| (to + 1).min(length));
    (from, to)
}
