//! What the settings were understood to be, in lines; secrets are named by their place.

use std::collections::BTreeSet;

use chrono::{NaiveDate, Weekday};

use crate::billing::profile::Profile;
use crate::billing::supplier_invoice::{FIELDS, Reading};
use crate::domain::events::Events;
use crate::domain::pseudonym::{HANDED_OUT, HandedOut};
use crate::doors::peer::{
    HookPeer, HttpPeer, Login, MailAuth, MailTls, PeerSettings, Proof, Reach, SecretPlace, Trust,
};
use crate::protocol::ReportDetail;
use crate::rules::deadlines;
use crate::rules::working_days::WorkingDays;
use crate::seal::digest::sha256_hex;

use super::policy;
use super::section::spelled;
use super::server::{LicenseBy, ManagedBy, ServerSettings};
use super::{ConsoleSettings, MailSettings, Settings, SinkSettings, WebhookSettings};

impl Settings {
    /// What was understood, a line a setting, written as in the file. Holds no secret.
    pub fn explain(&self) -> String {
        let mut lines = vec![
            line("state_dir", self.state_dir.display()),
            line("reports_dir", self.reports_dir.display()),
            line("time_zone", format!("{}   (for showing times beside GMT; rules and files are GMT)", self.time_zone)),
            line("sample_interval", spelled(self.sample_interval)),
            line("basis_max_age", spelled(self.basis_max_age)),
            line("keep_raw", kept(self.keep.raw, "then samples keep their sums alone")),
            line("keep_mail", kept(self.keep.mail, "then told news and their letters' outcomes go")),
            line("count_duplicates_once", self.count_duplicates_once),
            line("report_detail", detail(self.report_detail)),
            line("policy.auto_submit_day", auto_submit_day(self.deadlines.auto_submit_day)),
            line("policy.manual_deadline_day", self.deadlines.manual_deadline_day),
            line("policy.portal_deadline_day", self.deadlines.portal_deadline_day),
            line("policy.weekend", weekend(&self.working_days)),
            line("policy.holidays", holidays(&self.working_days)),
            line("policy.coverage_percent_min", self.coverage_percent_min),
            line("policy.allow_package_change", self.allow_package_change),
            line("gate.tolerance_points", self.tolerance.points),
            line("gate.tolerance_percent", self.tolerance.percent),
        ];
        lines.extend(self.console.iter().flat_map(ConsoleSettings::explain));
        lines.extend(pseudonyms(&self.pseudonyms));
        lines.extend(self.price_book.iter().map(|path| line("billing.price_book", path.display())));
        lines.extend(self.billing_profiles.iter().map(profile));
        lines.extend(supplier(&self.supplier));
        lines.extend(self.fonts.iter().map(|path| line("report.fonts", path.display())));
        lines.extend(self.points_tables.iter().map(|path| line("points_tables", path.display())));
        let mapped = |(name, kind): (&String, &_)| line(&format!("map {name}"), kind);
        lines.extend(self.rating.mapping.iter().map(mapped));
        lines.extend(self.license_server.iter().flat_map(|peer| http("license_server", peer)));
        lines.extend(self.mail.iter().flat_map(mail));
        lines.extend(self.webhooks.iter().flat_map(webhook));
        lines.extend(self.usage_sinks.iter().flat_map(sink));
        lines.extend(self.servers.iter().flat_map(server));
        lines.extend(self.managers.iter().flat_map(manager));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Settings {
    /// Tells one way of writing a webhook's settings from another; `None`: the recipient is no webhook of theirs.
    pub fn webhook_digest(&self, recipient: &str) -> Option<String> {
        let found = self.webhooks.iter().find(|webhook| webhook.peer() == recipient)?;
        Some(sha256_hex(webhook(found).join("\n").as_bytes()))
    }
}

/// A span, and what becomes of what is older.
fn kept(span: chrono::TimeDelta, then: &str) -> String {
    format!("{}   ({then})", spelled(span))
}

fn line(key: &str, value: impl std::fmt::Display) -> String {
    format!("{key} = {value}")
}

/// The day, and the vendor's day that it mirrors.
fn auto_submit_day(day: u32) -> String {
    let preset = deadlines::preset_of_day(day);
    preset.map_or(day.to_string(), |preset| format!("{day}   (\"{}\": {})", preset.name, preset.mirrors))
}

fn weekend(days: &WorkingDays) -> String {
    if days.weekend.is_empty() {
        return "none".to_owned();
    }
    days.weekend.iter(Weekday::Mon).map(policy::day_name).collect::<Vec<_>>().join(", ")
}

fn holidays(days: &WorkingDays) -> String {
    if days.holidays.is_empty() {
        return "none".to_owned();
    }
    days.holidays.iter().map(NaiveDate::to_string).collect::<Vec<_>>().join(", ")
}

fn detail(detail: ReportDetail) -> &'static str {
    match detail {
        ReportDetail::Lines => "lines",
        ReportDetail::Workloads => "workloads",
    }
}

fn pseudonyms(documents: &BTreeSet<HandedOut>) -> Option<String> {
    let named = HANDED_OUT.iter().filter(|(_, document)| documents.contains(document));
    let named: Vec<&str> = named.map(|(name, _)| *name).collect();
    (!named.is_empty()).then(|| line("privacy.pseudonyms", named.join(", ")))
}

fn http(place: &str, peer: &HttpPeer) -> Vec<String> {
    let mut lines = vec![line(&format!("{place}.url"), &peer.base_url)];
    lines.push(line(&format!("{place}.tls"), trust(&peer.trust)));
    lines.extend(peer.login.iter().flat_map(|login| logs_in(place, login)));
    lines.extend(peer.api_key.iter().map(|key| line(&format!("{place}.api_key"), masked(key))));
    lines
}

fn profile(profile: &Profile) -> String {
    let columns: Vec<&str> = profile.columns.iter().map(|column| column.name.as_str()).collect();
    line(&format!("billing.profile {}", profile.name), columns.join(", "))
}

fn supplier(reading: &Reading) -> Vec<String> {
    let columns = FIELDS.iter().filter_map(|(field, key, _)| Some((key, reading.columns.get(field)?)));
    let columns = columns.map(|(key, name)| line(&format!("billing.supplier.{key}"), name));
    let types = reading.types.iter().map(|(name, kind)| line(&format!("billing.supplier.types {name}"), kind));
    columns.chain(types).collect()
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::System => "the system's certificate authorities".to_owned(),
        Trust::CaFile(path) => format!("the authorities in {}", path.display()),
        Trust::Pinned(fingerprint) => format!("only the certificate with SHA-256 {fingerprint}"),
        Trust::Anything => "ANY certificate: whoever answers gets the password".to_owned(),
    }
}

