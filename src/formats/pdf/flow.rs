//! Blocks flow down the pages; every page gets a header and a footer.

use lopdf::{Dictionary, Stream};

use super::content::Packer;
use super::file::{Contents, Mark};
use super::look::{
    ACCENT, ALERT, ALERT_TINT, BODY, BOTTOM, Colour, HEADING, INK, LEADING, MARGIN, MEASURE, MUTED, PAGE_HEIGHT,
    PAGE_WIDTH, RULE, SMALL, TITLE,
};
use super::page::Page;
use super::setting::{Line, Plain, Setting, Style, Weight};
use super::{chart, figures, table};
use crate::document::{Block, Document, Section};

/// Where text starts on every page but the first, from its top.
const TOP: f32 = 78.0;
/// The baseline of the footer.
const FOOT: f32 = PAGE_HEIGHT - 34.0;
/// Signs of the digest that a footer shows.
const DIGEST_SHORT: usize = 16;
/// Most lines of one warning bar.
const WARNING_LINES: usize = 20;
/// Most lines of a title or a heading.
const HEADING_LINES: usize = 3;
/// Room a heading asks for below itself, so that it never stands alone at the foot of a page.
const KEPT_WITH_HEADING: f32 = 66.0;
/// Most of the measure that the names of facts take.
const NAMES_SHARE: f32 = 0.42;

/// The page being drawn, the place of the next block on it, and the pages before.
pub struct Flow<'a, 'f> {
    pub setting: &'a Setting<'f>,
    document: &'a Document,
    page: Page,
    /// Pages before this one, packed as soon as nothing is drawn on them any more.
    before: Vec<Stream>,
    packer: Packer,
    marks: Vec<Mark>,
    /// Distance of the next free line from the top of the page.
    pub y: f32,
}

impl<'a, 'f> Flow<'a, 'f> {
    /// A first page with the title on it.
    pub fn new(setting: &'a Setting<'f>, document: &'a Document) -> Flow<'a, 'f> {
        let (page, before, packer) = (Page::default(), Vec::new(), Packer::new());
        let mut flow = Flow { setting, document, page, before, packer, marks: Vec::new(), y: 40.0 };
        flow.title();
        flow
    }

