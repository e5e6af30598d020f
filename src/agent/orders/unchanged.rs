//! Two people at one report: an order that was given looking at the report as it stood.

use crate::agent::orders::{Order, Target};
use crate::agent::{Agent, Refused};

impl Order {
    /// The report it changes, decides about or sends; `None`: it is about something else.
    pub fn report(&self) -> Option<&Target> {
        let (Order::Adjust { target, .. }
        | Order::Reset { target }
        | Order::Postpone { target, .. }
        | Order::Send { target }
        | Order::Correct { target, .. }
        | Order::Approve { target, .. }
        | Order::Reject { target, .. }
        | Order::MarkExternal { target, .. }
        | Order::Justify { target, .. }) = self
        else {
            return None;
        };
        Some(target)
    }
}

impl Agent {
    /// Whether the order's report still has the digest that somebody saw.
    ///
    /// # Errors
    /// 8 when it has another one; 2 when the order is about no report.
    pub fn unchanged(&self, order: &Order, digest: &str) -> Result<(), Refused> {
        let target =
            order.report().ok_or_else(|| Refused::new(2, "this order is about no report: leave the digest out"))?;
        let (_, report) = self.one_report(target)?;
        if report.digest == digest {
            return Ok(());
        }
        let why = format!(
            "the report of {} was changed meanwhile: its digest is {}; look at it again, then decide",
            report.month, report.digest
        );
        Err(Refused::new(8, why))
    }
}
