//! What serde tells of a value, as canonical text.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write;

use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};
use serde_json::Error;

use super::layout::Layout;
use super::members::{Member, Sorting};
use super::numbers::ecmascript;

/// The text so far, and the members of every object that is still open.
pub(super) struct Canonical<'n> {
    text: Vec<u8>,
    layout: Layout,
    /// What stands between two members or items of what is open; all but its comma before the first and after the last.
    separator: Vec<u8>,
    members: Vec<Member>,
    sorting: Sorting,
    /// Members of the outermost object that are not written.
    left_out: &'n [&'n str],
}

/// An object whose members come one after the other.
pub(super) struct Object<'a, 'n> {
    all: &'a mut Canonical<'n>,
    /// The first of its members among all.
    first: usize,
    left_out: &'n [&'n str],
    /// Where the member begins whose value is still to come; `None` when it is left out.
    begun: Option<(Cow<'static, str>, usize)>,
    /// What ends it: its own brace, and that of the variant around it.
    ends: &'static [u8],
}

/// An array whose items come one after the other.
pub(super) struct Array<'a, 'n> {
    all: &'a mut Canonical<'n>,
    is_begun: bool,
    ends: &'static [u8],
}

type Done = Result<(), Error>;

impl<'n> Canonical<'n> {
    pub(super) fn new(layout: Layout, left_out: &'n [&'n str]) -> Canonical<'n> {
        let (text, members, separator) = (Vec::new(), Vec::new(), layout.separator().to_vec());
        Canonical { text, layout, separator, members, sorting: Sorting::default(), left_out }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.text
    }

    fn add(&mut self, shown: &[u8]) -> Done {
        self.text.extend_from_slice(shown);
        Ok(())
    }

    fn shown(&mut self, shown: impl Display) -> Done {
        write!(self.text, "{shown}").map_err(Error::custom)
    }

    fn quoted(&mut self, text: &str) -> Done {
        self.text.push(b'"');
        if needs_escapes(text.as_bytes()) {
            self.escaped(text);
        } else {
            self.text.extend_from_slice(text.as_bytes());
        }
        self.text.push(b'"');
        Ok(())
    }

    fn escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            let short = match byte {
                b'"' | b'\\' => byte,
                b'\x08' => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                b'\x0c' => b'f',
                b'\r' => b'r',
                control if control < b' ' => {
                    self.text.extend(format!("\\u{control:04x}").bytes());
                    continue;
                }
                plain => {
                    self.text.push(plain);
                    continue;
                }
            };
            self.text.extend([b'\\', short]);
        }
    }

    fn object(&mut self, ends: &'static [u8]) -> Object<'_, 'n> {
        let left_out = if self.text.is_empty() { self.left_out } else { &[] };
        self.open(b'{');
        let first = self.members.len();
        Object { all: self, first, left_out, begun: None, ends }
    }

    fn array(&mut self, ends: &'static [u8]) -> Array<'_, 'n> {
        self.open(b'[');
        Array { all: self, is_begun: false, ends }
    }

    /// Begins a variant with something in it: an object of one member.
    fn variant(&mut self, name: &str) -> Done {
        self.open(b'{');
        self.text.extend_from_slice(&self.separator[1..]);
        self.quoted(name)?;
        self.add(self.layout.colon())
    }

    fn open(&mut self, begin: u8) {
        self.text.push(begin);
        self.separator.extend_from_slice(self.layout.step());
    }

    /// Ends what is open and the variants around it, of which none is empty.
    fn close(&mut self, ends: &[u8], mut is_empty: bool) -> Done {
        for end in ends {
            self.separator.truncate(self.separator.len() - self.layout.step().len());
            if !std::mem::take(&mut is_empty) {
                self.text.extend_from_slice(&self.separator[1..]);
            }
            self.text.push(*end);
        }
        Ok(())
    }
}

fn needs_escapes(text: &[u8]) -> bool {
    // Every byte is looked at, so that many are at once.
    text.iter().fold(false, |needs, byte| needs | (*byte < b' ') | (*byte == b'"') | (*byte == b'\\'))
}

impl Object<'_, '_> {
    fn begin(&mut self, name: Cow<'static, str>) -> Done {
        self.begun = None;
        if !self.left_out.is_empty() && self.left_out.contains(&name.as_ref()) {
            return Ok(());
        }
        let all = &mut *self.all;
        let comma = usize::from(all.members.len() == self.first);
        all.text.extend_from_slice(&all.separator[comma..]);
        let from = all.text.len();
        all.quoted(&name)?;
        self.begun = Some((name, from));
        all.add(all.layout.colon())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let Some((name, from)) = self.begun.take() else { return Ok(()) };
        value.serialize(&mut *self.all)?;
        self.all.members.push(Member { name, from, to: self.all.text.len() });
        Ok(())
    }

