//! The operators of a page as bytes (ISO 32000-1, 7.8.2), and how they are packed.

use flate2::{Compress, Compression, FlushCompress, Status};
use lopdf::{Dictionary, Stream};

use super::look::Colour;

/// How hard pages are packed: higher levels take twice the time for a few hundredths of the size.
const LEVEL: u32 = 6;

/// Operators one after the other, each with its operands before it.
#[derive(Default)]
pub struct Content(Vec<u8>);

impl Content {
    /// A length as it is written: a hundredth of a point is less than any printer draws.
    pub fn hundredths(length: f32) -> i32 {
        (length * 100.0).round() as i32
    }

    pub fn length(&mut self, length: f32) {
        self.hundredth(Content::hundredths(length));
    }

    /// So many hundredths of a point.
    pub fn hundredth(&mut self, hundredths: i32) {
        self.decimal(hundredths, 100);
        self.0.push(b' ');
    }

    /// So many parts of one, without zeros at its end; `parts` is a power of ten.
    fn decimal(&mut self, number: i32, parts: u32) {
        if number < 0 {
            self.0.push(b'-');
        }
        let (whole, mut rest) = (number.unsigned_abs() / parts, number.unsigned_abs() % parts);
        self.digits(whole);
        let mut part = parts / 10;
        if rest > 0 {
            self.0.push(b'.');
        }
        while rest > 0 {
            self.digits(rest / part);
            rest %= part;
            part /= 10;
        }
    }

    fn digits(&mut self, number: u32) {
        let mut power = 1;
        while power <= number / 10 {
            power *= 10;
        }
        while power > 0 {
            self.0.push(b'0' + (number / power % 10) as u8);
            power /= 10;
        }
    }

    pub fn operator(&mut self, name: &str) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
    }

    /// What is drawn from here on has this colour.
    pub fn colour(&mut self, colour: Colour) {
        for part in colour {
            self.decimal((i32::from(part) * 1000 + 127) / 255, 1000);
            self.0.push(b' ');
        }
        self.operator("rg");
    }

    pub fn font(&mut self, name: &str, size: f32) {
        self.0.push(b'/');
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b' ');
        self.length(size);
        self.operator("Tf");
    }

    /// Shows glyphs one after the other, by two bytes each.
    pub fn codes(&mut self, codes: impl Iterator<Item = u16>) {
        self.0.push(b'(');
        for byte in codes.flat_map(u16::to_be_bytes) {
            match byte {
                b'(' | b')' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
                // Readers take each of the ways to end a line for a line feed.
                b'\r' => self.0.extend_from_slice(b"\\r"),
                other => self.0.push(other),
            }
        }
        self.0.push(b')');
        self.operator("Tj");
    }

    /// Begins a span that says this in place of its glyphs, in UTF-16 with its mark.
    pub fn begin_span(&mut self, said: &str) {
        self.0.extend_from_slice(b"/Span<</ActualText<FEFF");
        for unit in said.encode_utf16() {
            self.0.extend(format!("{unit:04X}").bytes());
        }
        self.operator(">>>BDC");
    }

    pub fn append(&mut self, other: &Content) {
        self.0.extend_from_slice(&other.0);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Packs one content after the other with the same tables.
pub struct Packer(Compress);

impl Packer {
    pub fn new() -> Packer {
        Packer(Compress::new(Compression::new(LEVEL), true))
    }

    /// The content as a packed stream.
    pub fn packed(&mut self, content: &[u8]) -> Stream {
        self.0.reset();
        // Packed content is never longer than this, so that one call ends it.
        let mut packed = Vec::with_capacity(content.len() + content.len() / 8 + 64);
        let ended = self.0.compress_vec(content, &mut packed, FlushCompress::Finish);
        if !matches!(ended, Ok(Status::StreamEnd)) {
            return Stream::new(Dictionary::new(), content.to_vec());
        }
        packed.shrink_to_fit();
        let mut stream = Stream::new(Dictionary::new(), packed);
        stream.dict.set("Filter", "FlateDecode");
        stream
    }
}
