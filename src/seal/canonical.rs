//! JSON Canonicalization Scheme (RFC 8785): the one spelling of a value, so that a digest over it means something.
//!
//! A value is written straight into its canonical text, without a tree of it in between: members stand there as they come
//! and are put into their order when their object ends.

mod members;
mod numbers;
mod sorted;

use serde::Serialize;

use sorted::Canonical;

/// The canonical text of the value.
///
/// Integers keep all their digits; other numbers are written as ECMAScript writes them.
///
/// # Panics
/// Of what is no JSON: a map whose keys are neither texts nor numbers.
pub fn text(value: &impl Serialize) -> String {
    text_without(value, &[])
}

/// The same without these members of the outermost object.
///
/// # Panics
/// As [`text`].
pub fn text_without(value: &impl Serialize, left_out: &[&str]) -> String {
    let mut canonical = Canonical::leaving_out(left_out);
    value.serialize(&mut canonical).expect("what is sealed is plain data with text keys");
    canonical.into_text()
}

/// The canonical bytes of the value, as [`text`] has them.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    text(value).into_bytes()
}
