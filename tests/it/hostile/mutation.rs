//! Valid examples made wrong: bits, cuts, doubles, pieces of others, and values that nobody expects in their places.

use std::sync::LazyLock;

use proptest::prelude::*;

/// Deeper than any reader goes.
const DEPTH: usize = 10_000;
/// Longer than any name.
const LONG: usize = 1 << 20;

/// Values that no example has.
static ODD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let texts = [
        "0",
        "-0",
        "-1",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1",
        "NaN",
        "Infinity",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "-9223372036854775808",
        "4294967296",
        "99999999999999999999999999999",
        "79228162514264337593543950335",
        "1000000000",
        "0.0000000000000000000000000001",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"1e400\"",
        "\"79228162514264337593543950335\"",
        "\"2016-12-31T23:59:60Z\"",
        "\"0000-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"+262142-12-31T23:59:59Z\"",
        "\"-262143-01-01T00:00:00Z\"",
        "\"+275760-09-13T00:00:00Z\"",
        "\"0000-00-00\"",
        "\"9999-12-31\"",
        "\"+262142-12-31\"",
        "\"1970-01-01\"",
        "\"2026-02-30\"",
        "2026-10-20T09:30:00Z",
        "9999-12-31",
        "9998-12",
        "9998-W52",
        "../../../etc/passwd",
        "=1+1",
        "<b>",
        "\u{202e}",
        "\u{feff}",
        "\u{0}",
        "\r\n\r\n",
        "\\u0000",
        "\\ud800",
        "&#0;",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "%00",
        "%ff",
        "{{7*7}}",
    ];
    let bytes: [&[u8]; 5] = [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1e"];
    let long: [Vec<u8>; 5] =
        [vec![b'['; DEPTH], b"{\"a\":".repeat(DEPTH), b"<a>".repeat(DEPTH), vec![b'9'; 5_000], vec![b'x'; LONG]];
    texts.map(|text| text.as_bytes().to_vec()).into_iter().chain(bytes.map(<[u8]>::to_vec)).chain(long).collect()
});

/// One thing that is made wrong; places are shares of the example's length, in 1/65536.
#[derive(Clone, Debug)]
pub enum Mutation {
    FlipBit {
        at: u16,
        bit: u8,
    },
    Put {
        at: u16,
        byte: u8,
    },
    Cut {
        from: u16,
    },
    Remove {
        from: u16,
        bytes: u16,
    },
    Double {
        from: u16,
        bytes: u16,
        times: u8,
    },
    /// A piece of another example.
    Splice {
        at: u16,
        of: u8,
        from: u16,
        bytes: u16,
    },
    /// An odd value anywhere.
    Insert {
        at: u16,
        odd: u8,
    },
    /// An odd value in the place of a number, a text or a word.
    Instead {
        of: u16,
        odd: u8,
    },
}

impl Arbitrary for Mutation {
    type Parameters = ();
    type Strategy = BoxedStrategy<Mutation>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Mutation> {
        let (place, byte) = (any::<u16>, any::<u8>);
        prop_oneof![
            2 => (place(), 0..8_u8).prop_map(|(at, bit)| Mutation::FlipBit { at, bit }),
            1 => (place(), byte()).prop_map(|(at, byte)| Mutation::Put { at, byte }),
            1 => place().prop_map(|from| Mutation::Cut { from }),
            2 => (place(), 1..200_u16).prop_map(|(from, bytes)| Mutation::Remove { from, bytes }),
            1 => (place(), 1..200_u16, 1..20_u8).prop_map(|(from, bytes, times)| Mutation::Double { from, bytes, times }),
            2 => (place(), byte(), place(), 1..400_u16)
                .prop_map(|(at, of, from, bytes)| Mutation::Splice { at, of, from, bytes }),
            1 => (place(), byte()).prop_map(|(at, odd)| Mutation::Insert { at, odd }),
            8 => (place(), byte()).prop_map(|(of, odd)| Mutation::Instead { of, odd }),
        ]
        .boxed()
    }
}

fn place(share: u16, length: usize) -> usize {
    length * usize::from(share) / 65_536
}

fn odd(which: u8) -> &'static [u8] {
    &ODD[usize::from(which) % ODD.len()]
}

/// The example with everything made wrong that is asked.
pub fn mutated(example: &[u8], mutations: &[Mutation], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = example.to_vec();
    for mutation in mutations {
        mutation.apply(&mut bytes, others);
    }
    bytes
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let length = bytes.len();
        let piece = |of: &[u8], from: u16, many: u16| {
            let from = place(from, of.len());
            of[from..of.len().min(from + usize::from(many))].to_vec()
        };
        match *self {
            Mutation::FlipBit { at, bit } => {
                if let Some(byte) = bytes.get_mut(place(at, length)) {
                    *byte ^= 1 << bit;
                }
            }
            Mutation::Put { at, byte } => bytes.insert(place(at, length), byte),
            Mutation::Cut { from } => bytes.truncate(place(from, length)),
            Mutation::Remove { from, bytes: many } => {
                let from = place(from, length);
                bytes.drain(from..length.min(from + usize::from(many)));
            }
            Mutation::Double { from, bytes: many, times } => {
                let again = piece(bytes, from, many).repeat(usize::from(times));
                let at = place(from, length);
                bytes.splice(at..at, again);
            }
            Mutation::Splice { at, of, from, bytes: many } => {
                let of = &others[usize::from(of) % others.len()];
                let at = place(at, length);
                bytes.splice(at..at, piece(of, from, many));
            }
            Mutation::Insert { at, odd: which } => {
                let at = place(at, length);
                bytes.splice(at..at, odd(which).iter().copied());
            }
            Mutation::Instead { of, odd: which } => {
                let values = values_in(bytes);
                if let Some(value) = values.get(place(of, values.len())).cloned() {
                    bytes.splice(value, odd(which).iter().copied());
                }
            }
        }
    }
}

/// Where texts, numbers and words stand: quoted ones with their quotes.
fn values_in(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b'"' => rest[1..].iter().position(|byte| *byte == b'"').map_or(1, |end| end + 2),
            byte if plain(&byte) => rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len()),
            _ => {
                at += 1;
                continue;
            }
        };
        found.push(at..at + length);
        at += length;
    }
    found
}
