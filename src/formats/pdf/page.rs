//! One page being drawn: rectangles below, words above. Coordinates run from the top left corner, in points.

use super::content::Content;
use super::face::Placed;
use super::look::{Colour, PAGE_HEIGHT};
use super::setting::{Line, Plain, Run, Setting, Shown, Style};

/// What one page shows. Font and colour are set only when they change, and all words stand in one text section.
#[derive(Default)]
pub struct Page {
    shapes: Content,
    shape_colour: Option<Colour>,
    words: Content,
    word_colour: Option<Colour>,
    word_font: Option<(usize, f32)>,
    /// Where the words before began, in hundredths of a point from the lower left corner.
    word_at: (i32, i32),
}

impl Page {
    pub fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        if self.shape_colour != Some(colour) {
            self.shapes.colour(colour);
            self.shape_colour = Some(colour);
        }
        for length in [x, PAGE_HEIGHT - y - height, width, height] {
            self.shapes.length(length);
        }
        // Each is filled by itself: readers keep a thin one as dark as it is only when it stands alone.
        self.shapes.operator("re f");
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

    /// Draws a plain text with its baseline at `y`.
    pub fn plain(&mut self, setting: &Setting, x: f32, y: f32, style: Style, plain: Plain<'_>) {
        if plain.text.is_empty() {
            return;
        }
        self.look(setting, plain.face, style);
        self.move_to(x, y);
        self.words.codes(plain.text.bytes().map(|sign| setting.plain_code(plain.face, sign)));
    }

    fn run(&mut self, setting: &Setting, x: f32, y: f32, style: Style, run: &Run) {
        self.look(setting, run.face, style);
        if let Some(said) = &run.said {
            self.words.begin_span(said);
        }
        match &run.shown {
            Shown::Signs(text) => {
                self.move_to(x, y);
                self.words.codes(text.chars().map(|sign| setting.faces[run.face].code_of(sign)));
            }
            Shown::Glyphs(glyphs) => self.glyphs(x, y, style.size, glyphs),
        }
        if run.said.is_some() {
            self.words.operator("EMC");
        }
    }

    fn look(&mut self, setting: &Setting, face: usize, style: Style) {
        if self.word_font != Some((face, style.size)) {
            self.words.font(&setting.faces[face].id.0, style.size);
            self.word_font = Some((face, style.size));
        }
        if self.word_colour != Some(style.colour) {
            self.words.colour(style.colour);
            self.word_colour = Some(style.colour);
        }
    }

    /// Glyphs that follow one another are shown together; one that stands elsewhere gets a place of its own.
    fn glyphs(&mut self, x: f32, y: f32, size: f32, glyphs: &[Placed]) {
        let follows = |before: &Placed, after: &Placed| {
            before.y == after.y && (before.x + before.advance - after.x).abs() < 0.000_5
        };
        for group in glyphs.chunk_by(follows) {
            self.move_to(x + group[0].x * size, y - group[0].y * size);
            self.words.codes(group.iter().map(|glyph| glyph.code));
        }
    }

    /// Places are counted from the words before, so that lines of a table read alike and pack well.
    fn move_to(&mut self, x: f32, y: f32) {
        let at = (Content::hundredths(x), Content::hundredths(PAGE_HEIGHT - y));
        self.words.hundredth(at.0 - self.word_at.0);
        self.words.hundredth(at.1 - self.word_at.1);
        self.words.operator("Td");
        self.word_at = at;
    }

    /// The page's operators.
    pub fn into_content(self) -> Vec<u8> {
        let mut content = self.shapes;
        content.operator("BT");
        content.append(&self.words);
        content.operator("ET");
        content.into_bytes()
    }
}
