//! Data and pipelines that several tests share.

use crate::workspace::Workspace;

pub const STUDY: &str = r#"name: study
seed: 3
stages:
  songs:
    kind: load
    files: {all: songs.csv}
    label: genre
  folds:
    kind: split
    rows: songs
    groups: [artist]
    folds: 3
  baseline:
    kind: baseline
    rows: folds
    numeric: [tempo]
    models: {majority: {}, logistic: {}}
  titles:
    kind: embed
    rows: songs
    fit: folds.train
    columns: [title]
    encoder: tfidf
    tfidf: {dim: 8}
  fused:
    kind: train
    rows: folds
    embeddings: titles
    numeric: [tempo, energy]
    text: [title]
    network: {trunk: {layers: [8]}, text: {layers: [4]}}
    epochs: 3
    batch_size: 32
  predict:
    kind: predict
    model: fused
    rows: songs
    embeddings: titles
    file: out.csv
"#;

/// More stages for `STUDY`: a second network, two ensembles, a map.
pub const AVERAGES: &str = r#"  tempo:
    kind: train
    rows: folds
    numeric: [tempo]
    network: {trunk: {layers: [4]}}
    epochs: 3
    batch_size: 32
  both:
    kind: ensemble
    members: [tempo, fused]
    models: [tempo, fused]
  all:
    kind: ensemble
    members: [baseline, tempo, fused]
    weights: greedy
  plane:
    kind: map
    rows: folds
    embeddings: titles
    text: [title]
    numeric: [tempo]
    points: 60
    perplexity: 5
    iterations: 300
    show: [title]
"#;

/// Loads and splits, nothing else: quick.
pub const SHORT: &str = "name: short\nseed: 3\nstages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre}\n  folds: {kind: split, rows: songs, groups: [artist], folds: 3}\n";

/// Fifteen genres, of which a song's tempo tells the most.
pub fn many_classes() -> Workspace {
    let genres = [
        "afrobeat",
        "ambient",
        "bluegrass",
        "bossa nova",
        "classical",
        "dancehall",
        "drum and bass",
        "flamenco",
        "funk",
        "gospel",
        "heavy metal",
        "jazz",
        "progressive house",
        "reggaeton",
        "synthwave",
    ];
    let rows = (0..600).map(|i| {
        let genre = i % genres.len();
        format!("s{i},song {i},band {},{},{}\n", i / 2, 60 + 8 * genre + (i * 7) % 13, genres[genre])
    });
    let text = std::iter::once("id,title,artist,tempo,genre\n".to_owned()).chain(rows).collect::<String>();
    Workspace::new().file("songs.csv", &text).pipeline(
        "name: many
seed: 3
stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs}
  net: {kind: train, rows: folds, numeric: [tempo], network: {trunk: {layers: [32]}}, epochs: 12, batch_size: 32}
",
    )
}

/// Numbers without any order, from 0 to 1.
pub fn noise(i: usize) -> f64 {
    // splitmix64 (Steele, Lea and Flood 2014).
    let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
