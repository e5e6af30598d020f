//! Mail over real sockets to a scripted mail server; the real one is in `tests/outside/mail`.

use std::net::SocketAddr;

use tidegauge::ask::{Answer, Ask, Failure, MailAsk};
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{MAIL, MailPeer, MailTls, PeerSettings, Trust};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::far_side::ANYWHERE;
use super::wire_to;

/// What the server says to `RCPT` and to the end of `DATA`; the mail as it came is sent back.
async fn mail_server(rcpt: &'static str, data: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("one client comes");
        let (from, mut to) = stream.into_split();
        let mut lines = BufReader::new(from).lines();
        let mut mail = String::new();
        to.write_all(b"220 here\r\n").await.expect("it listens");
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.split(' ').next().unwrap_or_default() {
                "EHLO" => "250 here",
                "RCPT" => rcpt,
                "DATA" => {
                    to.write_all(b"354 go on\r\n").await.expect("it listens");
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        mail.push_str(&line);
                        mail.push('\n');
                    }
                    data
                }
                _ => "250 fine",
            };
            if to.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                break;
            }
        }
        mail
    });
    (address, heard)
}

fn peer(host: &str, port: u16, tls: MailTls) -> PeerSettings {
    PeerSettings::Mail(MailPeer { host: host.into(), port, tls, trust: Trust::System, login: None })
}

async fn sent(peer: PeerSettings) -> Result<String, Failure> {
    let ask = MailAsk {
        from: "tidegauge@example.net".into(),
        to: "licensing@example.net".into(),
        message: b"Subject: hello\r\n\r\n.one dot\r\nlast\r\n".to_vec(),
        seconds_max: 2,
    };
    match wire_to(MAIL, peer).carry(Ask::Mail(ask)).await {
        Answer::Mail(words) => Ok(words),
        Answer::Failed(failure) => Err(failure),
        Answer::Http(_) | Answer::Folder(_) => panic!("a mail ask has a mail answer"),
    }
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte_and_the_servers_words_come_back() {
    let (address, heard) = mail_server("250 fine", "250 2.0.0 taken as 4711").await;
    assert_eq!(
        sent(peer("127.0.0.1", address.port(), MailTls::NoneOnLoopback)).await.as_deref(),
        Ok("250 2.0.0 taken as 4711")
    );
    // The leading dot is doubled on the way, as SMTP wants it.
    assert_eq!(heard.await.expect("no panic"), "Subject: hello\n\n..one dot\nlast\n");
}

#[tokio::test]
async fn refusals_for_good_and_for_now_are_told_apart() {
    let (address, _) = mail_server("550 5.1.1 no such user", "250 fine").await;
    let refused = sent(peer("127.0.0.1", address.port(), MailTls::NoneOnLoopback)).await.expect_err("550");
    assert!(matches!(&refused, Failure::RefusedForGood { why } if why.contains("no such user")), "{refused}");
    let (address, _) = mail_server("250 fine", "451 4.3.0 try later").await;
    let refused = sent(peer("127.0.0.1", address.port(), MailTls::NoneOnLoopback)).await.expect_err("451");
    assert!(matches!(&refused, Failure::RefusedForNow { why } if why.contains("try later")), "{refused}");
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
    let late = sent(peer("127.0.0.1", port, MailTls::NoneOnLoopback)).await.expect_err("it never answers");
    assert_eq!(late, Failure::TimedOut { after_seconds: 2 });
    silent.abort();
}

#[tokio::test]
async fn mail_without_tls_goes_to_this_machine_only() {
    let refused = sent(peer("smtp.example.net", 25, MailTls::NoneOnLoopback)).await.expect_err("another machine");
    assert!(matches!(&refused, Failure::Settings { why } if why.contains("nothing was sent")), "{refused}");
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_mail_nor_password() {
    let (address, heard) = mail_server("250 fine", "250 fine").await;
    let refused = sent(peer("127.0.0.1", address.port(), MailTls::Starttls)).await.expect_err("no STARTTLS");
    assert!(matches!(&refused, Failure::Untrusted { why, .. } if why.ends_with("offers no STARTTLS")), "{refused}");
    assert_eq!(heard.await.expect("no panic"), "");
}
