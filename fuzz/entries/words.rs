//! Words of people: values of forms, flags and settings, and whole command lines.

use std::net::IpAddr;

use tidegauge::billing::profile::Template;
use tidegauge::channels::channel_of;
use tidegauge::domain::events::Events;
use tidegauge::domain::installation::{entry_of, is_same_host, shown_name};
use tidegauge::domain::license::LicenseType;
use tidegauge::domain::people::{Role, SecretHash, user_name};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{IsoWeek, Month, Points};
use tidegauge::doors::address::is_public;
use tidegauge::doors::peer::{Fingerprint, is_loopback};
use tidegauge::evidence::archive::is_plain;
use tidegauge::people::openid::origin_of;
use tidegauge::people::password::{is_ours, refuse_weak};
use tidegauge::people::token;
use tidegauge::rules::license_results;
use tidegauge::seal::standard_webhooks::signature;
use tidegauge::seal::{canonical, digest};

use super::now;

/// Each line is a word, read as everything that a word can be.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    text.lines().take(100).for_each(word);
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        canonical::bytes(&value);
    }
}

fn word(text: &str) {
    if let Ok(month) = text.parse::<Month>() {
        let _ = (month.next(), month.previous(), month.starts_at(), month.ends_at(), month.days());
        month.to_string();
    }
    if let Ok(week) = text.parse::<IsoWeek>() {
        let _ = (week.next(), week.previous(), week.starts_at(), week.ends_at(), week.days());
        week.to_string();
    }
    if let Ok(points) = text.parse::<Points>() {
        let _ = (points.rounded_up(), points.at_least_zero());
        points.to_string();
    }
    let _ = Points::stated(text);
    let _ = (text.parse::<Role>(), text.parse::<WorkloadType>(), LicenseType::parse(text));
    let _ = (Fingerprint::parse(text), is_loopback(text), text.parse::<IpAddr>().map(is_public));
    let _ = (user_name(text), Events::read(&[text.to_owned()]), channel_of(text));
    let _ = (entry_of(text), shown_name(text), is_same_host(text, "vbr01.example.net"), is_plain(text));
    let _ = (Template::parse(text), origin_of(text), digest::from_hex(text), token::hash_of(text));
    let _ = (refuse_weak(&text.to_owned().into(), "anna"), is_ours(&SecretHash::new(text)));
    let _ = signature(&text.to_owned().into(), "id", now().timestamp(), b"body");
    license_results::read(text);
}

/// Each line is one argument.
pub fn command_line(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let arguments = std::iter::once("tidegauge").chain(text.lines().take(40));
    if let Err(error) = tidegauge::cli::commands().try_get_matches_from(arguments) {
        error.render().to_string();
    }
}
