//! What the License Update Server has on file under a report's id, when it is not what was sent from here.
//!
//! It keeps the first bytes that came under an id. An agent that was restored, or runs twice, learns of them by its receipt.

use serde_json::Value;

use crate::agent::Trouble;
use crate::domain::Points;
use crate::domain::installation::Unit;
use crate::domain::report::report_id;
use crate::protocol::{self, Submission};
use crate::seal::jws;
use crate::store::fact::key;

use super::Agent;

/// The newest months that are looked at.
const MONTHS: usize = 3;

/// The points of a report as the server has it; `None` when the body is none.
pub(super) fn points_on_file(body: &str) -> Option<Points> {
    let payload = jws::unverified_payload(body).ok()?;
    protocol::read::<Submission>(&payload).ok().map(|submission| submission.total_points)
}

impl Agent {
    /// A warning for each of a unit's newest months of which the server counts other points than the report here says.
    pub(super) fn counted_otherwise(&self, unit: &Unit) -> Result<Vec<String>, Trouble> {
        let mut warnings = Vec::new();
        for (month, revision) in self.report_months(&unit.id)?.into_iter().rev().take(MONTHS) {
            let receipt: Option<Value> = self.store.row(&key::receipt(&report_id(&unit.id, month, revision)))?;
            let on_file = receipt.as_ref().and_then(|receipt| receipt["conflict"]["stored_body"].as_str());
            let Some(points) = on_file.and_then(points_on_file) else { continue };
            let Some(head) = self.head_of(&unit.id, month, revision)?.filter(|head| head.total_points != points) else {
                continue;
            };
            warnings.push(format!(
                "{}: the License Update Server counts {points} points for {month}, sent earlier by another copy of this \
                 agent; the report here says {}. `report correct --month {month}` begins the revision that settles it",
                unit.servers.join(", "),
                head.total_points
            ));
        }
        Ok(warnings)
    }
}
