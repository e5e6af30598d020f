//! `mail`: whether letters arrive.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::runtime;
use super::patience::Patience;
use super::session::Session;
use super::table::{Column, Table, list, word};
use crate::agent::Refused;
use crate::ask::{Answer, Ask, Failure, MailAnswer, MailAsk};
use crate::channels::mail::trial;
use crate::config::{MailSettings, Settings};
use crate::domain::Instant;
use crate::doors::Wire;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Sends a letter by the settings and says step by step what happened
    ///
    /// To everyone of [mail] to, or to one address; each recipient on a connection of its own, as the agent does it. It
    /// says nothing of events and routes.
    ///
    /// Exit codes: 0 every letter was taken; 69 the server does not answer, is not trusted, or refuses recipient or
    /// letter; 77 it refuses the login or the sender; 78 no [mail] in the settings, or something that they name cannot be
    /// read.
    ///
    /// Example: tidegauge mail test --to me@example.net --config tidegauge.toml
    Test(Asked),
}

#[derive(Debug, Args)]
pub struct Asked {
    /// The only recipient
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    let Act::Test(asked) = act;
    session.refuse_now("mail test")?;
    let settings = session.settings()?;
    let Some(mail) = &settings.mail else {
        return Err(Refused::new(78, "the settings have no [mail]; `config init` shows what stands in it"));
    };
    let to = asked.to.as_ref().map_or_else(|| mail.to.clone(), |to| vec![to.clone()]);
    let answers = sent(session, &settings, mail, to)?;
    let rows: Vec<Value> = answers.iter().map(|(to, answer)| shown(to, answer)).collect();
    session.show(&json!({"schema": "tidegauge.mail-test/1", "letters": rows}), text)?;
    let refused = answers.iter().filter_map(|(to, answer)| answer.end.as_ref().err().map(|failure| (to, failure)));
    match refused.map(|(to, failure)| (code(failure), to, failure)).max_by_key(|(code, ..)| *code) {
        Some((code, to, failure)) => Err(Refused::new(code, format!("the letter to {to} was not taken: {failure}"))),
        None => Ok(()),
    }
}

/// One letter to everyone of `[mail] to`: the recipient, and what came of it as `mail test` shows it.
///
/// # Errors
/// 2 for an address that is none.
pub fn try_out(session: &Session<'_>, settings: &Settings) -> Result<Vec<(String, Value)>, Refused> {
    let Some(mail) = &settings.mail else { return Ok(Vec::new()) };
    let answers = sent(session, settings, mail, mail.to.clone())?;
    Ok(answers.into_iter().map(|(to, answer)| (to.clone(), shown(&to, &answer))).collect())
}

fn sent(
    session: &Session<'_>,
    settings: &Settings,
    mail: &MailSettings,
    to: Vec<String>,
) -> Result<Vec<(String, MailAnswer)>, Refused> {
    let at = session.hour().now;
    let mut letters = Vec::new();
    for to in to {
        let letter = trial(&mail.from, &to, &reached(mail), at).map_err(|odd| Refused::new(2, odd.to_string()))?;
        letters.push((to, letter));
    }
    carried(session, settings, letters)
}

fn reached(mail: &MailSettings) -> String {
    format!("{} by {}:{}", mail.from, mail.server.host, mail.server.port)
}

fn carried(
    session: &Session<'_>,
    settings: &Settings,
    letters: Vec<(String, MailAsk)>,
) -> Result<Vec<(String, MailAnswer)>, Refused> {
    let _patience = Patience::with("sending a letter");
    let wire: Arc<dyn Wire> = (session.doors.wire)(settings);
    let mut answers = Vec::new();
    for (to, letter) in letters {
        let answer = match runtime()?.block_on(wire.carry(Ask::Mail(letter))) {
            Answer::Mail(answer) => answer,
            Answer::Failed(failure) => MailAnswer { steps: Vec::new(), end: Err(failure) },
            Answer::Http(_) | Answer::Folder(_) => {
                return Err(Refused::new(1, "a letter had an answer of another kind"));
            }
        };
        answers.push((to, answer));
    }
    Ok(answers)
}

fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::Settings { .. } | Failure::File { .. } => 78,
        Failure::NotLetIn { .. } => 77,
        Failure::Unreachable { .. }
        | Failure::TimedOut { .. }
        | Failure::TooLarge { .. }
        | Failure::Untrusted { .. }
        | Failure::Broken { .. }
        | Failure::RefusedForGood { .. }
        | Failure::RefusedForNow { .. } => 69,
    }
}

fn shown(to: &str, answer: &MailAnswer) -> Value {
    let step = |what: &str, state: &str, found: &str| json!({"step": what, "state": state, "found": found});
    let mut steps: Vec<Value> = answer.steps.iter().map(|one| step(one.what, "ok", &one.found)).collect();
    if answer.end.is_err()
        && let Some(last) = steps.last_mut()
    {
        last["state"] = json!("failed");
    }
    let words = match &answer.end {
        Ok(words) => words.clone(),
        Err(failure) => failure.to_string(),
    };
    json!({"to": to, "taken": answer.end.is_ok(), "words": words, "steps": steps})
}

fn text(tested: &Value, _: Instant) -> String {
    let letter = |letter: &Value| {
        let mut table = Table::new(&[Column::Left("step"), Column::Left("state"), Column::Left("found")]);
        for step in list(letter, "steps") {
            table.row([word(step, "step"), word(step, "state"), word(step, "found")]);
        }
        let end = if letter["taken"] == true { "taken" } else { "not taken" };
        format!("{}\n{}{end}: {}\n", word(letter, "to"), table.text("nothing was done"), word(letter, "words"))
    };
    list(tested, "letters").iter().map(letter).collect::<Vec<String>>().join("\n")
}
