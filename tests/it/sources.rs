//! How usage sources speak: VBR conversation, snapshot files.

pub mod driver; // answers asks without a wire
mod dump; // the PowerShell dump: its tables, and what it writes
mod enterprise_manager; // the Enterprise Manager conversation, and tenants named beside a server
mod enterprise_manager_doubts; // what it says that is not believed
mod estate; // the simulated estate is what it says it is
mod folder; // the snapshot folder
mod snapshot; // the snapshot file
mod vbr; // the VBR conversation against the simulated server
mod vbr_kinds; // what license rows of a VBR server become
mod vbr_pages; // pages and rows that come again
mod vbr_renewing; // the exchange about a VBR server's license key
mod vbr_traps; // the VBR conversation against handmade answers
mod vbr_zeros; // rows without a weight, and dates that hold no longer
mod vspc; // the VSPC conversation against the simulated console and handmade answers
mod vspc_doubts; // what a console says that is not believed
mod vspc_finalize; // finalizing a console's own report
mod vspc_report; // a console's own report of a month
