//! Text set in type: its characters in the order of the line, each in the first face that has it, in lines of a width.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use unicode_bidi::{Level, ParagraphBidiInfo};

use super::face::{Direction, Face, Placed, Script};
use super::signs::{goes_left, is_invisible, mirrored, needs_shaping, script_of};
use super::text::{ELLIPSIS, base_of, clusters, composed, plain};
use crate::formats::typefaces::Typefaces;

/// Stands for a character that no face has, so that nothing is dropped.
const BOX: char = '□';
/// Keeps letters apart that would join: text is shaped up to it, and readers get it back.
const NON_JOINER: char = '\u{200c}';
/// Most faces of one document.
const FACES_MAX: usize = 8;
const REGULAR: usize = 0;
const BOLD: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// How words look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    pub colour: super::look::Colour,
}

/// A line of text, ready to be drawn. Widths are in em.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub runs: Vec<Run>,
    pub width: f32,
}

/// What stands in one face on a line.
#[derive(Clone, Debug)]
pub struct Run {
    pub face: usize,
    pub shown: Shown,
    pub width: f32,
    /// What the run says when its glyphs do not.
    pub said: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Shown {
    /// One glyph a character, one after the other.
    Signs(String),
    Glyphs(Vec<Placed>),
}

/// The faces of a document: the built-in ones, then those handed in.
pub struct Setting<'a> {
    pub faces: Vec<Face<'a>>,
    chosen: RefCell<BTreeMap<(usize, char), Option<usize>>>,
    /// The printable ASCII characters in the two built-in faces.
    ascii: [[Ascii; 128]; 2],
}

/// A character of the built-in faces.
#[derive(Clone, Copy, Debug, Default)]
struct Ascii {
    code: u16,
    /// In thousandths of an em, which is how a file states it.
    width: u16,
}

/// A text of printable ASCII alone, which most texts are: one glyph of a built-in face for each byte.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'t> {
    pub text: &'t str,
    pub face: usize,
    /// In em.
    pub width: f32,
}

/// A letter and what is attached to it.
struct Cluster<'t> {
    text: &'t str,
    /// Where it starts in the text, in bytes.
    start: usize,
    face: Option<usize>,
    shaped: bool,
}

