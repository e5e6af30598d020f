//! Mail over real sockets to a scripted mail server; the real one is in `tests/outside/mail`.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use tidegauge::ask::{Answer, Ask, Failure, MailAnswer, MailAsk};
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{Login, MAIL, MailAuth, MailPeer, MailTls, PeerSettings, SecretPlace, Trust};
use tidegauge::ports::wire::{ADDRESSES_MAX, first_reached, in_turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::far_side::ANYWHERE;
use super::mail_server::{MailServer, Script};
use super::{wire_to, write_private};

fn peer(host: &str, port: u16, tls: MailTls) -> MailPeer {
    MailPeer { host: host.into(), port, tls, trust: Trust::System, auth: MailAuth::Password, login: None }
}

fn loopback(port: u16) -> MailPeer {
    peer("127.0.0.1", port, MailTls::NoneOnLoopback)
}

fn ask() -> MailAsk {
    MailAsk {
        from: "tidegauge@example.net".into(),
        to: "licensing@example.net".into(),
        message: b"Subject: hello\r\n\r\n.one dot\r\nlast\r\n".to_vec(),
        without_files: None,
        seconds_max: 2,
    }
}

async fn answer(peer: MailPeer, ask: MailAsk) -> MailAnswer {
    match wire_to(MAIL, PeerSettings::Mail(peer)).carry(Ask::Mail(ask)).await {
        Answer::Mail(answer) => answer,
        other => panic!("a mail ask has a mail answer, and not {other:?}"),
    }
}

async fn sent(peer: MailPeer) -> Result<String, Failure> {
    answer(peer, ask()).await.end
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte_and_the_servers_words_come_back() {
    let server = MailServer::begin(Script::default());
    let MailAnswer { steps, end } = answer(loopback(server.port), ask()).await;
    assert_eq!(end.as_deref(), Ok("250 2.0.0 taken as 4711"));
    let steps: Vec<String> = steps.into_iter().map(|step| format!("{}: {}", step.what, step.found)).collect();
    let port = server.port;
    assert_eq!(
        steps,
        [
            "resolve: 127.0.0.1 is 127.0.0.1",
            &format!("connect: port {port}: here answers"),
            "tls: none, as the settings say",
            "recipient: licensing@example.net is taken",
            "message: 34 bytes are taken",
        ]
    );
    // The leading dot is doubled on the way, as SMTP wants it.
    assert_eq!(server.heard().mails, ["Subject: hello\n\n..one dot\nlast"]);
}

#[tokio::test]
async fn refusals_for_good_and_for_now_are_told_apart() {
    let refusing = |rcpt, data| MailServer::begin(Script { rcpt, data: vec![data], ..Script::default() });
    let server = refusing("550 5.1.1 no such user", "250 fine");
    let refused = sent(loopback(server.port)).await.expect_err("550");
    assert!(matches!(&refused, Failure::RefusedForGood { why } if why.contains("no such user")), "{refused}");
    let server = refusing("250 fine", "554 5.7.1 looks like spam");
    let refused = sent(loopback(server.port)).await.expect_err("554");
    assert!(matches!(&refused, Failure::RefusedForGood { why } if why.contains("spam")), "{refused}");
    let server = refusing("250 fine", "451 4.3.0 try later");
    let refused = sent(loopback(server.port)).await.expect_err("451");
    assert!(matches!(&refused, Failure::RefusedForNow { why } if why.contains("try later")), "{refused}");
}

#[tokio::test]
async fn what_the_server_refuses_of_every_mail_is_no_refusal_of_this_one() {
    let server = MailServer::begin(Script { mail: "550 5.7.1 sender unknown here", ..Script::default() });
    let MailAnswer { steps, end } = answer(loopback(server.port), ask()).await;
    let refused = end.expect_err("550");
    assert!(matches!(&refused, Failure::NotLetIn { why } if why.contains("sender unknown")), "{refused}");
    let last = steps.last().expect("it got somewhere");
    assert_eq!((last.what, last.found.as_str()), ("recipient", refused.to_string().as_str()), "where it failed");
}

#[tokio::test]
async fn a_wrong_password_is_not_let_in_and_told_without_the_password() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let password = SecretPlace::File(folder.path().join("password"));
    write_private(&folder.path().join("password"), "hunter2");
    let server = MailServer::begin(Script {
        ehlo: "250-here\r\n250 AUTH PLAIN LOGIN",
        auth: vec!["535 5.7.8 authentication failed"],
        ..Script::default()
    });
    let login = Some(Login { username: "tide".to_owned(), password });
    let MailAnswer { steps, end } = answer(MailPeer { login, ..loopback(server.port) }, ask()).await;
    let refused = end.expect_err("535");
    assert!(matches!(&refused, Failure::NotLetIn { why } if why.contains("535")), "{refused}");
    let secret = base64::engine::general_purpose::STANDARD.encode("\0tide\0hunter2");
    assert_eq!(server.heard().commands[1], format!("AUTH PLAIN {secret}"));
    let said = format!("{refused} {steps:?}");
    assert!(!said.contains("hunter2") && !said.contains(&secret), "{said}");
}

#[tokio::test]
async fn an_access_token_is_read_for_each_mail_and_one_that_has_expired_is_not_let_in() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("token");
    let login = || Some(Login { username: "tide@example.net".to_owned(), password: SecretPlace::File(file.clone()) });
    let peer = |port| MailPeer { auth: MailAuth::Xoauth2, login: login(), ..loopback(port) };
    let script = |auth| Script { ehlo: "250-here\r\n250 AUTH XOAUTH2 PLAIN", auth, ..Script::default() };
    for token in ["first-token", "second-token"] {
        write_private(&file, &format!("{token}\n"));
        let server = MailServer::begin(script(vec!["235 welcome"]));
        sent(peer(server.port)).await.expect("the token is good");
        let shown = format!("user=tide@example.net\x01auth=Bearer {token}\x01\x01");
        let shown = base64::engine::general_purpose::STANDARD.encode(shown);
        assert_eq!(server.heard().commands[1], format!("AUTH XOAUTH2 {shown}"));
    }
    // Some servers say why in a challenge, others at once.
    for auth in [vec!["334 eyJzdGF0dXMiOiI0MDEifQ==", "535 5.7.8 expired"], vec!["535 5.7.3 expired"]] {
        let server = MailServer::begin(script(auth.clone()));
        let refused = sent(peer(server.port)).await.expect_err("the token has expired");
        assert!(matches!(&refused, Failure::NotLetIn { why } if why.contains("expired")), "{refused}");
        let heard = server.heard();
        assert_eq!(heard.commands.iter().any(String::is_empty), auth.len() == 2, "a challenge has an empty answer");
        assert!(heard.mails.is_empty());
    }
    let server = MailServer::begin(Script { ehlo: "250-here\r\n250 AUTH PLAIN", ..Script::default() });
    let refused = sent(peer(server.port)).await.expect_err("it knows passwords only");
    assert!(matches!(&refused, Failure::NotLetIn { .. }), "{refused}");
    std::fs::remove_file(&file).expect("it was there");
    let server = MailServer::begin(script(vec!["235 welcome"]));
    let refused = sent(peer(server.port)).await.expect_err("there is no token just now");
    assert!(matches!(&refused, Failure::Settings { why } if why.contains("token file")), "{refused}");
}

