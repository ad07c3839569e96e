//! Embeds titles and finds the nearest ones: by the encoder in the folder given, else by TF-IDF of characters, which needs no files.
//!
//! `cargo run --release --example embed_titles [-- FOLDER]`

use runner::ml::encoder::{self, TextEncoder, Tfidf, TfidfOptions, TransformerOptions};
use runner::ml::progress::Silent;

const TITLES: [&str; 6] = [
    "Dancing in the Moonlight",
    "Dancing Queen",
    "Moonlight Serenade",
    "Highway to Hell",
    "Stairway to Heaven",
    "Bailando (Spanish Version)",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let encoder: Box<dyn TextEncoder> = match std::env::args().nth(1) {
        Some(folder) => encoder::open(folder.as_ref(), &TransformerOptions::default())?,
        None => Box::new(Tfidf::fit(&TITLES, TfidfOptions::default(), 0, 2, &Silent)?),
    };
    let vectors = encoder.encode(&TITLES, 2, &Silent)?;
    println!("{} titles as vectors of {} numbers", vectors.rows, vectors.cols);
    let similarity = |a: usize, b: usize| -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (a, b) = (vectors.row(a), vectors.row(b));
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
    };
    for (i, title) in TITLES.iter().enumerate() {
        let others = (0..TITLES.len()).filter(|&other| other != i);
        let nearest = others.max_by(|&a, &b| similarity(i, a).total_cmp(&similarity(i, b)));
        if let Some(nearest) = nearest {
            println!("{title}: {} ({:.2})", TITLES[nearest], similarity(i, nearest));
        }
    }
    Ok(())
}
