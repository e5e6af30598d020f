//! The types of webhook messages: when each is sent, and which fields of the news its data holds.

/// One type. `docs/WEBHOOKS.md` is written from these rows.
#[derive(Clone, Copy, Debug)]
pub struct HookType {
    /// As `News::event` says it.
    pub event: &'static str,
    /// When it is sent, to follow "sent when".
    pub when: &'static str,
    /// Fields of the news beside `id` and `unit`; `a.b` is written as `a_b`. No text that could name a machine or a
    /// person stands here: who wants it asks the agent.
    pub fields: &'static [&'static str],
}

const fn row(event: &'static str, when: &'static str, fields: &'static [&'static str]) -> HookType {
    HookType { event, when, fields }
}

/// Every type there is, one row for each kind of news.
pub const TYPES: [HookType; 28] = [
    row("report.generated", "the month's report stands", &["month", "total", "days_left", "automatic", "late"]),
    row("report.deadline_near", "it still waits for review", &["month", "total", "days_left", "automatic"]),
    row("report.overdue", "its deadline passed and nothing sends it", &["month", "total"]),
    row("report.adjusted", "a person lowered it or took that back", &["month", "before", "after", "adjustments"]),
    row("report.submitted", "a person sent it and it was taken", &["month", "total", "external_due", "due_on"]),
    row("report.auto_submitted", "it was sent on its day and taken", &["month", "total", "external_due", "due_on"]),
    row("report.send_failing", "it could not be sent", &["month"]),
    row("report.external_due", "it is not yet entered in Pulse or the portal", &["month", "total", "due_on"]),
    row("report.waits_for_person", "the coverage policy keeps it", &["month"]),
    row("report.late_sample", "a late sample changed it, or would change a sent one", &["month", "sent"]),
    row("report.renewed", "other settings changed it before it was sent", &["month", "was", "total"]),
    row("report.correction_asked", "the license server's operator asks for another", &["month"]),
    row("license.result", "a check installed a key or needs a person", &["result"]),
    row("license.recovered", "checks end well again", &["result", "failing_since"]),
    row("license.expiring", "license or support ends soon", &["support", "last_day", "days_left"]),
    row("license.support_expired", "the support of a perpetual key is over", &["last_day"]),
    row("license.grace_started", "the license has expired, with grace", &["last_day", "grace_ends_on"]),
    row("license.in_grace", "it still is expired", &["grace_ends_on", "day", "of"]),
    row("license.processing_stopped", "nothing is processed any more", &["last_day", "grace_ended_on"]),
    row(
        "license.limit_exceeded",
        "more is used than licensed",
        &["licensed", "used", "exceeded_by", "more_possible", "not_processed", "tolerated_through"],
    ),
    row("license.limit_kept", "it no longer is", &["licensed", "used"]),
    row("license.auto_update_disabled", "auto update switched itself off", &[]),
    row("gate.held", "the gate holds the license", &["month", "shortfall", "tolerance"]),
    row("gate.opened", "it opened again", &["month"]),
    row("server.unreachable", "a server of the settings is not sampled", &["server"]),
    row("server.recovered", "it is again", &["server", "missed_samples", "loss.id"]),
    row("server.coverage_low", "a day has ended with too few samples", &["server", "day", "coverage"]),
    row("clock.suspect", "the clock is not trusted", &[]),
];
