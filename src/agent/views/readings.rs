//! What monitoring reads: instants, points and states as numbers with labels. Labels name servers and units, never tenants.

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::calendar::midnight;
use crate::domain::gate::Verdict;
use crate::domain::installation::Unit;
use crate::domain::report::Stage;
use crate::domain::{Instant, Month};
use crate::rules::renewal;
use crate::store::fact::{AutoUpdate, GateRow, LicenseCheckRow, key};

/// Every family: its name and what it says. Instants are Unix seconds, so that an alert subtracts `time()` itself.
const FAMILIES: [(&str, &str); 21] = [
    ("server_up", "1: the newest try to sample the server came to something"),
    ("sample_timestamp_seconds", "When the server's newest complete sample was taken"),
    ("coverage_ratio", "Complete samples of the running month, of those expected"),
    ("points", "Points in use by the newest samples, new and rental ones left out"),
    ("watermark_points", "The high watermark of the running month"),
    ("licensed_points", "Points of the license in force"),
    ("license_expiration_timestamp_seconds", "The end of the license's last valid day"),
    ("license_support_expiration_timestamp_seconds", "The end of the support's last valid day"),
    ("license_retry_window_end_timestamp_seconds", "When auto update switches itself off unless a key comes"),
    ("license_auto_update_enabled", "1: auto update is on, and usage reporting with it"),
    (
        "license_auto_update_switched_itself_off",
        "1: auto update went off by itself, and reporting is manual until somebody acts",
    ),
    ("license_check_timestamp_seconds", "When a license was last asked for"),
    (
        "license_check_result",
        "Result of that check: 1 success, 2 not required, 3 not generated, 4 invalid answer, 5 terminated",
    ),
    ("gate_held", "1: the gate held the license update when it was last looked at"),
    ("gate_shortfall_points", "Points the judged report is below the highest watermark"),
    ("report_open", "1: the month's report is not sent yet"),
    ("report_deadline_timestamp_seconds", "When the open report is sent by itself, or is due by hand"),
    ("report_points", "Total points of the open report"),
    ("outbox_items", "Sealed messages that were not answered yet"),
    ("untold_items", "News that some recipient was not told yet"),
    ("clock_suspect", "1: the clock is doubted, and nothing is generated or sent"),
];

