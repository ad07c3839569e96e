//! `RowMemo`: rows of numbers by the content that they were computed from, kept across runs, pipelines and stages.
//!
//! A memo is a folder of segments that are never changed; each is named by the digest of its content, so that writers
//! cannot disturb each other and a damaged segment is found, and ignored. A segment holds
//!
//! | bytes | content |
//! |---|---|
//! | 16 | `runner rows 1` and zeros |
//! | 8 + 8 | width of a row, number of rows (little-endian) |
//! | 16 × rows | keys, ascending (big-endian) |
//! | 4 × width × rows | the rows in the order of their keys: f32, little-endian |

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Digest;
use super::error::StoreError;
use super::store::Store;

/// The first 128 bits of the BLAKE3 digest of what a row was computed from. Among a thousand million different contents the
/// odds that any two share a key are 10¹⁸ / 2¹²⁹, about 10⁻²¹: a disk errs more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(u128);

impl RowKey {
    /// Of all that decides the row's result.
    pub fn of(content: &[u8]) -> Self {
        let digest = blake3::hash(content);
        let (key, _) = digest.as_bytes().split_at(16);
        RowKey(key.iter().fold(0, |key, byte| (key << 8) | u128::from(*byte)))
    }
}

/// Rows of one width, by key.
pub struct RowMemo<'a> {
    store: &'a Store,
    folder: PathBuf,
    width: usize,
    segments: Vec<Segment>,
}

struct Segment {
    path: PathBuf,
    /// Open, so that the rows can be read when another writer has merged the segment meanwhile.
    file: File,
    keys: Vec<RowKey>,
}

/// A row of a segment, and where it is wanted.
struct Found<'o> {
    row: usize,
    /// The number of its key.
    place: usize,
    out: &'o mut [f32],
}

const MAGIC: [u8; 16] = *b"runner rows 1\0\0\0";
const HEADER: usize = 32;
const KEY: usize = 16;

/// More small segments than this are merged.
const SMALL_SEGMENTS: usize = 8;

/// Bytes of rows from which on a segment is left alone: merging holds what it merges in memory.
const LARGE: usize = 16 << 20;

/// Bytes of rows that are read at once.
const BLOCK: usize = 1 << 20;

/// Bytes of rows that nobody wants, between two that are wanted: to read so many costs less than to ask twice.
const GAP: usize = 4 << 10;

impl<'a> RowMemo<'a> {
    /// Reads the keys of all sound segments. What is not there, or not sound, is not known; that is no error.
    pub fn open(store: &'a Store, key: Digest, width: usize) -> Self {
        let mut memo = RowMemo::unread(store, key, width);
        let paths = store.disk.list(&memo.folder).unwrap_or_default();
        memo.segments = paths.iter().filter_map(|path| memo.sound(path)).collect();
        memo
    }

    /// The same memo for writing only: it knows no row.
    pub fn unread(store: &'a Store, key: Digest, width: usize) -> Self {
        RowMemo { store, folder: store.rows_folder(key), width, segments: Vec::new() }
    }

    /// Rows in all segments.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.keys.len()).sum()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the rows of `keys` to their places in `out` (keys × width), as far as they are known; says of each whether it is.
    /// `threads` read side by side.
    pub fn read(&self, keys: &[RowKey], out: &mut [f32], threads: usize) -> Vec<bool> {
        if self.width == 0 {
            return vec![false; keys.len()];
        }
        let mut wanted: Vec<(RowKey, usize)> = keys.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        wanted.sort_unstable();
        let mut places: Vec<Option<&mut [f32]>> = out.chunks_exact_mut(self.width).map(Some).collect();
        let found: Vec<(&Segment, Vec<Found>)> = (self.segments.iter())
            .map(|segment| (segment, segment.find(&wanted, &mut places)))
            .filter(|(_, found)| !found.is_empty())
            .collect();
        let known = Mutex::new(vec![false; keys.len()]);
        let count = threads.clamp(1, found.len().max(1));
        let work = Mutex::new(found.into_iter());
        std::thread::scope(|scope| {
            let worker = || {
                while let Some((segment, mut found)) = next(&work) {
                    // A segment that was sound and cannot be read any more leaves its rows unknown.
                    if segment.copy(&mut found).is_ok() {
                        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                        found.iter().for_each(|found| known[found.place] = true);
                    }
                }
            };
            for _ in 1..count {
                scope.spawn(worker);
            }
            worker();
        });
        known.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps rows (keys × width) as one more segment. Of equal keys one is kept: their rows are equal, too.
    pub fn add(&mut self, keys: &[RowKey], rows: &[f32]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|&i| keys[i]);
        order.dedup_by_key(|i| keys[*i]);
        let mut content = self.header(order.len());
        order.iter().for_each(|&i| content.extend_from_slice(&keys[i].0.to_be_bytes()));
        for i in order {
            rows[i * self.width..(i + 1) * self.width].iter().for_each(|value| content.extend(value.to_le_bytes()));
        }
        self.put(&content)?;
        self.merge_small()
    }