#[tokio::test]
async fn a_mail_beyond_the_servers_size_goes_without_its_files() {
    let ask = || MailAsk {
        message: format!("Subject: files\r\n\r\n{}\r\n", "x".repeat(900)).into_bytes(),
        without_files: Some(b"Subject: files\r\n\r\nfiles lie elsewhere\r\n".to_vec()),
        ..ask()
    };
    let said = Script { ehlo: "250-here\r\n250 SIZE 500", ..Script::default() };
    let server = MailServer::begin(said);
    answer(loopback(server.port), ask()).await.end.expect("the small one is taken");
    assert_eq!(server.heard().mails, ["Subject: files\n\nfiles lie elsewhere"], "the large one is not even tried");

    let unsaid = Script { data: vec!["552 5.3.4 too large", "250 taken"], ..Script::default() };
    let server = MailServer::begin(unsaid);
    answer(loopback(server.port), ask()).await.end.expect("the small one is taken");
    let heard = server.heard();
    assert_eq!(heard.mails.len(), 2);
    assert_eq!(heard.mails[1], "Subject: files\n\nfiles lie elsewhere");

    let server = MailServer::begin(Script { ehlo: "250-here\r\n250 SIZE 5000", ..Script::default() });
    answer(loopback(server.port), ask()).await.end.expect("it fits");
    assert!(server.heard().mails[0].contains("xxx"));

    let small_anyway = Script { data: vec!["552 5.2.2 mailbox full"], ..Script::default() };
    let server = MailServer::begin(small_anyway);
    let refused = answer(loopback(server.port), ask()).await.end.expect_err("no mail of any size");
    assert!(matches!(&refused, Failure::RefusedForGood { .. }), "{refused}");
}

