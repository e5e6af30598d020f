//! The file: pages as packed streams, joined with the fonts and the metadata that printpdf writes, and their outline.

use chrono::DateTime;
use lopdf::{Object, ObjectId, Stream, StringFormat, dictionary};
use printpdf::{Mm, OffsetDateTime, Op, PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions, Pt, TextItem};

use super::look::{PAGE_HEIGHT, PAGE_WIDTH};
use super::setting::Setting;
use crate::document::Document;

/// Digits of the digest in each of the two ids of a file.
const ID_DIGITS: usize = 32;

/// A heading that a reader can jump to.
pub struct Mark {
    pub title: String,
    /// From 0.
    pub page: usize,
    /// From the top of the page, in points.
    pub y: f32,
}

/// What the pages show: each its own content, above it the header and footer that they share, and its number.
pub struct Contents {
    pub own: Vec<Stream>,
    /// Header and footer of the first page.
    pub first: Stream,
    /// Those of all others.
    pub others: Stream,
    pub numbers: Vec<Stream>,
}

/// The whole file.
pub fn joined(document: &Document, setting: &Setting, contents: Contents, marks: &[Mark]) -> Vec<u8> {
    let (mut file, fonts) = begun(document, setting);
    let tree = file.new_object_id();
    let resources = file.add_object(dictionary! { "Font" => fonts });
    let mut kids = Vec::new();
    let (first, others) = (file.add_object(contents.first), file.add_object(contents.others));
    for (own, number) in contents.own.into_iter().zip(contents.numbers) {
        let shared = if kids.is_empty() { first } else { others };
        let contents = vec![file.add_object(own).into(), shared.into(), file.add_object(number).into()];
        let size = vec![0.into(), 0.into(), PAGE_WIDTH.into(), PAGE_HEIGHT.into()];
        kids.push(file.add_object(dictionary! {
            "Type" => "Page",
            "Parent" => tree,
            "MediaBox" => size,
            "Resources" => resources,
            "Contents" => contents,
        }));
    }
    let outline = outline(&mut file, marks, &kids);
    let count = i64::try_from(kids.len()).unwrap_or(i64::MAX);
    let kids = kids.into_iter().map(Object::from).collect::<Vec<_>>();
    file.set_object(tree, dictionary! { "Type" => "Pages", "Count" => count, "Kids" => kids });
    let mut catalog = dictionary! {
        "Type" => "Catalog",
        "Pages" => tree,
        "PageLayout" => "SinglePage",
        "Lang" => text(if document.language.is_empty() { "en" } else { &document.language }),
        "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
    };
    if let Some(outline) = outline {
        catalog.set("Outlines", outline);
        catalog.set("PageMode", "UseOutlines");
    }
    let root = file.add_object(catalog);
    file.trailer.set("Root", root);
    file.trailer.set("ID", ids(&document.digest));
    file.version = "1.7".to_owned();
    file.prune_objects();
    file.renumber_objects();
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).expect("memory takes every byte");
    bytes
}

/// What printpdf writes of the fonts and the metadata: a file of one page that shows every glyph once, and its fonts.
/// The page itself is left behind.
fn begun(document: &Document, setting: &Setting) -> (lopdf::Document, Object) {
    let mut pdf = PdfDocument::new(&document.title);
    let mut specimen = vec![Op::StartTextSection];
    for face in &setting.faces {
        let Some((font, glyphs)) = face.embedded() else { continue };
        pdf.resources.fonts.map.insert(face.id.clone(), PdfFont::new(font));
        specimen.push(Op::SetFont { font: PdfFontHandle::External(face.id.clone()), size: Pt(1.0) });
        specimen.push(Op::ShowText { items: vec![TextItem::GlyphIds(glyphs)] });
    }
    specimen.push(Op::EndTextSection);
    pdf.pages = vec![PdfPage::new(Mm(210.0), Mm(297.0), specimen)];
    let made = generated_at(document);
    let info = &mut pdf.metadata.info;
    (info.creation_date, info.modification_date, info.metadata_date) = (made, made, made);
    info.subject = document.subtitle.clone();
    info.creator = "Tidegauge".to_owned();
    info.producer = "Tidegauge".to_owned();
    info.author = "Tidegauge".to_owned();
    info.identifier = document.digest.clone();
    info.keywords = vec![document.digest.clone()];
    let mut file = pdf.to_lopdf_document(&PdfSaveOptions::default(), &mut Vec::new());
    let page = file.page_iter().next().expect("one page was drawn");
    let resources = file.get_dict_in_dict(file.get_dictionary(page).expect("a page is a dictionary"), b"Resources");
    let fonts = resources.and_then(|resources| resources.get(b"Font")).cloned().unwrap_or(Object::Null);
    if let Ok(info) =
        file.trailer.get(b"Info").and_then(Object::as_reference).and_then(|id| file.get_dictionary_mut(id))
    {
        // The file is no PDF/X, and readers take the empty key for a claim.
        info.remove(b"GTS_PDFXVersion");
    }
    (file, fonts)
}

/// One entry for each heading, in the order of the document.
fn outline(file: &mut lopdf::Document, marks: &[Mark], pages: &[ObjectId]) -> Option<ObjectId> {
    let root = file.new_object_id();
    let ids = marks.iter().map(|_| file.new_object_id()).collect::<Vec<_>>();
    let (first, last) = (*ids.first()?, *ids.last()?);
    for (n, mark) in marks.iter().enumerate() {
        let page = *pages.get(mark.page)?;
        let mut entry = dictionary! {
            "Title" => text(&mark.title),
            "Parent" => root,
            "Dest" => vec![page.into(), "XYZ".into(), 0.into(), (PAGE_HEIGHT - mark.y).into(), Object::Null],
        };
        if n > 0 {
            entry.set("Prev", ids[n - 1]);
        }
        if let Some(next) = ids.get(n + 1) {
            entry.set("Next", *next);
        }
        file.set_object(ids[n], entry);
    }
    let count = i64::try_from(marks.len()).unwrap_or(i64::MAX);
    file.set_object(root, dictionary! { "Type" => "Outlines", "First" => first, "Last" => last, "Count" => count });
    Some(root)
}

fn generated_at(document: &Document) -> OffsetDateTime {
    let seconds = DateTime::parse_from_rfc3339(&document.generated_at).map_or(0, |at| at.timestamp());
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or_else(|_| OffsetDateTime::epoch())
}

/// The two ids of the file: the digest of the document.
fn ids(digest: &str) -> Vec<Object> {
    let hex = digest.rsplit(':').next().unwrap_or_default().bytes().filter(u8::is_ascii_hexdigit);
    let digits = hex.chain(std::iter::repeat(b'0')).take(2 * ID_DIGITS).collect::<Vec<_>>();
    digits.chunks(ID_DIGITS).map(|id| Object::String(id.to_vec(), StringFormat::Literal)).collect()
}

/// A text that readers show: ASCII as it is, else UTF-16 with its mark.
fn text(text: &str) -> Object {
    if text.is_ascii() {
        return Object::string_literal(text);
    }
    let bytes = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    Object::String(bytes, StringFormat::Hexadecimal)
}
