//! Limits of one value each, at their edge and just past it.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tidegauge::agent::Refused;
use tidegauge::domain::Points;
use tidegauge::domain::gate::{Cause, CauseKind};
use tidegauge::protocol::{self, EnrolmentToken, LicenseCheck, Message, Submission};
use tidegauge::seal::keys::SigningKey;

use super::at;
use crate::accounts::{license, license_check, submission};
use crate::console::visitor::{Site, Visitor};

/// Why a value of this size is refused, if it is.
type Looked = fn(usize) -> Option<String>;

/// Each row: what it is, the most that is taken, what is said of one more, and what is said of a size.
const EDGES: [(&str, usize, &str, Looked); 7] = [
    ("lines of a report", 100_000, "lines has 100001 entries, more than 100000", |count| {
        let one = submission("2026-10", 1, 100);
        of_length(Submission { lines: vec![one.lines[0].clone(); count], ..one }.check(), "lines has")
    }),
    ("causes of a report", 500_000, "causes has 500001 entries, more than 500000", |count| {
        let causes = vec![Cause::of(CauseKind::Gone, Points::ZERO); count];
        of_length(Submission { causes, ..submission("2026-10", 1, 100) }.check(), "causes has")
    }),
    ("workloads of a report", 500_000, "workloads has 500001 entries, more than 500000", |count| {
        let workload = serde_json::json!({
            "id": "a", "name": "a", "server": "vbr01", "tenant": null, "type": "VM", "platform": null, "weight": "11",
            "points": "11", "job": null, "last_restore_point_at": null, "counted": true, "reason": "protected", "note": null,
        });
        let workload = serde_json::from_value(workload).expect("a workload of a report");
        of_length(
            Submission { workloads: vec![workload; count], ..submission("2026-10", 1, 100) }.check(),
            "workloads has",
        )
    }),
    ("installations of a license check", 10_000, "installations has 10001 entries, more than 10000", |count| {
        let check = license_check(at("2026-10-01T08:00:00Z"), None, license("2026-10-31"));
        of_length(LicenseCheck { installations: vec!["i".to_owned(); count], ..check }.check(), "installations has")
    }),
    ("an enrolment token", 4 << 10, "not an enrolment token", |bytes| {
        let text = token_of(bytes);
        EnrolmentToken::parse(&text).err().map(|refused| refused.to_string())
    }),
    ("a license key file", 1 << 20, "longer than any license key", |bytes| {
        let refused = protocol::read_key(&"x".repeat(bytes), &SigningKey::from_secret(&[2; 32]).verifying());
        refused.err().map(|refused| refused.to_string()).filter(|why| why.contains("longer"))
    }),
    ("a form of the console", 4 << 20, "413", |bytes| {
        let value = "x".repeat(bytes - "name=".len());
        let page = Visitor::stranger(&nobody()).send("/sign-in", &[("name", &value)]);
        (page.status.as_u16() == 413).then(|| "413".to_owned())
    }),
];

/// A console whose agent answers nobody.
fn nobody() -> axum::Router {
    Site::answering(Arc::new(|_, _| Err(Refused::new(8, "this agent answers nobody"))))
}

/// What is said of a length; other bounds are not looked at.
fn of_length(checked: Result<(), String>, says: &str) -> Option<String> {
    checked.err().filter(|why| why.starts_with(says))
}

/// The token whose text has so many bytes, or one more where base64 skips that length.
fn token_of(bytes: usize) -> String {
    let text = |signs: usize| {
        let token = EnrolmentToken {
            contract_id: "C-100".to_owned(),
            secret: SecretString::from("s3cret"),
            server_key: "k".repeat(signs),
            url: None,
            expires_at: at("2026-11-08T00:00:00Z"),
        };
        token.to_text().expose_secret().to_owned()
    };
    (1..).map(text).find(|text| bytes <= text.len()).expect("some key is as long")
}

#[test]
fn one_more_than_a_limit_is_refused_and_the_limit_itself_is_not() {
    for (what, most, says, refused) in EDGES {
        assert_eq!(refused(most), None, "{what}");
        let why = refused(most + 1).unwrap_or_else(|| panic!("{what}: {} are taken", most + 1));
        assert!(why.starts_with(says), "{what}: {why}");
    }
}
