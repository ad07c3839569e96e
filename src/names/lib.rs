//! Names that become files and folders: which ones every common file system can hold, and short ones made from any text.
//!
//! A study travels: results are made on one system, zipped, and opened on another. So a name is refused before anything runs if Linux, macOS or
//! Windows could not hold it, or if two names would be one file where upper and lower case are the same.
//!
//! And names in messages: the one that was meant ([`suggest`]), and long lists of them ([`listed`]); and for people, in their language ([`Localized`]).

mod figure;
mod localized;
mod suggest;

pub use figure::FigureNames;
pub use localized::Localized;
pub use suggest::{did_you_mean, listed, listed_up_to, suggest};

use std::collections::HashMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// The longest name of a file or folder, in bytes, on the common file systems.
const LONGEST: usize = 255;
/// Characters of a name that a message shows.
const SHOWN: usize = 40;
/// What Windows keeps for devices, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Separators and wildcards of Windows; `/` and `\` are told apart from them.
const RESERVED: [char; 7] = ['<', '>', ':', '"', '|', '?', '*'];

/// The names in one folder: each may be there once, however its letters are written.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// As written, by what a file system that ignores case, or how an accent is written, takes it for.
    taken: HashMap<String, String>,
}

/// Why a name cannot be that of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFault {
    name: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Empty,
    Folder,
    Separator(char),
    Control(char),
    Reserved(char),
    Hidden,
    Ends(char),
    Device,
    Long { ending: String },
    Taken { by: String },
}

impl Folder {
    /// A folder that holds these already.
    pub fn with(names: &[&str]) -> Self {
        let mut folder = Folder::default();
        names.iter().for_each(|name| folder.take(name));
        folder
    }

    /// Adds a name. `ending` is what is added to it on disk, e.g. `.arrow`.
    ///
    /// # Errors
    /// The name cannot be that of a file, or is taken.
    pub fn add(&mut self, name: &str, ending: &str) -> Result<(), NameFault> {
        check(name, ending)?;
        let whole = format!("{name}{ending}");
        if let Some(by) = self.taken.get(&folded(&whole)) {
            return Err(NameFault { name: name.to_owned(), reason: Reason::Taken { by: by.clone() } });
        }
        self.take(&whole);
        Ok(())
    }

    fn take(&mut self, name: &str) {
        self.taken.insert(folded(name), name.to_owned());
    }
}

/// Whether a file or folder can have this name, with `ending` added to it.
///
/// # Errors
/// Why it cannot.
pub fn check(name: &str, ending: &str) -> Result<(), NameFault> {
    let reason = reason(name, ending);
    reason.map_or(Ok(()), |reason| Err(NameFault { name: name.to_owned(), reason }))
}

fn reason(name: &str, ending: &str) -> Option<Reason> {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port = numbered
        .is_some_and(|number| matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"));
    Some(match name {
        "" => Reason::Empty,
        "." | ".." => Reason::Folder,
        _ => {
            if let Some(c) = name.chars().find(|c| matches!(c, '/' | '\\')) {
                Reason::Separator(c)
            } else if let Some(c) = name.chars().find(|&c| c.is_control() || is_invisible(c)) {
                Reason::Control(c)
            } else if let Some(c) = name.chars().find(|c| RESERVED.contains(c)) {
                Reason::Reserved(c)
            } else if name.starts_with('.') {
                Reason::Hidden
            } else if let Some(c) =
                name.chars().last().filter(|&c| ending.is_empty() && (c == '.' || c.is_whitespace()))
            {
                Reason::Ends(c)
            } else if DEVICES.contains(&stem.as_str()) || is_port {
                Reason::Device
            } else if name.len() + ending.len() > LONGEST {
                Reason::Long { ending: ending.to_owned() }
            } else {
                return None;
            }
        }
    })
}

/// Marks of writing direction, and what breaks a line: a name that holds them is not the name that is seen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What a file system that ignores case takes a name for.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase().nfc().collect()
}

