//! The threat model of docs/SECURITY.md, tested: what is promised there is shown here or where its row says.

mod addresses; // where requests can be led
mod archives; // evidence and answers that claim or unpack to more than they are
mod bodies; // slow, endless and oversized requests and answers
mod document; // every test that the document names exists
mod formulas; // texts that a spreadsheet would run
mod markup; // texts that a page would run
mod messages; // forged, replayed and foreign messages of the License Update Server, stolen tokens
mod modes; // files of the program are its owner's alone
mod paths; // names that become files
mod people; // guessing, sessions, forms of other sites, steps between roles, guests
mod secrets; // unmistakable secrets through the real binary, and where they are found afterwards
mod starttls; // mail, and somebody between
mod tls; // certificates, versions, downgrades
