//! JSON Canonicalization Scheme (RFC 8785): the one spelling of a value, so that a digest over it means something.
//!
//! A value is written straight into its canonical text, without a tree of it in between: members stand there as they come
//! and are put into their order when their object ends.

mod layout;
mod members;
mod numbers;
mod sorted;

use serde::Serialize;

use layout::Layout;
use sorted::Canonical;

/// The canonical bytes of the value.
///
/// Integers keep all their digits; other numbers are written as ECMAScript writes them.
///
/// # Panics
/// Of what is no JSON: a map whose keys are neither texts nor numbers.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    bytes_without(value, &[])
}

/// The same without these members of the outermost object.
///
/// # Panics
/// As [`bytes`].
pub fn bytes_without(value: &impl Serialize, left_out: &[&str]) -> Vec<u8> {
    written(value, Layout::Dense, left_out)
}

/// The same for people: a line for each member and item, and a newline at the end.
///
/// # Panics
/// As [`bytes`].
pub fn lines_without(value: &impl Serialize, left_out: &[&str]) -> Vec<u8> {
    let mut lines = written(value, Layout::Lines, left_out);
    lines.push(b'\n');
    lines
}

fn written(value: &impl Serialize, layout: Layout, left_out: &[&str]) -> Vec<u8> {
    let mut canonical = Canonical::new(layout, left_out);
    value.serialize(&mut canonical).expect("what is sealed is plain data with text keys");
    canonical.into_bytes()
}
