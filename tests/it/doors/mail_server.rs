//! A mail server on loopback that answers as it is told, and tells what it heard.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// What the server answers; the mails are taken in any case.
#[derive(Clone)]
pub struct Script {
    /// To each `EHLO`.
    pub ehlo: &'static str,
    /// To `AUTH`, and to each line after it while the answer is 334.
    pub auth: Vec<&'static str>,
    pub mail: &'static str,
    pub rcpt: &'static str,
    /// To the end of each mail in turn; the last one is said again.
    pub data: Vec<&'static str>,
}

impl Default for Script {
    fn default() -> Script {
        let data = vec!["250 2.0.0 taken as 4711"];
        Script { ehlo: "250 here", auth: vec!["235 welcome"], mail: "250 fine", rcpt: "250 fine", data }
    }
}

/// What one client said.
#[derive(Default)]
pub struct Heard {
    pub commands: Vec<String>,
    pub mails: Vec<String>,
}

pub struct MailServer {
    pub port: u16,
    served: JoinHandle<Heard>,
}

impl MailServer {
    /// Serves one client.
    pub fn begin(script: Script) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        MailServer { port, served: std::thread::spawn(move || serve(&listener, &script)) }
    }

    /// What the client said, once it has gone.
    pub fn heard(self) -> Heard {
        self.served.join().expect("no panic")
    }
}

fn serve(listener: &TcpListener, script: &Script) -> Heard {
    let (stream, _) = listener.accept().expect("one client comes");
    let mut to = stream.try_clone().expect("a socket has two ends");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut heard = Heard::default();
    let mut auth = script.auth.iter();
    let mut says = "220 here".to_owned();
    loop {
        if write!(to, "{says}\r\n").is_err() {
            return heard;
        }
        let Some(line) = lines.next() else { return heard };
        let is_challenged = says.starts_with("334");
        let answer = match line.split(' ').next().unwrap_or_default() {
            _ if is_challenged => auth.next().unwrap_or(&"535 no"),
            "EHLO" => script.ehlo,
            "AUTH" => auth.next().unwrap_or(&"535 no"),
            "MAIL" => script.mail,
            "RCPT" => script.rcpt,
            "DATA" => {
                if write!(to, "354 go on\r\n").is_err() {
                    return heard;
                }
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                heard.mails.push(mail.join("\n"));
                script.data.get(heard.mails.len() - 1).or(script.data.last()).expect("the script says something")
            }
            _ => "250 fine",
        };
        heard.commands.push(line);
        says = (*answer).to_owned();
    }
}
