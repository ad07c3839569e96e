//! The page's style sheet.

use std::fmt::Write;

use crate::figure::Paint;

const LAYOUT: &str = include_str!("style.css");

/// Variables for both themes, the paints of figures in terms of them, then the layout.
pub(crate) fn style_sheet() -> String {
    let light = variables(Paint::light, &PAGE_LIGHT);
    let dark = variables(Paint::dark, &PAGE_DARK);
    let mut sheet = format!(
        ":root{{color-scheme:light;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n\
         :root[data-theme=dark]{{color-scheme:dark;{dark}}}\n\
         @media print{{:root:root:root{{color-scheme:light;{light}}}}}\n"
    );
    for paint in Paint::all() {
        let name = paint.name();
        let _ = write!(sheet, ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}");
        if !matches!(paint, Paint::OnCell { .. }) {
            let _ = write!(sheet, ".b-{name}{{background:var(--{name})}}");
        }
    }
    sheet.push('\n');
    sheet.push_str(LAYOUT);
    sheet
}

/// Colours that only the page has: links, severities (4.5:1 as text on the surface), tinted backgrounds.
const PAGE_LIGHT: [(&str, &str); 7] = [
    ("link", "#0b5aa2"),
    ("ok", "#1a7352"),
    ("note", "#0b5aa2"),
    ("warning", "#955708"),
    ("danger", "#b3261e"),
    ("tint", "#f5f6f8"),
    ("share", "#dbe7f3"),
];
const PAGE_DARK: [(&str, &str); 7] = [
    ("link", "#7abaf5"),
    ("ok", "#63cfa4"),
    ("note", "#7abaf5"),
    ("warning", "#f0b355"),
    ("danger", "#ff8f85"),
    ("tint", "#1c2025"),
    ("share", "#24384d"),
];

fn variables(colour: impl Fn(Paint) -> &'static str, page: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for paint in Paint::all() {
        let _ = write!(text, "--{}:{};", paint.name(), colour(paint));
    }
    for (name, colour) in page {
        let _ = write!(text, "--{name}:{colour};");
    }
    text
}
