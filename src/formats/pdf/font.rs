//! The embedded typeface: DejaVu Sans, cut down to the characters of one document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use allsorts::binary::read::ReadScope;
use allsorts::error::ParseError;
use allsorts::font::read_cmap_subtable;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use allsorts::tables::cmap::Cmap;
use allsorts::tables::{FontTableProvider, HeadTable, HheaTable, HmtxTable, MaxpTable};
use allsorts::tag;
use printpdf::{FontId, ParsedFont};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Stands for a character that the typeface lacks, so that nothing is dropped.
const BOX: char = '□';
/// What the layout itself writes.
const OWN_SIGNS: &str = "□…·–";
/// Characters a document may use before further ones are boxed: a glyph id has 16 bits.
const CHARACTERS_MAX: usize = 6_000;

/// The two weights; both know the same characters.
pub struct Fonts {
    pub regular: Face,
    pub bold: Face,
}

/// One weight with the widths of its characters.
pub struct Face {
    pub id: FontId,
    pub parsed: ParsedFont,
    ascii: [f32; 128],
    others: BTreeMap<char, f32>,
}

/// Glyph id and width in em of each character a face has.
type Glyphs = BTreeMap<char, (u16, f32)>;

impl Fonts {
    /// Both weights for a document that uses these characters (in NFC).
    pub fn for_characters(mut used: BTreeSet<char>) -> Fonts {
        used.extend((' '..='~').chain(OWN_SIGNS.chars()));
        let used = used.into_iter().filter(|sign| !sign.is_control()).take(CHARACTERS_MAX).collect();
        let valid = "the crate's typeface is a valid font";
        let (regular, bold) = (dejavu::sans::regular(), dejavu::sans::bold());
        let regular_glyphs = glyphs(regular, &used).expect(valid);
        let mut bold_glyphs = glyphs(bold, &used).expect(valid);
        bold_glyphs.retain(|sign, _| regular_glyphs.contains_key(sign));
        let regular_glyphs = regular_glyphs.into_iter().filter(|(sign, _)| bold_glyphs.contains_key(sign)).collect();
        Fonts {
            regular: Face::new("TIDEGA+DejaVuSans", regular, &regular_glyphs).expect(valid),
            bold: Face::new("TIDEGB+DejaVuSans-Bold", bold, &bold_glyphs).expect(valid),
        }
    }

    /// The text as it is drawn: composed, control signs as blanks, what the typeface lacks as a box.
    pub fn drawable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Cow::Borrowed(text);
        }
        let sign = |sign: char| match sign {
            sign if sign.is_control() => ' ',
            sign if self.regular.has(sign) => sign,
            _ => BOX,
        };
        Cow::Owned(composed(text).chars().map(sign).collect())
    }
}

/// The text in NFC, so that an accent and its letter are one sign.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

impl Face {
    fn new(name: &str, file: &[u8], glyphs: &Glyphs) -> Option<Face> {
        let ids = [0].into_iter().chain(glyphs.values().map(|(id, _)| *id)).collect::<BTreeSet<_>>();
        let ids = ids.into_iter().collect::<Vec<_>>();
        let data = ReadScope::new(file).read::<FontData>().ok()?;
        let provider = data.table_provider(0).ok()?;
        let small = subset(&provider, &ids, &SubsetProfile::Pdf, CmapTarget::Unicode).ok()?;
        let parsed = ParsedFont::from_bytes(&small, 0, &mut Vec::new())?;
        let width = |sign: char| glyphs.get(&sign).map_or(0.0, |(_, width)| *width);
        Some(Face {
            id: FontId(name.to_owned()),
            parsed,
            ascii: std::array::from_fn(|code| width(char::from(code as u8))),
            others: glyphs.iter().filter(|(sign, _)| !sign.is_ascii()).map(|(sign, glyph)| (*sign, glyph.1)).collect(),
        })
    }

    fn has(&self, sign: char) -> bool {
        sign.is_ascii() || self.others.contains_key(&sign)
    }

    /// Width of one character at size 1.
    pub fn width_of(&self, sign: char) -> f32 {
        match self.ascii.get(sign as usize) {
            Some(width) => *width,
            None => self.others.get(&sign).copied().unwrap_or_default(),
        }
    }

    /// Width of a drawable text at this size.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|sign| self.width_of(sign)).sum::<f32>() * size
    }

    /// The text cut to this width with an ellipsis at its end, if it is longer.
    pub fn shortened(&self, text: &str, size: f32, width: f32) -> String {
        // Widths that were added up elsewhere differ in their last digits.
        if self.width(text, size) <= width + 0.01 {
            return text.to_owned();
        }
        let mut room = width - self.width("…", size);
        let fits = |sign: &char| {
            room -= self.width_of(*sign) * size;
            room >= 0.0
        };
        let kept = text.chars().take_while(fits).collect::<String>();
        format!("{}…", kept.trim_end())
    }

    /// The text in lines of at most this width: broken at blanks, and within a word only when it is longer than a line.
    pub fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut room = width;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let (blank, long) = (self.width_of(' ') * size, self.width(word, size));
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
                room = self.broken_onto(&mut lines, word, size, width);
            }
        }
        lines
    }

    /// Writes a word onto an empty last line and as many further ones as it needs; returns the room left.
    fn broken_onto(&self, lines: &mut Vec<String>, word: &str, size: f32, width: f32) -> f32 {
        let mut room = width;
        for sign in word.chars() {
            let wide = self.width_of(sign) * size;
            if wide > room && room < width {
                lines.push(String::new());
                room = width;
            }
            lines.last_mut().expect("the caller left an empty line").push(sign);
            room -= wide;
        }
        room
    }
}

/// Which of these characters the font file has.
fn glyphs(file: &[u8], used: &BTreeSet<char>) -> Result<Glyphs, ParseError> {
    let data = ReadScope::new(file).read::<FontData>()?;
    let provider = data.table_provider(0).map_err(|_| ParseError::BadIndex)?;
    let head = provider.read_table_data(tag::HEAD)?;
    let em = f32::from(ReadScope::new(&head).read::<HeadTable>()?.units_per_em);
    let maxp = provider.read_table_data(tag::MAXP)?;
    let count = usize::from(ReadScope::new(&maxp).read::<MaxpTable>()?.num_glyphs);
    let hhea = provider.read_table_data(tag::HHEA)?;
    let metrics = usize::from(ReadScope::new(&hhea).read::<HheaTable>()?.num_h_metrics);
    let hmtx = provider.read_table_data(tag::HMTX)?;
    let hmtx = ReadScope::new(&hmtx).read_dep::<HmtxTable>((count, metrics))?;
    let cmap = provider.read_table_data(tag::CMAP)?;
    let cmap = ReadScope::new(&cmap).read::<Cmap>()?;
    let (_, subtable) = read_cmap_subtable(&cmap)?.ok_or(ParseError::MissingValue)?;
    let mut found = Glyphs::new();
    for sign in used {
        if let Some(id) = subtable.map_glyph(u32::from(*sign))?.filter(|id| *id != 0) {
            found.insert(*sign, (id, f32::from(hmtx.horizontal_advance(id)?) / em));
        }
    }
    Ok(found)
}
