//! How figures read in sentences: `18,745`, `92.9 %`, `3 rows`.

/// `18745` → `18,745`.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `counted(1, "row")` → `1 row`; `counted(1200, "row")` → `1,200 rows`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// A share of 1 in percent with one decimal, never rounded to a bound that it does not reach:
/// 0.9999 → `> 99.9 %`, 0.0001 → `< 0.1 %`.
pub(super) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round();
    if share < 1.0 && tenths >= 1000.0 {
        "> 99.9 %".into()
    } else if share > 0.0 && tenths <= 0.0 {
        "< 0.1 %".into()
    } else {
        format!("{:.1} %", tenths / 10.0)
    }
}

/// At most `limit` characters on one line; control characters (separators of joined keys) become ` · `.
pub(super) fn short(text: &str, limit: usize) -> String {
    let clean: Vec<&str> = text.split(char::is_control).filter(|piece| !piece.is_empty()).collect();
    let clean = clean.join(" · ");
    if clean.chars().count() <= limit {
        return clean;
    }
    let mut cut: String = clean.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Names in a sentence, at most.
const MOST_NAMES: usize = 12;

/// `a`, `a and b`, `a, b and c`; of many the first twelve and how many more.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        many if many.len() > MOST_NAMES => {
            format!("{} and {} more", many[..MOST_NAMES].join(", "), thousands((many.len() - MOST_NAMES) as u64))
        }
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}