impl<'a> Setting<'a> {
    pub fn new(typefaces: &'a Typefaces) -> Setting<'a> {
        let files = [dejavu::sans::regular(), dejavu::sans::bold()];
        let given = typefaces.files.iter().map(|file| &**file);
        let mut faces: Vec<Face> = Vec::new();
        for file in files.into_iter().chain(given).take(FACES_MAX) {
            faces.extend(Face::open(file, faces.len()));
        }
        let ascii = |face: &Face, code: usize| {
            let sign = char::from(u8::try_from(code).unwrap_or(b' '));
            let shown = face.sign(sign).filter(|_| (' '..='~').contains(&sign));
            shown
                .map_or(Ascii::default(), |sign| Ascii { code: sign.code, width: (sign.width * 1000.0).round() as u16 })
        };
        let ascii = [REGULAR, BOLD].map(|face| std::array::from_fn(|code| ascii(&faces[face], code)));
        Setting { faces, chosen: RefCell::default(), ascii }
    }

    /// The characters of the text that no face has.
    pub fn lacking(&self, text: &str) -> BTreeSet<char> {
        let shown = composed(text);
        let lacks = |sign: &char| !is_invisible(*sign) && self.faces.iter().all(|face| !face.has(*sign));
        shown.chars().filter(lacks).collect()
    }

    /// The whole text as one line.
    pub fn line(&self, text: &str, weight: Weight) -> Line {
        match plain(text) {
            true => self.plain_line(text, weight),
            false => self.line_of(&composed(text), weight, None),
        }
    }

    /// Width of the whole text at this style's size, in points.
    pub fn width(&self, text: &str, style: Style) -> f32 {
        let em = if plain(text) { self.plain_width(text, style.weight) } else { self.line(text, style.weight).width };
        em * style.size
    }

    /// The text, when it is plain and no wider than this.
    pub fn plain<'t>(&self, text: &'t str, style: Style, width: f32) -> Option<Plain<'t>> {
        if !plain(text) {
            return None;
        }
        let em = self.plain_width(text, style.weight);
        (em * style.size <= width + 0.01).then_some(Plain { text, face: first_face(style.weight), width: em })
    }

    /// What pages call a character of a plain text.
    pub fn plain_code(&self, face: usize, sign: u8) -> u16 {
        self.ascii[face].get(usize::from(sign)).map_or(0, |ascii| ascii.code)
    }

    /// The text cut to this width with an ellipsis at its end, if it is longer.
    pub fn shortened(&self, text: &str, style: Style, width: f32) -> Line {
        let whole = self.line(text, style.weight);
        // Widths that were added up elsewhere differ in their last digits.
        if whole.width * style.size <= width + 0.01 {
            return whole;
        }
        let mut room = width / style.size - self.line(ELLIPSIS.encode_utf8(&mut [0; 4]), style.weight).width;
        let text = composed(text);
        let mut kept = 0;
        for cluster in clusters(&text) {
            room -= self.line_of(cluster, style.weight, None).width;
            if room < 0.0 {
                break;
            }
            kept += cluster.len();
        }
        let cut = format!("{}{ELLIPSIS}", text[..kept].trim_end());
        self.line_of(&cut, style.weight, Some(base_of(&text)))
    }

    /// The text in lines of at most this width: broken at blanks, and within a word only when it is longer than a line.
    pub fn wrapped(&self, text: &str, style: Style, width: f32) -> Vec<Line> {
        let text = composed(text);
        let base = (!plain(&text)).then(|| base_of(&text));
        let broken = self.broken(&text, style.weight, width / style.size);
        broken.iter().map(|line| self.line_of(line, style.weight, base)).collect()
    }

    /// The text in at most so many lines; the last one of a longer text ends in an ellipsis.
    pub fn cut(&self, text: &str, style: Style, width: f32, lines_max: usize) -> Vec<Line> {
        // Most texts are one line, and measuring is all they need.
        let whole = self.line(text, style.weight);
        if whole.width * style.size <= width + 0.01 {
            return vec![whole];
        }
        let text = composed(text);
        let base = (!plain(&text)).then(|| base_of(&text));
        let mut broken = self.broken(&text, style.weight, width / style.size);
        let rest = if broken.len() > lines_max { broken.split_off(lines_max - 1) } else { Vec::new() };
        let mut lines = broken.iter().map(|line| self.line_of(line, style.weight, base)).collect::<Vec<_>>();
        if let [first, second, ..] = rest.as_slice() {
            lines.push(self.shortened(&format!("{first} {second}"), style, width));
        }
        lines
    }

    /// The lines as texts, in em.
    fn broken(&self, text: &str, weight: Weight, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut room = width;
        let blank = self.plain_width(" ", weight);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let long = self.line_of(word, weight, None).width;
            let line = lines.last_mut().expect("there is a line from the start");
            if line.is_empty() && long <= room {
                line.push_str(word);
                room -= long;
            } else if !line.is_empty() && blank + long <= room {
                line.push(' ');
                line.push_str(word);
                room -= blank + long;
            } else {
                if !line.is_empty() {
                    lines.push(String::new());
                }
                room = self.broken_onto(&mut lines, word, weight, width);
            }
        }
        lines
    }

    /// Writes a word onto an empty last line and as many further ones as it needs; returns the room left.
    fn broken_onto(&self, lines: &mut Vec<String>, word: &str, weight: Weight, width: f32) -> f32 {
        let mut room = width;
        for cluster in clusters(word) {
            let wide = self.line_of(cluster, weight, None).width;
            if wide > room && room < width {
                lines.push(String::new());
                room = width;
            }
            lines.last_mut().expect("the caller left an empty line").push_str(cluster);
            room -= wide;
        }
        room
    }

    fn plain_width(&self, text: &str, weight: Weight) -> f32 {
        let ascii = &self.ascii[first_face(weight)];
        let thousandths =
            text.bytes().map(|byte| ascii.get(usize::from(byte)).map_or(0, |ascii| u32::from(ascii.width)));
        thousandths.sum::<u32>() as f32 / 1000.0
    }

    fn plain_line(&self, text: &str, weight: Weight) -> Line {
        if text.is_empty() {
            return Line::default();
        }
        let (face, width) = (first_face(weight), self.plain_width(text, weight));
        Line { runs: vec![Run { face, shown: Shown::Signs(text.to_owned()), width, said: None }], width }
    }

    /// A composed text as one line; `base` is the way its paragraph goes.
    fn line_of(&self, text: &str, weight: Weight, base: Option<Level>) -> Line {
        if plain(text) {
            return self.plain_line(text, weight);
        }
        let mut line = Line::default();
        let clusters = self.in_faces(text, weight);
        if !text.chars().any(goes_left) {
            self.set(&mut line, &clusters, Direction::LeftToRight);
        } else {
            let order = ParagraphBidiInfo::new(text, base);
            let (levels, runs) = order.visual_runs(0..text.len());
            for run in runs {
                let left_to_right = levels.get(run.start).is_none_or(|level| level.is_ltr());
                let direction = if left_to_right { Direction::LeftToRight } else { Direction::RightToLeft };
                let inside = |cluster: &Cluster| run.contains(&cluster.start);
                let first = clusters.iter().position(inside).unwrap_or(clusters.len());
                let count = clusters[first..].iter().take_while(|cluster| inside(cluster)).count();
                self.set(&mut line, &clusters[first..first + count], direction);
            }
        }
        line.width = line.runs.iter().map(|run| run.width).sum();
        line
    }

    /// The clusters of a text, each with the first face that has all of it, or at least its letter.
    fn in_faces<'t>(&self, text: &'t str, weight: Weight) -> Vec<Cluster<'t>> {
        let mut start = 0;
        let set = |cluster: &'t str| {
            let at = start;
            start += cluster.len();
            let shaped = cluster.chars().any(needs_shaping);
            Cluster { text: cluster, start: at, face: self.face_of(cluster, weight), shaped }
        };
        clusters(text).map(set).collect()
    }

    fn face_of(&self, cluster: &str, weight: Weight) -> Option<usize> {
        let mut signs = cluster.chars().filter(|sign| !is_invisible(*sign));
        let Some(letter) = signs.next() else { return Some(first_face(weight)) };
        let key = (first_face(weight), letter);
        let known = self.chosen.borrow().get(&key).copied();
        let found = known.unwrap_or_else(|| self.asked(weight).find(|face| self.faces[*face].has(letter)));
        self.chosen.borrow_mut().insert(key, found);
        let marks = signs.collect::<Vec<_>>();
        if marks.is_empty() || found.is_none() {
            return found;
        }
        let whole = |face: &usize| marks.iter().chain([&letter]).all(|sign| self.faces[*face].has(*sign));
        self.asked(weight).find(whole).or(found)
    }

    /// The faces in the order in which they are asked.
    fn asked(&self, weight: Weight) -> impl Iterator<Item = usize> {
        let own = match weight {
            Weight::Regular => [REGULAR, BOLD],
            Weight::Bold => [BOLD, REGULAR],
        };
        own.into_iter().chain(2..self.faces.len())
    }

    /// Puts clusters that go one way at the end of the line, a run for each face and kind.
    fn set(&self, line: &mut Line, clusters: &[Cluster], direction: Direction) {
        let mut pieces: Vec<(&Cluster, Script, String)> = Vec::new();
        for cluster in clusters {
            let script = cluster.text.chars().map(script_of).find(|script| *script != Script::Other);
            let shaped = cluster.shaped || direction == Direction::RightToLeft;
            match pieces.last_mut() {
                Some((first, known, text))
                    if first.face == cluster.face
                        && (first.shaped || direction == Direction::RightToLeft) == shaped
                        && script.is_none_or(|script| script == *known)
                        && !text.ends_with(NON_JOINER) =>
                {
                    text.push_str(cluster.text);
                }
                _ => pieces.push((cluster, script.unwrap_or(Script::Other), cluster.text.to_owned())),
            }
        }
        let run = |(first, script, text): &(&Cluster, Script, String)| match first.face {
            None => self.boxes(text),
            Some(face) if first.shaped || direction == Direction::RightToLeft => {
                self.shaped(face, text, *script, direction)
            }
            Some(face) => self.signs(face, text),
        };
        match direction {
            Direction::LeftToRight => line.runs.extend(pieces.iter().map(run)),
            Direction::RightToLeft => line.runs.extend(pieces.iter().rev().map(run)),
        }
    }

    fn signs(&self, face: usize, text: &str) -> Run {
        let shown = text.chars().filter(|sign| !is_invisible(*sign)).collect::<String>();
        let signs = shown.chars().filter_map(|sign| self.faces[face].sign(sign));
        let (width, speaks) =
            signs.fold((0.0, true), |(width, speaks), sign| (width + sign.width, speaks && sign.speaks));
        Run { face, width, said: (!speaks).then(|| text.to_owned()), shown: Shown::Signs(shown) }
    }

    fn shaped(&self, face: usize, text: &str, script: Script, direction: Direction) -> Run {
        let shown: Cow<str> = match direction {
            Direction::LeftToRight => Cow::Borrowed(text),
            Direction::RightToLeft => Cow::Owned(text.chars().map(mirrored).collect()),
        };
        let mut shaped = self.faces[face].shaped(&shown, script, direction);
        if text.ends_with(NON_JOINER) && direction == Direction::RightToLeft {
            shaped.glyphs.splice(..0, self.faces[face].blank(NON_JOINER));
        }
        let said = (!shaped.speaks).then(|| text.to_owned());
        Run { face, width: shaped.width, said, shown: Shown::Glyphs(shaped.glyphs) }
    }

    /// A box for each letter; what they stand for is still said.
    fn boxes(&self, text: &str) -> Run {
        let shown = clusters(text).map(|_| BOX).collect::<String>();
        Run { said: Some(text.to_owned()), ..self.signs(REGULAR, &shown) }
    }
}

fn first_face(weight: Weight) -> usize {
    match weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    }
}
