//! Articles as PDF through Typst: laid out, counted, and shortened until they fit.
//!
//! Only built with the feature `pdf`. Nothing of the machine reaches the result: fonts are embedded in this program, there is no clock, no
//! package and no file but those of the article.

use anyhow::{anyhow, bail};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use super::document::Article;
use super::{fit, typst as writer};

/// The files `article.pdf` and, where floats were moved there, `appendix.pdf`; the number of pages of the former; and what the fonts lack, if anything.
pub fn pdf(article: &mut Article) -> anyhow::Result<(Vec<(String, Vec<u8>)>, usize, Option<String>)> {
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    let has = |character: char| fonts.iter().any(|font| font.info().coverage.contains(u32::from(character)));
    let lacks = |text: &str| text.chars().filter(|c| !c.is_ascii() && !c.is_whitespace() && !has(*c)).collect();
    let missing = article.missing(&lacks, &lacks);
    let told = (!missing.is_empty()).then(|| {
        format!(
            "the fonts of the PDF lack {}: they are shown by their numbers; with `format: latex`, article.tex can load a package for their script",
            missing.told()
        )
    });
    if told.is_some() {
        *article = article.clone().with_numbers(&lacks);
    }
    let pages = fit(article, |article| anyhow::Ok(laid_out(&fonts, writer::article(article))?.pages().len()))?;
    let mut files =
        vec![("article.pdf".to_owned(), exported(&laid_out(&fonts, writer::article(article))?, &article.title)?)];
    if !article.appendix.is_empty() {
        let document = laid_out(&fonts, writer::appendix(article))?;
        files.push(("appendix.pdf".to_owned(), exported(&document, &format!("{}, appendix", article.title))?));
    }
    Ok((files, pages, told))
}

fn laid_out(fonts: &[Font], source: writer::Source) -> anyhow::Result<PagedDocument> {
    let book = FontBook::from_fonts(fonts);
    let main = file_id("article.typ")?;
    let figures: Vec<(FileId, Bytes)> = source
        .figures
        .into_iter()
        .map(|(name, bytes)| Ok((file_id(&name)?, Bytes::new(bytes))))
        .collect::<anyhow::Result<_>>()?;
    let world = Desk {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(book),
        fonts: fonts.to_vec(),
        main: Source::new(main, source.markup),
        figures,
    };
    typst::compile::<PagedDocument>(&world).output.map_err(|errors| told(&errors))
}

fn exported(document: &PagedDocument, identity: &str) -> anyhow::Result<Vec<u8>> {
    let options = PdfOptions { ident: Smart::Custom(identity.to_owned()), ..PdfOptions::default() };
    typst_pdf::pdf(document, &options).map_err(|errors| told(&errors))
}

fn told(errors: &[SourceDiagnostic]) -> anyhow::Error {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    anyhow!("the article could not be laid out: {}", messages.join("; "))
}

fn file_id(name: &str) -> anyhow::Result<FileId> {
    let Ok(path) = VirtualPath::new(name) else { bail!("'{name}' is no path") };
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// All that the typesetter can see.
struct Desk {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    main: Source,
    figures: Vec<(FileId, Bytes)>,
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::NotSource) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = self.figures.iter().find(|(own, _)| *own == id);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| FileError::NotFound(id.vpath().get_without_slash().into()))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
