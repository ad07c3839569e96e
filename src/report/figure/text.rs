//! How wide a text is without a font at hand, and numbers as text.
//!
//! Widths are those of a wide sans-serif (DejaVu Sans), so that labels get room rather than clipping where a narrower
//! font is at hand.

/// Estimated width of `text` at `size`, in the units of `size`.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// `text`, or its beginning and an ellipsis where it would be wider than `room`.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_string();
    }
    let mut used = advance('…') * size;
    let mut kept = String::new();
    for character in text.chars() {
        used += advance(character) * size;
        if used > room {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

/// `text`, or its beginning and an ellipsis where it has more than `most` characters.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_string(),
    }
}

/// Advance width in ems.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' | '!' | '.' | ',' | ':' | ';' => 0.31,
        'f' | 't' | 'r' | 'I' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' | '\u{202f}' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 0.97,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '~' | '−' | '±' | '≈' | '×' => 0.74,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        // East Asian scripts and pictographs fill their square.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 1.0,
        '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{1f000}'..='\u{1faff}' => 1.1,
        '\u{20000}'..='\u{3ffff}' => 1.0,
        _ => 0.63,
    }
}

/// A fixed number of decimals, with a true minus sign; `–` for what is not a number.
pub fn decimals(value: f64, places: usize) -> String {
    if value.is_nan() {
        return "–".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_string() } else { "−∞".to_string() };
    }
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_string(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// A share in 0..=1 as a percentage with one decimal, e.g. `12.3 %`; never rounded to a bound that it does not reach.
pub(crate) fn percent(share: f64) -> String {
    match rounded(share) {
        Rounded::AlmostAll => "> 99.9 %".to_string(),
        Rounded::AlmostNone => "< 0.1 %".to_string(),
        Rounded::Other if share.is_nan() => "–".to_string(),
        Rounded::Other => format!("{} %", decimals(share * 100.0, 1)),
    }
}

/// What one decimal of a percentage would say of a share.
pub(crate) enum Rounded {
    /// 100.0 of less than all.
    AlmostAll,
    /// 0.0 of more than nothing.
    AlmostNone,
    Other,
}

pub(crate) fn rounded(share: f64) -> Rounded {
    match (share * 1000.0).round() {
        tenths if share < 1.0 && tenths >= 1000.0 => Rounded::AlmostAll,
        tenths if share > 0.0 && tenths <= 0.0 => Rounded::AlmostNone,
        _ => Rounded::Other,
    }
}

/// `row` of one, `rows` of any other number.
pub fn noun(number: u64, one: &str) -> String {
    match number {
        1 => one.to_owned(),
        // The `ch` of an epoch is a k.
        _ if one.ends_with("ss") || (one.ends_with("ch") && !one.ends_with("epoch")) => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

/// `1 row`, `1,200 rows`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {}", count(number), noun(number, one))
}

/// An integer with commas between thousands, e.g. `28,356`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Three or four significant digits: `0.00123`, `12.35`, `28,356`, `3.2e−7`.
pub fn compact(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        decimals(value, 0)
    } else if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        let text = format!("{value:.2e}");
        match text.split_once('e') {
            Some((digits, exponent)) if digits.contains('.') => {
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                format!("{digits}e{exponent}").replace('-', "−")
            }
            _ => text.replace('-', "−"),
        }
    } else if value.fract() == 0.0 || size >= 10_000.0 {
        let sign = if value < -0.5 { "−" } else { "" };
        format!("{sign}{}", count(size.round() as u64))
    } else {
        let places = match size {
            s if s >= 1_000.0 => 0,
            s if s >= 100.0 => 1,
            s if s >= 1.0 => 2,
            s if s >= 0.1 => 3,
            s if s >= 0.01 => 4,
            s if s >= 0.001 => 5,
            _ => 6,
        };
        let text = decimals(value, places);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    }
}

/// `0.42 s`, `12.3 s`, `4 min 05 s`.
pub fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// `820 kB`, `35 MB`, `1.2 GB`: decimal units.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{} kB", count / 1000),
        10_000_000..1_000_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(28_356), "28,356");
        assert_eq!(count(999), "999");
        assert_eq!(compact(0.001_23), "0.00123");
        assert_eq!(compact(12.345), "12.35");
        assert_eq!(compact(-7.0), "−7");
        assert_eq!(compact(3.2e-7), "3.2e−7");
        assert_eq!(compact(f64::NAN), "–");
        assert_eq!(decimals(-0.000_1, 3), "0.000");
        assert_eq!(decimals(-0.25, 2), "−0.25");
        assert_eq!(percent(0.123_4), "12.3 %");
    }

    #[test]
    fn long_labels_are_cut() {
        assert_eq!(fit("danceability", 12.0, 200.0), "danceability");
        let cut = fit("a very long label that cannot fit", 12.0, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 80.0, "{cut}");
    }
}
