//! How usage sources speak: VBR conversation, snapshot files.

mod driver; // answers asks without a wire
mod folder; // the snapshot folder
mod snapshot; // the snapshot file
