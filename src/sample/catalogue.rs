//! The invented artists with their songs: who sang what, when, and in which playlists it is.

use std::collections::HashSet;

use runner_ml::rng::Stream;

use super::figures::GENRES;
use super::names::{album, artist, chance, identifier, title, title_suffix};
use super::numbers::{Copula, Scores, scores};
use super::words;

/// Artists of each genre that the study begins with, and of the genre that comes later.
const ARTISTS: usize = 110;
const LATE_ARTISTS: usize = 98;

/// How often an artist's song is of another genre than usual.
const OTHER_GENRE: f64 = 0.24;
/// How often a song is listed in a second genre, where its label contradicts the first.
const TWO_GENRES: f64 = 0.05;
/// How often a song is released again under another identifier.
const AGAIN: f64 = 0.03;

/// How often a name is missing: the song's, the artist's, the album's, or all three.
const NAMELESS: f64 = 0.0012;

/// A release of a song: what its rows have in common.
#[derive(Clone)]
pub(super) struct Release {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) artist: String,
    pub(crate) album_id: String,
    pub(crate) album: String,
    pub(crate) date: String,
    /// In the order of `figures::Figures::quantiles`.
    pub(crate) numbers: Scores,
    pub(crate) key: usize,
    pub(crate) major: bool,
    /// Where it is listed, as genre and place within the genre's playlists. Never empty.
    pub(crate) playlists: Vec<(usize, usize)>,
}

/// A song: its releases must not be torn apart by a split.
pub(super) struct Song {
    pub(crate) releases: Vec<Release>,
}

/// A playlist of a genre.
pub(super) struct Playlist {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) subgenre: &'static str,
}

/// All songs and playlists of the study.
pub(super) struct Catalogue {
    pub(crate) songs: Vec<Song>,
    /// By genre.
    pub(crate) playlists: Vec<Vec<Playlist>>,
}

impl Catalogue {
    pub(crate) fn new(seed: u64) -> Catalogue {
        let mut stream = Stream::new(seed, "sample playlists", 0);
        let playlists: Vec<Vec<Playlist>> = words::GENRES
            .iter()
            .map(|words| {
                let listed = words
                    .subgenres
                    .iter()
                    .flat_map(|&(subgenre, names)| names.split('|').map(move |name| (subgenre, name)));
                listed.map(|(subgenre, name)| Playlist { id: identifier(&mut stream), name, subgenre }).collect()
            })
            .collect();
        let mut names = Stream::new(seed, "sample artists", 0);
        let mut taken = HashSet::new();
        let artists: Vec<Vec<String>> = (0..GENRES.len())
            .map(|genre| {
                let count = if genre + 1 == GENRES.len() { LATE_ARTISTS } else { ARTISTS };
                (0..count).map(|_| unused(&mut taken, || artist(genre, &mut names))).collect()
            })
            .collect();
        let mut maker = Maker { copula: Copula::new(), artists, playlists, taken: HashSet::new() };
        let mut songs = Vec::new();
        for genre in 0..GENRES.len() {
            for index in 0..maker.artists[genre].len() {
                let number = (genre * ARTISTS + index) as u64;
                songs.extend(maker.songs(genre, index, &mut Stream::new(seed, "sample songs", number)));
            }
        }
        Catalogue { songs, playlists: maker.playlists }
    }
}

struct Maker {
    copula: Copula,
    artists: Vec<Vec<String>>,
    playlists: Vec<Vec<Playlist>>,
    /// Artist and title of every song so far: two songs must not be taken for one.
    taken: HashSet<String>,
}

impl Maker {
    /// The songs of one artist: three to ten.
    fn songs(&mut self, home: usize, index: usize, stream: &mut Stream) -> Vec<Song> {
        let artist = self.artists[home][index].clone();
        let style = scores(stream);
        let subgenre = stream.below(4);
        let mut last_album: Option<(String, String, String)> = None;
        (0..3 + stream.below(8))
            .map(|_| {
                let genre = self.genre_of_song(home, stream);
                let mut release = self.release(genre, &artist, &style, stream);
                match &last_album {
                    Some((id, name, date)) if chance(stream, 0.4) => {
                        (release.album_id, release.album) = (id.clone(), name.clone());
                        release.date = date.clone();
                        release.numbers[11] = date[..4].parse().unwrap_or(release.numbers[11]);
                    }
                    _ if chance(stream, 0.5) => release.album = album(genre, stream),
                    _ => {}
                }
                last_album = Some((release.album_id.clone(), release.album.clone(), release.date.clone()));
                release.playlists = self.listings(genre, subgenre, stream);
                lose_names(&mut release, stream);
                let mut releases = vec![release];
                if chance(stream, AGAIN) {
                    releases.push(self.again(&releases[0], genre, subgenre, stream));
                }
                Song { releases }
            })
            .collect()
    }

