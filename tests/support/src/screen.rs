//! What the program says, whole, as snapshots hold it: without what differs between two runs or two machines.

use std::path::Path;
use std::process::Output;
use std::sync::LazyLock;

use regex::Regex;

use crate::workspace::Workspace;

impl Workspace {
    /// The command and all that it says, with its exit code where it is not 0.
    pub fn screen(&self, arguments: &[&str]) -> String {
        self.screen_with(arguments, &[])
    }

    /// The same with environment variables, e.g. `COLUMNS`.
    pub fn screen_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.command(arguments).envs(variables.iter().copied()).output().expect("the program starts");
        format!("$ runner {}\n{}", arguments.join(" "), self.said(&output))
    }

    /// What an output says; standard error below standard output.
    pub fn said(&self, output: &Output) -> String {
        let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let line = if !out.is_empty() && !error.is_empty() { "[standard error]\n" } else { "" };
        let code = match output.status.code() {
            Some(0) => String::new(),
            Some(code) => format!("[exit code {code}]\n"),
            None => "[killed]\n".to_owned(),
        };
        self.stable(&format!("{out}{line}{error}{code}"))
    }

    /// A text without what differs between two runs of it or two machines.
    pub fn stable(&self, text: &str) -> String {
        let real = std::fs::canonicalize(self.path()).expect("a folder");
        let text = [real.as_path(), self.path()]
            .iter()
            .fold(text.to_owned(), |text, folder| text.replace(&folder.display().to_string(), "[folder]"));
        stable(&text)
    }
}

/// A text without times, sizes, digests, numbers of runs, and spaces at the ends of its lines.
pub fn stable(text: &str) -> String {
    static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let temporary = std::env::temp_dir();
        let real = temporary.canonicalize().unwrap_or_else(|_| temporary.clone());
        let folder = |folder: &Path| regex::escape(folder.to_string_lossy().trim_end_matches('/'));
        let temporary = format!(r"({}|{})/\.tmp\w{{6}}\b", folder(&real), folder(&temporary));
        [
            (temporary.as_str(), "[temporary]"),
            (r"\b\d{8}-\d{6}-[0-9a-f]{2}\b", "[run]"),
            (r"\b\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC\b", "[date]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
            (r"\b[0-9a-f]{64}\b", "[digest]"),
            (r"\b[0-9a-f]{12}\b", "[digest]"),
            // With the spaces before them, which are fewer before a longer one.
            (r" +\d+(\.\d+)? (ms|s|min|h)\b( \d+ (s|min)\b)?", " [time]"),
            (r" +\d+(\.\d+)? ([kMG]?B)\b", " [size]"),
            (r"\(\d+(\.\d+)? ([kMG]?B)\)", "([size])"),
            (r"(?m)^(  (machine|runner)  ) .*$", "$1 [$2]"),
            // Of a stage, in an explanation: raised with every change of what it computes.
            (r"(?m)^(  version +)\d+$", "$1[version]"),
            (r"texts per second [\d,]+", "texts per second [number]"),
            // Of a vector, cut where the screen ends.
            (r"\[-?\d\.\d{4,}.*…", "[numbers…]"),
            (r"\(process \d+: [^)]*\)", "(process [number]: [command])"),
            // Numbered differently by each system.
            (r"Connection refused \(os error \d+\)", "Connection refused"),
            (r"just now|\[time\] ago", "[when]"),
            // Above such columns.
            (r"\b(when|time) {2,}", "$1  "),
            (r"(?m) +$", ""),
        ]
        .map(|(pattern, to)| (Regex::new(pattern).expect("a pattern"), to))
        .into()
    });
    VARYING.iter().fold(text.to_owned(), |text, (pattern, to)| pattern.replace_all(&text, *to).into_owned())
}

/// A text whose decimals are `#`: how it is laid out, where the numbers are what another processor may round otherwise.
pub fn without_decimals(text: &str) -> String {
    static DECIMALS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+\.\d+").expect("a pattern"));
    let hide = |found: &regex::Captures| found[0].chars().map(|c| if c == '.' { '.' } else { '#' }).collect::<String>();
    DECIMALS.replace_all(text, hide).into_owned()
}