impl NameFault {
    /// What to do.
    pub fn help(&self) -> String {
        match &self.reason {
            Reason::Long { ending } if !ending.is_empty() => {
                format!(
                    "choose a shorter one: a file's name has at most {LONGEST} bytes, and '{ending}' is added to this one"
                )
            }
            Reason::Long { .. } => format!("choose a shorter one: a file's name has at most {LONGEST} bytes"),
            Reason::Taken { .. } => {
                "choose another name: upper and lower case, and the ways to write an accent, are the same on many disks"
                    .to_owned()
            }
            Reason::Device => "choose another name: Windows keeps it for a device, whatever its extension".to_owned(),
            Reason::Separator(_) => "give a plain name, without folders".to_owned(),
            _ => "choose letters, digits, '-' and '_'".to_owned(),
        }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NameFault { name, reason } = self;
        let shown: String = name.chars().take(SHOWN).collect();
        let cut = if shown.len() < name.len() { "…" } else { "" };
        write!(f, "'{shown}{cut}' cannot be the name of a file: ")?;
        match reason {
            Reason::Empty => f.write_str("it is empty"),
            Reason::Folder => f.write_str("it means a folder"),
            Reason::Separator(c) => write!(f, "it holds '{c}'"),
            Reason::Control(c) => write!(f, "it holds the control character U+{:04X}", u32::from(*c)),
            Reason::Reserved(c) => write!(f, "it holds '{c}', which Windows does not allow"),
            Reason::Hidden => f.write_str("it begins with '.'"),
            Reason::Ends(c) => write!(f, "it ends with '{c}', which Windows drops"),
            Reason::Device => f.write_str("it is a device of Windows"),
            Reason::Long { ending } => write!(f, "it has {} bytes{}", name.len() + ending.len(), with(ending)),
            Reason::Taken { by } if by == name => f.write_str("it is taken"),
            Reason::Taken { by } => write!(f, "'{by}' is the same file on many disks"),
        }
    }
}

impl std::error::Error for NameFault {}

fn with(ending: &str) -> String {
    if ending.is_empty() { String::new() } else { format!(" with '{ending}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_cannot_hold_are_refused() {
        let long = "é".repeat(128);
        let wrong = [
            "",
            ".",
            "..",
            "a/b",
            "a/",
            "/",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "a:b",
            "what?",
            ".hidden",
            "end.",
            "end ",
            "nul",
            "Con.csv",
            "com1",
            "LPT9.x.y",
            "COM¹",
            &long,
        ];
        for name in wrong {
            assert!(check(name, "").is_err(), "{name:?}");
        }
        for name in [
            "a",
            "train",
            "2019-q1",
            "a.b",
            "été",
            "日本語",
            "console",
            "com0",
            "com10",
            "null",
            "net@lr=1e-3,depth=2",
            " a",
        ] {
            assert_eq!(check(name, ".arrow"), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn what_is_added_counts() {
        let name = "p".repeat(250);
        assert_eq!(check(&name, ""), Ok(()));
        let fault = check(&name, ".arrow").unwrap_err();
        assert_eq!(
            fault.to_string(),
            format!("'{}…' cannot be the name of a file: it has 256 bytes with '.arrow'", "p".repeat(40))
        );
        // With an ending behind it, a point or a space is not the last character.
        assert_eq!(check("end.", ".arrow"), Ok(()));
    }

    #[test]
    fn a_name_is_taken_once_whatever_its_case() {
        let mut folder = Folder::with(&["README.md"]);
        assert_eq!(folder.add("a", ".csv"), Ok(()));
        assert_eq!(folder.add("a", ".json"), Ok(()));
        assert_eq!(
            folder.add("A.csv", "").unwrap_err().to_string(),
            "'A.csv' cannot be the name of a file: 'a.csv' is the same file on many disks"
        );
        assert_eq!(
            folder.add("readme.MD", "").unwrap_err().to_string(),
            "'readme.MD' cannot be the name of a file: 'README.md' is the same file on many disks"
        );
        assert!(folder.add("STRASSE", "").is_ok() && folder.add("straße", "").is_err());
        // One accent, in two ways.
        assert!(folder.add("\u{e9}.csv", "").is_ok() && folder.add("e\u{301}.CSV", "").is_err());
    }
}