fn logs_in(place: &str, login: &Login) -> [String; 2] {
    [line(&format!("{place}.username"), &login.username), line(&format!("{place}.password"), masked(&login.password))]
}

fn masked(place: &SecretPlace) -> String {
    match place {
        SecretPlace::File(path) => format!("*** (from the file {})", path.display()),
        SecretPlace::Env(name) => format!("*** (from the variable {name})"),
    }
}

fn mail(mail: &MailSettings) -> Vec<String> {
    let server = &mail.server;
    let tls = match server.tls {
        MailTls::Starttls => "starttls",
        MailTls::Implicit => "implicit",
        MailTls::NoneOnLoopback => "none (loopback)",
        MailTls::NoneAllowed => "NONE: reports cross the network in the clear",
    };
    let mut lines = vec![
        line("mail.host", &server.host),
        line("mail.port", server.port),
        line("mail.tls", tls),
        line("mail.from", &mail.from),
        line("mail.to", mail.to.join(", ")),
    ];
    if let Trust::CaFile(path) = &server.trust {
        lines.push(line("mail.ca_file", path.display()));
    }
    match server.auth {
        MailAuth::Password => lines.extend(server.login.iter().flat_map(|login| logs_in("mail", login))),
        MailAuth::Xoauth2 => {
            lines.extend(server.login.iter().flat_map(|login| {
                [line("mail.username", &login.username), line("mail.token", masked(&login.password))]
            }))
        }
    }
    lines.extend([
        line("mail.events", &mail.events),
        line("mail.attach", if mail.attach.is_empty() { "nothing".to_owned() } else { mail.attach.join(", ") }),
        line("mail.attach_max", format!("{} bytes", mail.attach_bytes_max)),
    ]);
    lines.extend((mail.mute != Events::none()).then(|| line("mail.mute", &mail.mute)));
    lines.extend(
        mail.routes.iter().map(|route| line("mail.route", format!("{}: {}", route.to.join(", "), route.events))),
    );
    lines
}

