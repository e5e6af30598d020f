//! Names that no typeface shows: they stand as boxes in the reports.

use serde_json::{Value, json};

use crate::agent::{Agent, Refused};
use crate::document::Part;
use crate::rules::report_document::report_document_of;

/// Names that are told of each report.
const NAMES_MAX: usize = 20;
/// What helps against boxes.
const REMEDY: &str = "install a font that has them (Debian: fonts-noto-cjk) or name its file in [report] fonts";

impl Agent {
    /// What `doctor` tells of the newest report of each unit.
    pub(in crate::agent) fn typefaces(&self) -> Result<Value, Refused> {
        let mut warnings = Vec::new();
        for unit in self.units()? {
            let Some((month, _)) = self.report_months(&unit.id)?.into_iter().max() else { continue };
            let Some(report) = self.newest_report(&unit.id, month)? else { continue };
            let (_, lacking) = self.typefaces_and_lacking(&report_document_of(&report, &[Part::Sections]));
            let more = lacking.len().saturating_sub(NAMES_MAX);
            for (name, signs) in lacking.into_iter().take(NAMES_MAX) {
                let signs = signs.into_iter().map(|sign| format!("{sign} (U+{:04X})", u32::from(sign)));
                let signs = signs.collect::<Vec<_>>().join(", ");
                warnings.push(format!("report {month}: \"{name}\" is drawn with boxes for {signs}; {REMEDY}"));
            }
            if more > 0 {
                warnings.push(format!("report {month}: {more} more names are drawn with boxes; {REMEDY}"));
            }
        }
        Ok(json!({"schema": "tidegauge.typefaces/1", "warnings": warnings}))
    }
}
