//! Mail in the settings: logins, recipients by event, what goes along.

use super::*;

fn mail(more: &str) -> String {
    format!("[mail]\nhost = \"smtp.example.net\"\nfrom = \"T <t@example.net>\"\nto = [\"a@example.net\"]\n{more}")
}

#[test]
fn an_address_that_no_letter_can_be_sent_to_is_refused_with_its_place() {
    check_refused(
        "[mail]\nhost = \"h\"\nfrom = \"nobody\"\nto = [\"a@example.net\", \"b@@example.net\"]\n\
         [[mail.route]]\nevents = [\"gate.*\"]\nto = [\"c example.net\"]\n[[mail.route]]\nto = []\n",
        expect![[r#"
            t.toml:1: `from` of [mail] is "nobody": write name@example.net or Name <name@example.net>
            t.toml:1: `to` of [mail] has "b@@example.net": write mail addresses: name@example.net or Name <name@example.net>
            t.toml:5: `to` of [[mail.route]] has "c example.net": write mail addresses: name@example.net or Name <name@example.net>
            t.toml:8: `to` of [[mail.route]] names nobody: add to = ["licensing@example.net"]"#]],
    );
}

#[test]
fn an_access_token_stands_in_a_file_and_in_no_other_place() {
    let good = mail("auth = \"xoauth2\"\nusername = \"t@example.net\"\ntoken_file = \"/run/token\"\n");
    let explained = read(&good).expect("good settings").explain();
    assert!(explained.contains("mail.token = *** (from the file /run/token)"), "{explained}");
    check_refused(
        &mail("auth = \"xoauth2\"\npassword_file = \"/p\"\n"),
        expect![[r#"
        t.toml:1: `username` of [mail] is missing: add username = "tidegauge@example.net"
        t.toml:1: `auth` is "xoauth2", and there is a password: take the password out: a token is the login
        t.toml:1: `auth` is "xoauth2", and there is no token: add token_file = "…", which something else keeps fresh"#]],
    );
    check_refused(
        &mail("username = \"t\"\npassword_file = \"/p\"\ntoken_file = \"/t\"\n"),
        expect![[
            r#"t.toml:1: `token_file` is given, and `auth` is no "xoauth2": add auth = "xoauth2", or take it out"#
        ]],
    );
    check_refused(
        &mail("auth = \"kerberos\"\n"),
        expect![[r#"t.toml:5: `auth` of [mail] is "kerberos": write "password" or "xoauth2""#]],
    );
}

#[test]
fn recipients_are_chosen_by_event() {
    let text = mail(
        "events = [\"report.*\", \"gate.held\"]\nmute = [\"report.late_sample\"]\n\
         [[mail.route]]\nevents = [\"server.*\", \"gate.held\"]\nto = [\"noc@example.net\", \"a@example.net\"]\n",
    );
    let settings = read(&text).expect("good settings");
    for (event, expected) in [
        ("report.generated", &["a@example.net"][..]),
        ("report.late_sample", &[]),
        ("gate.held", &["a@example.net", "noc@example.net"]),
        ("server.unreachable", &["noc@example.net", "a@example.net"]),
        ("clock.suspect", &[]),
    ] {
        assert_eq!(settings.recipients(event), expected, "{event}");
    }
    let explained = settings.explain();
    for line in [
        "mail.events = report.*, gate.held\n",
        "mail.mute = report.late_sample\n",
        "mail.route = noc@example.net, a@example.net: server.*, gate.held\n",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    let everything = read(&mail("")).expect("good settings");
    assert_eq!(everything.recipients("clock.suspect"), ["a@example.net"]);
    let refused = read(&mail("events = [\"report.sent\"]\n")).expect_err("no such event");
    assert!(refused.contains("report.submitted"), "the list is named: {refused}");
}

#[test]
fn files_and_their_size_are_settings() {
    for (text, bytes) in [("10MB", 10_000_000), ("500kB", 500_000), ("8MiB", 8 << 20), ("0kB", 0)] {
        let settings = read(&mail(&format!("attach = [\"csv\", \"pdf\"]\nattach_max = \"{text}\"\n")));
        let mail = settings.expect("good settings").mail.expect("it has [mail]");
        assert_eq!((mail.attach, mail.attach_bytes_max), (vec!["csv", "pdf"], bytes), "{text}");
    }
    let none = read(&mail("attach = []\n")).expect("good settings").mail.expect("it has [mail]");
    assert_eq!((none.attach.len(), none.attach_bytes_max), (0, 10_000_000));
    for wrong in ["10", "10 GB", "-1MB", "MB", "101MB", "99999999999999999999MB"] {
        let refused = read(&mail(&format!("attach_max = \"{wrong}\"\n"))).expect_err("no size");
        assert!(refused.contains("write a size up to 100 MB"), "{wrong}: {refused}");
    }
    let refused = read(&mail("attach = [\"docx\"]\n")).expect_err("no such format");
    assert!(refused.contains("`attach` of [mail]") && refused.contains("pdf"), "{refused}");
}

#[test]
fn mail_in_the_clear_goes_to_another_machine_only_when_a_person_allows_it() {
    check_refused(
        &mail("tls = \"none\"\n"),
        expect![[
            r#"t.toml:1: `tls` is "none" and smtp.example.net is another machine: reports would cross the network in the clear: write tls = "starttls", or add allow_plaintext = true"#
        ]],
    );
    assert!(read(&mail("tls = \"none\"\nallow_plaintext = true\n")).is_ok());
}
