//! The files that a `load` stage names, of which a pattern names several.

use std::path::{Path, PathBuf};

use runner_engine::Source;

use super::Load;

/// One file, however it is named.
pub(super) struct Member {
    /// The name under which the pipeline has it, and its port.
    pub(super) name: String,
    /// What `runner.source` calls it: the same, or of a pattern its path.
    pub(super) source: String,
    pub(super) path: PathBuf,
}

impl Member {
    /// What messages call it.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The parameter of the file in the manifest.
    pub(super) fn at(&self) -> String {
        format!("files.{}", self.source)
    }
}

impl Load {
    /// All files, those of a pattern in the order of their paths.
    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(name, path): (&String, &String)| -> Vec<Member> {
            if !is_pattern(path) {
                return vec![Member { name: name.clone(), source: name.clone(), path: PathBuf::from(path) }];
            }
            let of_path = |path: PathBuf| Member { name: name.clone(), source: path.display().to_string(), path };
            matches(path).into_iter().map(of_path).collect()
        };
        self.files.iter().flat_map(member).collect()
    }

    pub(super) fn member_sources(&self) -> Vec<Source> {
        self.members().into_iter().map(|member| Source { at: member.at(), path: member.path }).collect()
    }

    /// The folders that patterns look into.
    pub(super) fn pattern_folders(&self) -> Vec<PathBuf> {
        let patterns = self.files.values().filter(|path| is_pattern(path));
        patterns.flat_map(|pattern| folders(pattern)).map(|folder| here(&folder)).collect()
    }
}

/// Whether a path stands for the files that match it: a file that is called so stands for itself.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?']) && !Path::new(path).exists()
}

/// The files that match a pattern, sorted.
fn matches(pattern: &str) -> Vec<PathBuf> {
    let Some(last) = Path::new(pattern).file_name() else { return Vec::new() };
    let last = last.to_string_lossy();
    let mut found: Vec<PathBuf> =
        folders(pattern).iter().flat_map(|folder| entries(folder, &last)).filter(|path| path.is_file()).collect();
    found.sort();
    found
}

/// The folders of the files that may match.
fn folders(pattern: &str) -> Vec<PathBuf> {
    let parent = Path::new(pattern).parent().unwrap_or(Path::new(""));
    let mut folders = vec![PathBuf::new()];
    for part in parent.components() {
        let name = part.as_os_str().to_string_lossy();
        folders = match name.contains(['*', '?']) {
            true => folders.iter().flat_map(|folder| entries(folder, &name)).filter(|path| path.is_dir()).collect(),
            false => folders.into_iter().map(|folder| folder.join(part)).collect(),
        };
    }
    folders
}

/// What matches a pattern in a folder. Hidden files are named by a dot alone, as in shells.
fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(here(folder)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let fits = |name: &String| (pattern.starts_with('.') || !name.starts_with('.')) && is_match(pattern, name);
    names.filter(fits).map(|name| folder.join(name)).collect()
}

/// The folder as the system knows it, which has no blank one.
fn here(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Whether a name matches a pattern in which `*` stands for any characters and `?` for one.
fn is_match(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // After a mismatch the last `*` takes one character more.
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[here] => (at, here) = (at + 1, here + 1),
            _ => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    (at, here) = (back + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns_match_whole_names() {
        let cases = [
            ("2021-*.csv", "2021-01.csv", true),
            ("2021-*.csv", "2021-01.csv.gz", false),
            ("2021-*.csv*", "2021-01.csv.gz", true),
            ("a?.csv", "aé.csv", true),
            ("a?.csv", "a.csv", false),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxa", false),
            ("*", "", true),
            ("[a].csv", "a.csv", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
        // Linear in the length of the name for each star.
        assert!(!is_match(&"*a".repeat(20), &"b".repeat(2000)));
    }
}
