//! Adjustments that need a second person: kept as proposed, then approved, rejected or lapsed.

use serde_json::{Value, json};

use crate::agent::views::made_of;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Points;
use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::installation::Unit;
use crate::domain::people::{Person, Role, is_same_person};
use crate::domain::proposed::{ProposalState, ProposedAdjustment};
use crate::domain::report::UsageReport;
use crate::rules::{four_eyes, review};
use crate::seal::{canonical, digest};
use crate::store::fact::{Fact, ReportCause, key};

use super::reports::Changed;
use super::{Obeyed, Target};

/// Digits of a proposal's id; its revision has far fewer proposals than would meet.
const ID_DIGITS: usize = 12;
/// Most proposals of one revision that wait at once.
const OPEN_MAX: usize = 10;

impl Agent {
    /// Keeps the adjustments as proposed: the report stays as it is.
    pub(super) fn propose(
        &mut self,
        report: &UsageReport,
        adjustments: &[AdjustmentOrder],
        lowers_by: Points,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let known = self.proposals_of(report)?;
        if OPEN_MAX <= known.iter().filter(|one| one.state == ProposalState::Open).count() {
            let why =
                format!("{OPEN_MAX} adjustments wait for a second person, which is the most; see `report proposals`");
            return Err(Refused::new(8, why));
        }
        let mut proposal = ProposedAdjustment {
            id: String::new(),
            unit: report.unit.clone(),
            month: report.month,
            revision: report.revision,
            by: actor.to_owned(),
            at: hour.now,
            adjustments: adjustments.to_vec(),
            lowers_by,
            state: ProposalState::Open,
        };
        let all = serde_json::to_value(&proposal).unwrap_or_default();
        proposal.id = digest::sha256_hex(&canonical::bytes(&all)).chars().take(ID_DIGITS).collect();
        self.record(hour, actor, vec![Fact::ProposalKept { proposal: proposal.clone() }])?;
        Ok(Obeyed::Done(self.proposal_shown(report, &proposal, hour)))
    }

    pub(super) fn order_approve(
        &mut self,
        target: &Target,
        id: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report, proposal) = self.open_proposal(target, id)?;
        if is_same_person(&proposal.by, actor) {
            let why = format!("{actor} proposed it, and four eyes are two people: somebody else has to approve it");
            return Err(Refused::new(77, why));
        }
        let approved = four_eyes::approved(&report, &proposal, actor, hour.now)?;
        let effect = self.effect(&unit, &report, &approved)?;
        let state = ProposalState::Approved { approved_by: actor.to_owned(), approved_at: hour.now };
        let beside = vec![Fact::ProposalKept { proposal: ProposedAdjustment { state, ..proposal } }];
        let changed = Changed { cause: ReportCause::Adjusted, report: approved, beside };
        let mut kept = self.keep_changed(&unit, changed, actor, hour)?;
        if let Obeyed::Done(shown) = &mut kept {
            shown["effect"] = effect;
        }
        Ok(kept)
    }

    /// An approver rejects; whoever proposed may take it back.
    pub(super) fn order_reject(
        &mut self,
        target: &Target,
        id: &str,
        reason: Option<&str>,
        person: &Person,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (_, report, proposal) = self.open_proposal(target, id)?;
        let actor = person.actor();
        if person.role < Role::Approver && !is_same_person(&proposal.by, &actor) {
            let why = format!("{} proposed it; only he and approvers reject it", proposal.by);
            return Err(Refused::new(77, why));
        }
        let why = reason.map(review::given).transpose()?.map(str::to_owned);
        let state = ProposalState::Rejected { rejected_by: actor.clone(), rejected_at: hour.now, why };
        let proposal = ProposedAdjustment { state, ..proposal };
        self.record(hour, &actor, vec![Fact::ProposalKept { proposal: proposal.clone() }])?;
        Ok(Obeyed::Done(self.proposal_shown(&report, &proposal, hour)))
    }

    /// What was proposed for a revision of a report, in order.
    pub(in crate::agent) fn proposals_of(&self, report: &UsageReport) -> Result<Vec<ProposedAdjustment>, Trouble> {
        let of_revision = key::proposals(&report.unit, report.month, report.revision);
        Ok(self.store.rows(&of_revision)?.into_iter().map(|(_, proposal)| proposal).collect())
    }

    /// What waits when a report is sealed or was entered in a portal lapses: it goes without that.
    pub(in crate::agent) fn lapsed_as_final(&self, report: &UsageReport, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let waiting = self.proposals_of(report)?.into_iter().filter(|one| one.state == ProposalState::Open);
        let lapsed = |proposal| {
            let state = ProposalState::Lapsed { lapsed_at: hour.now };
            Fact::ProposalKept { proposal: ProposedAdjustment { state, ..proposal } }
        };
        Ok(waiting.map(lapsed).collect())
    }

    /// The proposal as people and programs see it; what it would do to the report as it stands, while it is open.
    pub(in crate::agent) fn proposal_shown(
        &self,
        report: &UsageReport,
        proposal: &ProposedAdjustment,
        hour: Hour,
    ) -> Value {
        let mut shown = serde_json::to_value(proposal).unwrap_or_default();
        shown["schema"] = json!("tidegauge.proposed-adjustment/1");
        if proposal.state == ProposalState::Open {
            shown["total_before"] = json!(report.total_points);
            match review::try_all(report, &proposal.adjustments, &proposal.by, hour.now) {
                Ok(tried) => {
                    shown["total_after"] = json!(tried.report.total_points);
                    shown["makes"] = json!(made_of(report, &tried));
                }
                Err(refusal) => shown["fits_no_more"] = json!(refusal.to_string()),
            }
        }
        shown
    }

    fn open_proposal(&self, target: &Target, id: &str) -> Result<(Unit, UsageReport, ProposedAdjustment), Refused> {
        let (unit, report) = self.one_report(target)?;
        let named: Vec<ProposedAdjustment> =
            self.proposals_of(&report)?.into_iter().filter(|one| !id.is_empty() && one.id.starts_with(id)).collect();
        let [proposal] = named.as_slice() else {
            let (count, month) = (named.len(), report.month);
            let why = format!("{count} proposed adjustments of {month} begin with '{id}'; see `report proposals`");
            return Err(Refused::new(66, why));
        };
        if proposal.state != ProposalState::Open {
            return Err(Refused::new(
                3,
                format!("the proposal {} is {} already", proposal.id, proposal.state.as_str()),
            ));
        }
        Ok((unit, report, proposal.clone()))
    }
}
