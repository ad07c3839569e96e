//! Characters beyond ASCII for LaTeX with the encodings T1 and TS1 and the symbols of amssymb: as they are, composed of a letter and accents, or by a
//! command.

use std::fmt::Write as _;

use crate::characters::{parts, plain_form};

/// Whether LaTeX has the character in T1 or TS1, so that it can stand in the text as it is.
pub(crate) fn is_of_t1(character: char) -> bool {
    match character {
        '\u{ad}' | '\u{b8}' => false,
        '\u{126}' | '\u{127}' | '\u{138}' | '\u{13f}' | '\u{140}' | '\u{149}' | '\u{166}' | '\u{167}' => false,
        '\u{a1}'..='\u{17e}' => true,
        'ƒ' | 'ȷ' | 'ẞ' | '‖' | '†' | '‡' | '•' | '‰' | '‱' | '※' | '‽' | '⁄' => true,
        '‘' | '‚' | '„' | '‹' | '›' | '␣' => true,
        '€' | '₡' | '₤' | '₦' | '₩' | '₫' | '₱' | '฿' => true,
        '℃' | '№' | '℗' | '℞' | '℠' | '™' | '℧' | '℮' => true,
        '←' | '↑' | '↓' | '◦' | '◯' | '♪' => true,
        _ => false,
    }
}

/// Accents over or under a letter of T1, by their combining characters.
const ACCENTS: [(char, &str); 16] = [
    ('\u{300}', "\\`"),
    ('\u{301}', "\\'"),
    ('\u{302}', "\\^"),
    ('\u{303}', "\\~"),
    ('\u{304}', "\\="),
    ('\u{306}', "\\u"),
    ('\u{307}', "\\."),
    ('\u{308}', "\\\""),
    ('\u{30a}', "\\r"),
    ('\u{30b}', "\\H"),
    ('\u{30c}', "\\v"),
    ('\u{323}', "\\d"),
    ('\u{326}', "\\textcommabelow"),
    ('\u{327}', "\\c"),
    ('\u{328}', "\\k"),
    ('\u{331}', "\\b"),
];

/// The same over a letter of mathematics.
const MATH_ACCENTS: [(char, &str); 8] = [
    ('\u{300}', "\\grave"),
    ('\u{301}', "\\acute"),
    ('\u{302}', "\\hat"),
    ('\u{303}', "\\tilde"),
    ('\u{304}', "\\bar"),
    ('\u{306}', "\\breve"),
    ('\u{308}', "\\ddot"),
    ('\u{342}', "\\tilde"),
];

/// Greek letters; capitals that look as Latin ones are those.
const GREEK: [(char, &str); 58] = [
    ('Α', "\\mathrm{A}"),
    ('Β', "\\mathrm{B}"),
    ('Γ', "\\Gamma"),
    ('Δ', "\\Delta"),
    ('Ε', "\\mathrm{E}"),
    ('Ζ', "\\mathrm{Z}"),
    ('Η', "\\mathrm{H}"),
    ('Θ', "\\Theta"),
    ('Ι', "\\mathrm{I}"),
    ('Κ', "\\mathrm{K}"),
    ('Λ', "\\Lambda"),
    ('Μ', "\\mathrm{M}"),
    ('Ν', "\\mathrm{N}"),
    ('Ξ', "\\Xi"),
    ('Ο', "\\mathrm{O}"),
    ('Π', "\\Pi"),
    ('Ρ', "\\mathrm{P}"),
    ('Σ', "\\Sigma"),
    ('Τ', "\\mathrm{T}"),
    ('Υ', "\\Upsilon"),
    ('Φ', "\\Phi"),
    ('Χ', "\\mathrm{X}"),
    ('Ψ', "\\Psi"),
    ('Ω', "\\Omega"),
    ('α', "\\alpha"),
    ('β', "\\beta"),
    ('γ', "\\gamma"),
    ('δ', "\\delta"),
    ('ε', "\\varepsilon"),
    ('ζ', "\\zeta"),
    ('η', "\\eta"),
    ('θ', "\\theta"),
    ('ι', "\\iota"),
    ('κ', "\\kappa"),
    ('λ', "\\lambda"),
    ('μ', "\\mu"),
    ('ν', "\\nu"),
    ('ξ', "\\xi"),
    ('ο', "o"),
    ('π', "\\pi"),
    ('ρ', "\\rho"),
    ('ς', "\\varsigma"),
    ('σ', "\\sigma"),
    ('τ', "\\tau"),
    ('υ', "\\upsilon"),
    ('φ', "\\varphi"),
    ('χ', "\\chi"),
    ('ψ', "\\psi"),
    ('ω', "\\omega"),
    ('ϑ', "\\vartheta"),
    ('ϕ', "\\phi"),
    ('ϖ', "\\varpi"),
    ('ϝ', "\\digamma"),
    ('ϰ', "\\varkappa"),
    ('ϱ', "\\varrho"),
    ('ϵ', "\\epsilon"),
    ('϶', "\\backepsilon"),
    ('ℓ', "\\ell"),
];

