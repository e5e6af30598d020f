//! Settings: what is understood, what is refused, in which words.

mod billing;
mod console;
mod consoles;
mod enterprise_manager;
mod in_force;
mod mail;
mod privacy;
mod running; // settings for an agent that runs with others
mod service; // the unit file

use std::path::Path;

use chrono::TimeDelta;
use expect_test::{Expect, expect};
use tidegauge::config::{Flags, LicenseBy, MonthEnd, STARTING_FILE, Settings, Written};
use tidegauge::domain::Points;
use tidegauge::doors::peer::{PeerSettings, Trust};

const FULL: &str = r#"
state_dir = "/srv/tidegauge"
time_zone = "Europe/Prague"
sample_interval = "30m"
[policy]
auto_submit_day = 12
[gate]
tolerance_points = 12.5
[license_server]
url = "https://license.example.net/"
[mail]
host = "smtp.example.net"
username = "tide"
password_env = "TIDEGAUGE_MAIL_PASSWORD"
from = "Tidegauge <tidegauge@example.net>"
to = ["licensing@example.net", "boss@example.net"]
[[server]]
name = "spool-2.eu"
source = "snapshot_folder"
path = "/var/spool/tidegauge/vbr02"
month_end = "wait:06:30"
shared_license = "main"
"#;

fn read(text: &str) -> Result<Settings, String> {
    read_with(text, &[])
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::read(Some(Written { name: "t.toml", text }), variables, &Flags::default())
        .map_err(|refusals| refusals.to_string())
}

fn check_refused(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).expect_err("these settings are wrong"));
}

/// A VBR server with these lines added.
fn vbr(lines: &str) -> String {
    format!("[[server]]\nname = \"vbr01\"\nsource = \"vbr\"\nusername = \"t\"\npassword_file = \"p\"\n{lines}\n")
}

#[test]
fn without_a_file_the_defaults_hold() {
    let settings = Settings::read(None, [], &Flags::default()).expect("nothing given, nothing wrong");
    assert_eq!(settings.explain(), Settings::default().explain());
    assert_eq!(settings.basis_max_age, TimeDelta::hours(2));
    assert_eq!(settings.reports_dir, Path::new("/var/lib/tidegauge/reports"));
    assert!(settings.peers().is_empty());
}

#[test]
fn every_room_gets_what_the_file_says() {
    let settings = read(FULL).expect("good settings");
    assert_eq!(settings.reports_dir, Path::new("/srv/tidegauge/reports"));
    assert_eq!(settings.basis_max_age, TimeDelta::hours(1));
    assert_eq!(settings.deadlines.auto_submit_day, 12);
    assert_eq!(settings.tolerance.points, "12.5".parse::<Points>().expect("points"));
    let server = settings.server("spool-2.eu").expect("it is in the file");
    assert_eq!(server.month_end.waits(), Some(TimeDelta::minutes(390)));
    assert!(server.month_end.carries() && !MonthEnd::Exclude.carries());
    assert_eq!(server.license, LicenseBy::LicenseServer);
    assert!(settings.renews_by_license_server(&["spool-2.eu".to_owned()]));
    assert_eq!(settings.peers().keys().collect::<Vec<_>>(), ["license_server", "mail", "spool-2.eu"]);
}

/// An Enterprise Manager of this name.
fn manager(name: &str) -> String {
    format!(
        "[[server]]\nname = \"{name}\"\nsource = \"enterprise_manager\"\nurl = \"https://{name}.example.net:9398\"\n\
         username = \"t\"\npassword_file = \"p\"\n"
    )
}

