//! A provider's world in memory, its faults and its oracle.

pub mod disk;
pub mod estate;
pub mod machine;
pub mod vbr;
