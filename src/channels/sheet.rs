//! A letter as data, and drawing it twice: as text and as HTML.
//!
//! A template in `templates/mail` gives the subject and, after an empty line, blocks with an empty line between them:
//! lines `- Name: value` are facts, lines that begin with `> ` say what to do, other lines are words. `base.txt` and
//! `base.html` draw the blocks, so that both say the same.

use askama::Template;

/// Widest line of the text.
const COLUMNS: usize = 78;
/// How a command stands in the words.
const COMMAND: &str = "\"tidegauge ";

/// A letter without sender and recipient.
pub struct Letter {
    /// One line.
    pub subject: String,
    blocks: Vec<Block>,
    foot: Foot,
}

/// What stands under every letter. Each on one line.
pub struct Foot {
    /// The license and the servers, or nothing.
    pub about: String,
    pub event: &'static str,
    /// As people read it, with its zone.
    pub at: String,
    pub id: String,
    pub files_at: String,
    /// Files that were too large to go with the letter.
    pub files_out: Vec<String>,
}

enum Block {
    Words(Vec<Line>),
    Facts(Vec<Fact>),
    ToDo(Vec<Line>),
}

struct Fact {
    name: String,
    value: String,
}

struct Line(String);

/// A piece of a line.
struct Span<'a> {
    text: &'a str,
    is_command: bool,
}

#[derive(Template)]
#[template(path = "mail/base.txt", escape = "none")]
struct Text<'a> {
    blocks: &'a [Block],
    foot: &'a Foot,
}

#[derive(Template)]
#[template(path = "mail/base.html")]
struct Html<'a> {
    subject: &'a str,
    blocks: &'a [Block],
    foot: &'a Foot,
}

impl Letter {
    /// Reads what a template drew.
    pub fn new(drawn: &str, foot: Foot) -> Letter {
        let (subject, body) = drawn.split_once('\n').unwrap_or((drawn, ""));
        let blocks = body.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(Block::read).collect();
        Letter { subject: subject.trim().to_owned(), blocks, foot }
    }

    /// For readers without HTML; lines end in LF.
    pub fn text(&self) -> String {
        let text = Text { blocks: &self.blocks, foot: &self.foot };
        text.render().expect("a letter is drawn to memory")
    }

    /// One page without images and without anything from elsewhere.
    pub fn html(&self) -> String {
        let html = Html { subject: &self.subject, blocks: &self.blocks, foot: &self.foot };
        html.render().expect("a letter is drawn to memory")
    }
}

impl Block {
    fn read(block: &str) -> Block {
        let facts: Option<Vec<Fact>> = block.lines().map(Fact::read).collect();
        let to_do: Option<Vec<&str>> = block.lines().map(|line| line.strip_prefix("> ")).collect();
        match (facts, to_do) {
            (Some(facts), _) => Block::Facts(facts),
            (None, Some(lines)) => Block::ToDo(lines.into_iter().map(Line::of).collect()),
            (None, None) => Block::Words(block.lines().map(Line::of).collect()),
        }
    }
}

impl Fact {
    fn read(line: &str) -> Option<Fact> {
        let (name, value) = line.strip_prefix("- ")?.split_once(": ")?;
        Some(Fact { name: name.to_owned(), value: value.trim().to_owned() })
    }

    fn line(&self) -> String {
        wrapped(&format!("{}: {}", self.name, self.value))
    }
}

impl Line {
    fn of(line: &str) -> Line {
        Line(line.trim().to_owned())
    }

    fn wrapped(&self) -> String {
        wrapped(&self.0)
    }

    /// What to do, with these words before it in the text.
    fn wrapped_after(&self, words: &str) -> String {
        wrapped(&format!("{words}{}", self.0))
    }

    /// The line's words and commands, in order; a command without the quotes around it.
    fn spans(&self) -> Vec<Span<'_>> {
        spans_of(&self.0)
    }
}

fn spans_of(line: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(begin) = rest.find(COMMAND) {
        let Some(length) = rest[begin + 1..].find('"') else { break };
        let end = begin + 1 + length;
        spans.push(Span { text: &rest[..begin], is_command: false });
        spans.push(Span { text: &rest[begin + 1..end], is_command: true });
        rest = &rest[end + 1..];
    }
    spans.push(Span { text: rest, is_command: false });
    spans
}

/// Words that a line may be broken between: a command stays whole, so that it can be copied.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for span in spans_of(line) {
        let mut pieces = span.text.split(' ');
        let first = if span.is_command { format!("\"{}\"", span.text) } else { pieces.next().unwrap_or("").to_owned() };
        words.last_mut().expect("there is one").push_str(&first);
        if !span.is_command {
            words.extend(pieces.map(str::to_owned));
        }
    }
    words
}

/// Broken at blanks; a word that is longer than a line stays whole.
fn wrapped(line: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in words(line) {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > COLUMNS {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(&word);
        column += width;
    }
    text
}
