//! Questions to the person at the terminal: one line each, asked again until the answer can be used.

use crate::agent::Refused;
use crate::cli::session::Session;

/// How often one question is asked.
const TRIES_MAX: usize = 20;

/// Says something beside the questions, on standard error.
pub fn say(session: &mut Session<'_>, text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(session.err, "{text}");
}

/// One line; `default` stands for an empty one.
///
/// # Errors
/// 2 when the input ended.
pub fn line(session: &Session<'_>, question: &str, default: &str) -> Result<String, Refused> {
    let shown = if default.is_empty() { format!("{question}: ") } else { format!("{question} [{default}]: ") };
    let typed = (session.doors.ask)(&shown).ok_or_else(|| Refused::new(2, "the input ended; nothing was written"))?;
    let typed = typed.trim();
    Ok(if typed.is_empty() { default } else { typed }.to_owned())
}

/// Whether the person says yes; an empty line means no.
///
/// # Errors
/// As [`line`].
pub fn yes(session: &Session<'_>, question: &str) -> Result<bool, Refused> {
    let typed = line(session, &format!("{question} [y/N]"), "")?;
    Ok(["y", "yes"].contains(&typed.to_lowercase().as_str()))
}

/// Asks until `judge` can use the answer; what it says against one is told.
///
/// # Errors
/// As [`line`]; and 2 after `TRIES_MAX` answers.
pub fn until<T>(
    session: &mut Session<'_>,
    question: &str,
    default: &str,
    judge: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Refused> {
    again(session, |session| {
        let typed = line(session, question, default)?;
        Ok(match judge(&typed) {
            Ok(answer) => Some(answer),
            Err(why) => {
                say(session, &format!("  {why}"));
                None
            }
        })
    })
}

/// Goes through a step until something comes of it.
///
/// # Errors
/// Those of the step; and 2 after `TRIES_MAX` times.
pub fn again<T>(
    session: &mut Session<'_>,
    mut step: impl FnMut(&mut Session<'_>) -> Result<Option<T>, Refused>,
) -> Result<T, Refused> {
    for _ in 0..TRIES_MAX {
        if let Some(done) = step(session)? {
            return Ok(done);
        }
    }
    Err(Refused::new(2, format!("no answer that can be used after {TRIES_MAX} tries; nothing was written")))
}
