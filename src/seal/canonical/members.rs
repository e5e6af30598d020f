//! The members of an object in the order of their names.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A member of an object as it stands in the text.
pub(super) struct Member {
    pub(super) name: Cow<'static, str>,
    /// Where its name begins and its value ends, in bytes of the text.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Puts the members of one object after the other into order.
#[derive(Default)]
pub(super) struct Sorting {
    /// The names of the object before, where they are those of a type, and their order: most often the next one's too.
    known: Vec<&'static str>,
    order: Vec<usize>,
    /// What stands aside while members change places.
    aside: Vec<u8>,
}

impl Sorting {
    /// Puts members that stand at the end of the text, a separator between two, into the order of their names.
    pub(super) fn sort(&mut self, text: &mut Vec<u8>, members: &[Member], separator: &[u8]) {
        let is_same = |(known, member): (&&'static str, &Member)| std::ptr::eq(*known, &*member.name);
        if members.len() != self.known.len()
            || members.len() != self.order.len()
            || !self.known.iter().zip(members).all(is_same)
        {
            self.order.clear();
            self.order.extend(0..members.len());
            self.order.sort_by(|one, other| by_name(&members[*one], &members[*other]));
            self.known.clear();
            self.known.extend(members.iter().filter_map(|member| match member.name {
                Cow::Borrowed(name) => Some(name),
                Cow::Owned(_) => None,
            }));
        }
        if !self.order.is_sorted() {
            self.move_around_the_longest(text, members, separator);
        }
    }

    /// The longest member is moved once, so that little stands aside however large the object is.
    fn move_around_the_longest(&mut self, text: &mut Vec<u8>, members: &[Member], separator: &[u8]) {
        let longest = (0..members.len()).max_by_key(|n| members[*n].to - members[*n].from).unwrap_or_default();
        // Behind the last one a separator stands only while they move.
        text.extend_from_slice(separator);
        let separated = |n: usize| members[n].from..members[n].to + separator.len();
        let mut before = 0;
        self.aside.clear();
        for n in &self.order {
            if *n == longest {
                before = self.aside.len();
            } else {
                self.aside.extend_from_slice(&text[separated(*n)]);
            }
        }
        let start = members[0].from;
        let (left, right) = self.aside.split_at(before);
        text.copy_within(separated(longest), start + before);
        text[start..start + before].copy_from_slice(left);
        let end = text.len();
        text[end - right.len()..].copy_from_slice(right);
        text.truncate(end - separator.len());
    }
}

/// By UTF-16 units, as ECMAScript compares texts.
fn by_name(one: &Member, other: &Member) -> Ordering {
    if one.name.is_ascii() && other.name.is_ascii() {
        return one.name.as_bytes().cmp(other.name.as_bytes());
    }
    one.name.encode_utf16().cmp(other.name.encode_utf16())
}
