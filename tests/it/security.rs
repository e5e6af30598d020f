//! The threat model of docs/SECURITY.md, tested: what is promised there is shown here or where its row says.

mod addresses; // where requests can be led
mod archives; // evidence and answers that claim or unpack to more than they are
mod bodies; // slow, endless and oversized requests and answers
mod formulas; // texts that a spreadsheet would run
mod markup; // texts that a page would run
mod paths; // names that become files
mod starttls; // mail, and somebody between
mod tls; // certificates, versions, downgrades
