//! The cookie that holds a session's secret, and the one that goes along to a sign-in provider.

use chrono::TimeDelta;

/// Its name where the console is reached over TLS: browsers then send it over TLS only, and to this host only.
const SECURE: &str = "__Host-tidegauge";
/// Its name on loopback.
const PLAIN: &str = "tidegauge";

/// The names of the cookie by which a browser is known when it comes back from the provider.
const AWAY_SECURE: &str = "__Host-tidegauge-away";
const AWAY_PLAIN: &str = "tidegauge-away";

/// The session's secret of a `Cookie` header.
pub fn read(header: &str, secure: bool) -> Option<&str> {
    named(header, if secure { SECURE } else { PLAIN })
}

/// What [`lent`] gave along, of a `Cookie` header.
pub fn brought(header: &str, secure: bool) -> Option<&str> {
    named(header, if secure { AWAY_SECURE } else { AWAY_PLAIN })
}

fn named<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The `Set-Cookie` header that gives a session's secret to the browser, until it closes.
pub fn given(secret: &str, secure: bool) -> String {
    if secure {
        format!("{SECURE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax")
    } else {
        format!("{PLAIN}={secret}; Path=/; HttpOnly; SameSite=Lax")
    }
}

/// The `Set-Cookie` header that takes it away.
pub fn taken(secure: bool) -> String {
    format!("{}; Max-Age=0", given("", secure))
}

/// The `Set-Cookie` header of a sign-in that is under way. The way back begins at another site, which `Lax` lets pass.
pub fn lent(secret: &str, lasts: TimeDelta, secure: bool) -> String {
    let rest = format!("Path=/; Max-Age={}; HttpOnly; SameSite=Lax", lasts.num_seconds());
    if secure { format!("{AWAY_SECURE}={secret}; Secure; {rest}") } else { format!("{AWAY_PLAIN}={secret}; {rest}") }
}

/// The `Set-Cookie` header that takes it back.
pub fn taken_back(secure: bool) -> String {
    lent("", TimeDelta::zero(), secure)
}
