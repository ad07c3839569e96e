//! A small checker of well-formed markup: tags balance, attributes are quoted, `<` and `&` occur as markup only.

use std::collections::HashMap;

/// One start tag in document order.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub name: String,
    pub attributes: HashMap<String, String>,
}

/// The start tags of a document, or what is wrong with it and where.
pub(crate) fn check(document: &str) -> Result<Vec<Tag>, String> {
    let mut rest = document.strip_prefix("<!doctype html>").unwrap_or(document);
    let mut open: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    while let Some(start) = rest.find('<') {
        text(&rest[..start])?;
        rest = &rest[start..];
        let near = || rest.chars().take(60).collect::<String>();
        let end = tag_end(rest).ok_or_else(|| format!("a tag without end at {}", near()))?;
        let inside = &rest[1..end];
        if let Some(name) = inside.strip_prefix('/') {
            let expected = open.pop().ok_or_else(|| format!("nothing is open at {}", near()))?;
            if expected != name {
                return Err(format!("</{name}> closes <{expected}> at {}", near()));
            }
        } else {
            let closed = inside.ends_with('/');
            let tag = tag(inside.trim_end_matches('/')).map_err(|e| format!("{e} at {}", near()))?;
            if !closed {
                open.push(tag.name.clone());
            }
            let raw = matches!(tag.name.as_str(), "script" | "style") && !closed;
            let name = tag.name.clone();
            tags.push(tag);
            if raw {
                let closing = format!("</{name}>");
                let skip = rest[end..].find(&closing).ok_or_else(|| format!("{closing} is missing"))?;
                rest = &rest[end + skip..];
                continue;
            }
        }
        rest = &rest[end + 1..];
    }
    text(rest)?;
    if open.is_empty() { Ok(tags) } else { Err(format!("still open: {open:?}")) }
}

/// The place of the `>` that ends a tag; quoted ones do not count.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quoted = false;
    rest.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn tag(inside: &str) -> Result<Tag, String> {
    let inside = inside.trim_end();
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("bad tag name '{name}'"));
    }
    let mut attributes = HashMap::new();
    while !rest.trim().is_empty() {
        let (key, after) = rest.trim_start().split_once("=\"").ok_or("an attribute without value")?;
        let (value, after) = after.split_once('"').ok_or("an attribute without end")?;
        text(value)?;
        if !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ':') {
            return Err(format!("bad attribute name '{key}'"));
        }
        if attributes.insert(key.to_string(), value.to_string()).is_some() {
            return Err(format!("attribute '{key}' twice"));
        }
        rest = after;
    }
    Ok(Tag { name: name.to_string(), attributes })
}

/// Text between tags or in a value: no control characters, and every `&` begins one of the five entities.
fn text(text: &str) -> Result<(), String> {
    if let Some(bad) = text.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("control character {bad:?}"));
    }
    for after in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| after.starts_with(entity)) {
            return Err(format!("a bare & before '{}'", after.chars().take(20).collect::<String>()));
        }
    }
    Ok(())
}