/// Signs of mathematics and of music.
const SIGNS: [(char, &str); 118] = [
    ('−', "-"),
    ('×', "\\times"),
    ('±', "\\pm"),
    ('∓', "\\mp"),
    ('·', "\\cdot"),
    ('⋅', "\\cdot"),
    ('∗', "\\ast"),
    ('∘', "\\circ"),
    ('∙', "\\bullet"),
    ('≤', "\\leq"),
    ('≥', "\\geq"),
    ('≪', "\\ll"),
    ('≫', "\\gg"),
    ('≈', "\\approx"),
    ('≠', "\\neq"),
    ('≡', "\\equiv"),
    ('≅', "\\cong"),
    ('≃', "\\simeq"),
    ('∼', "\\sim"),
    ('≲', "\\lesssim"),
    ('≳', "\\gtrsim"),
    ('≺', "\\prec"),
    ('≻', "\\succ"),
    ('∝', "\\propto"),
    ('∞', "\\infty"),
    ('→', "\\rightarrow"),
    ('↔', "\\leftrightarrow"),
    ('↕', "\\updownarrow"),
    ('↗', "\\nearrow"),
    ('↘', "\\searrow"),
    ('↙', "\\swarrow"),
    ('↖', "\\nwarrow"),
    ('↦', "\\mapsto"),
    ('↪', "\\hookrightarrow"),
    ('⇐', "\\Leftarrow"),
    ('⇑', "\\Uparrow"),
    ('⇒', "\\Rightarrow"),
    ('⇓', "\\Downarrow"),
    ('⇔', "\\Leftrightarrow"),
    ('∀', "\\forall"),
    ('∃', "\\exists"),
    ('∄', "\\nexists"),
    ('∅', "\\emptyset"),
    ('∈', "\\in"),
    ('∉', "\\notin"),
    ('∋', "\\ni"),
    ('⊂', "\\subset"),
    ('⊃', "\\supset"),
    ('⊆', "\\subseteq"),
    ('⊇', "\\supseteq"),
    ('∩', "\\cap"),
    ('∪', "\\cup"),
    ('∖', "\\setminus"),
    ('∧', "\\wedge"),
    ('∨', "\\vee"),
    ('⊕', "\\oplus"),
    ('⊖', "\\ominus"),
    ('⊗', "\\otimes"),
    ('⊙', "\\odot"),
    ('⊢', "\\vdash"),
    ('⊤', "\\top"),
    ('⊥', "\\perp"),
    ('∥', "\\parallel"),
    ('∣', "\\mid"),
    ('∠', "\\angle"),
    ('∡', "\\measuredangle"),
    ('∂', "\\partial"),
    ('∇', "\\nabla"),
    ('∆', "\\Delta"),
    ('∏', "\\prod"),
    ('∑', "\\sum"),
    ('∫', "\\int"),
    ('∮', "\\oint"),
    ('√', "\\surd"),
    ('∴', "\\therefore"),
    ('∵', "\\because"),
    ('′', "\\prime"),
    ('⟨', "\\langle"),
    ('⟩', "\\rangle"),
    ('⌈', "\\lceil"),
    ('⌉', "\\rceil"),
    ('⌊', "\\lfloor"),
    ('⌋', "\\rfloor"),
    ('…', "\\ldots"),
    ('⋯', "\\cdots"),
    ('⋮', "\\vdots"),
    ('⋱', "\\ddots"),
    ('ℂ', "\\mathbb{C}"),
    ('ℕ', "\\mathbb{N}"),
    ('ℙ', "\\mathbb{P}"),
    ('ℚ', "\\mathbb{Q}"),
    ('ℝ', "\\mathbb{R}"),
    ('ℤ', "\\mathbb{Z}"),
    ('ℵ', "\\aleph"),
    ('ℑ', "\\Im"),
    ('ℜ', "\\Re"),
    ('℘', "\\wp"),
    ('ℏ', "\\hbar"),
    ('□', "\\square"),
    ('■', "\\blacksquare"),
    ('△', "\\vartriangle"),
    ('▲', "\\blacktriangle"),
    ('▽', "\\triangledown"),
    ('▼', "\\blacktriangledown"),
    ('▷', "\\rhd"),
    ('◁', "\\lhd"),
    ('◊', "\\lozenge"),
    ('◆', "\\blacklozenge"),
    ('★', "\\bigstar"),
    ('⋆', "\\star"),
    ('✓', "\\checkmark"),
    ('✠', "\\maltese"),
    ('♠', "\\spadesuit"),
    ('♡', "\\heartsuit"),
    ('♢', "\\diamondsuit"),
    ('♣', "\\clubsuit"),
    ('♭', "\\flat"),
    ('♯', "\\sharp"),
];

