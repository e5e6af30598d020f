//! A text before it is set: composed, without what would turn it around, in letters with what is attached to them.

use std::borrow::Cow;

use unicode_bidi::{Level, get_base_direction_full};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::signs::{is_attached, is_override};

/// Ends a text that was cut.
pub const ELLIPSIS: char = '…';
/// Longest text that is set whole, in characters; the rest of a longer one is cut off with an ellipsis.
const SIGNS_MAX: usize = 20_000;

/// Whether each character is one glyph of the built-in typeface.
pub fn plain(text: &str) -> bool {
    // Every byte is looked at, so that many are at once.
    text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte))
}

/// The way a paragraph of this text goes.
pub fn base_of(text: &str) -> Level {
    match get_base_direction_full(text) {
        unicode_bidi::Direction::Rtl => Level::rtl(),
        unicode_bidi::Direction::Ltr | unicode_bidi::Direction::Mixed => Level::ltr(),
    }
}

/// The text in NFC, so that an accent and its letter are one sign where there is one; breaks are blanks, and what would
/// turn the order of others is left out.
pub fn composed(text: &str) -> Cow<'_, str> {
    if plain(text) {
        return Cow::Borrowed(text);
    }
    let blank = |sign: char| if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') { ' ' } else { sign };
    let shown = |text: &str| -> String {
        let mut signs = text.chars().filter(|sign| !is_override(*sign)).map(blank);
        let mut shown = signs.by_ref().take(SIGNS_MAX).collect::<String>();
        if signs.next().is_some() {
            shown.push(ELLIPSIS);
        }
        shown
    };
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Owned(shown(text)),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(shown(&text.nfc().collect::<String>())),
    }
}

/// Letters with what is attached to them.
pub fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut signs = rest.char_indices().skip(1);
        let end = signs.find(|(_, sign)| !is_attached(*sign)).map_or(rest.len(), |(at, _)| at);
        let (cluster, left) = rest.split_at(end);
        rest = left;
        (!cluster.is_empty()).then_some(cluster)
    })
}
