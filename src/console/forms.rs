//! Fields of forms and addresses.

use std::str::FromStr;

use crate::agent::Refused;
use crate::agent::orders::Target;
use crate::domain::Month;

/// Longest body of a form: adjustments may name many workloads.
pub const FORM_BYTES_MAX: usize = 4 << 20;

/// Names and values in their order; a name may come several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of a name, without blanks around it; empty ones count as not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next().map(str::trim).filter(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let wanted = name.to_owned();
        self.0.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked or a switch given.
    pub fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// 2 with the field's name.
    pub fn needed(&self, name: &str) -> Result<&str, Refused> {
        self.text(name).ok_or_else(|| Refused::new(2, format!("the field “{name}” is empty; fill it in")))
    }

    /// A value of a kind, when it is given.
    ///
    /// # Errors
    /// 65 with the field's name and what is wrong with it.
    pub fn read<T>(&self, name: &str) -> Result<Option<T>, Refused>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let read = |value: &str| {
            value.parse().map_err(|error| Refused::new(65, format!("the field “{name}” is not understood: {error}")))
        };
        self.text(name).map(read).transpose()
    }

    /// The reporting unit and month that a form or address is about.
    ///
    /// # Errors
    /// 65 for a month that is none.
    pub fn target(&self) -> Result<Target, Refused> {
        let month: Option<Month> = self.read("month")?;
        Ok(Target { unit: self.text("unit").map(str::to_owned), server: None, month })
    }
}
