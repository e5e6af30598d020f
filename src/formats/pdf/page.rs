//! One page being drawn: rectangles below, words above. Coordinates run from the top left corner, in points.

use printpdf::{Color, Mm, Op, PaintMode, PdfFontHandle, PdfPage, Pt, Rect, Rgb, TextItem, TextMatrix};

use super::font::Face;
use super::look::{Colour, PAGE_HEIGHT};

/// How words look.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    pub face: &'a Face,
    pub size: f32,
    pub colour: Colour,
}

/// The operations of one page. Font and colour are set only when they change, and all words stand in one text section:
/// a hundred thousand rows are drawn this way in bounded memory.
#[derive(Default)]
pub struct Page {
    shapes: Vec<Op>,
    shape_colour: Option<Colour>,
    words: Vec<Op>,
    word_colour: Option<Colour>,
    word_font: Option<(String, f32)>,
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

    /// Draws a drawable text with its baseline at `y`.
    pub fn text(&mut self, x: f32, y: f32, style: Style, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.word_font.as_ref().is_none_or(|(id, size)| *id != style.face.id.0 || *size != style.size) {
            let font = PdfFontHandle::External(style.face.id.clone());
            self.words.push(Op::SetFont { font, size: Pt(style.size) });
            self.word_font = Some((style.face.id.0.clone(), style.size));
        }
        if self.word_colour != Some(style.colour) {
            self.words.push(Op::SetFillColor { col: pdf_colour(style.colour) });
            self.word_colour = Some(style.colour);
        }
        self.words.push(Op::SetTextMatrix { matrix: TextMatrix::Translate(Pt(x), Pt(PAGE_HEIGHT - y)) });
        self.words.push(Op::ShowText { items: vec![TextItem::Text(text.to_owned())] });
    }

    /// Draws a text that ends at `right`.
    pub fn text_to(&mut self, right: f32, y: f32, style: Style, text: &str) {
        self.text(right - style.face.width(text, style.size), y, style, text);
    }

    pub fn into_pdf(self) -> PdfPage {
        let mut operations = self.shapes;
        operations.push(Op::StartTextSection);
        operations.extend(self.words);
        operations.push(Op::EndTextSection);
        PdfPage::new(Mm(210.0), Mm(297.0), operations)
    }
}

fn pdf_colour(colour: Colour) -> Color {
    let [r, g, b] = colour.map(|part| f32::from(part) / 255.0);
    Color::Rgb(Rgb { r, g, b, icc_profile: None })
}
