//! The people this agent knows: users, tokens, how they come in, and the first sign-in.

mod first;
mod orders;
pub(super) mod story;
mod views;

use crate::domain::Instant;
use crate::domain::people::{Invitation, SecretHash, Token, User};
use crate::store::fact::key;

use super::{Agent, Trouble};

pub use first::FirstSignIn;
pub use orders::INVITATION_HOURS;
pub(super) use orders::{NewToken, NewUser, UserChange};

impl Agent {
    /// Every user, by name; the disabled too.
    pub(super) fn users(&self) -> Result<Vec<User>, Trouble> {
        Ok(self.store.rows(key::USERS)?.into_iter().map(|(_, user)| user).collect())
    }

    pub(super) fn user(&self, name: &str) -> Result<Option<User>, Trouble> {
        Ok(self.store.row(&key::user(name))?)
    }

    /// Every token, revoked and expired ones too.
    pub(super) fn tokens(&self) -> Result<Vec<Token>, Trouble> {
        Ok(self.store.rows(key::TOKENS)?.into_iter().map(|(_, token)| token).collect())
    }

    /// The user whom a code of an invitation lets in.
    pub(super) fn invited(&self, hash: &SecretHash, now: Instant) -> Result<Option<(User, Invitation)>, Trouble> {
        let fits = |user: User| {
            let invitation = user.invitation.clone().filter(|one| one.hash == *hash && now < one.ends_at)?;
            user.active.then_some((user, invitation))
        };
        Ok(self.users()?.into_iter().find_map(fits))
    }
}
