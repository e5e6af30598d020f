//! Where requests go: to the peer of the settings, in one request each, whatever names and answers say.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tidegauge::ask::{Ask, Failure, HttpAsk};
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::doors::peer::PeerSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::doors::far_side::{ANYWHERE, plain_http};
use crate::doors::{carried, wire_to};

fn read(text: &str) -> Result<Settings, String> {
    let written = Written { name: "t.toml", text };
    Settings::read(Some(written), [], &Flags::default()).map_err(|refusals| refusals.to_string())
}

/// A settings file with this address, for each kind of far side that is asked with a login or a key.
fn settings_with(url: &str) -> [String; 4] {
    // A JSON string is a TOML string.
    let url = serde_json::to_string(url).expect("text");
    let server = |source: &str, login: &str| {
        format!("[[server]]\nname = \"one\"\nsource = \"{source}\"\nurl = {url}\n{login}\n")
    };
    let login = "username = \"tidegauge\"\npassword_env = \"PASSWORD\"";
    [
        server("vbr", login),
        server("vspc", login),
        server("enterprise_manager", login),
        format!("[license_server]\nurl = {url}\n"),
    ]
}

#[test]
fn plain_http_is_for_this_machine_alone_however_the_address_is_dressed() {
    let elsewhere = [
        "http://vbr01.example.net",
        "http://10.0.0.1",
        "http://127.0.0.1.example.net",
        "http://localhost.example.net",
        "http://localhost%2eexample.net",
        "http://localhost@example.net",
        "http://localhost:9419@example.net",
        "http://example.net#@localhost",
        "http://example.net\\@localhost",
        "http://example.net?localhost",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:10.0.0.1]",
        "http://loca\u{200b}lhost.example.net",
        "http://1270.0.1",
        "ftp://localhost",
        "file:///etc/passwd",
        "//localhost",
        "http:localhost",
        "http:/localhost",
        "http:///localhost",
        "javascript:alert(1)",
        "HTTP://example.net",
        "https://",
        "https://:443",
        "https://user:secret@example.net",
        "https://example.net/a b",
        "https://example.net\r\nx: y",
        "https://example.net:0",
        "https://example.net:65536",
        "https://[fe80::1%25eth0]",
        "https://[::1",
        "https://exa mple.net",
    ];
    for url in elsewhere {
        for text in settings_with(url) {
            let refused = read(&text).map(|_| ()).expect_err(url);
            assert!(refused.contains("url"), "{url}: {refused}");
        }
    }
    for url in ["http://localhost:9419", "http://127.0.0.1:9419", "http://[::1]:9419", "http://127.1:9419"] {
        for text in settings_with(url) {
            let refused = read(&text).map(|_| ()).err().unwrap_or_default();
            assert!(!refused.contains("url"), "{url}: {refused}");
        }
    }
}

/// The spellings of an address that programs take for the same.
fn spelled(bits: u32) -> Vec<String> {
    let [a, b, c, d] = bits.to_be_bytes();
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{bits}"),
        format!("0x{bits:x}"),
        format!("0{bits:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{}", bits & 0x00ff_ffff),
        format!("{a}.{b}.{}", bits & 0xffff),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[::ffff:{:x}:{:x}]", bits >> 16, bits & 0xffff),
        format!("[64:ff9b::{:x}:{:x}]", bits >> 16, bits & 0xffff),
        format!("{a}.{b}.{c}.{d}.").trim_end_matches('.').chars().map(wide).collect(),
    ]
}

