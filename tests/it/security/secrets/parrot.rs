//! Far sides that say back whatever they are told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::MOST;

/// A server that answers every request with what it was told, each time with another status.
pub struct Parrot {
    pub port: u16,
    heard: Arc<Mutex<String>>,
    pub requests: Arc<AtomicUsize>,
}

impl Parrot {
    fn speaking(answer: impl Fn(usize, &mut BufReader<TcpStream>, &mut String) + Send + Sync + 'static) -> Parrot {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (heard, requests) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        let (told, counted) = (Arc::clone(&heard), Arc::clone(&requests));
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for client in listener.incoming().take(MOST) {
                let Ok(client) = client else { continue };
                let (answer, told, counted) = (Arc::clone(&answer), Arc::clone(&told), Arc::clone(&counted));
                std::thread::spawn(move || {
                    let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
                    let mut said = String::new();
                    answer(counted.fetch_add(1, Ordering::Relaxed), &mut BufReader::new(client), &mut said);
                    told.lock().unwrap_or_else(PoisonError::into_inner).push_str(&said);
                });
            }
        });
        Parrot { port, heard, requests }
    }

    pub fn http() -> Parrot {
        Parrot::speaking(|number, client, said| {
            let mut length = 0;
            for _ in 0..100 {
                let mut line = String::new();
                if client.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = given.trim().parse().unwrap_or(0);
                }
                said.push_str(&line);
            }
            let mut body = vec![0; length];
            let _ = client.read_exact(&mut body);
            said.push_str(&String::from_utf8_lossy(&body));
            let basic = said.split("Basic ").nth(1).and_then(|rest| rest.split_whitespace().next());
            let login = basic.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
            said.push_str(&String::from_utf8_lossy(&login));
            let status = [401, 500, 200, 403, 400, 404, 429, 520][number % 8];
            let words = format!("do not tell anybody: {said}");
            let answer = json!({"message": words, "error": words, "error_description": words, "detail": words,
                "errorCode": words, "errors": [{"message": words, "type": "logical"}], "why": words});
            let answer = answer.to_string();
            let _ = write!(
                client.get_mut(),
                "HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                words.split_whitespace().next().unwrap_or_default(),
                answer.len()
            );
        })
    }

    pub fn smtp() -> Parrot {
        Parrot::speaking(|_, client, said| {
            let _ = write!(client.get_mut(), "220 parrot ESMTP\r\n");
            for _ in 0..100 {
                let mut line = String::new();
                if client.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                said.push_str(&line);
                let words = line.trim();
                let decoded = words.rsplit(' ').next().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
                let decoded = String::from_utf8_lossy(&decoded).replace('\0', " ");
                let reply = match words.get(..4).unwrap_or_default() {
                    "EHLO" => "250-parrot\r\n250 AUTH PLAIN LOGIN".to_owned(),
                    "AUTH" => format!("535 5.7.8 not with {words} which is {decoded}"),
                    "QUIT" => "221 bye".to_owned(),
                    _ => format!("550 no: {words} {decoded}"),
                };
                said.push_str(&decoded);
                let _ = write!(client.get_mut(), "{reply}\r\n");
            }
        })
    }

    pub fn heard(&self) -> String {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