/// Accents that letters of languages have, one on another; pdfTeX takes twice as long for each.
const MOST_ACCENTS: usize = 3;

/// A letter with its accents, or a sign, as LaTeX composes it; `None` for what it cannot. `escaped` writes plain characters.
pub(crate) fn composed(cluster: &str, escaped: &dyn Fn(&str) -> String) -> Option<String> {
    let mut characters = cluster.chars();
    if let (Some(one), None) = (characters.next(), characters.next())
        && let Some(found) = alone(one, escaped)
    {
        return Some(found);
    }
    let (letter, accents) = parts(cluster)?;
    if accents.len() > MOST_ACCENTS {
        return None;
    }
    if let Some((_, name)) = GREEK.iter().find(|(known, _)| *known == letter) {
        let over = |inner: String, accent: &char| Some(format!("{}{{{inner}}}", command(&MATH_ACCENTS, *accent)?));
        return Some(format!("${}$", accents.iter().try_fold((*name).to_owned(), over)?));
    }
    if !letter.is_alphabetic() || !(letter.is_ascii() || is_of_t1(letter)) {
        return None;
    }
    // A dot would stand under the accent.
    let mut accents = accents.as_slice();
    let is_above = |accent: &char| !matches!(accent, '\u{323}'..='\u{331}');
    let letter = match letter {
        'i' | 'j' if accents.iter().any(is_above) => format!("\\{letter}"),
        other => other.to_string(),
    };
    let mut inner = letter;
    while let Some((accent, rest)) = accents.split_first() {
        inner = format!("{}{{{inner}}}", command(&ACCENTS, *accent)?);
        accents = rest;
    }
    Some(inner)
}

/// What is no letter with accents.
fn alone(character: char, escaped: &dyn Fn(&str) -> String) -> Option<String> {
    if let Some((_, name)) = SIGNS.iter().find(|(known, _)| *known == character) {
        return Some(format!("${name}$"));
    }
    let plain = plain_form(character);
    let superscript = |text: &str| format!("\\textsuperscript{{{}}}", escaped(text));
    let subscript = |text: &str| format!("\\textsubscript{{{}}}", escaped(text));
    Some(match character {
        // Between them are some that no Unicode has yet.
        '⁰'..='₎' if plain == character.to_string() => return None,
        '\u{2010}' => "-".to_owned(),
        '\u{2011}' => "\\mbox{-}".to_owned(),
        '\u{2012}' => "--".to_owned(),
        '\u{2015}' => "---".to_owned(),
        '\u{2bc}' => "'".to_owned(),
        '\u{b8}' => "\\c{}".to_owned(),
        '♥' => "$\\heartsuit$".to_owned(),
        '♦' => "$\\diamondsuit$".to_owned(),
        '″' => "$\\prime\\prime$".to_owned(),
        '⁰'..='⁹' | '⁺'..='ⁿ' => superscript(&plain),
        '₀'..='₎' => subscript(&plain),
        '⅐'..='⅞' => {
            let (above, below) = plain.split_once('⁄')?;
            let mut out = superscript(above);
            let _ = write!(out, "\\textfractionsolidus{{}}{}", subscript(below));
            out
        }
        // Digraphs and ligatures.
        '\u{13f}' | '\u{140}' | '\u{149}' | 'Ǆ'..='ǌ' | 'ﬀ'..='ﬆ' => escaped(&plain),
        _ => return None,
    })
}

fn command(accents: &[(char, &'static str)], accent: char) -> Option<&'static str> {
    accents.iter().find(|(known, _)| *known == accent).map(|(_, command)| *command)
}

/// Whether a command of that name is one of those that this module writes.
#[cfg(test)]
pub(crate) fn is_command(name: &str) -> bool {
    let all = [&ACCENTS[..], &MATH_ACCENTS, &GREEK, &SIGNS].concat();
    let is_it = |written: &str| {
        let rest = written.strip_prefix('\\');
        rest.is_some_and(|rest| rest.split('{').next() == Some(name))
    };
    name == "i" || name == "j" || name == "prime" || all.iter().any(|(_, written)| is_it(written))
}
