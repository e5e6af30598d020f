//! Versions of the VSPC REST API (api.md 1.2). All of them answer below `/api/v3`.

/// One version that this source speaks.
pub struct Revision {
    /// The value of the `X-Client-Version` header.
    pub name: &'static str,
    /// The VSPC release that first served it.
    pub since: &'static str,
}

/// Newest first. A console takes a newer one than its own and answers as it can; members of an enumeration that are
/// newer than the one sent come as `Unknown`.
pub const REVISIONS: [Revision; 5] = [
    Revision { name: "3.7", since: "9.3" },
    Revision { name: "3.6.2", since: "9.2" },
    Revision { name: "3.6.1", since: "9.1" },
    Revision { name: "3.6", since: "9.0" },
    Revision { name: "3.5.1", since: "8.1" },
];

/// The position of the oldest version.
pub const LOWEST: usize = REVISIONS.len() - 1;

/// The position of the version of this name.
pub fn position_of(name: &str) -> Option<usize> {
    REVISIONS.iter().position(|revision| revision.name == name)
}
