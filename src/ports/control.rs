//! The command line's way to a running agent: HTTP over its control socket.

use std::path::Path;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, ClientBuilder, retry};

use crate::ask::{Failure, HttpAnswer, Method};

use super::wire::{Cut, believing_nobody, body_of, causes};

/// Longest answer.
const BYTES_MAX: u64 = 256 << 20;
/// Longest wait: an order may build a large report.
const SECONDS_MAX: u64 = 300;

/// Asks the agent that listens on this socket. `body` is JSON; `path` begins with `/`.
pub async fn ask(socket: &Path, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<HttpAnswer, Failure> {
    let shown = socket.display();
    let client = through(Client::builder(), socket)?
        .tls_backend_preconfigured(believing_nobody()?)
        .no_proxy()
        .retry(retry::never())
        .timeout(Duration::from_secs(SECONDS_MAX))
        .build()
        .map_err(|error| Failure::Settings { why: causes(&error) })?;
    let url = format!("http://agent{path}");
    let request = match method {
        Method::Get => client.get(url),
        Method::Post => client.post(url),
        Method::Delete => client.delete(url),
    };
    let request = match body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(body),
        None => request,
    };
    let response = request.send().await.map_err(|error| {
        if error.is_timeout() {
            return Failure::TimedOut { after_seconds: SECONDS_MAX as u32 };
        }
        Failure::Unreachable { why: format!("the agent does not answer on {shown}: {}", causes(&error)) }
    })?;
    let status = response.status().as_u16();
    let body = body_of(response, BYTES_MAX).await.map_err(|cut| match cut {
        Cut::TooLarge => Failure::TooLarge { bytes_max: BYTES_MAX },
        Cut::Broken(error) => Failure::Broken { why: format!("{shown}: {}", causes(&error)) },
    })?;
    Ok(HttpAnswer { status, headers: Vec::new(), body })
}

#[cfg(unix)]
fn through(client: ClientBuilder, socket: &Path) -> Result<ClientBuilder, Failure> {
    Ok(client.unix_socket(socket))
}

/// Nobody listens on one.
#[cfg(not(unix))]
fn through(_: ClientBuilder, _: &Path) -> Result<ClientBuilder, Failure> {
    let why = "this system has no control sockets; use the console, or stop that process first";
    Err(Failure::Unreachable { why: why.to_owned() })
}
