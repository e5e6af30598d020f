//! Blocks flow down the pages; every page gets a header and a footer.

use super::font::Fonts;
use super::look::{
    ACCENT, ALERT, ALERT_TINT, BODY, BOTTOM, Colour, FIGURE, HEADING, INK, LEADING, MARGIN, MEASURE, MUTED,
    PAGE_HEIGHT, PAGE_WIDTH, RULE, SMALL, TINT, TITLE,
};
use super::page::{Page, Style};
use super::{chart, table};
use crate::document::{Block, Document, Figure, Section};

/// Where text starts on every page but the first, from its top.
const TOP: f32 = 78.0;
/// Signs of the digest that a footer shows.
const DIGEST_SHORT: usize = 16;
/// Most lines of one warning bar.
const WARNING_LINES: usize = 20;
/// Room a heading asks for below itself, so that it never stands alone at the foot of a page.
const KEPT_WITH_HEADING: f32 = 66.0;

/// The pages so far and the place of the next block.
pub struct Flow<'a> {
    pub fonts: &'a Fonts,
    document: &'a Document,
    pages: Vec<Page>,
    /// Distance of the next free line from the top of the last page.
    pub y: f32,
}

impl<'a> Flow<'a> {
    /// A first page with the title on it.
    pub fn new(fonts: &'a Fonts, document: &'a Document) -> Flow<'a> {
        let mut flow = Flow { fonts, document, pages: vec![Page::default()], y: 40.0 };
        flow.title();
        flow
    }

    /// The page being drawn.
    pub fn page(&mut self) -> &mut Page {
        self.pages.last_mut().expect("there is a page from the start")
    }

    pub fn regular(&self, size: f32, colour: Colour) -> Style<'a> {
        Style { face: &self.fonts.regular, size, colour }
    }

    pub fn bold(&self, size: f32, colour: Colour) -> Style<'a> {
        Style { face: &self.fonts.bold, size, colour }
    }

    /// Whether a block of this height still fits.
    pub fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    pub fn next_page(&mut self) {
        self.pages.push(Page::default());
        self.y = TOP;
    }

    fn make_room(&mut self, height: f32) {
        if !self.fits(height) {
            self.next_page();
        }
    }

    fn title(&mut self) {
        let (name, title) = (self.bold(SMALL, ACCENT), self.bold(TITLE, INK));
        let subtitle = self.regular(BODY + 0.5, MUTED);
        let text = self.fonts.drawable(&self.document.title);
        let below = self.fonts.drawable(&self.document.subtitle);
        let below = subtitle.face.wrapped(&below, subtitle.size, MEASURE);
        let page = self.page();
        page.rectangle(0.0, 0.0, PAGE_WIDTH, 5.0, ACCENT);
        page.text(MARGIN, 44.0, name, "T I D E G A U G E");
        page.text(MARGIN, 71.0, title, &title.face.shortened(&text, TITLE, MEASURE));
        self.y = 88.0;
        for line in below {
            let y = self.y;
            self.page().text(MARGIN, y, subtitle, &line);
            self.y += subtitle.size * LEADING;
        }
        self.y += 6.0;
    }

    pub fn section(&mut self, section: &Section) {
        self.heading(&section.heading);
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => self.paragraph(text),
                Block::Warning(text) => self.warning(text),
                Block::Figures(figures) => self.figures(figures),
                Block::Facts(facts) => self.facts(facts),
                Block::Chart(drawn) => chart::draw(self, drawn),
                Block::Table(drawn) => table::draw(self, drawn, &section.heading),
            }
        }
        self.y += 13.0;
    }

    fn heading(&mut self, heading: &str) {
        if heading.is_empty() {
            return;
        }
        self.make_room(HEADING * 2.0 + KEPT_WITH_HEADING);
        let style = self.bold(HEADING, INK);
        let text = style.face.shortened(&self.fonts.drawable(heading), HEADING, MEASURE);
        let y = self.y + HEADING;
        self.page().text(MARGIN, y, style, &text);
        self.y = y + 8.0;
    }

    fn paragraph(&mut self, text: &str) {
        let style = self.regular(BODY, MUTED);
        for line in style.face.wrapped(&self.fonts.drawable(text), BODY, MEASURE) {
            self.make_room(BODY * LEADING);
            let y = self.y + BODY;
            self.page().text(MARGIN, y, style, &line);
            self.y += BODY * LEADING;
        }
        self.y += 5.0;
    }

    /// A tinted bar; a long warning goes on in further bars.
    fn warning(&mut self, text: &str) {
        let style = self.regular(BODY, INK);
        let lines = style.face.wrapped(&self.fonts.drawable(text), BODY, MEASURE - 24.0);
        for lines in lines.chunks(WARNING_LINES) {
            let height = lines.len() as f32 * BODY * LEADING + 9.0;
            self.make_room(height + 4.0);
            let top = self.y;
            let page = self.page();
            page.rectangle(MARGIN, top, MEASURE, height, ALERT_TINT);
            page.rectangle(MARGIN, top, 2.5, height, ALERT);
            for (n, line) in lines.iter().enumerate() {
                page.text(MARGIN + 12.0, top + 4.0 + BODY + n as f32 * BODY * LEADING, style, line);
            }
            self.y = top + height + 4.0;
        }
    }

    /// Cards side by side: a name, a large value, a remark.
    fn figures(&mut self, figures: &[Figure]) {
        let (gap, height) = (10.0, 72.0);
        self.make_room(height + 10.0);
        let width = (MEASURE + gap) / figures.len().max(1) as f32 - gap;
        let (top, fonts) = (self.y, self.fonts);
        for (n, figure) in figures.iter().enumerate() {
            let x = MARGIN + n as f32 * (width + gap);
            let value = if n == 0 { self.bold(FIGURE, ACCENT) } else { self.bold(FIGURE, INK) };
            let (name, remark) = (self.bold(SMALL + 0.4, MUTED), self.regular(SMALL, MUTED));
            let fitted =
                |style: Style, text: &str| style.face.shortened(&fonts.drawable(text), style.size, width - 24.0);
            let page = self.page();
            page.rectangle(x, top, width, height, TINT);
            page.rectangle(x, top, width, 1.6, if n == 0 { ACCENT } else { RULE });
            page.text(x + 12.0, top + 17.0, name, &fitted(name, &figure.name));
            page.text(x + 12.0, top + 43.0, value, &fitted(value, &figure.value));
            page.text(x + 12.0, top + 60.0, remark, &fitted(remark, &figure.remark));
        }
        self.y = top + height + 10.0;
    }

    /// Names at the left, values beside them over as many lines as they take.
    fn facts(&mut self, facts: &[(String, String)]) {
        let (name, value) = (self.regular(BODY, MUTED), self.regular(BODY, INK));
        let named = facts.iter().map(|(name, _)| self.fonts.regular.width(name, BODY)).fold(0.0, f32::max) + 14.0;
        for (text, stated) in facts {
            let lines = value.face.wrapped(&self.fonts.drawable(stated), BODY, MEASURE - named);
            for (n, line) in lines.iter().enumerate() {
                self.make_room(BODY * LEADING + 2.0);
                let y = self.y + BODY;
                if n == 0 {
                    let text = self.fonts.drawable(text);
                    self.page().text(MARGIN, y, name, &text);
                }
                self.page().text(MARGIN + named, y, value, line);
                self.y += BODY * LEADING + 1.4;
            }
        }
        self.y += 5.0;
    }

    /// The pages with their headers and footers.
    pub fn into_pages(mut self) -> Vec<Page> {
        let count = self.pages.len();
        let mut pages = std::mem::take(&mut self.pages);
        for (n, page) in pages.iter_mut().enumerate() {
            if n > 0 {
                self.header(page);
            }
            self.footer(page, &format!("Page {} of {count}", n + 1));
        }
        pages
    }

    fn header(&self, page: &mut Page) {
        let (title, subtitle) = (self.bold(SMALL + 0.4, INK), self.regular(SMALL, MUTED));
        let text = self.fonts.drawable(&self.document.title);
        let text = title.face.shortened(&text, title.size, MEASURE / 2.0);
        let room = MEASURE - title.face.width(&text, title.size) - 20.0;
        let right = subtitle.face.shortened(&self.fonts.drawable(&self.document.subtitle), SMALL, room);
        page.rectangle(0.0, 0.0, PAGE_WIDTH, 5.0, ACCENT);
        page.text(MARGIN, 46.0, title, &text);
        page.text_to(PAGE_WIDTH - MARGIN, 46.0, subtitle, &right);
        page.rectangle(MARGIN, 54.0, MEASURE, 0.5, RULE);
    }

    fn footer(&self, page: &mut Page, number: &str) {
        let style = self.regular(SMALL, MUTED);
        let y = PAGE_HEIGHT - 34.0;
        let short = self.document.digest.rsplit(':').next().unwrap_or_default();
        let short = short.chars().take(DIGEST_SHORT).collect::<String>();
        let left = if short.is_empty() { "Tidegauge".to_owned() } else { format!("Tidegauge · SHA-256 {short}…") };
        page.rectangle(MARGIN, y - 13.0, MEASURE, 0.5, RULE);
        page.text(MARGIN, y, style, &self.fonts.drawable(&left));
        page.text_to(PAGE_WIDTH - MARGIN, y, style, number);
    }
}
