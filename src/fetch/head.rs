//! The part of an answer before its body, as far as it concerns us. All of it is the server's word.

use ureq::http::{HeaderMap, Response};

use super::Failure;

pub(super) struct Head {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) linked_tag: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) linked_size: Option<String>,
    pub(crate) length: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) encodings: Vec<String>,
    /// Whether the body's end is told by the body itself.
    pub(crate) chunked: bool,
}

impl Head {
    pub(super) fn of<T>(response: &Response<T>) -> Head {
        let headers = response.headers();
        // Entity tags stand in quotes.
        let tag = |name| text(headers, name).map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_string());
        let encodings = headers.get_all("content-encoding").iter();
        Head {
            status: response.status().as_u16(),
            location: text(headers, "location"),
            commit: text(headers, "x-repo-commit"),
            linked_tag: tag("x-linked-etag"),
            tag: tag("etag"),
            linked_size: text(headers, "x-linked-size"),
            length: text(headers, "content-length"),
            range: text(headers, "content-range"),
            encodings: encodings.map(|value| value.to_str().unwrap_or("unreadable").trim().to_string()).collect(),
            chunked: text(headers, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")),
        }
    }

    pub(super) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|value| value.trim().to_string())
}

pub(super) fn number(name: &str, text: &str) -> Result<u64, Failure> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| Failure::Other(format!("answers with {name} '{}'; refused", shown(text))))
}

/// `bytes 5-9/10` → (5, 9, 10)
pub(super) fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let number = |text: &str| number("", text).ok();
    let (start, end, total) = (number(start)?, number(end)?, number(total)?);
    (start <= end && end < total).then_some((start, end, total))
}

/// A server's word in a message: short, and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, 10)));
        for text in ["", "bytes 5-9/*", "bytes 9-5/10", "bytes 5-10/10", "bytes +5-9/10", "bytes -9/10", "items 5-9/10"]
        {
            assert_eq!(content_range(text), None, "{text}");
        }
        assert_eq!(content_range("bytes 0-18446744073709551615/18446744073709551616"), None);
    }
}
