//! The typefaces a document needs beside the built-in one: files of the settings, then what systems bring along.

use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::formats::typefaces::Typefaces;
use crate::formats::{Lacking, lacking};

use super::Agent;

/// Where systems keep a typeface for Chinese, Japanese and Korean.
const USUAL: [&str; 8] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    r"C:\Windows\Fonts\msyh.ttc",
    r"C:\Windows\Fonts\malgun.ttf",
];
/// Longest font file that is read.
const FONT_BYTES_MAX: u64 = 64 << 20;

impl Agent {
    /// The typefaces that this document is drawn with: none when the built-in one has every character.
    pub(super) fn typefaces_for(&self, document: &Document) -> Typefaces {
        self.typefaces_and_lacking(document).0
    }

    /// The same, and what no typeface has. A file that is not there or no font is passed over.
    pub(super) fn typefaces_and_lacking(&self, document: &Document) -> (Typefaces, Lacking) {
        let mut typefaces = Typefaces::default();
        let mut missing = lacking(document, &typefaces);
        for path in self.font_files() {
            if missing.is_empty() {
                break;
            }
            let Ok(Some(file)) = self.files.read_at_most(&path, FONT_BYTES_MAX) else { continue };
            typefaces.files.push(file.into());
            let left = lacking(document, &typefaces);
            if left == missing {
                typefaces.files.pop();
            }
            missing = left;
        }
        (typefaces, missing)
    }

    fn font_files(&self) -> impl Iterator<Item = PathBuf> {
        self.settings.fonts.iter().cloned().chain(USUAL.into_iter().map(|path| Path::new(path).to_owned()))
    }
}