    pub fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.page.rectangle(x, y, width, height, colour);
    }

    /// Draws a line with its baseline at `y`.
    pub fn text(&mut self, x: f32, y: f32, style: Style, line: &Line) {
        self.page.text(self.setting, x, y, style, line);
    }

    /// Draws a plain text with its baseline at `y`.
    pub fn plain(&mut self, x: f32, y: f32, style: Style, plain: Plain<'_>) {
        self.page.plain(self.setting, x, y, style, plain);
    }

    /// Draws a line that ends at `right`.
    pub fn text_to(&mut self, right: f32, y: f32, style: Style, line: &Line) {
        self.page.text_to(self.setting, right, y, style, line);
    }

    /// Whether a block of this height still fits.
    pub fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    pub fn next_page(&mut self) {
        let page = std::mem::take(&mut self.page).into_content();
        self.before.push(self.packer.packed(&page));
        self.y = TOP;
    }

    pub fn make_room(&mut self, height: f32) {
        if !self.fits(height) {
            self.next_page();
        }
    }

    fn title(&mut self) {
        let (name, title, subtitle) = (bold(SMALL, ACCENT), bold(TITLE, INK), regular(BODY + 0.5, MUTED));
        self.rectangle(0.0, 0.0, PAGE_WIDTH, 5.0, ACCENT);
        self.text(MARGIN, 44.0, name, &self.setting.line("T I D E G A U G E", name.weight));
        self.y = 68.0 - TITLE;
        self.few_lines(&self.document.title, title, TITLE * 1.2);
        self.y += 6.0;
        for line in self.setting.wrapped(&self.document.subtitle, subtitle, MEASURE) {
            self.make_room(subtitle.size * LEADING);
            self.text(MARGIN, self.y + subtitle.size, subtitle, &line);
            self.y += subtitle.size * LEADING;
        }
        self.y += 12.0;
    }

    /// Draws a text over at most [`HEADING_LINES`] lines.
    fn few_lines(&mut self, text: &str, style: Style, pitch: f32) {
        for line in self.setting.cut(text, style, MEASURE, HEADING_LINES) {
            self.text(MARGIN, self.y + style.size, style, &line);
            self.y += pitch;
        }
    }

    pub fn section(&mut self, section: &Section) {
        self.heading(&section.heading);
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => self.paragraph(text),
                Block::Warning(text) => self.warning(text),
                Block::Figures(figures) => figures::draw(self, figures),
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
        self.marks.push(Mark { title: heading.to_owned(), page: self.before.len(), y: self.y - 4.0 });
        self.few_lines(heading, bold(HEADING, INK), HEADING * 1.25);
        self.y += 5.0;
    }

    fn paragraph(&mut self, text: &str) {
        let style = regular(BODY, MUTED);
        for line in self.setting.wrapped(text, style, MEASURE) {
            self.make_room(BODY * LEADING);
            self.text(MARGIN, self.y + BODY, style, &line);
            self.y += BODY * LEADING;
        }
        self.y += 5.0;
    }

    /// A tinted bar; a long warning goes on in further bars.
    fn warning(&mut self, text: &str) {
        let style = regular(BODY, INK);
        let lines = self.setting.wrapped(text, style, MEASURE - 24.0);
        for lines in lines.chunks(WARNING_LINES) {
            let height = lines.len() as f32 * BODY * LEADING + 9.0;
            self.make_room(height + 4.0);
            let top = self.y;
            self.rectangle(MARGIN, top, MEASURE, height, ALERT_TINT);
            self.rectangle(MARGIN, top, 2.5, height, ALERT);
            for (n, line) in lines.iter().enumerate() {
                self.text(MARGIN + 12.0, top + 4.0 + BODY + n as f32 * BODY * LEADING, style, line);
            }
            self.y = top + height + 4.0;
        }
    }

    /// Names at the left, values beside them, each over as many lines as it takes.
    fn facts(&mut self, facts: &[(String, String)]) {
        let (name, value) = (regular(BODY, MUTED), regular(BODY, INK));
        let widest = facts.iter().map(|(text, _)| self.setting.width(text, name)).fold(0.0, f32::max);
        let named = widest.min(MEASURE * NAMES_SHARE) + 14.0;
        for (text, stated) in facts {
            let names = self.setting.wrapped(text, name, named - 14.0 + 0.01);
            let values = self.setting.wrapped(stated, value, MEASURE - named);
            for n in 0..names.len().max(values.len()) {
                self.make_room(BODY * LEADING + 2.0);
                let y = self.y + BODY;
                if let Some(line) = names.get(n) {
                    self.text(MARGIN, y, name, line);
                }
                if let Some(line) = values.get(n) {
                    self.text(MARGIN + named, y, value, line);
                }
                self.y += BODY * LEADING + 1.4;
            }
        }
        self.y += 5.0;
    }

    /// What each page shows, and the headings to jump to.
    pub fn into_pages(mut self) -> (Contents, Vec<Mark>) {
        self.next_page();
        let (mut first, mut others) = (Page::default(), Page::default());
        self.footer(&mut first);
        self.header(&mut others);
        self.footer(&mut others);
        let count = self.before.len();
        let numbers = (1..=count).map(|n| self.number(&format!("Page {n} of {count}"))).collect();
        let [first, others] = [first, others].map(|page| self.packer.packed(&page.into_content()));
        (Contents { own: self.before, first, others, numbers }, self.marks)
    }

    fn header(&self, page: &mut Page) {
        let (title, subtitle) = (bold(SMALL + 0.4, INK), regular(SMALL, MUTED));
        let name = self.setting.shortened(&self.document.title, title, MEASURE / 2.0);
        let room = MEASURE - name.width * title.size - 20.0;
        let right = self.setting.shortened(&self.document.subtitle, subtitle, room);
        page.rectangle(0.0, 0.0, PAGE_WIDTH, 5.0, ACCENT);
        page.text(self.setting, MARGIN, 46.0, title, &name);
        page.text_to(self.setting, PAGE_WIDTH - MARGIN, 46.0, subtitle, &right);
        page.rectangle(MARGIN, 54.0, MEASURE, 0.5, RULE);
    }

    fn footer(&self, page: &mut Page) {
        let style = regular(SMALL, MUTED);
        let y = FOOT;
        let short = self.document.digest.rsplit(':').next().unwrap_or_default();
        let short = short.chars().take(DIGEST_SHORT).collect::<String>();
        let left = if short.is_empty() { "Tidegauge".to_owned() } else { format!("Tidegauge · SHA-256 {short}…") };
        page.rectangle(MARGIN, y - 13.0, MEASURE, 0.5, RULE);
        page.text(self.setting, MARGIN, y, style, &self.setting.line(&left, style.weight));
    }

    /// A page's number at its foot: so little that packing it would make it longer.
    fn number(&self, number: &str) -> Stream {
        let style = regular(SMALL, MUTED);
        let mut page = Page::default();
        page.text_to(self.setting, PAGE_WIDTH - MARGIN, FOOT, style, &self.setting.line(number, style.weight));
        Stream::new(Dictionary::new(), page.into_content()).with_compression(false)
    }
}

pub fn regular(size: f32, colour: Colour) -> Style {
    Style { weight: Weight::Regular, size, colour }
}

pub fn bold(size: f32, colour: Colour) -> Style {
    Style { weight: Weight::Bold, size, colour }
}
