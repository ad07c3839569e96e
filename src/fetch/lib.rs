//! One file over HTTP from a server that is not trusted, into a file that the caller names.
//!
//! | what a server may try | what is done |
//! |---|---|
//! | headers that end in a path | none does: the caller names the file, [`Facts`] are words to check |
//! | a redirect to another host | followed without the token, at most `MAX_REDIRECTS` times, never from https to http |
//! | more bytes than announced, pinned or allowed | refused before they come where they are announced, cut off where not |
//! | a compressed body | `identity` is asked for; another encoding is refused, and what is decoded counts against the same bounds |
//! | a range that was not asked for | refused |
//! | headers without end, a byte now and then, silence | given up after [`Limits`] |

mod address;
mod exchange;
mod head;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use address::Address;
pub use address::without_password;
use exchange::Exchange;
use head::Head;

/// Redirects that are followed for one file.
pub(crate) const MAX_REDIRECTS: usize = 5;

/// How long silence is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the first answer: name look-up, connection, TLS and headers. A dead server costs no more than this.
    pub first_answer: Duration,
    /// For each `SLOWEST` bytes afterwards.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { first_answer: Duration::from_secs(8), silence: Duration::from_secs(30) }
    }
}

/// Bytes that must come within [`Limits::silence`], or the rest of the file where that is less: half a kilobyte a second.
pub(crate) const SLOWEST: u64 = 16 << 10;

/// What is known of a file's size before it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// It is pinned.
    Exactly(u64),
    /// It is not pinned; this is the most that is taken.
    AtMost(u64),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `http` or `https`.
    pub url: &'a str,
    /// Sent to the host of `url` and to no other.
    pub token: Option<&'a str>,
    /// What is known of it.
    pub size: Size,
    /// Whether a body of unknown length is taken, up to `size`: where a digest tells whether it is whole.
    pub unknown_length: bool,
    /// How long to wait.
    pub limits: Limits,
}

/// What the first host said of the file. The server's words: checked before they mean anything, and never part of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `X-Repo-Commit`
    pub commit: Option<String>,
    /// `X-Linked-Etag`, else `ETag`
    pub tag: Option<String>,
    /// `X-Linked-Size`: of the file that a redirect leads to.
    linked_size: Option<u64>,
}

/// Learns of progress and says when to stop. Always asked from the thread that called [`fetch`].
pub trait Watch {
    /// `done` of `total` bytes are here; `total` is 0 while nobody knows it.
    fn bytes(&self, done: u64, total: u64);

    /// Asked several times a second.
    fn cancelled(&self) -> bool;
}

/// Why a file did not come.
#[derive(Debug)]
pub enum Failure {
    /// The server answered that there is no such file.
    Absent,
    /// Silent for so long, or nearly so: trying again would cost the same again.
    Silent(Duration),
    /// Fewer than `SLOWEST` bytes came in that time.
    Slow(u64, Duration),
    /// The caller asked to stop.
    Cancelled,
    /// The transfer broke off: what is there can be taken up again.
    Broken(String),
    /// Everything else, a refusal among it.
    Other(String),
}

impl Failure {
    fn refused(reason: impl Into<String>) -> Failure {
        Failure::Other(reason.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Absent => f.write_str("http status: 404"),
            Failure::Silent(limit) => write!(f, "silent for {} s", limit.as_secs_f32()),
            Failure::Slow(bytes, limit) => write!(f, "only {bytes} bytes came in {} s", limit.as_secs_f32()),
            Failure::Cancelled => f.write_str("interrupted"),
            Failure::Broken(reason) | Failure::Other(reason) => f.write_str(reason),
        }
    }
}

