//! What the far sides answer, one after another, as one input; and conversations played to their end with it.
//!
//! A script is a line that says how it is to be taken, then answers, each behind a record separator (0x1E): a line of
//! status and headers, `200 content-type: application/json|date: …`, and the body. Statuses below 100 are failures of
//! the wire. The line says `repeat` where the last answer comes again and again.

use tidegauge::ask::{
    Answer, Ask, Conversation, Failure, FolderAnswer, FolderAsk, HttpAnswer, MailAnswer, Setback, Step,
};

use super::{manner, says};

/// What stands before every answer.
const SEPARATOR: u8 = 0x1E;
/// More asks than any conversation may make.
const ASKS_MAX: usize = 20_000;

/// One answer as it stands in a script.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answered {
    fn read(record: &[u8]) -> Answered {
        let (head, body) = manner(record);
        let (status, headers) = head.split_once(' ').unwrap_or((head, ""));
        let pair = |header: &str| {
            let (name, value) = header.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let status = status.parse().unwrap_or(200);
        Answered { status, headers: headers.split('|').filter_map(pair).collect(), body: body.to_vec() }
    }

    /// The answer as it stands in a script.
    fn written(&self) -> Vec<u8> {
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        [&[SEPARATOR][..], format!("{} {}\n", self.status, headers.join("|")).as_bytes(), &self.body].concat()
    }

    /// The same, of what the simulated wire carried back.
    pub fn of(answer: &Answer) -> Answered {
        let plain = |status, body: Vec<u8>| Answered { status, headers: Vec::new(), body };
        match answer {
            Answer::Http(HttpAnswer { status, headers, body }) => {
                Answered { status: *status, headers: headers.clone(), body: body.clone() }
            }
            Answer::Folder(FolderAnswer::Listed(names)) => plain(200, names.join("\n").into_bytes()),
            Answer::Folder(FolderAnswer::Bytes(bytes)) => plain(200, bytes.clone()),
            Answer::Folder(FolderAnswer::Done) => plain(200, Vec::new()),
            Answer::Mail(MailAnswer { .. }) | Answer::Failed(_) => plain(0, Vec::new()),
        }
    }

    fn to(&self, ask: &Ask) -> Answer {
        let why = || String::from_utf8_lossy(&self.body).chars().take(200).collect::<String>();
        let failure = match self.status {
            0 => Failure::Unreachable { why: why() },
            1 => Failure::TimedOut { after_seconds: 60 },
            2 => Failure::TooLarge { bytes_max: 1 << 20 },
            3 => Failure::Untrusted { why: why(), seen_sha256: None },
            4 => Failure::Broken { why: why() },
            5 => Failure::NotLetIn { why: why() },
            6 => Failure::File { why: why() },
            7..100 => Failure::Settings { why: why() },
            status => match ask {
                Ask::Http(_) | Ask::Hook(_) => {
                    let (headers, body) = (self.headers.clone(), self.body.clone());
                    return Answer::Http(HttpAnswer { status, headers, body });
                }
                Ask::Folder(FolderAsk::List { entries_max, .. }) => {
                    let text = String::from_utf8_lossy(&self.body).into_owned();
                    let names = text.lines().take(*entries_max).map(str::to_owned);
                    return Answer::Folder(FolderAnswer::Listed(names.collect()));
                }
                Ask::Folder(FolderAsk::Read { .. }) => return Answer::Folder(FolderAnswer::Bytes(self.body.clone())),
                Ask::Folder(FolderAsk::Move { .. } | FolderAsk::Write { .. }) => {
                    return Answer::Folder(FolderAnswer::Done);
                }
                Ask::Mail(_) => return Answer::Mail(MailAnswer { steps: Vec::new(), end: Ok(why()) }),
            },
        };
        Answer::Failed(failure)
    }
}

/// A script of these answers.
pub fn script(manner: &str, answers: &[Answered]) -> Vec<u8> {
    let answers = answers.iter().flat_map(Answered::written);
    format!("{manner}\n").into_bytes().into_iter().chain(answers).collect()
}

/// The answers of a script, and how it is to be taken.
pub struct Script<'a> {
    pub manner: &'a str,
    answers: Vec<Answered>,
    next: usize,
}

impl Script<'_> {
    pub fn read(bytes: &[u8]) -> Script<'_> {
        let (first, rest) = manner(bytes);
        let rest = rest.strip_prefix(&[SEPARATOR]).unwrap_or(rest);
        let answers = rest.split(|byte| *byte == SEPARATOR).map(Answered::read).collect();
        Script { manner: first, answers, next: 0 }
    }

    pub fn says(&self, word: &str) -> bool {
        says(self.manner, word)
    }

    /// The answers with what `change` makes of their bodies.
    pub fn changed(mut self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.body = change(&answer.body));
        self
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        let last = self.says("repeat").then(|| self.answers.last()).flatten();
        let answer = self.answers.get(self.next).or(last);
        self.next += 1;
        answer.map_or_else(
            || Answer::Failed(Failure::Unreachable { why: "nobody is there any more".to_owned() }),
            |answer| answer.to(ask),
        )
    }

    /// Plays the conversation to its end.
    ///
    /// # Panics
    /// When it does not come to one.
    pub fn play<C: Conversation + ?Sized>(&mut self, talk: &mut C) -> Result<C::Done, Setback> {
        let mut heard = None;
        for _ in 0..ASKS_MAX {
            match talk.next(heard.take()) {
                Step::Ask(ask) => heard = Some(self.answer(&ask)),
                Step::Done(done) => return Ok(done),
                Step::Setback(setback) => return Err(setback),
            }
        }
        panic!("the conversation did not end after {ASKS_MAX} asks");
    }
}
