//! Orders about people: making and changing users, inviting them, their passwords, API tokens.

use chrono::TimeDelta;
use serde_json::json;

use super::views::used_up;
use crate::agent::{Agent, Hour, Obeyed, Refused, Trouble};
use crate::domain::Instant;
use crate::domain::people::{Invitation, Person, Role, SecretHash, Standing, Token, User, user_name};
use crate::people::password;
use crate::seal::digest::from_hex;
use crate::store::fact::Fact;

/// An invitation works for so many hours.
pub const INVITATION_HOURS: i64 = 24;
/// A token of somebody for whom a provider vouches works for so many whole days at most, after the day on which it is made:
/// nobody tells this agent when the provider lets go of him, so he comes in again to make the next one.
pub const GUEST_TOKEN_DAYS: i64 = 30;
/// Most users, disabled ones too, and most tokens that work.
const USERS_MAX: usize = 10_000;
const TOKENS_MAX: usize = 10_000;

/// A user to be made.
pub(in crate::agent) struct NewUser {
    pub name: String,
    pub role: Role,
    pub password: Option<SecretHash>,
    pub invitation: Option<SecretHash>,
}

/// What changes of a user; nothing where there is none.
pub(in crate::agent) struct UserChange {
    pub role: Option<Role>,
    pub active: Option<bool>,
    pub password: Option<SecretHash>,
    pub invitation: Option<SecretHash>,
}

/// A token to be made.
pub(in crate::agent) struct NewToken {
    pub name: String,
    pub role: Role,
    pub expires_at: Option<Instant>,
    pub hash: SecretHash,
}

impl Agent {
    pub(in crate::agent) fn order_add_user(
        &mut self,
        wanted: NewUser,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let name = good_name(&wanted.name)?;
        let users = self.users()?;
        if USERS_MAX <= users.len() {
            return Err(Refused::new(8, format!("there are {USERS_MAX} users, which is the most")));
        }
        let withdrawn = self.first_withdrawn(hour)?;
        let is_known = users.iter().any(|user| user.name == name);
        let is_withdrawn = matches!(&withdrawn, Some(Fact::UserChanged { user }) if user.name == name);
        if is_known && !is_withdrawn {
            return Err(Refused::new(8, format!("there is a user {name} already; `user change` changes him")));
        }
        if wanted.password.is_none() && wanted.invitation.is_none() {
            return Err(Refused::new(2, "a user needs a password or an invitation"));
        }
        let user = User {
            name,
            role: wanted.role,
            active: true,
            password: wanted.password.map(good_password).transpose()?,
            invitation: wanted.invitation.map(good_hash).transpose()?.map(|hash| invitation(hash, hour)),
            lock: 0,
            made_at: hour.now,
            changed_at: hour.now,
        };
        let facts = withdrawn.into_iter().filter(|_| !is_withdrawn).chain([Fact::UserChanged { user: user.clone() }]);
        self.record(hour, actor, facts.collect())?;
        self.forget_first_file()?;
        Ok(told(&user))
    }

    pub(in crate::agent) fn order_change_user(
        &mut self,
        name: &str,
        change: UserChange,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let before = self.user_named(name)?;
        let mut user = before.clone();
        user.role = change.role.unwrap_or(user.role);
        user.active = change.active.unwrap_or(user.active);
        if let Some(hash) = change.password {
            (user.password, user.invitation) = (Some(good_password(hash)?), None);
        }
        if let Some(hash) = change.invitation {
            user.invitation = Some(invitation(good_hash(hash)?, hour));
        }
        if !user.active {
            user.invitation = None;
        }
        if user == before {
            return Err(Refused::new(3, format!("{} is so already", user.name)));
        }
        let administers = |user: &User| user.active && user.role == Role::Administrator;
        if administers(&before) && !administers(&user) && !self.others_administer(&user.name, hour)? {
            let why = format!("{} is the last administrator who can sign in; make another one first", user.name);
            return Err(Refused::new(8, why));
        }
        if user.password != before.password || (before.active && !user.active) {
            user.lock += 1;
        }
        user.changed_at = hour.now;
        self.keep_user(user, actor, hour)
    }

    /// A person sets his own password, with his link or signed in; an administrator anybody's.
    pub(in crate::agent) fn order_set_password(
        &mut self,
        name: &str,
        hash: SecretHash,
        code: Option<&SecretHash>,
        person: &Person,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let mut user = self.user_named(name)?;
        // A token of his may do less than he: his password would do all that he may.
        let is_own = user.name == person.name && (code.is_some() || user.role <= person.role);
        if !is_own && person.role != Role::Administrator {
            return Err(Refused::new(77, format!("only {} and administrators set this password", user.name)));
        }
        if let Some(code) = code {
            let invited = self.invited(code, hour.now)?.filter(|(invited, _)| invited.name == user.name);
            invited.ok_or_else(used_up)?;
        }
        if !user.active {
            return Err(Refused::new(
                8,
                format!("{} is disabled; `user change --enable` lets him in again", user.name),
            ));
        }
        (user.password, user.invitation, user.changed_at) = (Some(good_password(hash)?), None, hour.now);
        user.lock += 1;
        self.keep_user(user, &person.actor(), hour)
    }

