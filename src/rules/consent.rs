//! What switching auto update on consents to, in words (domain.md 3.1, 4.1).

/// The field's own words for the check box.
pub const CHECK_BOX: &str = "Update license automatically (enables usage reporting)";

/// What leaves the house by itself from then on.
const SENT: &str = "Each week the high watermark of the week before is sent, with its instant, daily marks, points by type, \
    coverage, and the ids of license, contract and installations, without any name of a tenant or machine. Each month the \
    report is sent on the auto-submit day unless it was sent before: counts and points by server, tenant and type, and \
    daily marks";

/// How far a report names machines, which `report_detail` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines {
    Unnamed,
    Named,
}

/// The words that are shown and recorded with the consent.
pub fn words(machines: Machines) -> String {
    let names = match machines {
        Machines::Unnamed => "without the names of machines",
        Machines::Named => "with the names of machines",
    };
    format!("{CHECK_BOX}. {SENT}, {names}.")
}
