//! The state of a license as it is shown: its dates, its limit, and the warnings that come of both.

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Instant;
use crate::domain::installation::Unit;
use crate::domain::license::{License, LicenseType};
use crate::protocol::Occasion;
use crate::rules::consent;
use crate::rules::license_results::LicenseOutcome;
use crate::rules::license_state::{self, Key, Life, Standing, State};
use crate::rules::overage::{self, Band, Claim, Overage, Usage};
use crate::rules::server_update;
use crate::store::fact::{LicenseCheckRow, key};

use super::usage::one_or_all;

/// Everything that is known of a unit's license at an instant.
pub(super) struct Known {
    license: License,
    state: State,
    life: Option<Life>,
    usage: Option<Usage>,
    overage: Option<Overage>,
    exceeded_since: Option<Instant>,
    at: Instant,
}

impl Agent {
    pub(super) fn license_known(&self, unit: &Unit, now: Instant) -> Result<Known, Trouble> {
        let governing = self.unit_license(unit)?.filter(|license| license != &License::default());
        let revoked = self.is_called_invalid(unit)?;
        let key = match &governing {
            None => Key::None,
            Some(_) if revoked => Key::Invalid,
            Some(license) => Key::Known(license),
        };
        let state = license_state::state(key, now);
        let license = governing.unwrap_or_default();
        let usage = self.license_usage(unit, now)?.map(|seen| seen.usage);
        Ok(Known {
            state,
            life: license_state::life(&license),
            overage: usage.and_then(|usage| usage.overage(&license)),
            exceeded_since: self.license_told(unit)?.exceeded_since,
            usage,
            license,
            at: now,
        })
    }

    /// Whether the newest check's answer called the key invalid or revoked, and no other was installed since; where servers
    /// are asked, the newest of any of them.
    fn is_called_invalid(&self, unit: &Unit) -> Result<bool, Trouble> {
        for server in self.asked_servers(unit) {
            let last: Option<LicenseCheckRow> = self.store.row(&key::server_check(&unit.id, &server))?;
            if last.is_some_and(|check| calls_invalid(&check)) {
                return Ok(true);
            }
        }
        let installed_at = self.installed_key(unit)?.map(|installed| installed.at);
        let last = self.last_session(unit)?.filter(|check| check.server.is_none());
        Ok(last.is_some_and(|check| calls_invalid(&check) && installed_at.is_none_or(|at| at <= check.at)))
    }

    /// `license show --json`: what governs, what the servers show, when it is renewed, and what is above its cap.
    pub(in crate::agent) fn licenses(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let one = |unit: &Unit| {
            let mut shown = self.license_shown(unit, hour)?;
            let license = self.unit_license(unit)?.unwrap_or_default();
            let claims = self.above_the_cap(unit, &license, hour.now)?;
            shown["consent"] = json!({"check_box": consent::CHECK_BOX, "words": self.consent_words()});
            shown["above_the_cap"] = claims.iter().map(claim_shown).collect();
            Ok(shown)
        };
        let units = self.units_named(unit, server)?;
        one_or_all(units.iter().map(one).collect::<Result<Vec<Value>, Trouble>>()?)
    }
}

