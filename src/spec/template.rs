//! The grammar of `${name}` inside a text.
//!
//! `$${` stands for a literal `${`. Does not know which names exist.

/// A stretch of a scalar. `occurrence` counts the `${` before it, escaped ones included.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Reference { name: &'a str, occurrence: usize },
    Unclosed { occurrence: usize },
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut occurrence = 0;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            // `$${`: drop one dollar, keep the rest as text.
            pieces.push(Piece::Text(&rest[..start - 1]));
            pieces.push(Piece::Text("${"));
            rest = &rest[start + 2..];
            occurrence += 1;
            continue;
        }
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let inner = &rest[start + 2..];
        match inner.find('}') {
            Some(end) => {
                let name = inner[..end].trim();
                pieces.push(Piece::Reference { name, occurrence });
                occurrence += 1 + inner[..end].matches("${").count();
                rest = &inner[end + 1..];
            }
            None => {
                pieces.push(Piece::Unclosed { occurrence });
                rest = "";
            }
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// A text without references, its escapes replaced.
pub(super) fn literal(text: &str) -> Option<String> {
    let text_of = |piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Reference { .. } | Piece::Unclosed { .. } => None,
    };
    pieces(text).into_iter().map(text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::Piece::{Reference, Text, Unclosed};
    use super::{literal, pieces};

    #[test]
    fn references_escapes_and_loose_ends() {
        let reference = |name, occurrence| Reference { name, occurrence };
        assert_eq!(pieces("plain $5 {x}"), [Text("plain $5 {x}")]);
        assert_eq!(pieces("${ a }"), [reference("a", 0)]);
        assert_eq!(pieces("${a}/${b}"), [reference("a", 0), Text("/"), reference("b", 1)]);
        assert_eq!(pieces("$${a}${b}"), [Text(""), Text("${"), Text("a}"), reference("b", 1)]);
        assert_eq!(pieces("x${a"), [Text("x"), Unclosed { occurrence: 0 }]);
        assert_eq!(pieces(""), []);
        assert_eq!(literal("costs $${5}"), Some("costs ${5}".to_owned()));
        assert_eq!([literal("${a}"), literal("x${")], [None, None]);
    }
}
