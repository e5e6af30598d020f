//! The sample month in `reports/sample`: what people see before they run anything is what the formats write.

use std::path::PathBuf;

use tidegauge::formats::FORMATS;
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::rules::report_document::report_document;

use super::sample::sample_report;

/// Set to write the files anew after a format changed on purpose; `expect-test` knows the same variable.
const UPDATE: &str = "UPDATE_EXPECT";

#[test]
fn the_committed_sample_month_is_what_every_format_writes() {
    let report = sample_report();
    let document = report_document(&report);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reports/sample").join(report.month.to_string());
    for format in FORMATS {
        let path = folder.join(format!("sample-r{}.{}", report.revision, format.extension));
        let written = (format.write)(&document, &Typefaces::default());
        if std::env::var_os(UPDATE).is_some() {
            std::fs::create_dir_all(&folder).expect("the clone can be written");
            std::fs::write(&path, &written).expect("the clone can be written");
        }
        let committed = std::fs::read(&path).unwrap_or_default();
        assert!(committed == *written, "{} is not what the format writes; run with {UPDATE}=1", path.display());
    }
}