fn webhook(webhook: &WebhookSettings) -> Vec<String> {
    let place = format!("webhook {}", webhook.name);
    let mut lines = endpoint(&place, &webhook.endpoint);
    lines.push(line(&format!("{place}.events"), &webhook.events));
    lines
}

fn sink(sink: &SinkSettings) -> Vec<String> {
    let place = format!("usage_sink {}", sink.name);
    let mut lines = endpoint(&place, &sink.endpoint);
    lines.push(line(&format!("{place}.period"), sink.span.as_str()));
    lines.push(line(&format!("{place}.mode"), sink.mode.as_str()));
    lines
}

/// The path is left out: it may hold a token. Its digest says whether it changed.
fn endpoint(place: &str, endpoint: &HookPeer) -> Vec<String> {
    let path = &sha256_hex(endpoint.path.as_bytes())[..8];
    let mut lines = http(
        place,
        &HttpPeer { base_url: format!("{}/… ({path})", endpoint.server.base_url), ..endpoint.server.clone() },
    );
    match &endpoint.proof {
        Proof::Signed(secrets) => {
            lines.extend(secrets.iter().map(|secret| line(&format!("{place}.secret"), masked(secret))));
        }
        Proof::Authorization(secret) => lines.push(line(&format!("{place}.authorization"), masked(secret))),
        Proof::None => lines.push(line(&format!("{place}.authorization"), "none")),
    }
    lines.push(line(&format!("{place}.allow_private"), endpoint.reach == Reach::Anywhere));
    lines
}

fn server(server: &ServerSettings) -> Vec<String> {
    let place = format!("server {}", server.name);
    let key = |key: &str| format!("{place}.{key}");
    let mut lines = vec![line(&key("source"), server.source_row().name)];
    match &server.reach {
        PeerSettings::Http(peer) => lines.extend(http(&place, peer)),
        PeerSettings::Folder(folder) => lines.push(line(&key("path"), folder.path.display())),
        PeerSettings::Mail(_) | PeerSettings::Hook(_) => {}
    }
    let license = match server.license {
        LicenseBy::LicenseServer => "license_server",
        LicenseBy::BackupServer => "backup_server",
        LicenseBy::Nobody => "none",
    };
    lines.extend([line(&key("license"), license), line(&key("month_end"), server.month_end)]);
    lines.extend(server.shared_license.iter().map(|word| line(&key("shared_license"), word)));
    lines.extend(server.managed_by.map(|manager| line(&key("managed_by"), manager_name(manager))));
    lines.extend(server.em_auto_update.map(|on| line(&key("em_auto_update"), on)));
    if server.managed_by == Some(ManagedBy::Vspc) {
        lines.push(line(&key("vspc_auto_approval"), server.vspc_auto_approval));
    }
    if !server.other_names.is_empty() {
        lines.push(line(&key("known_as"), server.other_names.join(", ")));
    }
    if server.finalize_reports {
        let nag = "REPORTS CAN BE FINALIZED from here: what is finalized leaves the console for good; take it out \
                   when nobody does that here";
        lines.push(line(&key("finalize_reports"), format!("true   ({nag})")));
    }
    lines.extend(server.source.tenants_from.iter().map(|from| line(&key("tenants_from"), &from.manager)));
    lines.extend(server.source.revision.iter().map(|revision| line(&key("revision"), revision)));
    lines
}

/// An Enterprise Manager that only names tenants.
fn manager(server: &ServerSettings) -> Vec<String> {
    let place = format!("server {}", server.name);
    let source = format!("{}   (names tenants; not sampled itself)", server.source_row().name);
    let mut lines = vec![line(&format!("{place}.source"), source)];
    if let PeerSettings::Http(peer) = &server.reach {
        lines.extend(http(&place, peer));
    }
    lines
}

fn manager_name(manager: ManagedBy) -> &'static str {
    match manager {
        ManagedBy::Vspc => "vspc",
        ManagedBy::EnterpriseManager => "enterprise_manager",
    }
}
