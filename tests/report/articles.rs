//! Articles of a made-up study with every kind of stage, through the library: whole in both languages, and within eight pages.

use runner::report::article::{
    Article, LABELS, Language, MOST_PAGES, Request, article, estimate, fit, fit_by_pages, latex,
};

use super::fixture;
use crate::article::compile;

fn made(language: Language) -> Article {
    let (stages, edges) = fixture::study();
    let request = Request {
        title: "Genres from numbers, titles & artists: 100 % of_it".to_owned(),
        author: "A. Student".to_owned(),
        affiliation: "University of X".to_owned(),
        language,
        ..Request::default()
    };
    article(&request, &stages, &edges, &[]).expect("an article")
}

/// Article, appendix and references as they are written, whole, in both languages.
#[test]
fn what_an_article_says() {
    for (language, name_of) in [(Language::English, "english"), (Language::French, "french")] {
        let mut article = made(language);
        let Ok(_) = fit(&mut article, |article| Ok::<_, std::convert::Infallible>(estimate(article)));
        for (name, bytes) in latex(&article) {
            if let Some(name) = name.strip_suffix(".tex").or(name.strip_suffix(".bib")) {
                let text = String::from_utf8(bytes).expect("UTF-8").replace(env!("CARGO_PKG_VERSION"), "[version]");
                insta::assert_snapshot!(format!("{name}_{name_of}"), text);
            }
        }
    }
}

#[test]
fn an_article_is_whole_in_both_languages() {
    for language in [Language::English, Language::French] {
        let article = made(language);
        assert_eq!(article.dangling(), Vec::<String>::new());
        assert_eq!(article.sections.len(), 6);
        let inner = article.sections.iter().flat_map(|section| section.subsections.iter().map(|inner| &inner.label));
        let labels = article.sections.iter().map(|section| &section.label).chain(inner);
        for label in labels.chain(article.floats().map(|float| &float.label)) {
            assert!(
                LABELS.iter().any(|(known, _)| known == label),
                "'{label}' can be referred to, but is not in `LABELS`"
            );
        }
        let (floats, works) = (article.floats().count(), article.works.len());
        assert!(floats >= 8 && works >= 10, "{floats} figures and tables, {works} works");
        let letters: String = article.texts().iter().map(|text| text.letters()).collect::<Vec<_>>().join("\n");
        // What the markup did not understand would show as its own signs.
        for sign in ["**", "[@", "@fig", "@tab", "@sec", "{", "}", "NaN", "inf "] {
            assert!(!letters.contains(sign), "{sign} in {letters}");
        }
    }
}

/// What a typesetter counts decides: floats leave until it fits, come back while it does, and its last word is kept.
#[test]
fn pages_of_a_typesetter_decide_what_stays() {
    let whole = made(Language::English);
    let floats = whole.floats().count();
    let fitted = |room: usize, tries: usize| {
        let mut article = whole.clone();
        let pages = |article: &Article| if article.floats().count() <= room { MOST_PAGES } else { MOST_PAGES + 1 };
        let count = fit_by_pages(&whole, &mut article, tries, |article| Ok::<_, ()>(pages(article))).expect("pages");
        assert_eq!((count, article.floats().count() + article.appendix.len()), (pages(&article), floats));
        article.floats().count()
    };
    assert_eq!(fitted(floats, 99), floats);
    for room in 2..floats {
        assert!((1..=room).contains(&fitted(room, 99)), "{room}");
    }
    assert_eq!(fitted(0, 3), floats - 3, "three compilations");
}

#[test]
fn floats_leave_in_the_stated_order_until_it_fits() {
    let mut article = made(Language::English);
    let whole: Vec<String> = article.floats().map(|float| float.label.clone()).collect();
    let pages = fit(&mut article, |article| Ok::<_, ()>(estimate(article))).expect("an estimate");
    assert!(pages <= MOST_PAGES && pages == estimate(&article));
    assert_eq!(article.dangling(), Vec::<String>::new());
    let kept: Vec<String> = article.floats().map(|float| float.label.clone()).collect();
    let left: Vec<String> = article.appendix.iter().map(|float| float.label.clone()).collect();
    assert_eq!(kept.len() + left.len(), whole.len());
    // With no room at all, only what answers the questions stays.
    let mut cramped = made(Language::English);
    let Ok(pages) = fit(&mut cramped, |_| Ok::<_, std::convert::Infallible>(99));
    assert_eq!(pages, 99);
    assert!(cramped.floats().any(|float| float.label == "tab:models"));
    assert!(cramped.floats().all(|float| !float.is_figure()));
    assert_eq!(cramped.dangling(), Vec::<String>::new());
}

#[test]
fn tex_compiles_an_article_with_everything() {
    let class = std::process::Command::new("kpsewhich").arg("llncs.cls").output();
    if !class.is_ok_and(|found| found.status.success()) {
        return crate::workspace::skip("TeX Live with llncs.cls is not installed");
    }
    for language in [Language::English, Language::French] {
        let mut article = made(language);
        if language == Language::French {
            // An address without an affiliation.
            article.affiliation.clear();
            article.email = Some("a.student@example.org".to_owned());
        }
        let Ok(_) = fit(&mut article, |article| Ok::<_, std::convert::Infallible>(estimate(article)));
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in latex(&article) {
            let path = folder.path().join("from").join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            std::fs::write(path, bytes).expect("a file");
        }
        compile(&folder.path().join("from"), &folder.path().join("tex"));
    }
}
