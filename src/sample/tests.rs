//! Properties of the sample files, read as CSV.

use std::collections::{HashMap, HashSet};

use super::generate;

/// The seed of the committed files.
const SEED: u64 = 2020;

/// The rows of a file by column name.
fn rows(bytes: &[u8]) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(bytes).deserialize().map(|row| row.expect("a whole row")).collect()
}

fn digest(seed: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in generate(seed) {
        hasher.update(name.as_bytes()).update(&bytes);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[test]
fn a_seed_gives_the_same_bytes_for_ever() {
    // A change here changes the committed files: make them anew in the same commit.
    assert_eq!(digest(SEED), "344d5dec02233688");
    assert_ne!(digest(SEED + 1), digest(SEED));
}

#[test]
fn the_files_have_the_promised_sizes_and_columns() {
    let files = generate(SEED);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["train.csv", "test.csv", "data_EDM_full.csv"]);
    assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 1_500_000);
    let counts: Vec<usize> = files.iter().map(|(_, bytes)| rows(bytes).len()).collect();
    assert!((3_400..3_900).contains(&counts[0]), "{counts:?}");
    assert!((600..800).contains(&counts[1]) && (600..800).contains(&counts[2]), "{counts:?}");

    let train = rows(&files[0].1);
    assert_eq!(train[0].len(), 23);
    let mut genres: HashMap<&str, usize> = HashMap::new();
    for row in &train {
        *genres.entry(&row["playlist_genre"]).or_default() += 1;
    }
    assert_eq!(genres.len(), 5);
    assert!(genres.values().all(|count| (550..900).contains(count)), "{genres:?}");
    let test = rows(&files[1].1);
    assert_eq!(test[0].len(), 19);
    assert!(test[0].keys().all(|column| !column.starts_with("playlist")));
    assert!(rows(&files[2].1).iter().all(|row| row["playlist_genre"] == "edm"));
}

#[test]
fn the_quirks_of_real_files_are_there() {
    let files = generate(SEED);
    let train = rows(&files[0].1);
    let mut genres_of_id: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut ids_of_song: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
    let mut rows_of_id: HashMap<&str, usize> = HashMap::new();
    for row in &train {
        let id = row["track_id"].as_str();
        assert!(id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        genres_of_id.entry(id).or_default().insert(&row["playlist_genre"]);
        ids_of_song.entry((&row["track_artist"], &row["track_name"])).or_default().insert(id);
        *rows_of_id.entry(id).or_default() += 1;
    }
    let share = |count: usize, of: usize| count as f64 / of as f64;
    let repeated = rows_of_id.values().filter(|rows| **rows > 1).count();
    assert!((0.08..0.25).contains(&share(repeated, rows_of_id.len())));
    let contradictory = genres_of_id.values().filter(|genres| genres.len() > 1).count();
    assert!((0.03..0.08).contains(&share(contradictory, rows_of_id.len())));
    let twice = ids_of_song.values().filter(|ids| ids.len() > 1).count();
    assert!((0.015..0.05).contains(&share(twice, ids_of_song.len())));

    let some = |test: &dyn Fn(&HashMap<String, String>) -> bool| train.iter().any(test);
    for column in ["track_name", "track_artist", "track_album_name"] {
        assert!(some(&|row| row[column].is_empty()), "{column} is never missing");
    }
    assert!(some(&|row| row["track_name"].contains(',')));
    assert!(some(&|row| row["track_name"].contains('"')));
    assert!(some(&|row| !row["track_name"].is_ascii()));
    for length in [4, 7, 10] {
        assert!(some(&|row| row["track_album_release_date"].len() == length), "{length}");
    }
    assert!(some(&|row| row["instrumentalness"] == "0"));
    assert!(some(&|row| row["instrumentalness"].contains("e-5")));
    for row in &train {
        for column in ["danceability", "energy", "speechiness", "liveness", "valence"] {
            let value: f64 = row[column].parse().expect("a number");
            assert!((0.0..=1.0).contains(&value), "{column} {value}");
        }
        assert!(row["key"].parse::<u8>().is_ok_and(|key| key < 12));
        assert!(row["track_popularity"].parse::<u8>().is_ok_and(|value| value <= 100));
        assert!(row["duration_ms"].parse::<u32>().is_ok());
    }
}

#[test]
fn a_song_falls_whole_into_one_file() {
    let mut file_of: HashMap<String, usize> = HashMap::new();
    for (file, (_, bytes)) in generate(SEED).iter().enumerate() {
        for row in rows(bytes) {
            let (name, artist) = (&row["track_name"], &row["track_artist"]);
            let mut keys = vec![row["track_id"].clone()];
            if !name.is_empty() && !artist.is_empty() {
                keys.push(format!("{artist}\n{name}"));
            }
            for key in keys {
                assert_eq!(*file_of.entry(key.clone()).or_insert(file), file, "{key}");
            }
        }
    }
}