    pub(in crate::agent) fn order_add_token(
        &mut self,
        wanted: NewToken,
        person: &Person,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let name = good_name(&wanted.name)?;
        let tokens = self.tokens()?;
        let mut working = tokens.iter().filter(|token| token.works_at(hour.now));
        if TOKENS_MAX <= working.clone().count() {
            return Err(Refused::new(8, format!("{TOKENS_MAX} tokens work, which is the most; revoke some")));
        }
        if working.any(|token| token.name == name) {
            return Err(Refused::new(8, format!("a token {name} works already; revoke it, or take another name")));
        }
        if wanted.expires_at.is_some_and(|end| end <= hour.now) {
            return Err(Refused::new(65, "the token would have expired already; name a later day"));
        }
        refuse_guest(person.standing, wanted.expires_at, hour.now)?;
        let user = user_name(&person.name).map(|name| self.user(&name)).transpose()?.flatten();
        let own = user.as_ref().map_or(person.role, |user| user.role.min(person.role));
        if own < wanted.role {
            let why = format!("{} is {own} here, so a token of his cannot be {}", person.name, wanted.role);
            return Err(Refused::new(77, why));
        }
        let token = Token {
            hash: good_hash(wanted.hash)?,
            name,
            role: wanted.role,
            by: person.name.clone(),
            user: user.map(|user| user.name),
            standing: person.standing,
            made_at: hour.now,
            expires_at: wanted.expires_at,
            revoked_at: None,
        };
        self.keep_token(token, &person.actor(), hour)
    }

    pub(in crate::agent) fn order_revoke_token(
        &mut self,
        name: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let is_meant = |token: &Token| token.name.eq_ignore_ascii_case(name.trim());
        let named: Vec<Token> = self.tokens()?.into_iter().filter(is_meant).collect();
        if named.is_empty() {
            return Err(Refused::new(66, format!("there is no token {name}; `token list` names them")));
        }
        let Some(token) = named.into_iter().find(|token| token.works_at(hour.now)) else {
            return Err(Refused::new(3, format!("the token {name} works no more already")));
        };
        self.keep_token(Token { revoked_at: Some(hour.now), ..token }, actor, hour)
    }

    fn user_named(&self, name: &str) -> Result<User, Refused> {
        let known = user_name(name).map(|name| self.user(&name)).transpose()?.flatten();
        known.ok_or_else(|| Refused::new(66, format!("there is no user {name}; `user list` names them")))
    }

    /// Whether an administrator besides this one can come in.
    fn others_administer(&self, name: &str, hour: Hour) -> Result<bool, Trouble> {
        let can_come_in = |user: &User| {
            let invited = user.invitation.as_ref().is_some_and(|invitation| hour.now < invitation.ends_at);
            user.active && (user.password.is_some() || invited)
        };
        let others = |user: &User| user.name != name && user.role == Role::Administrator;
        Ok(self.users()?.iter().any(|user| others(user) && can_come_in(user)))
    }

    fn keep_user(&mut self, user: User, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        self.record(hour, actor, vec![Fact::UserChanged { user: user.clone() }])?;
        if !self.waits_for_first()? {
            self.forget_first_file()?;
        }
        Ok(told(&user))
    }

    fn keep_token(&mut self, token: Token, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        self.record(hour, actor, vec![Fact::TokenChanged { token: token.clone() }])?;
        Ok(Obeyed::Done(self.token_shown(&token, hour)?))
    }
}

/// What an order about a user answers.
fn told(user: &User) -> Obeyed {
    Obeyed::Done(json!({
        "schema": "tidegauge.user/1",
        "name": user.name,
        "role": user.role,
        "active": user.active,
        "has_password": user.password.is_some(),
        "invited_until": user.invitation.as_ref().map(|invitation| invitation.ends_at),
    }))
}

pub(super) fn invitation(hash: SecretHash, hour: Hour) -> Invitation {
    Invitation { hash, ends_at: hour.now + TimeDelta::hours(INVITATION_HOURS) }
}

fn good_name(name: &str) -> Result<String, Refused> {
    let why = "a name has 1 to 64 letters, digits and . _ - @, and begins with a letter or a digit";
    user_name(name).ok_or_else(|| Refused::new(65, why))
}

/// A guest's token ends soon, and makes no other: it would renew itself for ever.
fn refuse_guest(standing: Standing, expires_at: Option<Instant>, now: Instant) -> Result<(), Refused> {
    // The last of the whole days ends at a midnight, so many days and the rest of this one from here.
    let ends_at_latest = now + TimeDelta::days(GUEST_TOKEN_DAYS + 1);
    match standing {
        Standing::Ours => Ok(()),
        Standing::Guest if expires_at.is_some_and(|end| end <= ends_at_latest) => Ok(()),
        Standing::Guest => {
            let why = "who signs in by the provider makes tokens for at most";
            Err(Refused::new(77, format!("{why} {GUEST_TOKEN_DAYS} days after today; name the day on which it ends")))
        }
        Standing::GuestsToken => {
            let why = "a token of somebody who signs in by the provider makes no other; sign in and make it there";
            Err(Refused::new(77, why))
        }
    }
}

/// A password in clear, or a hash that would take an hour to check, stays outside.
fn good_password(hash: SecretHash) -> Result<SecretHash, Refused> {
    let why = "that is no argon2id hash as this program makes them; the password itself never comes here";
    if password::is_ours(&hash) { Ok(hash) } else { Err(Refused::new(65, why)) }
}

fn good_hash(hash: SecretHash) -> Result<SecretHash, Refused> {
    let why = "that is no SHA-256 as 64 hex digits; the token or code itself never comes here";
    if from_hex(hash.expose()).is_some() { Ok(hash) } else { Err(Refused::new(65, why)) }
}