    /// Makes one of the smallest segments when there are too many small ones; each merge makes a segment several times as
    /// large as those it takes, so that a row is written a few times in its life, not once for each segment.
    fn merge_small(&mut self) -> Result<(), StoreError> {
        let width = self.width;
        let small = |segment: &Segment| 4 * width * segment.keys.len() < LARGE;
        if self.segments.iter().filter(|segment| small(segment)).count() <= SMALL_SEGMENTS {
            return Ok(());
        }
        self.segments.sort_by(|a, b| (a.keys.len(), &a.path).cmp(&(b.keys.len(), &b.path)));
        let merged: Vec<Segment> = self.segments.drain(..SMALL_SEGMENTS).collect();
        let rows: Vec<Vec<u8>> = match merged.iter().map(|segment| segment.all_rows(width)).collect() {
            Ok(rows) => rows,
            // Not readable any more: then they are no use, and no harm either.
            Err(_) => return Ok(()),
        };
        let mut order: Vec<(RowKey, usize, usize)> = Vec::new();
        for (s, segment) in merged.iter().enumerate() {
            order.extend(segment.keys.iter().enumerate().map(|(row, key)| (*key, s, row)));
        }
        order.sort_unstable();
        order.dedup_by_key(|(key, ..)| *key);
        let mut content = self.header(order.len());
        order.iter().for_each(|(key, ..)| content.extend_from_slice(&key.0.to_be_bytes()));
        for (_, s, row) in order {
            content.extend_from_slice(&rows[s][4 * width * row..4 * width * (row + 1)]);
        }
        let path = self.put(&content)?;
        for old in merged.iter().filter(|old| old.path != path) {
            // What stays is a second copy; the next merge takes it in.
            let _ = self.store.disk.remove(&old.path);
        }
        Ok(())
    }

    fn header(&self, rows: usize) -> Vec<u8> {
        let mut content = Vec::with_capacity(HEADER + rows * (KEY + 4 * self.width));
        content.extend_from_slice(&MAGIC);
        content.extend_from_slice(&(self.width as u64).to_le_bytes());
        content.extend_from_slice(&(rows as u64).to_le_bytes());
        content
    }

    fn put(&mut self, content: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.folder.join(format!("{}.rows", Digest::of(content)));
        self.store.put_named(&path, content)?;
        if !self.segments.iter().any(|segment| segment.path == path) {
            self.segments.extend(self.sound(&path));
        }
        Ok(path)
    }

    fn sound(&self, path: &Path) -> Option<Segment> {
        let digest: Digest = path.file_name()?.to_str()?.strip_suffix(".rows")?.parse().ok()?;
        let mut file = self.store.open_named(path, digest)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let number = |at: usize| Some(u64::from_le_bytes(header[at..at + 8].try_into().ok()?));
        let (width, rows) = (number(16)?, usize::try_from(number(24)?).ok()?);
        if header[..16] != MAGIC || width != self.width as u64 {
            return None;
        }
        let mut bytes = vec![0; rows.checked_mul(KEY)?];
        file.read_exact(&mut bytes).ok()?;
        self.store.note_use(path);
        // Noting the use changed the stamp, not the content.
        self.store.note_sound(digest, path);
        let keys = bytes.as_chunks::<KEY>().0.iter().map(|key| RowKey(u128::from_be_bytes(*key))).collect();
        Some(Segment { path: path.to_owned(), file, keys })
    }
}

impl Segment {
    fn start_of_rows(&self) -> usize {
        HEADER + KEY * self.keys.len()
    }

    #[cfg(unix)]
    fn bytes_at(&self, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at as u64)
    }

    #[cfg(not(unix))]
    fn bytes_at(&self, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        use std::io::{Seek as _, SeekFrom};
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at as u64))?;
        file.read_exact(bytes)
    }

    fn all_rows(&self, width: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 4 * width * self.keys.len()];
        self.bytes_at(self.start_of_rows(), &mut bytes)?;
        Ok(bytes)
    }

    /// Which of `wanted` (ascending) are here, with the places that still wait for their row.
    fn find<'o>(&self, wanted: &[(RowKey, usize)], places: &mut [Option<&'o mut [f32]>]) -> Vec<Found<'o>> {
        let mut found = Vec::new();
        let mut row = 0;
        // Keys are digests, so that the wanted ones lie about so far apart.
        let stride = self.keys.len() / wanted.len().max(1);
        for (key, place) in wanted {
            while self.keys.get(row + stride).is_some_and(|far| far < key) {
                row += stride + 1;
            }
            let near = &self.keys[row..(row + stride + 1).min(self.keys.len())];
            row += near.partition_point(|other| other < key);
            if self.keys.get(row) == Some(key)
                && let Some(out) = places[*place].take()
            {
                found.push(Found { row, place: *place, out });
            }
        }
        found
    }

    /// Fills what was found, rows ascending. Rows that lie close together are read together.
    fn copy(&self, found: &mut [Found]) -> io::Result<()> {
        let size = found.first().map_or(0, |first| 4 * first.out.len());
        let rows_at_once = (BLOCK / size.max(1)).max(1);
        let gap = 1 + GAP / size.max(1);
        let mut bytes = Vec::new();
        let mut rest = found;
        while let Some(first) = rest.first().map(|found| found.row) {
            let mut last = first;
            let together = |found: &&Found| {
                let near = found.row - last <= gap && found.row - first < rows_at_once;
                if near {
                    last = found.row;
                }
                near
            };
            let count = rest.iter().take_while(together).count();
            let (near, far) = rest.split_at_mut(count);
            bytes.resize((last + 1 - first) * size, 0);
            self.bytes_at(self.start_of_rows() + first * size, &mut bytes)?;
            for found in near {
                let row = &bytes[(found.row - first) * size..][..size];
                for (value, four) in found.out.iter_mut().zip(row.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(*four);
                }
            }
            rest = far;
        }
        Ok(())
    }
}

fn next<T>(work: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    work.lock().unwrap_or_else(PoisonError::into_inner).next()
}

#[cfg(test)]
mod tests;
