//! One page being drawn: rectangles below, words above. Coordinates run from the top left corner, in points.

use std::collections::BTreeMap;

use printpdf::{
    Codepoint, Color, DictItem, Mm, Op, PaintMode, PdfFontHandle, PdfPage, Pt, Rect, Rgb, TextItem, TextMatrix,
};

use super::face::Placed;
use super::look::{Colour, PAGE_HEIGHT};
use super::setting::{Line, Run, Setting, Shown, Style};

/// The operations of one page. Font and colour are set only when they change, and all words stand in one text section.
#[derive(Default)]
pub struct Page {
    shapes: Vec<Op>,
    shape_colour: Option<Colour>,
    words: Vec<Op>,
    word_colour: Option<Colour>,
    word_font: Option<(usize, f32)>,
}

impl Page {
    pub fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        if self.shape_colour != Some(colour) {
            self.shapes.push(Op::SetFillColor { col: pdf_colour(colour) });
            self.shape_colour = Some(colour);
        }
        let rectangle = Rect {
            x: Pt(x),
            y: Pt(PAGE_HEIGHT - y - height),
            width: Pt(width),
            height: Pt(height),
            mode: Some(PaintMode::Fill),
            winding_order: None,
        };
        self.shapes.push(Op::DrawRectangle { rectangle });
    }

    /// Draws a line of text with its baseline at `y`.
    pub fn text(&mut self, setting: &Setting, x: f32, y: f32, style: Style, line: &Line) {
        let mut x = x;
        for run in &line.runs {
            self.run(setting, x, y, style, run);
            x += run.width * style.size;
        }
    }

    /// Draws a line of text that ends at `right`.
    pub fn text_to(&mut self, setting: &Setting, right: f32, y: f32, style: Style, line: &Line) {
        self.text(setting, right - line.width * style.size, y, style, line);
    }

    fn run(&mut self, setting: &Setting, x: f32, y: f32, style: Style, run: &Run) {
        if self.word_font != Some((run.face, style.size)) {
            let font = PdfFontHandle::External(setting.faces[run.face].id.clone());
            self.words.push(Op::SetFont { font, size: Pt(style.size) });
            self.word_font = Some((run.face, style.size));
        }
        if self.word_colour != Some(style.colour) {
            self.words.push(Op::SetFillColor { col: pdf_colour(style.colour) });
            self.word_colour = Some(style.colour);
        }
        if let Some(said) = &run.said {
            self.words.push(Op::BeginMarkedContentWithProperties { tag: "Span".to_owned(), properties: actual(said) });
        }
        match &run.shown {
            Shown::Signs(text) => self.show(x, y, TextItem::Text(text.clone())),
            Shown::Glyphs(glyphs) => self.glyphs(x, y, style.size, glyphs),
        }
        if run.said.is_some() {
            self.words.push(Op::EndMarkedContentWithProperties);
        }
    }

    /// Glyphs that follow one another are shown together; one that stands elsewhere gets a place of its own.
    fn glyphs(&mut self, x: f32, y: f32, size: f32, glyphs: &[Placed]) {
        let follows = |before: &Placed, after: &Placed| {
            before.y == after.y && (before.x + before.advance - after.x).abs() < 0.000_5
        };
        for group in glyphs.chunk_by(follows) {
            let codes = group.iter().map(|glyph| Codepoint::new(glyph.code, 0.0)).collect();
            self.show(x + group[0].x * size, y - group[0].y * size, TextItem::GlyphIds(codes));
        }
    }

    fn show(&mut self, x: f32, y: f32, item: TextItem) {
        self.words.push(Op::SetTextMatrix { matrix: TextMatrix::Translate(Pt(x), Pt(PAGE_HEIGHT - y)) });
        self.words.push(Op::ShowText { items: vec![item] });
    }

    pub fn into_pdf(self) -> PdfPage {
        let mut operations = self.shapes;
        operations.push(Op::StartTextSection);
        operations.extend(self.words);
        operations.push(Op::EndTextSection);
        PdfPage::new(Mm(210.0), Mm(297.0), operations)
    }
}

/// What a span says in place of its glyphs, UTF-16 with its mark.
fn actual(text: &str) -> DictItem {
    let bytes = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    DictItem::Dict { map: BTreeMap::from([("ActualText".to_owned(), DictItem::Bytes(bytes))]) }
}

fn pdf_colour(colour: Colour) -> Color {
    let [r, g, b] = colour.map(|part| f32::from(part) / 255.0);
    Color::Rgb(Rgb { r, g, b, icc_profile: None })
}
