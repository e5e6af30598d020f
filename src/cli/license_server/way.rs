//! The way to the License Update Server: its router in this process on a database or when its directory is free, else its
//! socket.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::Value;
use tower::ServiceExt;

use super::super::access::{SOCKET, runtime};
use super::super::logs;
use super::super::session::Session;
use super::database::DatabaseAt;
use crate::agent::Refused;
use crate::ask::Method;
use crate::license_server::{
    LicenseServer, LicenseServerError, NoSigningKey, Obeyed, Order, SignedOrder, Unopened, operator_router,
};
use crate::ports::control;

/// Where the server lives without `--state`.
const STATE_DIR: &str = "/var/lib/tidegauge-license-server";
/// Longest answer that is read.
const BYTES_MAX: usize = 256 << 20;

/// Both ways lead to the same router.
pub enum Way {
    Here(Router),
    Socket(PathBuf),
}

/// The server's state directory.
pub fn state_dir(session: &Session<'_>) -> PathBuf {
    session.global.state.clone().unwrap_or_else(|| PathBuf::from(STATE_DIR))
}

impl Way {
    pub fn open(session: &Session<'_>, at: &DatabaseAt) -> Result<Way, Refused> {
        let folder = state_dir(session);
        let files = &session.doors.files;
        let server = match at.open(session)? {
            Some(database) => LicenseServer::open_on_database(&**files, &folder, database),
            None => {
                // What opening the journal cuts off is said, whoever opens it.
                logs::begin(session.doors);
                LicenseServer::open_as_kept(Arc::clone(files), &folder)
            }
        };
        match server {
            Ok(server) => {
                let chance = Arc::new(Mutex::new(Drawn((session.doors.chance)())));
                Ok(Way::Here(operator_router(Arc::new(server), Arc::clone(&session.doors.clock), chance)))
            }
            Err(LicenseServerError::Busy(_)) => Ok(Way::Socket(folder.join(SOCKET))),
            Err(error) => Err(not_opened(&error)),
        }
    }

    /// Rows, or one of them.
    pub fn list(&self, what: &str) -> Result<Value, Refused> {
        self.exchange(Method::Get, &format!("/v1/operator/{what}"), None)
    }

    /// Gives an order; a token in the answer is a secret.
    pub fn order(&self, session: &Session<'_>, order: Order) -> Result<Obeyed, Refused> {
        let signed = SignedOrder { by: session.doors.user(), order };
        let body = serde_json::to_vec(&signed).map_err(|error| Refused::new(1, error.to_string()))?;
        let obeyed = self.exchange(Method::Post, "/v1/operator/orders", Some(body))?;
        serde_json::from_value(obeyed).map_err(|error| Refused::new(76, format!("an odd answer: {error}")))
    }

    fn exchange(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Value, Refused> {
        let (status, body) = match self {
            Way::Here(router) => runtime()?.block_on(here(router.clone(), method, path, body))?,
            Way::Socket(socket) => {
                let asked = runtime()?.block_on(control::ask(socket, method, path, body));
                let answered = asked.map_err(|failure| {
                    Refused::new(
                        75,
                        format!("another process holds the directory: {failure}; try again when it has ended"),
                    )
                })?;
                (answered.status, answered.body)
            }
        };
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        let why = || value["error"].as_str().unwrap_or("the server's answer is not understood").to_owned();
        match status {
            200 => Ok(value),
            400 => Err(Refused::new(2, why())),
            404 => Err(Refused::new(66, why())),
            409 => Err(Refused::new(8, why())),
            503 => Err(Refused::new(73, why())),
            _ => Err(Refused::new(76, format!("{} (status {status})", why()))),
        }
    }
}

async fn here(router: Router, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<(u16, Vec<u8>), Refused> {
    let name = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    let request = Request::builder().method(name).uri(path).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.unwrap_or_default()));
    let request = request.map_err(|_| Refused::new(2, format!("'{path}' cannot be asked for: strange signs")))?;
    let Ok(response) = router.oneshot(request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), BYTES_MAX).await;
    Ok((status, body.map_err(|error| Refused::new(1, error.to_string()))?.to_vec()))
}

/// Why the server cannot be opened.
pub fn not_opened(error: &LicenseServerError) -> Refused {
    match error {
        LicenseServerError::Key(why) => no_key(why),
        LicenseServerError::Busy(_) => Refused::new(75, error.to_string()),
        LicenseServerError::Lock { .. } | LicenseServerError::Stopped => Refused::new(73, error.to_string()),
        LicenseServerError::Journal(_) => Refused::new(7, error.to_string()),
        LicenseServerError::Database(why) => match why {
            Unopened::Unreachable(_) => Refused::new(69, error.to_string()),
            Unopened::Refused(_) | Unopened::Newer { .. } | Unopened::OtherKey(_) => {
                Refused::new(78, error.to_string())
            }
            Unopened::NotRecorded(_) | Unopened::Busy | Unopened::NoClerk => Refused::new(75, error.to_string()),
            Unopened::NotUnderstood(_) => Refused::new(7, error.to_string()),
        },
    }
}

/// Why there is no signing key.
pub fn no_key(why: &NoSigningKey) -> Refused {
    let code = match why {
        NoSigningKey::Missing(_) | NoSigningKey::Broken { .. } => 78,
        NoSigningKey::Exists(_) => 8,
        NoSigningKey::Disk { .. } => 73,
    };
    Refused::new(code, why.to_string())
}

/// A boxed door as a door.
pub struct Drawn(pub Box<dyn crate::doors::Chance>);

impl crate::doors::Chance for Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
