//! A line on standard error for whatever takes longer than two seconds.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Silent for so long.
const SILENT: Duration = Duration::from_secs(2);
/// Then a line again and again.
const AGAIN: Duration = Duration::from_secs(15);

/// Tells what is being waited for while it lives.
pub struct Patience {
    over: Option<Sender<()>>,
    teller: Option<JoinHandle<()>>,
}

impl Patience {
    /// Tells that `doing` goes on, first after two seconds.
    pub fn with(doing: &str) -> Patience {
        let (over, is_over) = channel::<()>();
        let doing = doing.to_owned();
        let teller = std::thread::spawn(move || {
            let (mut wait, mut waited) = (SILENT, Duration::ZERO);
            while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(wait) {
                waited += wait;
                wait = AGAIN;
                let _ = writeln!(std::io::stderr(), "tidegauge: {doing} … ({} s)", waited.as_secs());
            }
        });
        Patience { over: Some(over), teller: Some(teller) }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.over.take();
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}
