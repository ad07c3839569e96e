//! `TextVectors`: one text column → its vectors, some rows at a time, so that they are never all in memory.
//!
//! Each distinct text is computed once, or taken from the memo of rows that earlier runs have kept; one that comes again
//! in later rows waits in a file until then.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::mem::replace;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arrow::array::{Array as _, ArrayRef, StringArray};

use super::save_throttle::SaveThrottle;
use runner_artifact::{RowKey, RowMemo, Scratch};
use runner_engine::{Report, StageContext};
use runner_ml::encoder::TextEncoder;
use runner_ml::matrix::Matrix;
use runner_ml::progress::Progress;

/// Texts that are looked up and computed together: enough for batches of like lengths, a few megabytes of vectors.
const TEXTS: usize = 16_384;

/// Bytes of rows on their way into the memo, at most.
const KEPT_AT_ONCE: usize = 32 << 20;

pub(super) struct TextVectors<'c> {
    pub(crate) encoder: &'c dyn TextEncoder,
    context: &'c StageContext<'c>,
    texts: &'c StringArray,
    /// For each row the number of its text, by first appearance.
    of_row: Vec<u32>,
    /// For each distinct text the first and the last row that has it.
    rows_of: Vec<(u32, u32)>,
    /// For each distinct text whether its vector was given.
    given: Vec<bool>,
    /// Distinct texts in the rows so far.
    met: usize,
    /// Those that no memo knew.
    pub(crate) computed: usize,
    /// What computing and looking up took.
    pub(crate) spent: Duration,
    keeper: Option<Keeper<'c>>,
    waiting: Option<Waiting>,
    warned: AtomicBool,
}

impl<'c> TextVectors<'c> {
    /// A missing text counts as empty. `memo` holds rows by text.
    pub(crate) fn new(
        encoder: &'c dyn TextEncoder,
        texts: &'c StringArray,
        memo: Option<RowMemo<'c>>,
        context: &'c StageContext<'c>,
    ) -> anyhow::Result<Self> {
        u32::try_from(texts.len()).context("more rows than can be numbered")?;
        let mut numbers: HashMap<&str, u32> = HashMap::with_capacity(texts.len());
        let mut rows_of: Vec<(u32, u32)> = Vec::new();
        let mut of_row = Vec::with_capacity(texts.len());
        for row in 0..texts.len() as u32 {
            let text = text(texts, row);
            let number = *numbers.entry(text).or_insert(rows_of.len() as u32);
            match rows_of.get_mut(number as usize) {
                Some((_, last)) => *last = row,
                None => rows_of.push((row, row)),
            }
            of_row.push(number);
        }
        let given = vec![false; rows_of.len()];
        let keeper = memo.map(|memo| Keeper::new(memo, context.report()));
        Ok(TextVectors {
            encoder,
            context,
            texts,
            of_row,
            rows_of,
            given,
            met: 0,
            computed: 0,
            spent: Duration::ZERO,
            keeper,
            waiting: None,
            warned: AtomicBool::new(false),
        })
    }

    /// How many distinct texts there are.
    pub(crate) fn distinct(&self) -> usize {
        self.rows_of.len()
    }

    /// At most `count` distinct texts, from first to last.
    pub(crate) fn sample(&self, count: usize) -> Vec<&'c str> {
        let count = count.min(self.distinct());
        (0..count).map(|i| text(self.texts, self.rows_of[i * self.distinct() / count].0)).collect()
    }

    /// The texts of some rows.
    pub(crate) fn texts(&self, rows: Range<usize>) -> ArrayRef {
        Arc::new(self.texts.slice(rows.start, rows.len()))
    }

    /// Notes that the next rows are passed, be it that their vectors were given or that nobody wants them.
    pub(crate) fn pass(&mut self, rows: Range<usize>) {
        self.met = self.of_row[rows].iter().map(|number| *number as usize + 1).fold(self.met, usize::max);
    }

    /// The vectors of the next rows; ranges must follow each other.
    pub(crate) fn of_rows(&mut self, rows: Range<usize>) -> anyhow::Result<Matrix> {
        let dim = self.encoder.dim();
        let numbers = self.of_row[rows.clone()].to_vec();
        let new: Vec<u32> =
            numbers.iter().copied().filter(|&number| !replace(&mut self.given[number as usize], true)).collect();
        let mut fresh = Vec::with_capacity(new.len() * dim);
        for some in new.chunks(TEXTS) {
            let clock = Instant::now();
            fresh.extend_from_slice(&self.vectors(some)?.data);
            self.spent += clock.elapsed();
        }
        self.pass(rows.clone());
        self.put_aside(&new, rows.end, &fresh)?;
        // Usually each text is new: then the vectors are those of the rows already.
        if new.len() == numbers.len() {
            return Ok(Matrix::from_vec(numbers.len(), dim, fresh));
        }
        let places: HashMap<u32, usize> = new.into_iter().enumerate().map(|(i, number)| (number, i)).collect();
        let mut out = Matrix::zeros(numbers.len(), dim);
        for (row, number) in numbers.into_iter().enumerate() {
            match places.get(&number) {
                Some(i) => out.row_mut(row).copy_from_slice(&fresh[i * dim..(i + 1) * dim]),
                None => self.waiting.as_mut().context("a text was not put aside")?.get(number, out.row_mut(row))?,
            }
        }
        Ok(out)
    }

    /// Writes what was computed and not kept yet into the memo.
    pub(crate) fn keep(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.keep();
        }
    }

    /// Puts the vectors of those new texts aside that come again after row `end`.
    fn put_aside(&mut self, new: &[u32], end: usize, fresh: &[f32]) -> anyhow::Result<()> {
        let dim = self.encoder.dim();
        for (&number, vector) in new.iter().zip(fresh.chunks_exact(dim)) {
            if self.rows_of[number as usize].1 as usize >= end {
                if self.waiting.is_none() {
                    self.waiting = Some(Waiting::new(self.context.scratch()?)?);
                }
                if let Some(waiting) = &mut self.waiting {
                    waiting.put(number, vector)?;
                }
            }
        }
        Ok(())
    }

    /// The vectors of some distinct texts: only those that the memo does not know are computed, and kept in it as they come.
    fn vectors(&mut self, numbers: &[u32]) -> anyhow::Result<Matrix> {
        let texts: Vec<&str> =
            numbers.iter().map(|&number| text(self.texts, self.rows_of[number as usize].0)).collect();
        let report = self.context.report();
        let done = numbers.first().map_or(0, |&number| self.met.max(number as usize)) as u64;
        let progress = Part { report, done, total: self.rows_of.len() as u64, warned: &self.warned };
        let threads = self.context.threads();
        let Some(keeper) = &mut self.keeper else {
            self.computed += texts.len();
            return Ok(self.encoder.encode(&texts, threads, &progress)?);
        };
        let keys: Vec<RowKey> = texts.iter().map(|text| RowKey::of(text.as_bytes())).collect();
        let mut vectors = Matrix::zeros(texts.len(), self.encoder.dim());
        let known = keeper.memo.read(&keys, &mut vectors.data, threads);
        // Rows that are not finite were kept before that was looked at: the encoder says what is wrong with it.
        let sound = |i: &usize| known[*i] && vectors.row(*i).iter().all(|value| value.is_finite());
        let unknown: Vec<usize> = (0..texts.len()).filter(|i| !sound(i)).collect();
        if unknown.is_empty() {
            progress.update(texts.len() as u64, 0, "texts", "");
            return Ok(vectors);
        }
        let unknown_texts: Vec<&str> = unknown.iter().map(|&i| texts[i]).collect();
        let mut ready = |i: usize, row: &[f32]| keeper.add(keys[unknown[i]], row);
        let computed = self.encoder.encode_by_row(&unknown_texts, threads, &progress, &mut ready);
        if computed.is_err() {
            // Save finished rows even if interrupted.
            keeper.keep();
        }
        let computed = computed?;
        for (row, &i) in unknown.iter().enumerate() {
            vectors.row_mut(i).copy_from_slice(computed.row(row));
        }
        self.computed += unknown.len();
        Ok(vectors)
    }
}

