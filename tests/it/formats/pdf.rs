//! The PDF: every script, one outline, fonts cut down, no text that breaks it.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use tidegauge::document::{Block, Cell, Column, Document, Rows, Section, Table};
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::formats::{by_extension, lacking};

use super::hard::{NAMES, hard_document};

fn pdf_with(document: &Document, typefaces: &Typefaces) -> Vec<u8> {
    (by_extension("pdf").expect("it is in the table").write)(document, typefaces).into_owned()
}

fn pdf(document: &Document) -> Vec<u8> {
    pdf_with(document, &Typefaces::default())
}

fn read(pdf: &[u8]) -> lopdf::Document {
    lopdf::Document::load_mem(pdf).expect("it is a PDF")
}

/// A document of one paragraph.
fn saying(text: &str) -> Document {
    let section = Section { heading: text.to_owned(), blocks: vec![Block::Paragraph(text.to_owned())] };
    Document { title: text.to_owned(), sections: vec![section], ..Document::default() }
}

/// What the pages show, in the order in which it is drawn: the texts that their fonts give each glyph.
fn shown(file: &lopdf::Document) -> String {
    let pages = file.get_pages();
    file.extract_text(&pages.keys().copied().collect::<Vec<_>>()).unwrap_or_default()
}

fn catalog_entry<'a>(file: &'a lopdf::Document, key: &[u8]) -> &'a lopdf::Object {
    file.catalog().expect("there is a catalog").get(key).expect("the catalog has it")
}

#[test]
fn every_section_is_in_the_outline_at_its_page_and_in_the_order_of_the_document() {
    let file = read(&pdf(&hard_document(200)));
    let pages =
        file.get_pages().into_iter().map(|(number, id)| (id, number)).collect::<std::collections::BTreeMap<_, _>>();
    let outlines = catalog_entry(&file, b"Outlines").as_reference().expect("a reference");
    let mut next =
        file.get_dictionary(outlines).and_then(|root| root.get(b"First")).and_then(lopdf::Object::as_reference);
    let mut entries = Vec::new();
    while let Ok(id) = next {
        let entry = file.get_dictionary(id).expect("an entry");
        let title = lopdf::decode_text_string(entry.get(b"Title").expect("a title")).expect("a text");
        let place = entry.get(b"Dest").and_then(lopdf::Object::as_array).expect("a place");
        entries.push((title, pages[&place[0].as_reference().expect("a page")]));
        next = entry.get(b"Next").and_then(lopdf::Object::as_reference);
    }
    let titles = entries.iter().map(|(title, _)| title.as_str()).collect::<Vec<_>>();
    assert_eq!(titles, ["Names", "Workloads of 財務部", "After the table"]);
    assert_eq!(entries[2].1, u32::try_from(pages.len()).expect("few"), "the last section is on the last page");
    assert!(entries.is_sorted_by_key(|(_, page)| *page));
}

#[test]
fn title_language_and_digest_are_in_the_metadata() {
    let document = hard_document(3);
    let file = read(&pdf(&document));
    assert_eq!(catalog_entry(&file, b"Lang").as_str().expect("a text"), b"en");
    let preferences = catalog_entry(&file, b"ViewerPreferences").as_dict().expect("a dictionary");
    assert!(preferences.get(b"DisplayDocTitle").and_then(lopdf::Object::as_bool).expect("it is there"));
    let info = file.trailer.get(b"Info").and_then(lopdf::Object::as_reference).expect("a reference");
    let info = file.get_dictionary(info).expect("a dictionary");
    let of = |key: &[u8]| lopdf::decode_text_string(info.get(key).expect("it is there")).expect("a text");
    assert_eq!(of(b"Title"), document.title);
    assert_eq!(of(b"Keywords"), document.digest);
    assert_eq!(of(b"Producer"), "Tidegauge");
}

#[test]
fn every_page_stream_is_compressed() {
    let file = read(&pdf(&hard_document(300)));
    for id in file.page_iter() {
        for stream in file.get_page_contents(id) {
            let stream = file.get_object(stream).and_then(lopdf::Object::as_stream).expect("a stream");
            assert!(stream.dict.has(b"Filter") || stream.content.len() < 200, "{} bytes", stream.content.len());
        }
    }
}

#[test]
fn headings_are_repeated_on_each_page_of_a_table_and_pages_are_counted() {
    let file = read(&pdf(&hard_document(300)));
    let count = file.get_pages().len();
    let mut with_heading = 0;
    for number in 1..=count {
        let text = file.extract_text(&[u32::try_from(number).expect("few")]).expect("text");
        assert!(text.contains(&format!("Page {number} of {count}")), "{text}");
        with_heading += usize::from(text.contains("Job of the backup"));
    }
    assert!(with_heading + 2 >= count && count > 8, "{with_heading} of {count}");
}