impl Known {
    /// The fields of `tidegauge.license/1` that say how the license stands.
    pub(super) fn shown(&self) -> [(&'static str, Value); 7] {
        let (used, new) = self.usage.map_or_else(Default::default, |usage| (usage.used, usage.new));
        [
            ("state", json!(self.state)),
            ("points_text", json!(license_state::usage_text(&self.license, used, new))),
            ("expiration_text", json!(license_state::expiration_text(&self.license, self.at))),
            ("dates", json!(self.life.as_ref().map(dates_shown))),
            ("usage", json!(self.usage.as_ref().map(usage_shown))),
            ("overage", json!(self.overage.as_ref().map(|overage| self.overage_shown(overage)))),
            ("warnings", json!(self.warnings())),
        ]
    }

    fn overage_shown(&self, overage: &Overage) -> Value {
        let mut shown = json!(overage);
        shown["exceeded_since"] = json!(self.exceeded_since);
        shown["tolerated_through"] = json!(self.tolerated_through());
        shown
    }

    fn tolerated_through(&self) -> Option<chrono::NaiveDate> {
        let since = self.exceeded_since.filter(|_| self.license.kind == LicenseType::Rental);
        since.map(overage::tolerated_through)
    }

    /// What a person should know of it: at every look, as long as it is so.
    pub(super) fn warnings(&self) -> Vec<String> {
        let standing = match self.state {
            State::Invalid => Some("the license is called invalid or revoked by its issuer; ask them".to_owned()),
            State::NotInstalled => None,
            State::Valid | State::Warning | State::Expired | State::Error => {
                self.life.and_then(|life| standing_text(&life, self.at))
            }
        };
        let limit = self.overage.and_then(|overage| self.limit_text(&overage));
        [standing, limit, self.sockets_text(), self.capacity_text()].into_iter().flatten().collect()
    }

    /// Sockets and capacity know no overage at all (domain.md 5.4).
    fn sockets_text(&self) -> Option<String> {
        let sockets = self.license.sections.sockets.as_ref().filter(|sockets| sockets.licensed < sockets.used)?;
        Some(format!(
            "{} sockets are used of {}; hosts above the limit are not processed",
            sockets.used, sockets.licensed
        ))
    }

    fn capacity_text(&self) -> Option<String> {
        let capacity =
            self.license.sections.capacity.as_ref().filter(|capacity| capacity.licensed_tb < capacity.used_tb)?;
        let (used, licensed) = (capacity.used_tb, capacity.licensed_tb);
        Some(format!("{used} TB are used of {licensed} TB; what is above the limit is not processed"))
    }

    fn limit_text(&self, overage: &Overage) -> Option<String> {
        let units = self.license.kind.measure().as_str();
        let exceeded = format!("the limit of {} {units} is exceeded by {}", overage.licensed, overage.exceeded_by);
        match overage.band {
            Band::Within | Band::Silent => None,
            Band::Weekly => {
                let tolerated = self.tolerated_through().map(|day| {
                    let is_past = day < self.at.date_naive();
                    if is_past {
                        format!("; it was tolerated through {day}, and all above the limit may be left out at any time")
                    } else {
                        format!("; tolerated through {day}")
                    }
                });
                Some(format!(
                    "{exceeded}; {} more are possible{}",
                    overage.more_possible,
                    tolerated.unwrap_or_default()
                ))
            }
            Band::Over => {
                let left_out = overage.not_processed;
                Some(format!(
                    "{exceeded}, and {left_out} are not processed; `license show` names those that the servers name"
                ))
            }
        }
    }
}

/// A server that was asked by hand may speak of the file that it was given, and not of the key that it has.
fn calls_invalid(check: &LicenseCheckRow) -> bool {
    let of_a_file = check.server.is_some() && check.occasion == Some(Occasion::ByHand);
    let is_refusal = check.result == LicenseOutcome::NotGenerated.number();
    check.revoked || (is_refusal && !of_a_file && server_update::calls_key_invalid(&check.message))
}

fn dates_shown(life: &Life) -> Value {
    json!({
        "ends": life.ends,
        "notice_from": life.notice_from,
        "last_day": life.last_day,
        "grace_from": life.grace.map(|(from, _)| from),
        "grace_to": life.grace.map(|(_, to)| to),
        "processing_stops_at": life.stops_at,
    })
}

fn usage_shown(usage: &Usage) -> Value {
    json!({"used": usage.used, "new": usage.new, "new_last_month": usage.new_last_month})
}

fn claim_shown(claim: &Claim) -> Value {
    json!({
        "workload": claim.id,
        "points": claim.points,
        "first_processed_at": claim.first_processed_at,
    })
}

fn standing_text(life: &Life, at: Instant) -> Option<String> {
    let last_day = life.last_day;
    let install = "install a key with `license install`, or on the backup server";
    match life.standing(at) {
        Standing::Valid => None,
        Standing::Notice { days_left } => Some(match life.ends {
            license_state::Ends::Support => format!("the license's support ends on {last_day}, in {days_left} days"),
            license_state::Ends::License | license_state::Ends::Never => {
                format!("the license expires on {last_day}, in {days_left} days")
            }
        }),
        Standing::SupportOver => Some(format!("the license's support ended on {last_day}")),
        Standing::Grace { day, of } => {
            Some(format!("the license expired on {last_day}; day {day} of {of} of grace; {install}"))
        }
        Standing::Stopped => {
            Some(format!("the license expired on {last_day}, and nothing is processed any more; {install}"))
        }
    }
}
