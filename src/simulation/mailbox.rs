//! A mail server's side of SMTP as a pure exchange of lines: takes every mail, keeps it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ports::lines::Reply;

/// Longest mail taken, in bytes.
const MAIL_BYTES_MAX: usize = 32 << 20;
/// Mails kept; older ones go.
const MAILS_MAX: usize = 1_000;

/// Mails that were taken; clones share them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<String>>>);

impl Mailbox {
    /// Every mail kept, as it came.
    pub fn mails(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, mail: String) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() >= MAILS_MAX {
            mails.remove(0);
        }
        mails.push(mail);
    }
}

/// One client's session.
pub struct Session {
    mailbox: Mailbox,
    /// The mail being received, once `DATA` was said.
    receiving: Option<String>,
}

/// What the server says first.
pub const GREETING: &str = "220 playground.tidegauge.example ESMTP";

impl Session {
    pub fn new(mailbox: Mailbox) -> Session {
        Session { mailbox, receiving: None }
    }

    /// Hears one line, without its line end.
    pub fn hear(&mut self, line: &str) -> Reply {
        match &mut self.receiving {
            Some(mail) if line == "." => {
                let mail = std::mem::take(mail);
                self.receiving = None;
                self.mailbox.keep(mail);
                Reply::Say("250 2.0.0 taken".to_owned())
            }
            Some(mail) if mail.len() + line.len() > MAIL_BYTES_MAX => Reply::HangUp("552 5.3.4 too long".to_owned()),
            Some(mail) => {
                // A leading dot was doubled on the way (RFC 5321, 4.5.2).
                mail.push_str(line.strip_prefix('.').filter(|_| line.starts_with("..")).unwrap_or(line));
                mail.push('\n');
                Reply::Silence
            }
            None => self.command(line),
        }
    }

    fn command(&mut self, line: &str) -> Reply {
        let verb: String = line.chars().take_while(char::is_ascii_alphabetic).collect();
        let words = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-playground.tidegauge.example\r\n250-8BITMIME\r\n250 SIZE 33554432",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 2.0.0 fine",
            "DATA" => {
                self.receiving = Some(String::new());
                "354 go on, end with a dot alone"
            }
            "QUIT" => return Reply::HangUp("221 2.0.0 good bye".to_owned()),
            _ => "502 5.5.1 not known here",
        };
        Reply::Say(words.to_owned())
    }
}
