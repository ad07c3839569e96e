//! The catalogue as three CSV files, written the way the real ones are.

use runner_ml::rng::Stream;

use super::catalogue::{Catalogue, Release};
use super::figures::GENRES;
use super::names::chance;

/// The share of songs that are handed out without their genre.
const TEST_SHARE: f64 = 0.163;

const COLUMNS: [&str; 23] = [
    "track_id",
    "track_name",
    "track_artist",
    "track_popularity",
    "track_album_id",
    "track_album_name",
    "track_album_release_date",
    "playlist_name",
    "playlist_id",
    "playlist_genre",
    "playlist_subgenre",
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration_ms",
];

/// The columns that tell the genre, which the test file lacks.
const TELLING: std::ops::Range<usize> = 7..11;

/// A listing of a release in a playlist: one line of a file.
struct Row<'a> {
    release: &'a Release,
    genre: usize,
    playlist: usize,
}

/// The files by name, from a catalogue; a song falls whole into one of them.
pub(super) fn files(catalogue: &Catalogue, seed: u64) -> Vec<(String, Vec<u8>)> {
    let (mut train, mut test, mut late) = (Vec::new(), Vec::new(), Vec::new());
    let mut stream = Stream::new(seed, "sample files", 0);
    for song in &catalogue.songs {
        let is_test = chance(&mut stream, TEST_SHARE);
        for release in &song.releases {
            for &(genre, playlist) in &release.playlists {
                let row = Row { release, genre, playlist };
                match (genre + 1 == GENRES.len(), is_test) {
                    (true, _) => late.push(row),
                    (false, true) => test.push(row),
                    (false, false) => train.push(row),
                }
            }
        }
    }
    // Listed playlist by playlist, as the real files are; the order of the test file must not tell the genre.
    train.sort_by_key(|row| (row.genre, row.playlist));
    late.sort_by_key(|row| (row.genre, row.playlist));
    stream.shuffle(&mut test);
    let file = |name: &str, rows: &[Row], telling: bool| (name.to_owned(), csv(catalogue, rows, telling).into_bytes());
    vec![file("train.csv", &train, true), file("test.csv", &test, false), file("data_EDM_full.csv", &late, true)]
}

fn csv(catalogue: &Catalogue, rows: &[Row], telling: bool) -> String {
    let mut text = String::new();
    let mut line = |fields: Vec<String>| {
        let fields = fields.iter().enumerate();
        let kept = fields.filter(|(column, _)| telling || !TELLING.contains(column));
        let quoted: Vec<String> = kept.map(|(_, field)| quoted(field)).collect();
        text += &quoted.join(",");
        text.push('\n');
    };
    line(COLUMNS.map(str::to_owned).to_vec());
    for row in rows {
        line(fields(catalogue, row));
    }
    text
}

/// The 23 fields of a row.
fn fields(catalogue: &Catalogue, row: &Row) -> Vec<String> {
    let release = row.release;
    let playlist = &catalogue.playlists[row.genre][row.playlist];
    let [
        popularity,
        danceability,
        energy,
        loudness,
        speechiness,
        acousticness,
        instrumentalness,
        liveness,
        valence,
        tempo,
        seconds,
        _,
    ] = release.numbers;
    vec![
        release.id.clone(),
        release.name.clone(),
        release.artist.clone(),
        fixed(popularity, 0),
        release.album_id.clone(),
        release.album.clone(),
        release.date.clone(),
        playlist.name.to_owned(),
        playlist.id.clone(),
        GENRES[row.genre].genre.to_owned(),
        playlist.subgenre.to_owned(),
        fixed(danceability, 3),
        fixed(energy, 3),
        release.key.to_string(),
        fixed(loudness, 3),
        u8::from(release.major).to_string(),
        significant(speechiness),
        significant(acousticness),
        significant(instrumentalness),
        significant(liveness),
        significant(valence),
        fixed(tempo, 3),
        fixed(seconds * 1000.0, 0),
    ]
}

/// A field in quotes where it needs them.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// A number with at most so many decimals, without zeros at the end.
fn fixed(value: f64, decimals: u32) -> String {
    let unit = 10_i64.pow(decimals);
    let scaled = (value * unit as f64).round() as i64;
    let (whole, rest) = (scaled.abs() / unit, scaled.abs() % unit);
    let sign = if scaled < 0 { "-" } else { "" };
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let rest = format!("{rest:0width$}", width = decimals as usize);
    format!("{sign}{whole}.{}", rest.trim_end_matches('0'))
}

/// A number in [0, 1) with three significant digits, from 0.001 on as a decimal fraction and below like `9.38e-5`.
fn significant(value: f64) -> String {
    const SMALLEST: f64 = 1e-6;
    if value < SMALLEST {
        return "0".to_owned();
    }
    let mut exponent = 1;
    let mut scaled = value * 10.0;
    while scaled < 1.0 {
        scaled *= 10.0;
        exponent += 1;
    }
    if exponent <= 3 {
        return fixed(value, exponent + 2);
    }
    format!("{}e-{exponent}", fixed(scaled, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_like_the_real_ones() {
        let written = [0.0627, 0.123456, 0.00116, 0.000938, 9.38e-5, 0.0004, 1.1e-6, 9e-7, 0.0, 0.9999];
        let expected = ["0.0627", "0.123", "0.00116", "9.38e-4", "9.38e-5", "4e-4", "1.1e-6", "0", "0", "1"];
        assert_eq!(written.map(significant), expected);
        assert_eq!(fixed(-7.74, 3), "-7.74");
        assert_eq!(fixed(-0.0421, 3), "-0.042");
        assert_eq!(fixed(127.0159, 3), "127.016");
        assert_eq!(fixed(-0.0001, 3), "0");
        assert_eq!(fixed(93.6, 0), "94");
    }

    #[test]
    fn fields_are_quoted_where_they_need_it() {
        assert_eq!(quoted("a, b"), "\"a, b\"");
        assert_eq!(quoted("12\" mix"), "\"12\"\" mix\"");
        assert_eq!(quoted("plain 'x'"), "plain 'x'");
    }
}
