//! One face of a font file: which characters it has, how wide they are, how a text takes shape in it, and the part of
//! it that a document embeds.

use std::cell::RefCell;
use std::collections::BTreeMap;

use allsorts::Font;
use allsorts::binary::read::ReadScope;
use allsorts::cff::CFF;
use allsorts::font::MatchingPresentation;
use allsorts::font_data::{DynamicFontTableProvider, FontData};
use allsorts::get_name::fontcode_get_name;
use allsorts::gpos::{Info, Placement};
use allsorts::gsub::{FeatureMask, FeatureMaskExt};
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use allsorts::tables::{FontTableProvider, NameTable};
use allsorts::tag;
use printpdf::{Codepoint, FontId, ParsedFont};

/// The OpenType tag of the Hebrew script.
const HEBREW: u32 = u32::from_be_bytes(*b"hebr");

/// Characters whose glyphs have neither ink nor width, where a font has them.
const BLANKS: [char; 14] = [
    '\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}', '\u{206a}', '\u{206b}', '\u{206c}', '\u{206d}', '\u{206e}',
    '\u{206f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
];

/// Which way a run of text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    LeftToRight,
    RightToLeft,
}

/// Writing systems that are shaped by rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Arabic,
    Hebrew,
    Other,
}

/// A glyph at its place, in em from the start of its run.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub code: u16,
    pub x: f32,
    pub y: f32,
    pub advance: f32,
}

/// Glyphs in the order in which they stand on the line.
#[derive(Clone, Debug, Default)]
pub struct Shaped {
    pub glyphs: Vec<Placed>,
    pub width: f32,
    /// Whether the glyphs alone say the text; otherwise it must be said beside them.
    pub speaks: bool,
}

/// A face and what a document uses of it.
pub struct Face<'a> {
    pub id: FontId,
    name: String,
    units_per_em: u16,
    font: RefCell<Font<DynamicFontTableProvider<'a>>>,
    /// What a CID-keyed font calls its glyphs; cutting it down keeps these names, and pages use them.
    cids: Option<Vec<u16>>,
    used: RefCell<Used>,
}

/// Glyphs in the order of their first use, which is their order in the embedded part.
struct Used {
    glyphs: Vec<Glyph>,
    by_id: BTreeMap<u16, usize>,
    signs: BTreeMap<char, Option<Sign>>,
    /// Blank glyphs by the character they say.
    blanks: BTreeMap<char, usize>,
}

struct Glyph {
    /// In the font file.
    id: u16,
    /// In the pages: the place in the embedded part, or what a CID-keyed font calls the glyph.
    code: u16,
    /// In units of the font.
    advance: u16,
    /// What a reader copies out of the file.
    text: String,
}

/// A character that needs no shaping.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// What pages call its glyph.
    pub code: u16,
    /// In em.
    pub width: f32,
    /// Whether the glyph says this very character.
    pub speaks: bool,
}

