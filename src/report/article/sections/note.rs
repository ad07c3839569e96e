//! The closing note: which parts a program wrote. Knows of the author's own texts only where they stand.

use super::{ArticleContext, bilingual};
use crate::article::document::Section;

/// `own`: titles of the sections that hold text of the author's own.
pub(crate) fn note(context: &ArticleContext, own: &[String]) -> Section {
    let mut section = Section::new(
        "sec:note",
        context.voice.say("Use of Generative Tools", "Déclaration d'usage d'outils génératifs"),
    );
    let has_own = context.subject.texts().next().is_some();
    let by_author = match (own.is_empty(), has_own) {
        (true, true) => bilingual!(
            context,
            "The author's are the title, the motivation, what is said of the data's origin and of earlier work, and the limits.",
            "Sont de l'auteur le titre, la motivation, ce qui est dit de l'origine des données et des travaux antérieurs, et les limites.",
        ),
        (true, false) => {
            bilingual!(context, "No sentence was written by hand.", "Aucune phrase n'a été écrite à la main.")
        }
        (false, _) => bilingual!(
            context,
            "The author's are passages of these sections: {titles}.",
            "Sont de l'auteur des passages de ces sections : {titles}.",
            titles = context.voice.list(own, 6),
        ),
    };
    section.blocks.extend(context.paragraph([
        Some(bilingual!(
            context,
            "But for the author's own passages, `runner` {version} wrote sentences, numbers, tables, figures and references from the results; each judgement is that of a test or of a stated rule.",
            "Hormis les passages de l'auteur, `runner` {version} a écrit phrases, nombres, tableaux, figures et références d'après les résultats ; chaque jugement est celui d'un test ou d'une règle énoncée.",
            version = env!("CARGO_PKG_VERSION"),
        )),
        Some(by_author),
    ]));
    section
}
