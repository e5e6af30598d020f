//! A month's report as files.

use std::sync::Arc;

use super::super::model::at;
use super::{SERVER, Work, fleet};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::report::UsageReport;
use crate::domain::watermark::Coverage;
use crate::formats::{by_extension, typefaces::Typefaces};
use crate::rules::rating::Rating;
use crate::rules::report_document::report_document_of;
use crate::rules::reporting::{BasisSample, ReportFacts, generate};

/// The report of a month with so many workloads.
pub fn report(workloads: u32) -> UsageReport {
    // Late enough in the month that its workloads are still protected when it ends.
    let fleet = fleet(workloads, 0);
    let sample = Arc::new(fleet.sample(SERVER, &fleet.sweep(fleet.plan.hours - 1)));
    let unit = Unit {
        id: "unit".to_owned(),
        shared_license: None,
        servers: vec![SERVER.to_owned()],
        license_id: None,
        formed_at: at(0),
        since: Some(at(0)),
        counts_once: Vec::new(),
    };
    let first_processed_at = vec![None; sample.workloads.len()];
    generate(ReportFacts {
        unit,
        month: Month::of(at(0)),
        revision: 1,
        contract_id: Some("01234567".to_owned()),
        license: None,
        samples: vec![BasisSample { sample, first_processed_at, stale: false }],
        not_collected: Vec::new(),
        daily: Vec::new(),
        coverage: Coverage { expected: 744, complete: 744 },
        generated_at: Month::of(at(0)).ends_at(),
        late: false,
        servers: Vec::new(),
        rating: Rating::default(),
    })
}

pub fn pdf() -> Work {
    written("pdf")
}

pub fn csv() -> Work {
    written("csv")
}

pub fn json() -> Work {
    written("json")
}

pub fn xlsx() -> Work {
    written("xlsx")
}

fn written(extension: &'static str) -> Work {
    let (report, faces) = (report(1_000), Typefaces { files: Vec::new() });
    let format = by_extension(extension).expect("there is this format");
    Box::new(move || (format.write)(&report_document_of(&report, format.shows), &faces).len())
}
