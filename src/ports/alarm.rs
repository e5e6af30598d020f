//! The alarm clock: says "look" once a minute and decides nothing (design.md section 3, "The loop").

use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// The first second of each minute, UTC. Time zones and catch-up are the schedule's work, not the alarm's.
const EACH_MINUTE: &str = "0 * * * * *";

/// Rings until it is dropped.
pub struct Alarm {
    pub rings: mpsc::Receiver<()>,
    _scheduler: JobScheduler,
}

/// Starts the alarm. A ring that nobody has heard yet stands for all later ones.
pub async fn set() -> Result<Alarm, JobSchedulerError> {
    let (ringer, rings) = mpsc::channel(1);
    let scheduler = JobScheduler::new().await?;
    let job = Job::new(EACH_MINUTE, move |_, _| {
        // Full: the last ring is still unheard, and it asks for the same look.
        let _ = ringer.try_send(());
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(Alarm { rings, _scheduler: scheduler })
}
