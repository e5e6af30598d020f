//! What is in force, and where each value was given.

use std::path::PathBuf;

use tidegauge::config::InForce;

use super::*;

const MANY: &str = r#"time_zone = "Europe/Prague"
[policy]
auto_submit_day = 12
[mail]
host = "smtp.example.net"
username = "tide"
password_env = "SMTP_PASSWORD"
from = "Tidegauge <tidegauge@example.net>"
to = ["licensing@example.net"]
[[map]]
platform = "AwsRds"
type = "VM"
[[map]]
platform = "Quantum"
type = "VM"
[[server]]
name = "vbr01"
source = "vbr"
url = "https://vbr01.example.net:9419"
username = "t"
password_file = "/etc/tidegauge/vbr01.password"
tls = { insecure = true }
[billing.supplier]
points = "Punkte"
"#;

fn in_force() -> Vec<InForce> {
    let variables = [("TIDEGAUGE_MAIL__HOST".to_owned(), "mail.example.net".to_owned())];
    let flags = Flags { state: Some(PathBuf::from("/srv/state")), ..Flags::default() };
    let settings = Settings::read(Some(Written { name: "t.toml", text: MANY }), variables, &flags);
    settings.expect("good settings").in_force()
}

#[test]
fn each_setting_says_whether_file_variable_flag_or_nobody_gave_it() {
    let in_force = in_force();
    for (key, value, from) in [
        ("time_zone", "Europe/Prague", "t.toml:1"),
        ("policy.auto_submit_day", "12", "t.toml:3"),
        ("policy.manual_deadline_day", "10", "default"),
        ("mail.host", "mail.example.net", "TIDEGAUGE_MAIL__HOST (environment)"),
        ("mail.port", "587", "default"),
        ("mail.password", "*** (from the variable SMTP_PASSWORD)", "t.toml:7"),
        ("state_dir", "/srv/state", "--state"),
        ("map Quantum", "VM", "t.toml:13"),
        ("server vbr01.url", "https://vbr01.example.net:9419", "t.toml:19"),
        ("server vbr01.password", "*** (from the file /etc/tidegauge/vbr01.password)", "t.toml:21"),
        ("server vbr01.tls", "ANY certificate: whoever answers gets the password", "t.toml:22"),
        ("server vbr01.month_end", "carry", "default"),
        ("billing.supplier.points", "Punkte", "t.toml:24"),
    ] {
        let found = in_force.iter().find(|one| one.key == key).unwrap_or_else(|| panic!("{key} is not in force"));
        assert_eq!((found.value.as_str(), found.from.as_str()), (value, from), "{key}");
    }
    let zone = in_force.iter().find(|one| one.key == "time_zone").expect("a zone");
    assert_eq!(zone.note.as_deref(), Some("for showing times beside GMT; rules and files are GMT"));
}

#[test]
fn what_nobody_gave_is_a_default() {
    let settings = Settings::read(None, [], &Flags::default()).expect("nothing given");
    assert!(settings.in_force().iter().all(|one| one.from == "default"), "{:?}", settings.in_force());
}
