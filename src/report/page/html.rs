//! HTML as text: escaping, identifiers for links, and the page's own words in its language.

use crate::figure::svg::escape_into;

/// The language of the page's own words (contents, theme, sort); the content is its author's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The words of a page in English.
    #[default]
    English,
    /// The words of a page in French.
    French,
}

/// An identifier for links made of any text: ASCII letters, digits, `_` and `-`, never empty.
pub(crate) fn anchor(prefix: &str, name: &str) -> String {
    let mut id = String::from(prefix);
    for character in name.chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            id.push(character);
        } else {
            // Distinct names keep distinct anchors.
            id.push_str(&format!("-{:x}", u32::from(character)));
        }
    }
    if id.is_empty() { "section".to_string() } else { id }
}

/// The identifier of the panel that shows a stage in full.
pub(crate) fn panel_of(stage: &str) -> String {
    anchor("panel-", stage)
}

/// HTML under construction: `raw` takes markup of this module's own, `text` whatever a user wrote.
pub(crate) struct Html(pub(super) String);

impl Html {
    pub(crate) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    pub(crate) fn text(&mut self, text: &str) {
        escape_into(&mut self.0, text);
    }

    pub(crate) fn element(&mut self, tag: &str, text: &str) {
        self.raw(&format!("<{tag}>"));
        self.text(text);
        self.raw(&format!("</{tag}>\n"));
    }
}

/// The page's own words.
pub(super) struct Words {
    pub(crate) code: &'static str,
    pub(crate) contents: &'static str,
    pub(crate) skip: &'static str,
    /// Those of the script, by the names that it has for them.
    pub(crate) script: [(&'static str, &'static str); 8],
}

impl Words {
    pub(crate) fn of(language: Language) -> Words {
        match language {
            Language::English => Words {
                code: "en",
                contents: "Contents",
                skip: "Skip to the content",
                script: [
                    ("theme", "Light or dark"),
                    ("sort", "sort by"),
                    ("close", "Close"),
                    ("explore", "Explore the curves"),
                    ("show", "show"),
                    ("log", "log scale"),
                    ("smoothing", "smoothing"),
                    ("none", "none"),
                ],
            },
            Language::French => Words {
                code: "fr",
                contents: "Sommaire",
                skip: "Aller au contenu",
                script: [
                    ("theme", "Clair ou sombre"),
                    ("sort", "trier par"),
                    ("close", "Fermer"),
                    ("explore", "Explorer les courbes"),
                    ("show", "afficher"),
                    ("log", "échelle log"),
                    ("smoothing", "lissage"),
                    ("none", "aucun"),
                ],
            },
        }
    }
}
