//! What this process has cost since a moment: elapsed seconds, CPU seconds, its largest resident memory.

use std::fs;

use super::clock::Monotonic;

/// Ticks of `/proc/self/stat` in a second; Linux has shown 100 to every program for decades.
const TICKS_A_SECOND: f64 = 100.0;
/// The first field behind the command's name in `/proc/self/stat` is the third of all.
const FIELDS_BEFORE: usize = 3;
const USER_TICKS: usize = 14;
const SYSTEM_TICKS: usize = 15;

/// Begun at a moment, read as often as needed.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    started: Monotonic,
    cpu_seconds: f64,
}

/// What was used since the meter began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    pub wall_seconds: f64,
    /// User and system, all threads; 0 where there is no `/proc`.
    pub cpu_seconds: f64,
}

impl Meter {
    pub fn begin() -> Meter {
        Meter { started: Monotonic::started(), cpu_seconds: cpu_seconds() }
    }

    pub fn used(&self) -> Used {
        let wall = self.started.elapsed();
        let wall_seconds = wall.num_nanoseconds().map_or(f64::INFINITY, |nanoseconds| nanoseconds as f64 / 1e9);
        Used { wall_seconds, cpu_seconds: (cpu_seconds() - self.cpu_seconds).max(0.0) }
    }
}

/// The largest resident memory of this process so far, in MB of 1,048,576 bytes; 0 where there is no `/proc`.
pub fn largest_resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

/// To the nanosecond for threads that live; threads that have ended are known by the tick, so the larger figure holds.
fn cpu_seconds() -> f64 {
    living_threads().unwrap_or_default().max(ticks().unwrap_or_default())
}

fn living_threads() -> Option<f64> {
    let threads = fs::read_dir("/proc/self/task").ok()?.flatten();
    let scheduled = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds = scheduled.filter_map(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    Some(nanoseconds.sum::<f64>() / 1e9)
}

fn ticks() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name may hold spaces; it ends with the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - FIELDS_BEFORE)?.parse::<f64>().ok();
    Some((field(USER_TICKS)? + field(SYSTEM_TICKS)?) / TICKS_A_SECOND)
}
