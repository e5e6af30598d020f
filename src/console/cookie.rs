//! The cookie that holds a session's secret.

/// Its name where the console is reached over TLS: browsers then send it over TLS only, and to this host only.
const SECURE: &str = "__Host-tidegauge";
/// Its name on loopback.
const PLAIN: &str = "tidegauge";

/// The session's secret of a `Cookie` header.
pub fn read(header: &str, secure: bool) -> Option<&str> {
    let wanted = if secure { SECURE } else { PLAIN };
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