/// Readings as they are gathered: family, labels, value.
#[derive(Default)]
struct Readings(Vec<(&'static str, Value, String)>);

impl Readings {
    fn put(&mut self, family: &'static str, labels: Value, value: impl ToString) {
        debug_assert!(FAMILIES.iter().any(|(name, _)| *name == family), "{family} has no row");
        self.0.push((family, labels, value.to_string()));
    }

    fn flag(&mut self, family: &'static str, labels: Value, is_so: impl Into<Option<bool>>) {
        if let Some(is_so) = is_so.into() {
            self.put(family, labels, u8::from(is_so));
        }
    }

    fn instant(&mut self, family: &'static str, labels: Value, at: Option<Instant>) {
        if let Some(at) = at {
            self.put(family, labels, at.timestamp());
        }
    }

    fn by_family(self) -> Value {
        let family = |(name, help): &(&str, &str)| {
            let of = self.0.iter().filter(|(family, _, _)| family == name);
            let readings: Vec<Value> = of.map(|(_, labels, value)| json!({"labels": labels, "value": value})).collect();
            json!({"name": name, "help": help, "readings": readings})
        };
        Value::Array(FAMILIES.iter().map(family).collect())
    }
}

impl Agent {
    /// `/metrics` as data: every family, with a reading for each server, unit and open report.
    pub(in crate::agent) fn readings(&self, hour: Hour) -> Result<Value, Refused> {
        let mut readings = Readings::default();
        let units = self.units()?;
        for server in self.known_servers(&units) {
            self.read_server(&server, hour.now, &mut readings)?;
        }
        for unit in &units {
            self.read_points(unit, hour, &mut readings)?;
            self.read_license(unit, &mut readings)?;
            self.read_reports(unit, &mut readings)?;
        }
        readings.put("outbox_items", json!({}), self.outbox()?);
        readings.put("untold_items", json!({}), self.untold(hour.now)?.len());
        readings.flag("clock_suspect", json!({}), self.clock_suspect()?.is_some());
        Ok(json!({
            "schema": "tidegauge.readings/1",
            "version": env!("CARGO_PKG_VERSION"),
            "families": readings.by_family(),
        }))
    }

    fn read_server(&self, server: &str, now: Instant, readings: &mut Readings) -> Result<(), Trouble> {
        // Nobody waits for it any more, so nobody is to be woken by it.
        if self.absent(server)?.is_some() {
            return Ok(());
        }
        let labels = json!({"server": server});
        let miss = self.miss_of(server)?;
        let last = self.last_seen_at(server, now)?;
        readings.flag("server_up", labels.clone(), miss.is_none() && last.is_some());
        readings.instant("sample_timestamp_seconds", labels, last);
        Ok(())
    }

    fn read_points(&self, unit: &Unit, hour: Hour, readings: &mut Readings) -> Result<(), Refused> {
        let labels = json!({"unit": unit.id});
        let usage = self.usage(Some(&unit.id), None, None, crate::agent::access::By::Type, hour)?;
        if let (Some(points), false) = (usage["points"].as_str(), usage["as_of"].is_null()) {
            readings.put("points", labels.clone(), points);
        }
        let mark = self.watermark_of_month(unit, Month::of(hour.now), hour.now)?;
        if let Some(points) = mark.points {
            readings.put("watermark_points", labels.clone(), points);
        }
        if 0 < mark.coverage.expected {
            let ratio = f64::from(mark.coverage.complete) / f64::from(mark.coverage.expected);
            readings.put("coverage_ratio", labels, format!("{ratio:.4}"));
        }
        Ok(())
    }

    fn read_license(&self, unit: &Unit, readings: &mut Readings) -> Result<(), Trouble> {
        let labels = json!({"unit": unit.id});
        let license = self.unit_license(unit)?.unwrap_or_default();
        let end_of = |day: Option<chrono::NaiveDate>| Some(midnight(day?.succ_opt()?));
        if let Some(points) = license.licensed_points {
            readings.put("licensed_points", labels.clone(), points);
        }
        readings.instant("license_expiration_timestamp_seconds", labels.clone(), end_of(license.expires_on));
        let support = end_of(license.support_expires_on);
        readings.instant("license_support_expiration_timestamp_seconds", labels.clone(), support);
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let off_at = window.map(|window| window.off_at());
        readings.instant("license_retry_window_end_timestamp_seconds", labels.clone(), off_at);
        let is_on = self.automatic_since(unit)?.is_some();
        readings.flag("license_auto_update_enabled", labels.clone(), is_on);
        let ordered: Option<AutoUpdate> = self.store.row(&key::of_unit("auto_update", &unit.id))?;
        let by_itself = ordered.is_some_and(|ordered| !ordered.on && ordered.by == "duty");
        readings.flag("license_auto_update_switched_itself_off", labels.clone(), by_itself && !is_on);
        let check: Option<LicenseCheckRow> = self.store.row(&key::of_unit("license_check", &unit.id))?;
        if let Some(check) = check {
            readings.instant("license_check_timestamp_seconds", labels.clone(), Some(check.at));
            readings.put("license_check_result", labels.clone(), check.result);
        }
        let gate: Option<GateRow> = self.store.row(&key::of_unit("gate", &unit.id))?;
        if let Some(gate) = gate {
            readings.flag("gate_held", labels.clone(), gate.verdict == Verdict::Held.as_str());
            readings.put("gate_shortfall_points", labels, gate.shortfall);
        }
        Ok(())
    }

    fn read_reports(&self, unit: &Unit, readings: &mut Readings) -> Result<(), Trouble> {
        let deadlines = self.settings.deadlines;
        for report in self.open_heads(unit)? {
            let labels = json!({"unit": unit.id, "month": report.month});
            let due = deadlines.ends_at(self.due_of(unit, &report)?, report.month);
            readings.flag("report_open", labels.clone(), !matches!(report.stage, Stage::Submitted { .. }));
            readings.instant("report_deadline_timestamp_seconds", labels.clone(), Some(due));
            readings.put("report_points", labels, report.total_points);
        }
        Ok(())
    }
}