fn text(texts: &StringArray, row: u32) -> &str {
    let row = row as usize;
    if texts.is_null(row) { "" } else { texts.value(row) }
}

/// A part of the work, told as that part; what the first part warns of the others would say again.
struct Part<'a> {
    report: &'a dyn Report,
    done: u64,
    total: u64,
    warned: &'a AtomicBool,
}

impl Progress for Part<'_> {
    fn update(&self, done: u64, _total: u64, unit: &str, note: &str) {
        // Texts of rows that were passed by may come again.
        self.report.progress((self.done + done).min(self.total), self.total, unit, note);
    }

    fn warn(&self, message: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            self.report.warn(message);
        }
    }

    fn cancelled(&self) -> bool {
        self.report.cancelled()
    }
}

/// Rows on their way into the memo.
struct Keeper<'a> {
    memo: RowMemo<'a>,
    keys: Vec<RowKey>,
    rows: Vec<f32>,
    pace: SaveThrottle,
    report: &'a dyn Report,
}

impl<'a> Keeper<'a> {
    fn new(memo: RowMemo<'a>, report: &'a dyn Report) -> Self {
        Keeper { memo, keys: Vec::new(), rows: Vec::new(), pace: SaveThrottle::new(), report }
    }

    fn add(&mut self, key: RowKey, row: &[f32]) {
        self.keys.push(key);
        self.rows.extend_from_slice(row);
        if self.pace.is_due() || 4 * self.rows.len() >= KEPT_AT_ONCE {
            self.keep();
        }
    }

    fn keep(&mut self) {
        let begun = Instant::now();
        if let Err(error) = self.memo.add(&self.keys, &self.rows) {
            self.report.warn_of_machine(&format!("these texts will have to be embedded again: {error}"));
        }
        self.keys.clear();
        self.rows.clear();
        self.pace.saved(begun);
    }
}

/// Vectors of texts that come again, in a file of this stage's own.
struct Waiting {
    file: BufWriter<File>,
    /// By the number of the text, the place of its vector in the file.
    places: HashMap<u32, u64>,
    end: u64,
    /// Removes the file in the end.
    _scratch: Scratch,
}

impl Waiting {
    fn new(scratch: Scratch) -> anyhow::Result<Self> {
        let path = scratch.path().join("vectors");
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Ok(Waiting { file: BufWriter::new(file), places: HashMap::new(), end: 0, _scratch: scratch })
    }

    fn put(&mut self, number: u32, vector: &[f32]) -> anyhow::Result<()> {
        // Reading has moved the file's place; the writer itself seeks only where that is not the end.
        if self.file.stream_position()? != self.end {
            self.file.seek(SeekFrom::Start(self.end))?;
        }
        self.places.insert(number, self.end);
        for value in vector {
            self.file.write_all(&value.to_le_bytes())?;
        }
        self.end += 4 * vector.len() as u64;
        Ok(())
    }

    fn get(&mut self, number: u32, vector: &mut [f32]) -> anyhow::Result<()> {
        let place = *self.places.get(&number).context("a text was not put aside")?;
        self.file.seek(SeekFrom::Start(place))?;
        let mut bytes = vec![0; 4 * vector.len()];
        self.file.get_mut().read_exact(&mut bytes)?;
        for (value, four) in vector.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*four);
        }
        Ok(())
    }
}
