//! Whether a console's own report may be finalized from here. Off unless the settings switch it on, and never twice.

use crate::domain::console_report::Standing;
use crate::domain::finalization::Stage;

/// What is known when a person wants it finalized.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What the console calls its report.
    pub standing: Standing,
    /// How far the newest attempt from here is; `None`: there was none.
    pub earlier: Option<&'a Stage>,
    /// Whether every report here is the same as the console's.
    pub is_equal: bool,
    /// Why it goes although they differ.
    pub despite: Option<&'a str>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The console is asked.
    Ask,
    /// An earlier attempt arrived though its answer was lost: that is recorded, and nothing asked.
    Settle,
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it was finalized from here already")]
    DoneHere,
    #[error("the console finalized it already")]
    DoneThere,
    #[error("what the console calls its report is not known here; finalize it in the console")]
    StatusUnknown,
    #[error(
        "the reports differ; adjust one of them, or say why it goes all the same with --despite-differences REASON"
    )]
    Differs,
}

/// Judges one case.
///
/// # Errors
/// [`Refusal`] when it was done, when the status says nothing, or when the reports differ and nobody says why they may.
pub fn judge(case: Case<'_>) -> Result<Verdict, Refusal> {
    let may_have_arrived = matches!(case.earlier, Some(Stage::Asking));
    match case.standing {
        _ if matches!(case.earlier, Some(Stage::Taken { .. })) => Err(Refusal::DoneHere),
        Standing::Finalized if may_have_arrived => Ok(Verdict::Settle),
        Standing::Finalized => Err(Refusal::DoneThere),
        Standing::Unknown => Err(Refusal::StatusUnknown),
        Standing::Waiting if !case.is_equal && case.despite.is_none() => Err(Refusal::Differs),
        Standing::Waiting => Ok(Verdict::Ask),
    }
}