#[test]
fn arabic_letters_are_joined_and_still_read_as_what_they_are() {
    // Each letter by itself, then the word: joined forms are other glyphs, so the second file embeds more of them.
    let apart = pdf(&saying("ب ي ت"));
    let joined = pdf(&saying("ب ي ت بيت"));
    assert!(joined.len() > apart.len());
    let text = shown(&read(&joined));
    assert!(text.contains("تيب"), "the word stands from right to left: {text}");
}

#[test]
fn a_ligature_that_runs_to_the_left_says_each_of_its_letters_at_its_place() {
    let text = shown(&read(&pdf(&saying("الاحتياطي"))));
    assert!(text.contains("يطايتحالا"), "{text}");
}

#[test]
fn what_keeps_persian_letters_apart_is_read_back() {
    let text = shown(&read(&pdf(&saying("داده\u{200c}ها"))));
    assert!(text.contains("اه\u{200c}هداد"), "{text}");
}

#[test]
fn a_name_may_not_turn_the_order_of_what_is_drawn() {
    let text = shown(&read(&pdf(&saying("\u{202e}exe.tpm"))));
    assert!(text.contains("exe.tpm") && !text.contains("mpt.exe"), "{text}");
}

#[test]
fn a_hebrew_line_stands_from_right_to_left_and_its_latin_part_from_left_to_right() {
    let text = shown(&read(&pdf(&saying("שרת VM12"))));
    assert!(text.contains("VM12"), "{text}");
    assert!(text.contains("תרש"), "{text}");
}

#[test]
fn what_no_typeface_has_is_named_and_drawn_as_a_box() {
    let mut document = saying("plain");
    document.sections[0].blocks.push(Block::Paragraph("経理 \u{10ffff}".to_owned()));
    let lacking = lacking(&document, &Typefaces::default());
    let signs = lacking.get("経理 \u{10ffff}").expect("the text is named");
    assert_eq!(*signs, BTreeSet::from(['経', '理', '\u{10ffff}']));
    assert_eq!(lacking.len(), 1);
    assert!(shown(&read(&pdf(&document))).contains('□'));
}

#[test]
fn a_typeface_handed_in_is_asked_for_what_the_built_in_one_lacks_and_cut_down() {
    let Ok(file) = std::fs::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc") else { return };
    let typefaces = Typefaces { files: vec![Arc::from(file)] };
    let document = hard_document(24);
    assert!(lacking(&document, &typefaces).is_empty());
    let written = pdf_with(&document, &typefaces);
    assert!(written.len() < 400_000, "{} bytes", written.len());
    assert!(written == pdf_with(&document, &typefaces), "the second time differs");
    let text = shown(&read(&written));
    assert!(text.contains("経理部") && text.contains("재무팀") && text.contains("财务"), "{text}");
}

#[test]
fn a_file_that_is_no_font_is_passed_over() {
    let files = [&b"no font"[..], &[], &[0; 4096], &dejavu::sans::regular()[..9000]].map(Arc::from).to_vec();
    let document = saying("経理");
    assert!(pdf_with(&document, &Typefaces { files }) == pdf(&document));
}

#[test]
fn names_of_ten_thousand_characters_are_drawn() {
    for name in NAMES.map(|(_, name)| name) {
        let long = name.chars().cycle().take(10_000).collect::<String>();
        let unbroken = long.replace(' ', "");
        for text in [long, unbroken] {
            let rows = [[Cell::Text(&text)]].into_iter().collect();
            let columns = vec![Column { name: "n", heading: "N", align: tidegauge::document::Align::Left, width: 1 }];
            let table = Table { name: "t", columns, rows, totals: Rows::default() };
            let mut document = saying(&text);
            document.sections[0].blocks.push(Block::Table(table));
            assert!(read(&pdf(&document)).get_pages().len() > 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn no_text_breaks_a_page(
        any in any::<String>(),
        right in "[\u{590}-\u{5ff}\u{600}-\u{6ff}\u{750}-\u{77f}\u{fb1d}-\u{fdff}\u{fe70}-\u{fefc} a-c1-3(){}]{0,40}",
        marks in "[a-zא-תا-ي\u{300}-\u{36f}\u{591}-\u{5c7}\u{610}-\u{61a}\u{64b}-\u{65f}\u{200b}-\u{200f}\u{202a}-\u{202e}]{0,60}",
        joined in "[\u{600}-\u{8ff}\u{180b}-\u{180f}\u{fe00}-\u{fe0f}\u{200d}]{0,40}",
        wide in "[\u{900}-\u{1fff}\u{a000}-\u{abff}\u{10000}-\u{1ffff}]{0,40}",
    ) {
        let document = saying(&[any, right, marks, joined, wide].join(" "));
        prop_assert!(!read(&pdf(&document)).get_pages().is_empty());
    }
}
