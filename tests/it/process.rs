//! The real process and its disk: killed, cut off from power, damaged, started twice.

mod agent; // the agent, killed while it works
mod cached_disk;
mod flips; // a flipped bit anywhere
pub mod killing;
mod license_server; // the License Update Server, killed while agents send
mod power; // kills and power cuts at every writing operation
mod restored; // two processes, two machines, a backup
pub mod running;
mod states; // sled older, newer or with lost pages: the journal decides
