//! The person at the terminal, when there is one.

use std::io::{BufRead, IsTerminal, Read, Write};

/// Longest line that is read as an answer.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Puts the question on standard error and reads one line. `None`: nobody sits there, or the input ended.
pub fn ask(question: &str) -> Option<String> {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return None;
    }
    output.write_all(question.as_bytes()).and_then(|()| output.flush()).ok()?;
    let mut line = String::new();
    let read = input.lock().take(ANSWER_BYTES_MAX).read_line(&mut line).ok()?;
    (0 < read).then(|| line.trim().to_owned())
}
