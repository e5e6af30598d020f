//! What a verified token says of a person, and what that is worth here.

use serde_json::{Map, Value};

use crate::domain::people::{Person, Role, user_name};

use super::OpenId;

/// Most groups that are looked at.
const GROUPS_MAX: usize = 10_000;

/// The claims of a verified token, and of the provider's answer about its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

/// Why somebody whom the provider knows is not let in here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("the provider gives no name in its claim `{claim}`: name another claim in name_claim of [console.openid]")]
    NoName { claim: String },
    #[error(
        "the name in the provider's claim `{claim}` is none that is kept here: letters, digits and . _ - @, at most 64"
    )]
    OddName { claim: String },
    #[error("the provider does not say that it verified the mail address that would be the name (`email_verified`)")]
    UnverifiedMail,
    #[error("{name} has no role here: the provider's claim `{claim}` names no group of roles in [console.openid]")]
    NoRole { name: String, claim: String },
}

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Claims {
        Claims(claims)
    }

    /// Takes what is not known yet; what the signed token says stands.
    pub(super) fn complete(&mut self, more: Map<String, Value>) {
        for (name, value) in more {
            self.0.entry(name).or_insert(value);
        }
    }

    pub(super) fn has(&self, claim: &str) -> bool {
        self.named(claim).is_some()
    }

    /// The claim of that name; else the names between the dots lead to it, as in `realm_access.roles`.
    fn named(&self, claim: &str) -> Option<&Value> {
        let whole = self.0.get(claim);
        whole.or_else(|| {
            let (first, rest) = claim.split_once('.')?;
            rest.split('.').try_fold(self.0.get(first)?, |value, name| value.get(name))
        })
    }

    /// Some providers write booleans as texts.
    fn is_true(&self, claim: &str) -> bool {
        self.0.get(claim).is_some_and(|value| *value == Value::Bool(true) || value.as_str() == Some("true"))
    }

    fn groups(&self, claim: &str) -> Vec<&str> {
        match self.named(claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().take(GROUPS_MAX).filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        }
    }
}

impl OpenId {
    /// Who it is here, with the highest role that the groups have.
    ///
    /// # Errors
    /// [`NotAdmitted`] says what the provider or the settings lack.
    pub fn admitted(&self, claims: &Claims) -> Result<Person, NotAdmitted> {
        let claim = || self.name_claim.clone();
        let text = claims.named(&self.name_claim).and_then(Value::as_str);
        let text = text.ok_or_else(|| NotAdmitted::NoName { claim: claim() })?;
        let name = user_name(text).ok_or_else(|| NotAdmitted::OddName { claim: claim() })?;
        if self.name_claim == "email" && !claims.is_true("email_verified") {
            return Err(NotAdmitted::UnverifiedMail);
        }
        let role = self.role_of(&claims.groups(&self.role_claim));
        let no_role = || NotAdmitted::NoRole { name: name.clone(), claim: self.role_claim.clone() };
        Ok(Person::guest(&name, role.ok_or_else(no_role)?))
    }

    fn role_of(&self, groups: &[&str]) -> Option<Role> {
        let has = |wanted: &Vec<String>| wanted.iter().any(|group| groups.contains(&group.as_str()));
        self.roles.iter().rev().find(|(_, wanted)| has(wanted)).map(|(role, _)| *role)
    }
}
