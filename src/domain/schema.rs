//! What values that stand as text in JSON look like: JSON Schema for the documents of the API.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::people::SecretHash;
use super::workload::WorkloadType;
use super::{IsoWeek, Month, Points};

macro_rules! text {
    ($name:ident, $pattern:expr, $example:literal, $description:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern($pattern)
                    .examples([$example])
                    .description(Some($description))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

text!(Month, Some("^[0-9]{4}-(0[1-9]|1[0-2])$"), "2026-10", "A month, GMT.");
text!(IsoWeek, Some("^[0-9]{4}-W[0-5][0-9]$"), "2026-W44", "An ISO week, GMT.");
text!(Points, Some("^[0-9]+([.][0-9]+)?$"), "10.5", "Exact points.");
text!(
    SecretHash,
    None::<String>,
    "text",
    "A hash: argon2id of a password (PHC string), SHA-256 of a token or code (hex)."
);
text!(WorkloadType, None::<String>, "VM", "A kind of workload, in the words of its server.");
