//! A provider's world in memory, its faults and its oracle.

pub mod disk;