#[test]
fn an_enterprise_manager_that_names_tenants_is_no_server_of_its_own() {
    let cc01 = vbr("url = \"https://10.0.0.5:9419\"\ntenants_from = \"em01\"");
    let settings = read(&(cc01.clone() + &manager("em01") + &manager("em02"))).expect("good settings");
    let sampled: Vec<&str> = settings.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(sampled, ["vbr01", "em02"]);
    assert_eq!(settings.peers().keys().collect::<Vec<_>>(), ["em01", "em02", "vbr01"]);
    let from = settings.servers[0].source.tenants_from.as_ref().expect("em01 names them");
    assert_eq!(
        (from.manager.as_str(), from.known_as.as_slice()),
        ("em01", &["vbr01".to_owned(), "10.0.0.5".to_owned()][..])
    );
    assert!(settings.explain().contains("server vbr01.tenants_from = em01\n"));
    assert!(
        settings.explain().contains("server em01.source = enterprise_manager   (names tenants; not sampled itself)")
    );
}

#[test]
fn tenants_are_named_by_an_enterprise_manager_and_by_nothing_else() {
    let of = |lines: &str| vbr(&format!("url = \"https://vbr01\"\n{lines}"));
    check_refused(
        &of("tenants_from = \"em01\""),
        expect![[r#"
            t.toml:1: `tenants_from` of server vbr01 is "em01", and there is none: add a [[server]] of that name with source = "enterprise_manager""#]],
    );
    check_refused(
        &of("tenants_from = \"vbr01\""),
        expect![[r#"
            t.toml:1: `tenants_from` of server vbr01 is a server of source "vbr": name a [[server]] of source "enterprise_manager""#]],
    );
    check_refused(
        &(manager("em01")
            + "[[server]]\nname = \"a\"\nsource = \"snapshot_folder\"\npath = \"/a\"\ntenants_from = \"em01\"\n"),
        expect![[
            r#"t.toml:11: `tenants_from` is given, and source "snapshot_folder" counts no machines without tenants: take it out: it is for servers of source "vbr""#
        ]],
    );
}

#[test]
fn servers_under_enterprise_manager_share_its_license() {
    let of = |lines: &str| vbr(&format!("url = \"https://vbr01\"\nmanaged_by = \"enterprise_manager\"\n{lines}"));
    let shared = |text: &str| read(text).expect("good settings").servers[0].shared_license.clone();
    assert_eq!(shared(&of("")).as_deref(), Some("enterprise_manager"));
    assert_eq!(shared(&of("shared_license = \"north\"")).as_deref(), Some("north"));
    check_refused(
        &(of("") + &manager("em01") + &manager("em02")),
        expect![[
            r#"t.toml:1: server vbr01 is managed by one of several Enterprise Managers: add shared_license = "…": the same word for the servers of one of them"#
        ]],
    );
}

#[test]
fn what_was_understood_is_printed_without_secrets() {
    expect![[r#"
        state_dir = /srv/tidegauge
        reports_dir = /srv/tidegauge/reports
        time_zone = Europe/Prague   (for showing times beside GMT; rules and files are GMT)
        sample_interval = 30m
        basis_max_age = 1h
        keep_raw = 400d   (then samples keep their sums alone)
        keep_mail = 400d   (then told news and their letters' outcomes go)
        count_duplicates_once = false
        report_detail = lines
        policy.auto_submit_day = 12
        policy.manual_deadline_day = 10
        policy.portal_deadline_day = 10
        policy.weekend = saturday, sunday
        policy.holidays = none
        policy.coverage_percent_min = 50
        policy.allow_package_change = false
        gate.tolerance_points = 12.5
        gate.tolerance_percent = 20
        console.listen = 127.0.0.1:8420
        console.idle = 30m
        console.session = 12h
        license_server.url = https://license.example.net
        license_server.tls = the system's certificate authorities
        mail.host = smtp.example.net
        mail.port = 587
        mail.tls = starttls
        mail.from = Tidegauge <tidegauge@example.net>
        mail.to = licensing@example.net, boss@example.net
        mail.username = tide
        mail.password = *** (from the variable TIDEGAUGE_MAIL_PASSWORD)
        mail.events = *
        mail.attach = pdf
        mail.attach_max = 10000000 bytes
        server spool-2.eu.source = snapshot_folder
        server spool-2.eu.path = /var/spool/tidegauge/vbr02
        server spool-2.eu.license = license_server
        server spool-2.eu.month_end = wait:06:30
        server spool-2.eu.shared_license = main
    "#]]
    .assert_eq(&read(FULL).expect("good settings").explain());
}

#[test]
fn variables_lie_over_the_file_and_flags_over_both() {
    let variables = [
        ("TIDEGAUGE_MAIL__HOST", "relay.example.net"),
        ("TIDEGAUGE_MAIL__TO", "one@example.net, two@example.net"),
        ("TIDEGAUGE_SERVER__SPOOL_2_EU__PATH", "/elsewhere"),
        ("TIDEGAUGE_POLICY__AUTO_SUBMIT_DAY", "15"),
        ("TIDEGAUGE_COUNT_DUPLICATES_ONCE", "true"),
        ("TIDEGAUGE_STATE_DIR", "/from/variable"),
        // Looks like a setting, but is the password that the file names.
        ("TIDEGAUGE_MAIL_PASSWORD", "hunter2"),
        ("HOME", "/nowhere"),
    ];
    let flags = Flags { state: Some("/from/flag".into()), reports: None };
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings =
        Settings::read(Some(Written { name: "t.toml", text: FULL }), variables, &flags).expect("good settings");
    let mail = settings.mail.as_ref().expect("the file has [mail]");
    assert_eq!((mail.server.host.as_str(), mail.to.len()), ("relay.example.net", 2));
    assert_eq!(settings.deadlines.auto_submit_day, 15);
    assert!(settings.count_duplicates_once);
    assert_eq!(settings.state_dir, Path::new("/from/flag"));
    let reach = &settings.server("spool-2.eu").expect("it is in the file").reach;
    assert!(matches!(reach, PeerSettings::Folder(folder) if folder.path == Path::new("/elsewhere")));
    assert!(!settings.explain().contains("hunter2"));
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_known_one() {
    check_refused(
        "state_dri = \"/x\"\n[mail]\nhots = \"h\"\nfrom = \"a@b\"\nto = [\"a@b\"]\npassword = \"p\"\n[colour]\n",
        expect![[r#"
            t.toml:1: `state_dri` is not a setting: did you mean `state_dir`?
            t.toml:2: `host` of [mail] is missing: add host = "smtp.example.net"
            t.toml:3: `hots` is not a setting of [mail]: did you mean `host`?
            t.toml:6: `password` is not a setting of [mail]: write password_file = "…" or password_env = "…": secrets never stand in the settings
            t.toml:7: `colour` is not a setting: did you mean `console`?"#]],
    );
    let refused = read_with("", &[("TIDEGAUGE_SAMPEL_INTERVAL", "1h")]).expect_err("a typing error");
    expect![
        "TIDEGAUGE_SAMPEL_INTERVAL (environment): `sampel_interval` is not a setting: did you mean `sample_interval`?"
    ]
    .assert_eq(&refused);
    let refused = read_with("", &[("TIDEGAUGE_SERVER__VBR09__URL", "x")]).expect_err("no such server");
    expect!["TIDEGAUGE_SERVER__VBR09__URL (environment): `server` is no list: write [[server]] with two brackets"]
        .assert_eq(&refused);
}

#[test]
fn wrong_values_say_what_would_be_right() {
    check_refused(
        "sample_interval = \"90s\"\nkeep_raw = \"soon\"\ntime_zone = \"Prague\"\n[policy]\nauto_submit_day = 29\ncoverage_percent_min = \"many\"\n[gate]\ntolerance_points = \"-1\"\n[console]\nlisten = \"0.0.0.0:80\"\n",
        expect![[r#"
            t.toml:1: `sample_interval` has part of a minute: write whole minutes: planned instants are whole minutes
            t.toml:2: `keep_raw` is "soon": write a span from 62d to 36500d, such as "1h" or "400d"
            t.toml:3: `time_zone` is "Prague": write a name of the IANA list, such as "Europe/Prague"
            t.toml:5: `auto_submit_day` of [policy] is "29": write a number from 2 to 28, or a preset: "2026" (day 3), "2025" (day 11), "2021" (day 6)
            t.toml:6: `coverage_percent_min` of [policy] is "many": write a number from 0 to 100
            t.toml:8: `tolerance_points` of [gate] is "-1": write zero or more points, such as "20"
            t.toml:9: `listen` of [console] is "0.0.0.0:80": passwords would cross the network in the clear: add tls = { certificate_file = "…", key_file = "…" }, or behind_proxy = true when a proxy in front speaks TLS, or write a loopback address, such as "127.0.0.1:8420""#]],
    );
    check_refused(
        "a = \n",
        expect![
            "t.toml:1: string values must be quoted, expected literal string: write the settings as TOML; `tidegauge config init` prints a file to begin with"
        ],
    );
}

#[test]
fn the_auto_submit_day_is_given_by_day_or_by_the_vendors_name_for_it_and_both_are_shown() {
    let understood = |text: &str| {
        let explained = read(&format!("[policy]\n{text}\n")).expect("good settings").explain();
        explained
            .lines()
            .filter(|line| line.starts_with("policy."))
            .take(5)
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    expect![[r#"
        policy.auto_submit_day = 3   ("2026": VBR and Enterprise Manager 13 from January 2026, VSPC 9)
        policy.manual_deadline_day = 6
        policy.portal_deadline_day = 6
        policy.weekend = friday, saturday
        policy.holidays = 2026-12-25, 2027-01-01
    "#]]
    .assert_eq(&understood(
        "auto_submit_day = \"2026\"\nmanual_deadline_day = 6\nweekend = [\"Friday\", \"saturday\"]\nholidays = [\"2027-01-01\", \"2026-12-25\"]",
    ));
    for row in tidegauge::rules::deadlines::DEADLINE_PRESETS {
        assert_eq!(
            understood(&format!("auto_submit_day = \"{}\"", row.name)),
            understood(&format!("auto_submit_day = {}", row.day))
        );
    }
    let own = read("[policy]\nportal_deadline_day = 5\nweekend = []\n").expect("good settings");
    assert_eq!((own.deadlines.manual_deadline_day, own.deadlines.portal_deadline_day), (10, 5));
    assert!(own.explain().contains("policy.weekend = none\n"));
    let names = "\"monday\",\"tuesday\",\"wednesday\",\"thursday\",\"friday\",\"saturday\",\"sunday\"";
    check_refused(
        &format!("[policy]\nauto_submit_day = \"2024\"\nweekend = [{names}]\nholidays = [\"25.12.\"]\n"),
        expect![[r#"
            t.toml:2: `auto_submit_day` of [policy] is "2024": write a number from 2 to 28, or a preset: "2026" (day 3), "2025" (day 11), "2021" (day 6)
            t.toml:3: `weekend` of [policy] is a list: write at most six days: ["saturday", "sunday"]
            t.toml:4: `holidays` of [policy] is a list: write at most 500 days: ["2026-12-25", "2027-01-01"]"#]],
    );
}

#[test]
fn servers_that_cannot_be_reached_safely_are_refused() {
    check_refused(
        &vbr("url = \"http://vbr01.example.net:9419\""),
        expect![[
            r#"t.toml:1: `url` is "http://vbr01.example.net:9419": passwords and keys would cross the network in the clear: write https://; plain http is for loopback only"#
        ]],
    );
    check_refused(
        &vbr("url = \"https://vbr01:9419\"\ntls = { ca_file = \"a\", insecure = true }"),
        expect!["t.toml:7: `tls` says more than one thing: keep one of ca_file, fingerprint_sha256, insecure"],
    );
    check_refused(
        &vbr("url = \"https://vbr01:9419\"\ntls = { fingerprint_sha256 = \"12:34\" }"),
        expect![[
            r#"t.toml:7: `fingerprint_sha256` of tls of server vbr01 is "12:34": write the 64 hexadecimal digits of the certificate's SHA-256"#
        ]],
    );
    assert!(read(&vbr("url = \"http://127.0.0.1:9419\"")).is_ok());
    assert!(read(&vbr("url = \"http://[::1]:9419\"")).is_ok());
}

#[test]
fn a_pin_is_read_with_colons_and_in_either_case() {
    let pin = ["AB"; 32].join(":");
    let settings = read(&vbr(&format!("url = \"https://vbr01:9419\"\ntls = {{ fingerprint_sha256 = \"{pin}\" }}")));
    let settings = settings.expect("good settings");
    let PeerSettings::Http(peer) = &settings.server("vbr01").expect("it is in the file").reach else { panic!("http") };
    assert!(matches!(peer.trust, Trust::Pinned(print) if print.to_string() == "ab".repeat(32)));
}

#[test]
fn two_servers_of_one_name_and_unknown_sources_are_refused() {
    let folder = "[[server]]\nname = \"A\"\nsource = \"snapshot_folder\"\npath = \"p\"\n";
    check_refused(
        &format!("{folder}{}", folder.replace("\"A\"", "\"a\"")),
        expect!["t.toml:5: two servers are called a: give each its own name"],
    );
    let refused =
        read("[[server]]\nname = \"x\"\nsource = \"vbm\"\nurl = \"https://vbm\"\n").expect_err("no such source");
    assert!(refused.starts_with("t.toml:1: source \"vbm\" is not known"), "{refused}");
    let refused = read("[[server]]\nname = \"mail\"\nsource = \"snapshot_folder\"\npath = \"p\"\n").expect_err("taken");
    assert!(refused.contains("`name` of the server is \"mail\""), "{refused}");
    let refused = read(&folder.replace("path", "license = \"license_server\"\npath")).expect_err("nobody to ask");
    assert!(refused.contains("add [license_server] with its url"), "{refused}");
}

#[test]
fn a_server_that_renews_itself_is_named_so_and_must_be_able_to() {
    let text = vbr("url = \"https://vbr01:9419\"\nlicense = \"backup_server\"");
    let settings = read(&text).expect("good settings, without a License Update Server");
    assert_eq!(settings.server("vbr01").expect("it is in the file").license, LicenseBy::BackupServer);
    assert_eq!(settings.asked_to_renew(&["vbr01".to_owned(), "gone".to_owned()]), ["vbr01"]);
    assert!(!settings.renews_by_license_server(&["vbr01".to_owned()]));
    assert!(settings.explain().contains("server vbr01.license = backup_server\n"));
    let folder = "[[server]]\nname = \"A\"\nsource = \"snapshot_folder\"\npath = \"p\"\nlicense = \"backup_server\"\n";
    check_refused(
        folder,
        expect![[
            r#"t.toml:1: `license` of server A is "backup_server", and source "snapshot_folder" cannot be asked: write "license_server" or "none""#
        ]],
    );
    check_refused(
        &vbr("url = \"https://vbr01:9419\"\nlicense = \"backupserver\""),
        expect![[
            r#"t.toml:7: `license` of server vbr01 is "backupserver": write "license_server" or "backup_server" or "none""#
        ]],
    );
    let second = text.replace("vbr01", "vbr02").replace("backup_server", "none") + "shared_license = \"main\"\n";
    check_refused(
        &format!("{text}shared_license = \"main\"\n{second}"),
        expect![
            "t.toml:9: vbr01 and vbr02 share one license and differ in `license`: write the same `license` for both"
        ],
    );
}

#[test]
fn the_starting_file_is_good_commented_and_uncommented() {
    let as_it_stands = read(STARTING_FILE).expect("config init prints good settings");
    assert_eq!(as_it_stands.explain(), Settings::default().explain());
    let is_setting =
        |line: &str| line.starts_with("# [") || line.starts_with("# ") && line[2..].split(' ').nth(1) == Some("=");
    let uncommented: Vec<&str> =
        STARTING_FILE.lines().map(|line| if is_setting(line) { &line[2..] } else { line }).collect();
    let settings = read(&uncommented.join("\n")).expect("every line of the file is right");
    assert_eq!(settings.servers.len(), 3);
    assert!(settings.mail.is_some() && settings.license_server.is_some());
}