/// A digit in its full width, which names are folded from.
fn wide(sign: char) -> char {
    match sign.to_digit(10) {
        Some(digit) => char::from_u32(0xff10 + digit).expect("full-width digits"),
        None => sign,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn settings_let_no_message_go_to_a_private_address_in_any_spelling(low in any::<u32>(), network in 0..6_usize) {
        let networks = [(0x7f00_0000, 8), (0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16), (0xa9fe_0000, 16), (0, 8)];
        let (network, length) = networks[network];
        let bits = network | (low & (u32::MAX >> length));
        for host in spelled(bits) {
            for (kind, more) in [("webhook", "secret_envs = [\"S\"]"), ("usage_sink", "authorization_env = \"S\"")] {
                let text = format!("[[{kind}]]\nname = \"ops\"\nurl = \"https://{host}/hook\"\n{more}\n");
                let refused = read(&text).map(|_| ()).expect_err(&host);
                prop_assert!(refused.contains("no address of the public internet"), "{}: {}", host, refused);
                let meant = format!("{text}allow_private = true\n");
                prop_assert!(read(&meant).is_ok(), "{}", host);
            }
        }
    }
}

/// A server that takes requests as bytes, and says yes.
async fn listening() -> (PeerSettings, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 64 << 10];
            let Ok(count) = stream.read(&mut bytes).await else { continue };
            let said = String::from_utf8_lossy(&bytes[..count]).into_owned();
            hears.lock().expect("one at a time").push(said);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    });
    (plain_http(address), heard)
}

const FOREIGN: [&str; 14] = [
    "a\r\nx-evil: 1",
    "a HTTP/1.1\r\nhost: evil\r\n\r\nDELETE /all",
    "a\nb",
    "a\0b",
    "a b",
    "..",
    "%2e%2e/%2e%2e",
    "//evil.example.net/x",
    "@evil.example.net",
    "\\\\evil.example.net\\x",
    "#fragment",
    "?a=1&b=2",
    "http://evil.example.net/",
    "ä\u{202e}x",
];

#[tokio::test]
async fn no_path_leads_to_another_host_nor_holds_a_second_request() {
    let (peer, heard) = listening().await;
    let PeerSettings::Http(far) = &peer else { panic!("an HTTP peer") };
    let host = far.base_url.trim_start_matches("http://").to_owned();
    let wire = wire_to("vbr01", peer.clone());
    for name in FOREIGN {
        for path in [format!("/api/{name}"), format!("/api?nameFilter={name}"), format!("/{name}")] {
            carried(&wire, Ask::Http(HttpAsk::get("vbr01", &path))).await.expect("the peer itself answers");
            let said = heard.lock().expect("one at a time").pop().expect("it was asked");
            let (first, rest) = said.split_once("\r\n").expect("a first line");
            assert!(first.starts_with("GET /") && first.ends_with(" HTTP/1.1"), "{path:?}: {first}");
            assert_eq!(first.matches(' ').count(), 2, "{path:?}: {first}");
            assert!(rest.contains(&format!("host: {host}\r\n")) && !rest.contains("x-evil"), "{path:?}: {said}");
            assert_eq!(said.matches("\r\n\r\n").count(), 1, "{path:?}: {said}");
        }
    }
    let relative = carried(&wire, Ask::Http(HttpAsk::get("vbr01", "@evil.example.net/"))).await;
    assert!(matches!(relative, Err(Failure::Settings { .. })), "a path begins with a slash");
}

#[tokio::test]
async fn no_header_and_no_secret_holds_a_second_one() {
    let (peer, heard) = listening().await;
    let wire = wire_to("vbr01", peer);
    for value in ["a\r\nx-evil: 1", "a\nb", "a\0b"] {
        let mut ask = HttpAsk::get("vbr01", "/");
        ask.headers.push(("x-request-id".to_owned(), value.to_owned()));
        carried(&wire, Ask::Http(ask)).await.map(|_| ()).expect_err("it is no header");
        let mut ask = HttpAsk::get("vbr01", "/");
        ask.bearer = Some(value.to_owned().into());
        let refused = carried(&wire, Ask::Http(ask)).await.map(|_| ()).expect_err("it is no token");
        assert!(!refused.to_string().contains("evil"), "a secret is not shown: {refused}");
    }
    assert!(heard.lock().expect("one at a time").is_empty());
}
