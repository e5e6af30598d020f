//! The last look at a world: everything that was done, kept and said.

use secrecy::ExposeSecret;

use crate::doors::Clock;
use crate::protocol::EnrolmentToken;

use super::World;

/// Where private keys may stand.
const KEYS: &str = "keys";

impl World {
    /// Lets the oracle compare both sides, follow the journal, and look for secrets in all that was said and written.
    pub fn object_to_what_is_wrong(&mut self) {
        let agent = self.agent.as_ref().expect("the agent runs between a world's calls");
        let (oracle, now) = (&mut self.oracle, self.clock.now());
        oracle.check_chain(agent, now);
        if let Some(server) = &self.license_server {
            oracle.check_far_side_whole(agent, &server.state(), &self.story, now);
        }
        let pem = self.files.read(&self.settings.state_dir.join(KEYS).join("agent.pem")).ok().flatten();
        oracle.keep_key_secret("the agent's private key", &String::from_utf8_lossy(&pem.unwrap_or_default()));
        for line in &self.story {
            oracle.check_leak("a line of the story", line.as_bytes());
        }
        for message in self.license_server.iter().flat_map(|server| server.state().messages.into_values()) {
            oracle.check_sealed_leak(&message.body);
        }
        for mail in self.wire.mails() {
            oracle.check_letter_leak(&mail.message);
        }
        for (peer, receiver) in &self.receivers {
            receiver.heard().iter().for_each(|heard| oracle.check_leak(peer, &heard.body));
        }
        for (path, bytes) in self.disk.iter().flat_map(|disk| disk.files()) {
            if !path.components().any(|part| part.as_os_str() == KEYS) {
                oracle.check_leak(&path.display().to_string(), &bytes);
            }
        }
    }

    /// The secret of a token that nobody may find again.
    pub(super) fn keep_token_secret(&mut self, token: &EnrolmentToken) {
        self.oracle.keep_secret("the secret of the enrolment token", token.secret.expose_secret());
    }
}
