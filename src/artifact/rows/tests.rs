use super::*;
use std::fs;
use std::time::{Duration, SystemTime};

use crate::Collect;

const WIDTH: usize = 3;

fn key(i: usize) -> RowKey {
    RowKey::of(format!("song {i}").as_bytes())
}

fn row(i: usize) -> [f32; WIDTH] {
    [i as f32, -0.5 * i as f32, f32::from_bits(i as u32)]
}

fn add(memo: &mut RowMemo, songs: impl Iterator<Item = usize> + Clone) {
    let keys: Vec<RowKey> = songs.clone().map(key).collect();
    let rows: Vec<f32> = songs.flat_map(row).collect();
    memo.add(&keys, &rows).unwrap();
}

/// Which of the songs are known; the rows of those are right.
fn known(memo: &RowMemo, songs: impl Iterator<Item = usize>) -> Vec<usize> {
    let songs: Vec<usize> = songs.collect();
    let keys: Vec<RowKey> = songs.iter().map(|i| key(*i)).collect();
    let mut out = vec![9.0; WIDTH * keys.len()];
    let known = memo.read(&keys, &mut out, 2);
    for ((i, known), found) in songs.iter().zip(&known).zip(out.chunks(WIDTH)) {
        assert_eq!(found, if *known { row(*i) } else { [9.0; WIDTH] });
    }
    songs.into_iter().zip(known).filter_map(|(i, known)| known.then_some(i)).collect()
}

fn files(memo: &RowMemo) -> Vec<PathBuf> {
    fs::read_dir(&memo.folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn store(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(folder.path()).unwrap();
    store.prepare().unwrap();
    store
}

#[test]
fn rows_that_are_read_outlive_a_collection_and_others_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let used = Digest::of(b"used");
    for key in [used, Digest::of(b"unused")] {
        add(&mut RowMemo::unread(&store, key, WIDTH), 0..3);
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        for path in files(&RowMemo::unread(&store, key, WIDTH)) {
            File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
    }
    assert_eq!(RowMemo::open(&store, used, WIDTH).len(), 3);
    let used_since = SystemTime::now() - Duration::from_secs(60);
    let options = Collect { grace: Duration::ZERO, used_since, dry_run: false };
    assert_eq!(store.collect(&Default::default(), &|_| Vec::new(), options).unwrap().memos, 1);
    assert_eq!(RowMemo::open(&store, used, WIDTH).len(), 3);
    assert!(RowMemo::open(&store, Digest::of(b"unused"), WIDTH).is_empty());
}

#[test]
fn rows_come_back_by_key_from_any_segment() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let memo_key = Digest::of(b"encoder");
    let mut memo = RowMemo::open(&store, memo_key, WIDTH);
    assert!(memo.is_empty() && known(&memo, 0..5).is_empty());
    add(&mut memo, 0..10);
    add(&mut memo, [7, 12, 12, 11].into_iter());
    assert_eq!(known(&memo, (0..20).rev()), (0..13).rev().filter(|i| *i != 10).collect::<Vec<_>>());
    let again = RowMemo::open(&store, memo_key, WIDTH);
    assert_eq!(known(&again, [3, 40, 3, 12, 3].into_iter()), [3, 3, 12, 3]);
    assert!(RowMemo::open(&store, memo_key, 4).is_empty(), "another width is another memo");
    assert!(RowMemo::open(&store, Digest::of(b"other"), WIDTH).is_empty());
    assert!(RowMemo::unread(&store, memo_key, WIDTH).is_empty());
}

#[test]
fn many_segments_become_few_and_nothing_is_lost_to_those_who_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let memo_key = Digest::of(b"encoder");
    let mut memo = RowMemo::open(&store, memo_key, WIDTH);
    add(&mut memo, 0..5);
    let reader = RowMemo::open(&store, memo_key, WIDTH);
    for i in 1..60 {
        add(&mut memo, 5 * i - 1..5 * i + 5);
        assert!(files(&memo).len() <= SMALL_SEGMENTS + 1, "{}", files(&memo).len());
    }
    let all: Vec<usize> = (0..300).collect();
    assert_eq!(known(&memo, 0..400), all);
    assert_eq!(known(&RowMemo::open(&store, memo_key, WIDTH), 0..400), all);
    assert_eq!(known(&reader, 0..400), [0, 1, 2, 3, 4], "its segment is gone from the folder, not from the reader");
}

#[test]
fn a_damaged_segment_is_no_segment() {
    let folder = tempfile::tempdir().unwrap();
    let memo_key = Digest::of(b"encoder");
    let mut memo = RowMemo::open(&*Box::leak(Box::new(store(&folder))), memo_key, WIDTH);
    add(&mut memo, 0..4);
    add(&mut memo, 4..9);
    let sizes = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let victim = files(&memo).into_iter().max_by_key(sizes).unwrap();
    let whole = fs::read(&victim).unwrap();
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    for damaged in [&whole[..whole.len() - 1], &whole[..10], &[], &flipped] {
        // Read-only files are replaced, not written.
        fs::remove_file(&victim).unwrap();
        fs::write(&victim, damaged).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(known(&RowMemo::open(&store, memo_key, WIDTH), 0..9), [0, 1, 2, 3]);
    }
    // Writing the same rows again repairs it.
    let store = Store::open(folder.path()).unwrap();
    let mut memo = RowMemo::open(&store, memo_key, WIDTH);
    add(&mut memo, 4..9);
    assert_eq!(known(&RowMemo::open(&store, memo_key, WIDTH), 0..9).len(), 9);
}

#[test]
fn writers_side_by_side_disturb_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let memo_key = Digest::of(b"encoder");
    let one = store(&folder);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let store = Store::open(folder.path()).unwrap();
            scope.spawn(move || {
                for i in 0..30 {
                    let mut memo = RowMemo::open(&store, memo_key, WIDTH);
                    let first = 40 * i + 7 * writer;
                    add(&mut memo, first..first + 10);
                }
            });
        }
    });
    let expected: Vec<usize> = (0..1300).filter(|i| *i < 1191 && i % 40 < 31).collect();
    assert_eq!(known(&RowMemo::open(&one, memo_key, WIDTH), 0..1300), expected);
}

#[test]
fn a_damaged_file_of_rows_is_told_by_verify() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut memo = RowMemo::unread(&store, Digest::of(b"encoder"), WIDTH);
    add(&mut memo, 0..3);
    assert_eq!(store.verify(&|_, _| {}).unwrap().damaged, []);
    let victim = files(&memo).remove(0);
    let mut content = fs::read(&victim).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::remove_file(&victim).unwrap();
    fs::write(&victim, content).unwrap();
    let verified = store.verify(&|_, _| {}).unwrap();
    assert_eq!((verified.memos, verified.damaged.len()), (1, 1));
}
