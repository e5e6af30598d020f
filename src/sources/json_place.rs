//! Finds the line on which a value of a well-formed JSON text begins.

use super::json_field::Turn;

/// The line (from 1) of the value at the end of the way, or of the innermost object on it that exists.
///
/// `json` is text that a JSON parser has accepted; `from` is where the outermost value begins.
pub fn line_of(json: &[u8], from: usize, way: &[Turn]) -> usize {
    let mut at = Place { json, at: from };
    at.skip_space();
    let mut found = at.at;
    for turn in way {
        let entered = match turn {
            Turn::Name(name) => at.enter_field(name),
            Turn::Index(index) => at.enter_item(*index),
        };
        if !entered {
            break;
        }
        found = at.at;
    }
    1 + json[..found.min(json.len())].iter().filter(|byte| **byte == b'\n').count()
}

struct Place<'a> {
    json: &'a [u8],
    at: usize,
}

impl Place<'_> {
    fn byte(&self) -> u8 {
        self.json.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// Past the text that begins here; returns its raw content.
    fn skip_text(&mut self) -> &[u8] {
        let from = self.at + 1;
        self.at = from;
        while self.at < self.json.len() && self.byte() != b'"' {
            self.at += if self.byte() == b'\\' { 2 } else { 1 };
        }
        let to = self.at.min(self.json.len());
        self.at = to + 1;
        &self.json[from.min(to)..to]
    }

    /// Past the value that begins here, however deep.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.json.len() {
            match self.byte() {
                b'"' => {
                    self.skip_text();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// To the value of the field; stays put when there is none.
    fn enter_field(&mut self, name: &str) -> bool {
        let back = self.at;
        if self.byte() != b'{' {
            return false;
        }
        self.at += 1;
        loop {
            self.skip_space();
            if self.byte() != b'"' {
                self.at = back;
                return false;
            }
            let is_it = self.skip_text() == name.as_bytes();
            self.skip_space();
            self.at += 1;
            self.skip_space();
            if is_it {
                return true;
            }
            self.skip_value();
            self.at += 1;
        }
    }

    fn enter_item(&mut self, index: usize) -> bool {
        if self.byte() != b'[' {
            return false;
        }
        self.at += 1;
        for _ in 0..index {
            self.skip_space();
            self.skip_value();
            self.at += 1;
        }
        self.skip_space();
        true
    }
}
