//! Typefaces that the shell hands in beside the built-in one.

use std::sync::Arc;

/// Font files for what the built-in typeface lacks, in the order in which they are asked.
#[derive(Clone, Default)]
pub struct Typefaces {
    /// Whole files as they stand on the disk: TrueType, OpenType, or collections of them.
    pub files: Vec<Arc<[u8]>>,
}
