//! What the License Update Server does with each message before it decides: the signature, then the words.

use std::collections::BTreeMap;

use super::super::model::at;
use super::{Work, papers};
use crate::domain::license::Measure;
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::workload::WorkloadType;
use crate::domain::{IsoWeek, Points};
use crate::protocol::{self, Message, ReportDetail, Submission, Telemetry};
use crate::seal::keys::SigningKey;

fn key() -> SigningKey {
    SigningKey::from_secret(&[7; 32])
}

/// A week's telemetry.
pub fn telemetry_verify() -> Work {
    let week = IsoWeek::of(at(0));
    let daily = |day: u32| Daily {
        day: at(24 * day).date_naive(),
        points: Some(Points::whole(9_000)),
        at: Some(at(24 * day)),
        expected: 24,
        complete: 24,
    };
    let telemetry = Telemetry {
        schema: Telemetry::SCHEMA.to_owned(),
        id: Telemetry::id_of("unit", week),
        unit: "unit".to_owned(),
        license_id: None,
        contract_id: None,
        installations: vec!["installation".to_owned()],
        week,
        points: Some(Points::whole(9_000)),
        at: Some(at(0)),
        daily: (0..7).map(daily).collect(),
        by_type: BTreeMap::from([(WorkloadType::Vm, Points::whole(9_000))]),
        coverage: Coverage { expected: 168, complete: 168 },
        amended_days: Vec::new(),
        counted_in: Measure::Points,
        agent_version: None,
        coverage_by_installation: Vec::new(),
    };
    verify::<Telemetry>(protocol::signed(&telemetry, &key()))
}

/// A report with 1,000 workloads.
pub fn report_verify() -> Work {
    let submission = Submission::of(&papers::report(1_000), &[], ReportDetail::Workloads);
    verify::<Submission>(protocol::signed(&submission, &key()))
}

fn verify<M: Message>(body: String) -> Work {
    let key = key().verifying();
    Box::new(move || {
        let verified: Result<M, String> = protocol::verified(body.as_bytes(), &key);
        verified.expect("it was signed with this key").schema().len()
    })
}
