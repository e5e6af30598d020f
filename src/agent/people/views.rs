//! Who there is, as administrators see it, and as the program itself asks at its doors.

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Knock, Refused, Trouble};
use crate::domain::people::{Person, SecretHash, Standing, Token, User, user_name};

impl Agent {
    /// `user list --json`: everybody, without anything secret.
    pub(in crate::agent) fn users_shown(&self) -> Result<Value, Refused> {
        let users = self.users()?.into_iter().map(|user| {
            json!({
                "name": user.name,
                "role": user.role,
                "active": user.active,
                "has_password": user.password.is_some(),
                "invited_until": user.invitation.map(|invitation| invitation.ends_at),
                "made_at": user.made_at,
                "changed_at": user.changed_at,
            })
        });
        Ok(json!({"schema": "tidegauge.users/1", "users": users.collect::<Vec<Value>>()}))
    }

    /// `token list --json`: every token, without anything secret.
    pub(in crate::agent) fn tokens_shown(&self, hour: Hour) -> Result<Value, Refused> {
        let mut tokens = self.tokens()?;
        tokens.sort_by(|one, other| (&one.name, one.made_at).cmp(&(&other.name, other.made_at)));
        let shown: Result<Vec<Value>, Trouble> = tokens.iter().map(|token| self.token_shown(token, hour)).collect();
        Ok(json!({"schema": "tidegauge.tokens/1", "tokens": shown?}))
    }

    pub(super) fn token_shown(&self, token: &Token, hour: Hour) -> Result<Value, Trouble> {
        Ok(json!({
            "schema": "tidegauge.token/1",
            "name": token.name,
            "role": token.role,
            "by": token.by,
            "works": self.holder(token, hour)?.is_some(),
            "made_at": token.made_at,
            "expires_at": token.expires_at,
            "revoked_at": token.revoked_at,
        }))
    }

    /// What the program itself asks when somebody wants to come in.
    pub(in crate::agent) fn knocked(&self, knock: &Knock, hour: Hour) -> Result<Value, Refused> {
        match knock {
            Knock::SignIn { name } => self.sign_in(name),
            Knock::Token { hash } => self.token_holder(hash, hour),
            Knock::Invitation { hash } => self.invitation_shown(hash, hour),
        }
    }

    /// The active user of a name with the hash of his password, both null when there is none: whoever asks takes the
    /// same time for both. His sessions hold that were opened under `lock`.
    fn sign_in(&self, name: &str) -> Result<Value, Refused> {
        let user = user_name(name).map(|name| self.user(&name)).transpose()?.flatten().filter(|user| user.active);
        Ok(json!({
            "person": user.as_ref().map(User::person),
            "lock": user.as_ref().map_or(0, |user| user.lock),
            "password": user.and_then(|user| user.password),
        }))
    }

    /// The person that a token acts for, with the role he has by it.
    fn token_holder(&self, hash: &SecretHash, hour: Hour) -> Result<Value, Refused> {
        let token: Option<Token> = self.store.row(&crate::store::fact::key::token(hash))?;
        let held = match token {
            Some(token) => self.holder(&token, hour)?.map(|person| (person, token)),
            None => None,
        };
        let Some((person, token)) = held else {
            return Err(Refused::new(
                77,
                "the token is unknown, revoked or expired; an administrator can make another",
            ));
        };
        Ok(json!({"person": person, "token": token.name, "expires_at": token.expires_at}))
    }

    /// Whom a link lets in.
    fn invitation_shown(&self, hash: &SecretHash, hour: Hour) -> Result<Value, Refused> {
        let Some((user, invitation)) = self.invited(hash, hour.now)? else { return Err(used_up()) };
        Ok(json!({"person": user.person(), "ends_at": invitation.ends_at}))
    }

    /// A token ends with its user, and never does more than he may.
    fn holder(&self, token: &Token, hour: Hour) -> Result<Option<Person>, Trouble> {
        if !token.works_at(hour.now) {
            return Ok(None);
        }
        let role = match &token.user {
            None => Some(token.role),
            Some(name) => self.user(name)?.filter(|user| user.active).map(|user| user.role.min(token.role)),
        };
        let standing = match token.standing {
            Standing::Ours => Standing::Ours,
            Standing::Guest | Standing::GuestsToken => Standing::GuestsToken,
        };
        Ok(role.map(|role| Person { name: token.by.clone(), role, standing }))
    }
}

pub(super) fn used_up() -> Refused {
    Refused::new(66, "this link was used or has expired; an administrator makes another with `user invite`")
}
