//! The first sign-in: while nobody is known, an invitation for an administrator lies in the state directory.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::orders::invitation;
use crate::agent::{Agent, Hour, Trouble};
use crate::domain::people::{Role, User};
use crate::people::token;
use crate::store::fact::Fact;

/// Whom the first link makes; he can be disabled once there are others.
pub const FIRST: &str = "admin";
/// In the state directory, 0600.
const FILE: &str = "first-sign-in";

/// The way in for the first administrator.
pub struct FirstSignIn {
    pub file: PathBuf,
    /// Its address; whoever has it becomes the administrator.
    pub link: SecretString,
}

impl Agent {
    /// The invitation that holds while nobody else is known, made when there is none; it is kept as a file. With
    /// anybody known the file goes. Asked at the start of an agent that serves pages.
    ///
    /// # Errors
    /// [`Trouble`] when the file or the store fails.
    pub fn first_sign_in(&mut self, hour: Hour) -> Result<Option<FirstSignIn>, Trouble> {
        let file = self.first_file();
        let Some(console) = self.settings.console.clone() else { return Ok(None) };
        if !self.waits_for_first()? {
            self.forget_first_file()?;
            return Ok(None);
        }
        let known = self.files.read(&file).map_err(|error| Trouble::file(&file, &error))?;
        let known = known.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let known_code = known.trim().rsplit('/').next().unwrap_or_default();
        if self.invited(&token::hash_of(known_code), hour.now)?.is_some() {
            return Ok(Some(FirstSignIn { file, link: SecretString::from(known.trim()) }));
        }
        let mut bytes = [0; 32];
        self.chance.fill(&mut bytes);
        let (code, hash) = token::code(bytes);
        let link = console.link(&token::welcome_path(code.expose_secret()));
        // The file first: a link that nobody recorded lets nobody in, and the next start makes another.
        let written = self.files.write(&file, format!("{link}\n").as_bytes());
        written.map_err(|error| Trouble::file(&file, &error))?;
        let user = User {
            name: FIRST.to_owned(),
            role: Role::Administrator,
            active: true,
            password: None,
            invitation: Some(invitation(hash, hour)),
            lock: 0,
            made_at: hour.now,
            changed_at: hour.now,
        };
        self.record(hour, "duty", vec![Fact::UserChanged { user }])?;
        Ok(Some(FirstSignIn { file, link: SecretString::from(link) }))
    }

    /// Whether nobody is known but whom the first link would make.
    pub(super) fn waits_for_first(&self) -> Result<bool, Trouble> {
        Ok(self.users()?.iter().all(|user| user.name == FIRST && user.active && user.password.is_none()))
    }

    /// Withdraws the first link when somebody else is made: he was never anybody.
    pub(super) fn first_withdrawn(&self, hour: Hour) -> Result<Option<Fact>, Trouble> {
        let first = if self.waits_for_first()? { self.user(FIRST)? } else { None };
        let withdrawn = |user| User { active: false, invitation: None, changed_at: hour.now, ..user };
        Ok(first.map(|user| Fact::UserChanged { user: withdrawn(user) }))
    }

    /// Removes the file, which lets nobody in any more.
    pub(super) fn forget_first_file(&self) -> Result<(), Trouble> {
        let file = self.first_file();
        let failed = |error: std::io::Error| Trouble::file(&file, &error);
        if self.files.read(&file).map_err(failed)?.is_some() {
            self.files.remove(&file).map_err(failed)?;
        }
        Ok(())
    }

    fn first_file(&self) -> PathBuf {
        self.settings.state_dir.join(FILE)
    }
}
