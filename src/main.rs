//! Arguments, room, exit code; the only place that makes the real doors.

fn main() {}