#[tokio::test]
async fn a_silent_mail_server_times_out() {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one client comes");
        let _ = stream.write_all(b"220 here\r\n").await;
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    });
    let late = sent(loopback(port)).await.expect_err("it never answers");
    assert_eq!(late, Failure::TimedOut { after_seconds: 2 });
    silent.abort();
}

#[tokio::test]
async fn an_address_that_is_dead_hides_no_other_address_of_the_mail_server() {
    let limit = Duration::from_millis(500);
    let full = TcpSocket::new_v4().expect("a socket");
    full.bind(ANYWHERE).expect("a free port");
    let full = full.listen(1).expect("it listens");
    let dead = full.local_addr().expect("it is bound");
    // Nobody accepts; once its queue is full the system answers nobody.
    let mut queue = Vec::new();
    for _ in 0..16 {
        let Ok(Ok(stream)) = tokio::time::timeout(limit, TcpStream::connect(dead)).await else { break };
        queue.push(stream);
    }
    let alive = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let alive = alive.local_addr().map(|address| (alive, address)).expect("it is bound");
    let reached = first_reached(&[dead, alive.1], limit).await.expect("the second answers");
    assert_eq!(reached.peer_addr().expect("connected"), alive.1);
    let failure = first_reached(&[dead, dead], limit).await.expect_err("nobody answers");
    assert_eq!(failure.kind(), std::io::ErrorKind::TimedOut);
    drop(queue);
}

#[test]
fn addresses_of_both_kinds_are_tried_in_turn_and_not_without_end() {
    let six = |n: u16| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, n], 25));
    let four = |n: u8| SocketAddr::from(([192, 0, 2, n], 25));
    assert_eq!(in_turn([six(1), six(2), six(3), four(1), four(2)]), [six(1), four(1), six(2), four(2), six(3)]);
    assert_eq!(in_turn([four(1), four(2), six(1)]), [four(1), six(1), four(2)]);
    let many = in_turn((1..=200).map(six).chain([four(1)]));
    assert!(many.len() == ADDRESSES_MAX && many.contains(&four(1)), "{many:?}");
    assert_eq!(in_turn([]), []);
}

#[tokio::test]
async fn mail_without_tls_goes_to_this_machine_only() {
    let refused = sent(peer("smtp.example.net", 25, MailTls::NoneOnLoopback)).await;
    let refused = refused.expect_err("another machine");
    assert!(matches!(&refused, Failure::Settings { why } if why.contains("nothing was sent")), "{refused}");
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_mail_nor_password() {
    let server = MailServer::begin(Script::default());
    let refused = sent(peer("127.0.0.1", server.port, MailTls::Starttls)).await.expect_err("no STARTTLS");
    assert!(matches!(&refused, Failure::Untrusted { why, .. } if why.ends_with("offers no STARTTLS")), "{refused}");
    let heard = server.heard();
    assert_eq!(heard.mails.len(), 0);
    assert!(heard.commands.iter().all(|command| command.starts_with("EHLO") || command == "QUIT"), "nothing else");
}
