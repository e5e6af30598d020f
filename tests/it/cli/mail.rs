//! `mail test`: step by step, with its exit codes, and without secrets.

use expect_test::expect;

use super::Shell;
use crate::doors::mail_server::{MailServer, Script};

fn settings(shell: &Shell, port: u16, more: &str) -> String {
    let text = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"Tidegauge <tide@example.net>\"\n\
         to = [\"licensing@example.net\"]\n{more}"
    );
    shell.file("tidegauge.toml", &text)
}

#[test]
fn a_letter_that_is_taken_is_told_step_by_step() {
    let shell = Shell::new();
    let server = MailServer::begin(Script::default());
    let config = settings(&shell, server.port, "");
    let ran = shell.run(&["mail", "test", "--to", "me@example.net", "--config", &config]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let port = server.port.to_string();
    expect![[r#"
        me@example.net
        step       state  found
        resolve    ok     127.0.0.1 is 127.0.0.1
        connect    ok     port PORT: here answers
        tls        ok     none, as the settings say
        recipient  ok     me@example.net is taken
        message    ok     3788 bytes are taken
        taken: 250 2.0.0 taken as 4711
    "#]]
    .assert_eq(&ran.out.replace(&port, "PORT"));
    let heard = server.heard();
    assert!(heard.commands.iter().any(|command| command == "RCPT TO:<me@example.net>"), "{:?}", heard.commands);
    assert!(heard.mails[0].contains("Subject: Tidegauge can send mail"), "{}", heard.mails[0]);
}

#[test]
fn each_way_to_fail_has_its_exit_code_and_names_its_step() {
    let shell = Shell::new();
    let password = shell.file("password", "hunter2\n");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let login = format!("username = \"tide\"\npassword_file = \"{password}\"\n");
    let refusing = Script {
        ehlo: "250-here\r\n250 AUTH PLAIN",
        auth: vec!["535 5.7.8 authentication failed"],
        ..Script::default()
    };
    let unknown = Script { rcpt: "550 5.1.1 no such user", ..Script::default() };
    let cases = [(refusing, login.as_str(), 77, "login", "535"), (unknown, "", 69, "recipient", "no such user")];
    for (script, more, code, step, words) in cases {
        let server = MailServer::begin(script);
        let ran = shell.run(&["mail", "test", "--config", &settings(&shell, server.port, more)]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let failed = ran.out.lines().find(|line| line.contains("failed")).expect("the step that failed");
        assert!(failed.starts_with(step) && failed.contains(words), "{failed}");
        assert!(!format!("{}{}", ran.out, ran.err).contains("hunter2"));
    }
    let nobody = MailServer::begin(Script::default()).port;
    let gone = settings(&shell, nobody, &login.replace("password\"", "nowhere\""));
    let ran = shell.run(&["mail", "test", "--config", &gone]);
    assert_eq!(ran.code, 78, "{}", ran.err);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
    let config = settings(&shell, 1, "");
    assert_eq!(shell.run(&["mail", "test", "--config", &config]).code, 69, "nobody listens there");
    assert_eq!(shell.run(&["mail", "test", "--to", "nobody", "--config", &config]).code, 2);
    assert_eq!(shell.refused(&["mail", "test"]).0, 78);
    assert_eq!(shell.refused(&["mail", "test", "--now", "2025-11-01", "--config", &config]).0, 2);
}
