//! Revisions of the VBR REST API and the builds that first served them (api.md 1.1).

/// One revision that this source speaks.
pub struct Revision {
    /// The value of the `x-api-version` header.
    pub name: &'static str,
    /// The first VBR build that serves it.
    pub since_build: [u32; 4],
}

/// Newest first.
pub const REVISIONS: [Revision; 4] = [
    Revision { name: "1.3-rev2", since_build: [13, 1, 0, 411] },
    Revision { name: "1.3-rev1", since_build: [13, 0, 1, 180] },
    Revision { name: "1.3-rev0", since_build: [13, 0, 0, 4967] },
    Revision { name: "1.2-rev1", since_build: [12, 3, 1, 1139] },
];

/// The position of the revision every server with license resources is likely to know.
pub const LOWEST: usize = REVISIONS.len() - 1;

/// The position of the revision of this name.
pub fn position_of(name: &str) -> Option<usize> {
    REVISIONS.iter().position(|revision| revision.name == name)
}

/// The position of the newest revision that this build serves, such as `13.0.1.180`; the lowest for older builds.
pub fn newest_served_by(build: &str) -> usize {
    let mut parts = build.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let build: [u32; 4] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    REVISIONS.iter().position(|revision| revision.since_build <= build).unwrap_or(LOWEST)
}
