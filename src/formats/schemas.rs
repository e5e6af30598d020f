//! The published JSON Schemas of what Tidegauge writes.

/// One published schema.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What stands in the `schema` member of the JSON it describes.
    pub name: &'static str,
    /// JSON Schema, draft 2020-12.
    pub text: &'static str,
}

/// Every schema there is, one row and one file each.
pub const SCHEMAS: [Schema; 1] = [Schema {
    name: crate::domain::report::SCHEMA,
    text: include_str!("../../docs/schemas/usage-report-1.schema.json"),
}];