/// Brings the file to the path that `place` gives once the server has told of it, and returns that path. Bytes that are there
/// already are taken to be the beginning of the file and are not fetched again.
pub fn fetch(
    request: &Request<'_>,
    place: &mut dyn FnMut(&Facts) -> io::Result<PathBuf>,
    watch: &dyn Watch,
) -> Result<PathBuf, Failure> {
    let mut route = Route::start(request)?;
    let mut part: Option<Part> = None;
    let mut from = 0;
    let mut first = true;
    loop {
        let limit = if first { request.limits.first_answer } else { request.limits.silence };
        let mut exchange = Exchange::begin(&route.address, route.token, from, limit, request.limits.silence)?;
        let head = exchange.head(watch)?;
        first = false;
        if part.is_none() {
            route.learn(&head)?;
        }
        match head.status {
            301 | 302 | 303 | 307 | 308 => {
                // The tag of what lies behind the redirect says which beginning is here already.
                if part.is_none() && route.facts.tag.is_some() {
                    let here = Part::open(place, &route.facts)?;
                    if route.expected(request.size).is_some_and(|size| size == here.bytes) {
                        return Ok(here.path);
                    }
                    from = here.bytes;
                    part = Some(here);
                }
                route.redirect(&head)?;
            }
            416 if from > 0 => {
                part.as_mut().map_or(Ok(()), Part::clear)?;
                from = 0;
            }
            200 | 206 => {
                let total = total(&head, from, request)?;
                route.check_size(total, request.size)?;
                let mut here = match part.take() {
                    Some(part) => part,
                    None => Part::open(place, &route.facts)?,
                };
                if head.status == 200 && from == 0 && here.bytes > 0 {
                    if total == Some(here.bytes) {
                        return Ok(here.path);
                    }
                    if total.is_none_or(|total| here.bytes < total) {
                        from = here.bytes;
                        part = Some(here);
                        continue;
                    }
                }
                if head.status == 200 || here.bytes != from {
                    here.clear()?;
                }
                return here.fill(&mut exchange, total, request.size, watch);
            }
            404 | 410 => return Err(Failure::Absent),
            status => return Err(Failure::Other(format!("http status: {status}"))),
        }
    }
}

/// Where the file is looked for by now, and what was said of it on the way.
struct Route<'a> {
    start: Address,
    address: Address,
    token: Option<&'a str>,
    facts: Facts,
    redirects: usize,
}

impl<'a> Route<'a> {
    fn start(request: &Request<'a>) -> Result<Self, Failure> {
        let start = Address::parse(request.url);
        let start = start.map_err(|reason| Failure::Other(format!("'{}' is {reason}", request.url)))?;
        Ok(Route { address: start.clone(), start, token: request.token, facts: Facts::default(), redirects: 0 })
    }

    /// A host behind the first one stores bytes; what it calls them is its own matter. It may only name a commit where nobody did.
    fn learn(&mut self, head: &Head) -> Result<(), Failure> {
        let own = self.address.has_origin_of(&self.start);
        if own || self.facts.commit.is_none() {
            self.facts.commit = head.commit.clone().or(self.facts.commit.take());
        }
        if own {
            // The `ETag` of a redirect is the redirect's own.
            let tag = if head.is_redirect() { None } else { head.tag.clone() };
            self.facts.tag = head.linked_tag.clone().or(tag).or(self.facts.tag.take());
            if let Some(size) = &head.linked_size {
                self.facts.linked_size = Some(head::number("X-Linked-Size", size)?);
            }
        }
        Ok(())
    }

    fn redirect(&mut self, head: &Head) -> Result<(), Failure> {
        self.redirects += 1;
        if self.redirects > MAX_REDIRECTS {
            return Err(Failure::refused(format!("more than {MAX_REDIRECTS} redirects")));
        }
        let location = head.location.as_deref();
        let location = location.ok_or_else(|| Failure::refused(format!("http status: {} to nowhere", head.status)))?;
        let next = self.address.redirected(location).map_err(Failure::Other)?;
        // It is not sent again either should a chain of redirects come back.
        if !next.has_origin_of(&self.address) {
            self.token = None;
        }
        self.address = next;
        Ok(())
    }

    /// The size before the body is announced.
    fn expected(&self, size: Size) -> Option<u64> {
        match size {
            Size::Exactly(bytes) => Some(bytes),
            Size::AtMost(_) => self.facts.linked_size,
        }
    }

