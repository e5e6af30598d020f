//! Mail over STARTTLS: what somebody between says before TLS counts for nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tidegauge::ask::{Answer, Ask, Failure, MailAsk};
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{Login, MAIL, MailAuth, MailPeer, MailTls, PeerSettings, SecretPlace, Trust};
use tidegauge::ports::certificate;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::doors::far_side::ANYWHERE;
use crate::doors::wire_to;

const PASSWORD: &str = "the-mail-password";
/// Everything that a whole session would be answered, said before TLS by somebody between.
const INJECTED: &str =
    "250-here\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 fine\r\n250 fine\r\n354 go on\r\n250 taken\r\n";

/// A mail server that knows STARTTLS, and what it heard in the clear and behind TLS.
struct Far {
    address: SocketAddr,
    folder: TempDir,
    heard: tokio::task::JoinHandle<(Vec<String>, Vec<String>)>,
}

/// `injected` follows the answer to STARTTLS in the same breath.
async fn begin(names: &[&str], injected: &'static str) -> Far {
    let made = certificate::make(names).expect("good names");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("ca.pem"), &made.ca_pem).expect("a temporary file");
    std::fs::write(folder.path().join("password"), PASSWORD).expect("a temporary file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("password"), private).expect("our file");
    }
    let leaf = CertificateDer::from_pem_slice(made.certificate_pem.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(made.key_pem.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![leaf], key))
        .expect("a certificate with its key");
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one client comes");
        let clear = spoken(&mut stream, "220 here\r\n", "250-here\r\n250 STARTTLS\r\n", injected).await;
        let behind = match TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            Ok(mut stream) => spoken(&mut stream, "", "250-here\r\n250 AUTH PLAIN\r\n", "").await,
            Err(_) => Vec::new(),
        };
        (clear, behind)
    });
    Far { address, folder, heard }
}

/// Talks until STARTTLS or the end; what was heard.
async fn spoken<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    greeting: &str,
    ehlo: &str,
    injected: &str,
) -> Vec<String> {
    let mut heard = Vec::new();
    // One byte at a time would be read ahead otherwise: the handshake follows on the same stream.
    let mut lines = BufReader::with_capacity(1, stream);
    let _ = lines.get_mut().write_all(greeting.as_bytes()).await;
    let mut is_mail = false;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.unwrap_or(0) == 0 {
            return heard;
        }
        let line = line.trim_end().to_owned();
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." => {
                is_mail = false;
                "250 2.0.0 taken\r\n".to_owned()
            }
            _ if is_mail => String::new(),
            "EHLO" => ehlo.to_owned(),
            "STARTTLS" => format!("220 go on\r\n{injected}"),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "DATA" => {
                is_mail = true;
                "354 go on\r\n".to_owned()
            }
            _ => "250 fine\r\n".to_owned(),
        };
        let _ = lines.get_mut().write_all(answer.as_bytes()).await;
        let is_over = line == "STARTTLS";
        heard.push(line);
        if is_over {
            return heard;
        }
    }
}

async fn sent(far: &Far, tls: MailTls, trust: Trust) -> Result<String, Failure> {
    let password = SecretPlace::File(far.folder.path().join("password"));
    let peer = MailPeer {
        host: "127.0.0.1".to_owned(),
        port: far.address.port(),
        tls,
        trust,
        auth: MailAuth::Password,
        login: Some(Login { username: "tidegauge".to_owned(), password }),
    };
    let ask = MailAsk {
        from: "tidegauge@example.net".to_owned(),
        to: "licensing@example.net".to_owned(),
        message: b"Subject: hello\r\n\r\nhello\r\n".to_vec(),
        without_files: None,
        seconds_max: 10,
    };
    match wire_to(MAIL, PeerSettings::Mail(peer)).carry(Ask::Mail(ask)).await {
        Answer::Mail(answer) => answer.end,
        other => panic!("a mail ask has a mail answer, and not {other:?}"),
    }
}

fn ca_of(far: &Far) -> Trust {
    Trust::CaFile(far.folder.path().join("ca.pem"))
}

#[tokio::test]
async fn a_mail_and_its_password_go_behind_starttls_only() {
    let far = begin(&["127.0.0.1"], "").await;
    assert_eq!(sent(&far, MailTls::Starttls, ca_of(&far)).await.as_deref(), Ok("250 2.0.0 taken"));
    let (clear, behind) = far.heard.await.expect("no panic");
    assert!(clear.iter().all(|line| line.starts_with("EHLO ") || line == "STARTTLS"), "{clear:?}");
    assert!(behind[0].starts_with("EHLO ") && behind.iter().any(|line| line.starts_with("AUTH ")), "{behind:?}");
}

#[tokio::test]
async fn answers_said_before_tls_are_never_taken_for_those_behind_it() {
    let far = begin(&["127.0.0.1"], INJECTED).await;
    let failure = sent(&far, MailTls::Starttls, ca_of(&far)).await.expect_err("somebody stands between");
    assert!(matches!(&failure, Failure::Unreachable { .. }) && failure.to_string().contains("TLS"), "{failure}");
    let (clear, behind) = far.heard.await.expect("no panic");
    assert!(clear.iter().all(|line| line.starts_with("EHLO ") || line == "STARTTLS"), "{clear:?}");
    assert!(behind.is_empty(), "{behind:?}");
}

#[tokio::test]
async fn a_mail_server_with_another_name_or_authority_gets_neither_password_nor_mail() {
    for (names, said) in [(["other.example.net"], "it is for another host name"), (["127.0.0.1"], "no known authority")]
    {
        let (far, stranger) = (begin(&names, "").await, begin(&names, "").await);
        let trust = if said.starts_with("it is") { ca_of(&far) } else { ca_of(&stranger) };
        let failure = sent(&far, MailTls::Starttls, trust).await.expect_err("nobody vouches for it");
        assert!(failure.to_string().contains(said), "{failure}");
        let (_, behind) = far.heard.await.expect("no panic");
        assert!(behind.is_empty(), "{behind:?}");
        stranger.heard.abort();
    }
}

#[tokio::test]
async fn a_mail_server_that_speaks_no_tls_from_the_first_byte_is_told_nothing() {
    let far = begin(&["127.0.0.1"], "").await;
    let failure = sent(&far, MailTls::Implicit, ca_of(&far)).await.expect_err("it speaks in the clear");
    assert!(failure.to_string().contains("TLS"), "{failure}");
    far.heard.abort();
}

#[tokio::test]
async fn a_mail_server_that_never_ends_its_line_fills_no_memory() {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let endless = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.expect("one client comes");
        let mut count = 0_usize;
        while stream.write_all(&[b'2'; 4_096]).await.is_ok() {
            count += 4_096;
        }
        count
    });
    let far = Far {
        address,
        folder: tempfile::tempdir().expect("a temporary folder"),
        heard: tokio::spawn(async { Default::default() }),
    };
    let failure = sent(&far, MailTls::Starttls, Trust::System).await.expect_err("it says no whole line");
    assert!(failure.to_string().contains("says more than one mail needs"), "{failure}");
    let said = endless.await.expect("no panic");
    assert!(said < 64 << 20, "{said} bytes were taken");
}
