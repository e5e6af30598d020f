//! Messages to endpoints: their bytes, their signature, what answers mean, usage as CloudEvents.

mod addresses;
mod events;
mod messages;
mod page;
mod settings;
