//! Binding this agent to a contract of the License Update Server.

use crate::agent::Trouble;
use crate::domain::Points;
use crate::protocol::{self, EnrolmentToken};
use crate::store::fact::{Enrolment, Fact};

use super::run::ending;
use super::{Agent, Hour, Outcome, Refused, Talk};

impl Agent {
    /// The conversation that enrols; its end goes to [`Agent::enrolled`].
    pub(super) fn begin_enrol(&self, token: &str, hour: Hour) -> Result<Talk, Refused> {
        if self.settings.license_server.is_none() {
            return Err(Refused::new(78, "the settings name no [license_server]; give its url there first"));
        }
        let token = EnrolmentToken::parse(token).map_err(|why| Refused::new(65, why.to_string()))?;
        if token.expires_at <= hour.now {
            return Err(Refused::new(65, "the enrolment token has expired; ask the server's operator for another"));
        }
        let talk = protocol::enrol(&token, &self.identity.agent.to_string(), &self.identity.key);
        Ok(ending(Box::new(talk), Outcome::Enrolled))
    }

    /// Records the enrolment.
    pub(super) fn enrolled(&mut self, enrolled: &protocol::Enrolled, hour: Hour) -> Result<(), Trouble> {
        let enrolment = Enrolment {
            contract_id: enrolled.contract_id.clone(),
            server_key: enrolled.server_key.to_text(),
            at: hour.now,
            tolerance: Some((enrolled.tolerance.points, Points::new(enrolled.tolerance.percent))),
        };
        self.record(hour, "duty", vec![Fact::Enrolled { enrolment }])
    }
}