impl<'a> Face<'a> {
    /// The first face of a font file; `None` when it cannot be drawn with or cut down.
    pub fn open(file: &'a [u8], nth: usize) -> Option<Face<'a>> {
        let data = ReadScope::new(file).read::<FontData>().ok()?;
        let font = Font::new(data.table_provider(0).ok()?).ok()?;
        let units_per_em = font.head_table.units_per_em;
        // Whether it can be cut down shows only when it is.
        subset(&font.font_table_provider, &[0], &SubsetProfile::Pdf, CmapTarget::Unicode).ok()?;
        let letter = char::from(b'A' + u8::try_from(nth).ok().filter(|nth| *nth < 26)?);
        let name = format!("TIDEG{letter}+{}", name_of(&font.font_table_provider).unwrap_or("Typeface".to_owned()));
        let used = Used { glyphs: Vec::new(), by_id: BTreeMap::new(), signs: BTreeMap::new(), blanks: BTreeMap::new() };
        let (id, cids) = (FontId(letter.to_string()), cids_of(&font.font_table_provider));
        let face = Face { id, name, units_per_em, cids, font: font.into(), used: used.into() };
        (units_per_em > 0 && face.use_glyph(0, "\u{fffd}").is_some()).then_some(face)
    }

    /// A width as the file states it, in em: whole thousandths, as printpdf rounds them.
    fn ems(&self, units: u16) -> f32 {
        (f32::from(units) * 1000.0 / f32::from(self.units_per_em)).trunc() / 1000.0
    }

    /// The character by itself, if the face has it.
    pub fn sign(&self, sign: char) -> Option<Sign> {
        if let Some(known) = self.used.borrow().signs.get(&sign) {
            return *known;
        }
        let (id, _) = self.font.borrow_mut().lookup_glyph_index(sign, MatchingPresentation::NotRequired, None);
        let found = if id == 0 { None } else { self.use_glyph(id, sign.encode_utf8(&mut [0; 4])) };
        let found = found.map(|place| {
            let glyph = &self.used.borrow().glyphs[place];
            Sign { code: glyph.code, width: self.ems(glyph.advance), speaks: glyph.text.chars().eq([sign]) }
        });
        self.used.borrow_mut().signs.insert(sign, found);
        found
    }

    /// Whether the face has the character, without using it.
    pub fn has(&self, sign: char) -> bool {
        self.font.borrow_mut().lookup_glyph_index(sign, MatchingPresentation::NotRequired, None).0 != 0
    }

    /// Puts a glyph into the embedded part; a glyph that stands for several texts says the first one.
    fn use_glyph(&self, id: u16, text: &str) -> Option<usize> {
        let mut used = self.used.borrow_mut();
        if let Some(place) = used.by_id.get(&id) {
            return Some(*place);
        }
        let place = used.glyphs.len();
        let advance = self.font.borrow_mut().horizontal_advance(id)?;
        let code = match &self.cids {
            Some(cids) => *cids.get(usize::from(id))?,
            None => u16::try_from(place).ok()?,
        };
        used.glyphs.push(Glyph { id, code, advance, text: text.to_owned() });
        used.by_id.insert(id, place);
        Some(place)
    }

    /// The text in this face's own shapes: joined, with marks at their letters, in the order of the line.
    pub fn shaped(&self, text: &str, script: Script, direction: Direction) -> Shaped {
        let infos = {
            let mut font = self.font.borrow_mut();
            let script = match script {
                Script::Arabic => tag::ARAB,
                Script::Hebrew => HEBREW,
                Script::Other => tag::LATN,
            };
            let glyphs = font.map_glyphs(text, script, MatchingPresentation::NotRequired);
            let mask = FeatureMask::default_mask();
            // What could be shaped in spite of an error stands as it is.
            font.shape(glyphs, script, None, mask, &[], None, false).unwrap_or_else(|(_, infos)| infos)
        };
        let mut shaped = Shaped { speaks: true, ..Shaped::default() };
        let spoken = infos.iter().map(|info| self.spoken(info, direction, &mut shaped.speaks)).collect::<Vec<_>>();
        self.laid_out(&infos, &spoken, direction, &mut shaped);
        shaped
    }

    /// Where a shaped glyph stands in the embedded part, and before it on the line the blank glyphs that say the rest
    /// of its text; nothing for signs that only steer.
    fn spoken(&self, info: &Info, direction: Direction, speaks: &mut bool) -> Vec<usize> {
        let text = info.glyph.unicodes.iter().collect::<String>();
        let id = info.glyph.glyph_index;
        let steers = text.chars().all(super::signs::is_invisible);
        if id == 0 || (steers && !self.is_blank(id)) {
            return Vec::new();
        }
        *speaks &= !info.glyph.multi_subst_dup();
        if let Some(glyphs) = self.one_by_one(id, &text, direction) {
            return glyphs;
        }
        let Some(place) = self.use_glyph(id, &text) else { return Vec::new() };
        *speaks &= self.used.borrow().glyphs[place].text == text;
        vec![place]
    }

    /// A ligature that runs to the left: it says its first letter, and blank glyphs at its left say the others, so that
    /// readers that turn the line around find each letter at its place.
    fn one_by_one(&self, id: u16, text: &str, direction: Direction) -> Option<Vec<usize>> {
        let first = text.chars().next()?;
        if direction == Direction::LeftToRight || text.chars().nth(1).is_none() {
            return None;
        }
        let mut glyphs = text.chars().skip(1).map(|sign| self.blank_saying(sign)).collect::<Option<Vec<_>>>()?;
        glyphs.reverse();
        let place = self.use_glyph(id, first.encode_utf8(&mut [0; 4]))?;
        glyphs.push(place);
        self.used.borrow().glyphs[place].text.chars().eq([first]).then_some(glyphs)
    }

    /// Nothing to see at the start of a run, that says the character.
    pub fn blank(&self, sign: char) -> Option<Placed> {
        let place = self.blank_saying(sign)?;
        Some(Placed { code: self.used.borrow().glyphs[place].code, x: 0.0, y: 0.0, advance: 0.0 })
    }

    /// A glyph without ink and width that says the character.
    fn blank_saying(&self, sign: char) -> Option<usize> {
        if let Some(known) = self.used.borrow().blanks.get(&sign) {
            return Some(*known);
        }
        let mut font = self.font.borrow_mut();
        let mut id = |blank| font.lookup_glyph_index(blank, MatchingPresentation::NotRequired, None).0;
        let ids = BLANKS.map(&mut id);
        drop(font);
        let free = ids.into_iter().find(|id| !self.used.borrow().by_id.contains_key(id) && self.is_blank(*id))?;
        let place = self.use_glyph(free, sign.encode_utf8(&mut [0; 4]))?;
        self.used.borrow_mut().blanks.insert(sign, place);
        Some(place)
    }

    fn is_blank(&self, id: u16) -> bool {
        id != 0 && self.font.borrow_mut().horizontal_advance(id) == Some(0)
    }

    /// Letters one after the other along the line, then marks at the letters they belong to.
    fn laid_out(&self, infos: &[Info], spoken: &[Vec<usize>], direction: Direction, shaped: &mut Shaped) {
        let used = self.used.borrow();
        let em = f32::from(self.units_per_em);
        let mut at = vec![(0.0, 0.0); infos.len()];
        let order: Vec<usize> = match direction {
            Direction::LeftToRight => (0..infos.len()).collect(),
            Direction::RightToLeft => (0..infos.len()).rev().collect(),
        };
        let mut advances = vec![0.0; infos.len()];
        for n in order.clone() {
            let Some(place) = spoken[n].last() else { continue };
            let offset = match infos[n].placement {
                Placement::MarkAnchor(..) | Placement::MarkOverprint(_) => continue,
                Placement::Distance(x, y) => (x as f32 / em, y as f32 / em),
                Placement::None | Placement::CursiveAnchor(..) => (0.0, 0.0),
            };
            at[n] = (shaped.width + offset.0, offset.1);
            advances[n] = self.ems(used.glyphs[*place].advance);
            shaped.width += advances[n];
        }
        for n in 0..infos.len() {
            let (base, x, y) = match infos[n].placement {
                Placement::MarkAnchor(base, letter, mark) => {
                    (base, i32::from(letter.x) - i32::from(mark.x), i32::from(letter.y) - i32::from(mark.y))
                }
                Placement::MarkOverprint(base) => (base, 0, 0),
                Placement::None | Placement::Distance(..) | Placement::CursiveAnchor(..) => continue,
            };
            let letter = at.get(base).copied().unwrap_or_default();
            at[n] = (letter.0 + x as f32 / em, letter.1 + y as f32 / em);
        }
        for n in order {
            let (x, y) = at[n];
            for place in &spoken[n] {
                let advance = if Some(place) == spoken[n].last() { advances[n] } else { 0.0 };
                shaped.glyphs.push(Placed { code: used.glyphs[*place].code, x, y, advance });
            }
        }
    }

    /// What pages call the character's glyph; the sign for what is lacking when it was never asked for.
    pub fn code_of(&self, sign: char) -> u16 {
        self.sign(sign).map_or(0, |sign| sign.code)
    }

    /// The part that is embedded, and every glyph of it with its text; `None` when nothing of the face was used.
    pub fn embedded(&self) -> Option<(ParsedFont, Vec<Codepoint>)> {
        let used = self.used.borrow();
        if used.glyphs.len() < 2 {
            return None;
        }
        let ids = used.glyphs.iter().map(|glyph| glyph.id).collect::<Vec<_>>();
        let provider = &self.font.borrow().font_table_provider;
        let part = subset(provider, &ids, &SubsetProfile::Pdf, CmapTarget::Unicode).ok()?;
        let mut parsed = ParsedFont::from_bytes(&part, 0, &mut Vec::new())?;
        parsed.font_name = Some(self.name.clone());
        let each = used.glyphs.iter().zip(0..).skip(1);
        let glyphs = each.map(|(glyph, place)| Codepoint::with_cid(place, 0.0, glyph.text.clone())).collect();
        Some((parsed, glyphs))
    }
}

/// The charset of a CID-keyed CFF font; `None` for every other kind.
fn cids_of(provider: &impl FontTableProvider) -> Option<Vec<u16>> {
    let table = provider.read_table_data(tag::CFF).ok()?;
    let cff = ReadScope::new(&table).read::<CFF>().ok()?;
    let first = cff.fonts.first().filter(|first| first.is_cid_keyed())?;
    let count = u16::try_from(first.char_strings_index.len()).unwrap_or(u16::MAX);
    Some((0..count).map(|id| first.charset.id_for_glyph(id).unwrap_or_default()).collect())
}

/// The PostScript name.
fn name_of(provider: &impl FontTableProvider) -> Option<String> {
    let names = provider.read_table_data(tag::NAME).ok()?;
    let name = fontcode_get_name(&names, NameTable::POSTSCRIPT_NAME).ok()??.into_string().ok()?;
    let plain = name.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').take(63).collect::<String>();
    (!plain.is_empty()).then_some(plain)
}