    fn ended(self) -> Done {
        let all = self.all;
        let is_empty = all.members.len() == self.first;
        all.sorting.sort(&mut all.text, &all.members[self.first..], &all.separator);
        all.members.truncate(self.first);
        all.close(self.ends, is_empty)
    }
}

impl Array<'_, '_> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Done {
        let comma = usize::from(!std::mem::replace(&mut self.is_begun, true));
        self.all.text.extend_from_slice(&self.all.separator[comma..]);
        item.serialize(&mut *self.all)
    }

    fn ended(self) -> Done {
        self.all.close(self.ends, !self.is_begun)
    }
}

impl<'a, 'n> Serializer for &'a mut Canonical<'n> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Array<'a, 'n>;
    type SerializeTuple = Array<'a, 'n>;
    type SerializeTupleStruct = Array<'a, 'n>;
    type SerializeTupleVariant = Array<'a, 'n>;
    type SerializeMap = Object<'a, 'n>;
    type SerializeStruct = Object<'a, 'n>;
    type SerializeStructVariant = Object<'a, 'n>;

    fn serialize_bool(self, value: bool) -> Done {
        self.add(if value { b"true" } else { b"false" })
    }
    fn serialize_i8(self, value: i8) -> Done {
        self.shown(value)
    }
    fn serialize_i16(self, value: i16) -> Done {
        self.shown(value)
    }
    fn serialize_i32(self, value: i32) -> Done {
        self.shown(value)
    }
    fn serialize_i64(self, value: i64) -> Done {
        self.shown(value)
    }
    fn serialize_u8(self, value: u8) -> Done {
        self.shown(value)
    }
    fn serialize_u16(self, value: u16) -> Done {
        self.shown(value)
    }
    fn serialize_u32(self, value: u32) -> Done {
        self.shown(value)
    }
    fn serialize_u64(self, value: u64) -> Done {
        self.shown(value)
    }
    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(f64::from(value))
    }
    fn serialize_f64(self, value: f64) -> Done {
        if value.is_finite() { self.shown(ecmascript(value)) } else { self.add(b"null") }
    }
    fn serialize_char(self, value: char) -> Done {
        self.quoted(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Done {
        self.quoted(value)
    }
    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }
    fn serialize_none(self) -> Done {
        self.add(b"null")
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        self.add(b"null")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.add(b"null")
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.quoted(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.close(b"}", false)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'a, 'n>, Error> {
        Ok(self.array(b"]"))
    }
    fn serialize_tuple(self, _: usize) -> Result<Array<'a, 'n>, Error> {
        Ok(self.array(b"]"))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'a, 'n>, Error> {
        Ok(self.array(b"]"))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Array<'a, 'n>, Error> {
        self.variant(variant)?;
        Ok(self.array(b"]}"))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a, 'n>, Error> {
        Ok(self.object(b"}"))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a, 'n>, Error> {
        Ok(self.object(b"}"))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'a, 'n>, Error> {
        self.variant(variant)?;
        Ok(self.object(b"}}"))
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.text.push(b'"');
        let from = self.text.len();
        self.shown(value)?;
        if needs_escapes(&self.text[from..]) {
            let shown = String::from_utf8(self.text.split_off(from)).map_err(Error::custom)?;
            self.escaped(&shown);
        }
        self.add(b"\"")
    }
}

impl SerializeMap for Object<'_, '_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let mut name = Canonical::new(Layout::Dense, &[]);
        key.serialize(&mut name)?;
        let name = String::from_utf8(name.into_bytes()).map_err(Error::custom)?;
        // A number is a name too; serde_json has the rules for both.
        let name = if name.starts_with('"') { serde_json::from_str(&name)? } else { name };
        self.begin(Cow::Owned(name))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.value(value)
    }
    fn end(self) -> Done {
        self.ended()
    }
}

macro_rules! objects {
    ($($of:ident)*) => {$(impl $of for Object<'_, '_> {
        type Ok = ();
        type Error = Error;
        fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
            self.begin(Cow::Borrowed(name))?;
            self.value(value)
        }
        fn end(self) -> Done {
            self.ended()
        }
    })*};
}

objects!(SerializeStruct SerializeStructVariant);

macro_rules! arrays {
    ($($of:ident $item:ident)*) => {$(impl $of for Array<'_, '_> {
        type Ok = ();
        type Error = Error;
        fn $item<T: Serialize + ?Sized>(&mut self, item: &T) -> Done {
            self.item(item)
        }
        fn end(self) -> Done {
            self.ended()
        }
    })*};
}

arrays!(SerializeSeq serialize_element SerializeTuple serialize_element);
arrays!(SerializeTupleStruct serialize_field SerializeTupleVariant serialize_field);
