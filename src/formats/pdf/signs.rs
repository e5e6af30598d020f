//! What characters ask of whoever draws them, beyond having a glyph.

use unicode_bidi::{BidiClass, bidi_class};
use unicode_normalization::char::is_combining_mark;

use super::face::Script;

/// Whether the character shows nothing by itself (Unicode: default ignorable).
pub fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character turns the order of others around it. Names may not: what is drawn would read as another name.
pub fn is_override(sign: char) -> bool {
    matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether the character stands at the one before it.
pub fn is_attached(sign: char) -> bool {
    is_combining_mark(sign) || is_invisible(sign)
}

/// Whether the character takes its shape or its place from its neighbours.
pub fn needs_shaping(sign: char) -> bool {
    is_combining_mark(sign) || goes_left(sign)
}

/// Whether the character is written from right to left.
pub fn goes_left(sign: char) -> bool {
    matches!(bidi_class(sign), BidiClass::R | BidiClass::AL | BidiClass::AN)
}

pub fn script_of(sign: char) -> Script {
    match sign {
        '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => Script::Hebrew,
        '\u{600}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{870}'..='\u{8ff}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' => Script::Arabic,
        _ => Script::Other,
    }
}

/// The sign that shows in place of this one where text runs to the left.
pub fn mirrored(sign: char) -> char {
    const PAIRS: [(char, char); 9] = [
        ('(', ')'),
        ('[', ']'),
        ('{', '}'),
        ('<', '>'),
        ('«', '»'),
        ('‹', '›'),
        ('≤', '≥'),
        ('（', '）'),
        ('「', '」'),
    ];
    let other = PAIRS.iter().find_map(|(left, right)| match sign {
        _ if sign == *left => Some(*right),
        _ if sign == *right => Some(*left),
        _ => None,
    });
    other.unwrap_or(sign)
}
