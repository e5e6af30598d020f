//! Drawing the instant at which a week's telemetry is sent.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::IsoWeek;
use crate::store::fact::Fact;

use super::{Agent, Hour};

/// Minutes of the following week, from which one is drawn uniformly (design.md section 4, "Week").
const MINUTES_OF_A_WEEK: u64 = 7 * 24 * 60;

impl Agent {
    pub(super) fn draw_slot(&mut self, unit: &str, week: IsoWeek, hour: Hour) -> Result<(), Trouble> {
        let minute = i64::try_from(self.chance.below(MINUTES_OF_A_WEEK)).expect("a week has 10,080 minutes");
        let at = week.ends_at() + TimeDelta::minutes(minute);
        self.record(hour, "duty", vec![Fact::SlotDrawn { unit: unit.to_owned(), week, at }])
    }
}
