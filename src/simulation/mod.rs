//! A provider's world in memory, its faults and its oracle.

pub mod chance;
pub mod clock;
pub mod disk;
pub mod enterprise_manager;
pub mod estate;
pub mod machine;
pub mod mailbox;
pub mod misbehaviour;
pub mod oracle;
pub mod past;
pub mod provider;
pub mod receiver;
pub mod trial;
pub mod vbr;
pub mod vspc;
pub mod weather;
pub mod wire;
pub mod world;