    /// All that was said of the size must agree, and be allowed.
    fn check_size(&self, total: Option<u64>, size: Size) -> Result<(), Failure> {
        if let (Some(total), Some(linked)) = (total, self.facts.linked_size)
            && total != linked
        {
            return Err(Failure::refused(format!("announces {linked} bytes and then {total}; refused")));
        }
        for announced in total.iter().chain(&self.facts.linked_size) {
            match size {
                Size::Exactly(bytes) if *announced != bytes => {
                    return Err(Failure::refused(format!(
                        "announces {announced} bytes where the pinned file has {bytes}; refused"
                    )));
                }
                Size::AtMost(bytes) if *announced > bytes => {
                    return Err(Failure::refused(format!(
                        "announces {announced} bytes, more than the {bytes} that such a file may have; refused"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The size of the whole file as an answer with a body announces it.
fn total(head: &Head, from: u64, request: &Request<'_>) -> Result<Option<u64>, Failure> {
    if let Some(encoding) = head.encodings.iter().find(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Failure::refused(format!(
            "answers with Content-Encoding {}, which was not asked for; refused",
            head::shown(encoding)
        )));
    }
    let length = head.length.as_deref().map(|text| head::number("Content-Length", text)).transpose()?;
    // A body that ureq decodes by itself has lost its length and its encoding.
    if length.is_none() && !(request.unknown_length && head.chunked) {
        return Err(Failure::refused("tells no length of the file, or compresses it unasked; refused"));
    }
    if head.status == 200 {
        return Ok(length);
    }
    let told = head.range.as_deref().unwrap_or_default();
    let (start, end, total) = head::content_range(told)
        .ok_or_else(|| Failure::refused(format!("answers with the range '{}'; refused", head::shown(told))))?;
    if start != from || end.checked_add(1) != Some(total) || length.is_some_and(|length| length != total - start) {
        return Err(Failure::refused(format!(
            "answers with the range '{}' where bytes {from} to the end were asked for; refused",
            head::shown(told)
        )));
    }
    Ok(Some(total))
}

/// The file as far as it is here.
struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Part {
    fn open(place: &mut dyn FnMut(&Facts) -> io::Result<PathBuf>, facts: &Facts) -> Result<Part, Failure> {
        let path = place(facts).map_err(|error| Failure::Other(error.to_string()))?;
        let fail = |error: io::Error| Failure::Other(format!("writing '{}': {error}", path.display()));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        Ok(Part { path, file, bytes })
    }

    fn clear(&mut self) -> Result<(), Failure> {
        self.bytes = 0;
        self.file.set_len(0).map_err(|error| self.unwritten(&error))
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        Failure::Other(format!("writing '{}': {error}", self.path.display()))
    }

    /// Appends the body. Of more bytes than there may be none is kept.
    fn fill(
        mut self,
        exchange: &mut Exchange,
        total: Option<u64>,
        size: Size,
        watch: &dyn Watch,
    ) -> Result<PathBuf, Failure> {
        let (Size::Exactly(bytes) | Size::AtMost(bytes)) = size;
        let limit = total.unwrap_or(bytes);
        watch.bytes(self.bytes, total.unwrap_or(0));
        while let Some(block) = exchange.block(limit.saturating_sub(self.bytes), watch)? {
            self.bytes = self.bytes.saturating_add(block.len() as u64);
            if self.bytes > limit {
                self.clear()?;
                return Err(Failure::refused(format!("sends more than {limit} bytes; refused")));
            }
            self.file.write_all(&block).map_err(|error| self.unwritten(&error))?;
            watch.bytes(self.bytes, total.unwrap_or(0));
        }
        let short = match (total, size) {
            (Some(total), _) | (None, Size::Exactly(total)) => self.bytes < total,
            (None, Size::AtMost(_)) => false,
        };
        match short {
            true => Err(Failure::Broken(format!("{} of {limit} bytes came", self.bytes))),
            false => Ok(self.path),
        }
    }
}
