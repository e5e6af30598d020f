//! Who this agent is: an id and an Ed25519 key, made once.

use uuid::Uuid;

use crate::agent::Trouble;
use crate::config::Settings;
use crate::doors::{Chance, Files};
use crate::seal::keys::SigningKey;
use crate::store::Store;
use crate::store::fact::Fact;

use super::Hour;

/// The agent's id and signing key; the key stays in `state_dir/keys/agent.pem` (0600).
pub struct Identity {
    pub agent: Uuid,
    pub key: SigningKey,
}

impl Identity {
    /// Reads the identity, or makes it: the key file first, then the id in the journal.
    pub(super) fn load_or_make(
        store: &mut Store,
        settings: &Settings,
        files: &dyn Files,
        chance: &mut dyn Chance,
        hour: Hour,
    ) -> Result<Identity, Trouble> {
        let path = settings.state_dir.join("keys").join("agent.pem");
        let key = match files.read(&path).map_err(|error| Trouble::file(&path, &error))? {
            Some(bytes) => std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| SigningKey::from_pem(text).ok())
                .ok_or_else(|| Trouble::Odd(format!("{} is no key; restore it from a backup", path.display())))?,
            None => {
                let mut secret = [0; 32];
                chance.fill(&mut secret);
                let key = SigningKey::from_secret(&secret);
                let pem = key.to_pem();
                let pem = secrecy::ExposeSecret::expose_secret(&pem);
                files.write(&path, pem.as_bytes()).map_err(|error| Trouble::file(&path, &error))?;
                key
            }
        };
        let agent = match store.row("agent")? {
            Some(agent) => agent,
            None => {
                let mut bytes = [0; 16];
                chance.fill(&mut bytes);
                let agent = uuid::Builder::from_random_bytes(bytes).into_uuid();
                store.record(hour.recorded_at, hour.now, "duty", &[Fact::AgentNamed { agent }])?;
                agent
            }
        };
        Ok(Identity { agent, key })
    }
}
