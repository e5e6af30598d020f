//! An agenda as an iCalendar file (RFC 5545): lines of at most 75 octets that end in CRLF, the same bytes each time.

use chrono::Days;
use icalendar::{Alarm, Calendar, Class, Component, Event, EventLike, Property, Trigger};
use uuid::Uuid;

use crate::document::agenda::{Agenda, AgendaEntry, When};
use crate::domain::Instant;

pub const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";
const PRODUCT: &str = "-//Tidegauge//Deadlines//EN";

/// Writes the file.
pub fn write(agenda: &Agenda) -> Vec<u8> {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", PRODUCT));
    calendar.append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.append_property(Property::new("METHOD", "PUBLISH"));
    calendar.name(&agenda.name);
    for entry in &agenda.entries {
        calendar.push(event(entry, agenda.stamped_at));
    }
    calendar.to_string().into_bytes()
}

/// Whole days end before their DTEND; nobody is busy on a deadline.
fn event(entry: &AgendaEntry, stamped_at: Instant) -> Event {
    let mut event = Event::with_uid(&entry.uid);
    event.timestamp(stamped_at).summary(&entry.title).description(&entry.text).class(Class::Private);
    event.add_property("TRANSP", "TRANSPARENT");
    match entry.when {
        When::At(at) => event.starts(at),
        When::Days { first, last } => event.starts(first).ends(last + Days::new(1)),
    };
    event.alarm(alarm(entry, stamped_at));
    event.done()
}

/// Its id and stamp are given too, for the crate would draw and read them otherwise.
fn alarm(entry: &AgendaEntry, stamped_at: Instant) -> Alarm {
    let mut alarm = Alarm::display(&entry.title, Trigger::before_start(entry.alarm_before));
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/alarm", entry.uid).as_bytes());
    alarm.timestamp(stamped_at).uid(&id.to_string());
    alarm
}
