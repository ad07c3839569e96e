//! Values of a table as examples show them.

/// At most `limit` characters on one line; control characters (separators of joined keys) become ` · `.
pub(in crate::profile) fn short(text: &str, limit: usize) -> String {
    let clean: Vec<&str> = text.split(char::is_control).filter(|piece| !piece.is_empty()).collect();
    let clean = clean.join(" · ");
    if clean.chars().count() <= limit {
        return clean;
    }
    let mut cut: String = clean.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
