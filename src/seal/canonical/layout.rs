//! How members and items of JSON stand: dense, as they are sealed, or each in a line of its own, for people.

/// How members and items stand.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// Without a blank: canonical.
    Dense,
    /// Each in a line of its own, indented.
    Lines,
}

impl Layout {
    /// What stands between two of the outermost.
    pub(super) fn separator(self) -> &'static [u8] {
        match self {
            Layout::Dense => b",",
            Layout::Lines => b",\n",
        }
    }

    /// What stands between two that are further in adds this.
    pub(super) fn step(self) -> &'static [u8] {
        match self {
            Layout::Dense => b"",
            Layout::Lines => b"  ",
        }
    }

    /// What stands between a name and its value.
    pub(super) fn colon(self) -> &'static [u8] {
        match self {
            Layout::Dense => b":",
            Layout::Lines => b": ",
        }
    }
}
