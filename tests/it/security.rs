//! The threat model of docs/SECURITY.md, tested: what is promised there is shown here or where its row says.

mod document; // every test that the document names exists
mod messages; // forged, replayed and foreign messages of the License Update Server, stolen tokens
mod modes; // files of the program are its owner's alone
mod people; // guessing, sessions, forms of other sites, steps between roles, guests
mod secrets; // unmistakable secrets through the real binary, and where they are found afterwards