    /// The genre of a song: usually its artist's. The last genre keeps to itself, as it has a file of its own.
    fn genre_of_song(&self, home: usize, stream: &mut Stream) -> usize {
        let early = GENRES.len() - 1;
        if home == early || !chance(stream, OTHER_GENRE) { home } else { stream.below(early) }
    }

    fn release(&mut self, genre: usize, artist: &str, style: &Scores, stream: &mut Stream) -> Release {
        let figures = &GENRES[genre];
        let mut numbers = self.copula.draw(figures, style, stream);
        let year = numbers[11].round();
        numbers[11] = year;
        // Guests come from anywhere, or else a title would tell its genre by them.
        let guests = &self.artists[stream.below(GENRES.len())];
        let guest = &guests[stream.below(guests.len())];
        let name = unused(&mut self.taken, || {
            let mut name = title(genre, stream);
            name += &title_suffix(genre, guest, year as i64, stream);
            format!("{artist}\n{name}")
        });
        let name = name[artist.len() + 1..].to_owned();
        Release {
            id: identifier(stream),
            album_id: identifier(stream),
            album: name.clone(),
            name,
            artist: artist.to_owned(),
            date: date(year as i64, stream),
            numbers,
            key: stream.below(12),
            major: chance(stream, figures.major),
            playlists: Vec::new(),
        }
    }

    /// The playlists that list a song: mostly one, now and then more, some of another genre.
    fn listings(&self, genre: usize, subgenre: usize, stream: &mut Stream) -> Vec<(usize, usize)> {
        let by_subgenre = self.playlists[genre].len() / 4;
        let mut listings = vec![(genre, subgenre * by_subgenre + stream.below(by_subgenre))];
        while chance(stream, 0.1) {
            let listing = (genre, stream.below(self.playlists[genre].len()));
            if !listings.contains(&listing) {
                listings.push(listing);
            }
        }
        let early = GENRES.len() - 1;
        if genre < early && chance(stream, TWO_GENRES) {
            let other = (genre + 1 + stream.below(early - 1)) % early;
            listings.push((other, stream.below(self.playlists[other].len())));
        }
        listings
    }

    /// The same song under another identifier, later, on another album, a little longer or shorter.
    fn again(&self, first: &Release, genre: usize, subgenre: usize, stream: &mut Stream) -> Release {
        let mut release = first.clone();
        release.id = identifier(stream);
        release.album_id = identifier(stream);
        release.album = format!("The Best of {}", first.artist);
        let year = (first.numbers[11] as i64 + 1 + stream.below(8) as i64).min(2019);
        release.date = date(year, stream);
        release.numbers[11] = year as f64;
        release.numbers[0] *= stream.uniform();
        release.numbers[10] += 4.0 * stream.uniform() - 2.0;
        release.playlists = self.listings(genre, subgenre, stream);
        release
    }
}

fn lose_names(release: &mut Release, stream: &mut Stream) {
    let all = chance(stream, NAMELESS / 2.0);
    for name in [&mut release.name, &mut release.artist, &mut release.album] {
        if all || chance(stream, NAMELESS) {
            name.clear();
        }
    }
}

/// Draws until something new comes.
fn unused(taken: &mut HashSet<String>, mut draw: impl FnMut() -> String) -> String {
    let mut drawn = draw();
    // The lists allow for far more names than are drawn; the bound only rules out an endless loop.
    for _ in 0..10_000 {
        if !taken.contains(&drawn) {
            break;
        }
        drawn = draw();
    }
    taken.insert(drawn.clone());
    drawn
}

/// A date within the year: mostly to the day, for old songs often the year alone.
fn date(year: i64, stream: &mut Stream) -> String {
    let (month, day) = match year {
        2020 => (1, 1 + stream.below(16)),
        _ => (1 + stream.below(12), 1 + stream.below(28)),
    };
    let years_only = if year < 1995 { 0.3 } else { 0.02 };
    if chance(stream, years_only) {
        format!("{year}")
    } else if chance(stream, 0.01) {
        format!("{year}-{month:02}")
    } else {
        format!("{year}-{month:02}-{day:02}")
    }
}
