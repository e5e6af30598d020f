//! The door to PostgreSQL: dials the server of a list that takes writes, over TLS or on this machine.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};

use super::wire::{believing_nobody, causes, client_config};
use crate::doors::peer::Trust;

/// Longest wait for one server of the list to take the connection.
const CONNECT_SECONDS_MAX: u64 = 3;
/// A connection whose server is silent for so long is over.
const SILENT_SECONDS_MAX: u64 = 10;

/// Longest wait for one address of several to let a session in: one that stands still takes connections and never answers.
const DIAL_MAX: Duration = Duration::from_secs(5);
/// The same for one that is the only one: nobody else could be tried.
const DIAL_ALONE_MAX: Duration = Duration::from_secs(10);
/// Where PostgreSQL listens when the URL names no port.
const PORT: u16 = 5432;

/// A database and how it is reached.
#[derive(Clone)]
pub struct Database {
    /// The servers of the list, each by itself, in their order.
    servers: Vec<Config>,
    tls: Tls,
}

/// Why a URL names no database that may be dialled.
#[derive(Debug, thiserror::Error)]
pub enum NotADatabase {
    #[error("'{0}' is no postgresql:// URL: {1}")]
    Url(String, String),
    #[error(
        "the database's URL holds a password, which stands in the process list; put it into --database-password-file"
    )]
    Password,
    #[error("{0} is not this machine, and sslmode=disable would send everything in the clear; leave it out")]
    Clear(String),
    #[error("{0}")]
    Trust(String),
}

impl Database {
    /// The database of a `postgresql://` URL; several hosts are tried in their order until one takes writes.
    ///
    /// Beyond this machine TLS is required, and the certificate is judged by `trust`.
    ///
    /// # Errors
    /// [`NotADatabase`]; a password never stands in its words.
    pub fn at(url: &str, password: Option<&SecretString>, trust: &Trust) -> Result<Database, NotADatabase> {
        let shown = url.split('?').next().unwrap_or_default();
        // What the parser says of a URL may repeat it.
        let parsed = Config::from_str(url);
        if parsed.as_ref().is_ok_and(|config| config.get_password().is_some()) || shown_password(shown) {
            return Err(NotADatabase::Password);
        }
        let mut config = parsed.map_err(|error| NotADatabase::Url(shown.to_owned(), causes(&error)))?;
        // Where an address stands beside a host, the address is dialled.
        let far_address = || config.get_hostaddrs().iter().find(|ip| !ip.is_loopback()).map(IpAddr::to_string);
        let far = config.get_hosts().iter().find_map(far_host).or_else(far_address);
        match (far, config.get_ssl_mode()) {
            (Some(host), SslMode::Disable) => return Err(NotADatabase::Clear(host)),
            (Some(_), _) => config.ssl_mode(SslMode::Require),
            (None, SslMode::Prefer) => config.ssl_mode(SslMode::Disable),
            (None, _) => &mut config,
        };
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => believing_nobody(),
            // The list is tokio-postgres's and may grow.
            _ => client_config(trust, Arc::new(Mutex::new(None))),
        };
        let tls = tls.map_err(|failure| NotADatabase::Trust(failure.to_string()))?;
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        config
            .application_name("tidegauge license-server")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .keepalives_idle(Duration::from_secs(SILENT_SECONDS_MAX))
            .tcp_user_timeout(Duration::from_secs(SILENT_SECONDS_MAX));
        Ok(Database { servers: each_server(&config), tls: Tls(Arc::new(tls)) })
    }

    /// Connects on the runtime this is called on, which also carries the connection until the client is dropped.
    ///
    /// # Errors
    /// Why none of the servers takes writes, in one line.
    pub async fn dial(&self) -> Result<Client, String> {
        self.dial_with(DIAL_MAX, DIAL_ALONE_MAX).await
    }

    /// The same with another longest wait for each address.
    ///
    /// # Errors
    /// As [`Database::dial`].
    pub async fn dial_within(&self, each: Duration) -> Result<Client, String> {
        self.dial_with(each, each).await
    }

    async fn dial_with(&self, each: Duration, alone: Duration) -> Result<Client, String> {
        let mut whys = Vec::new();
        let is_one = self.servers.len() == 1;
        for server in in_turn(&self.servers) {
            let addresses = match resolved(server, each).await {
                Ok(addresses) => each_address(server, &addresses),
                Err(why) if is_one => return Err(why),
                Err(why) => {
                    whys.push(format!("{}: {why}", named(server)));
                    continue;
                }
            };
            for address in in_turn(&addresses) {
                let wait = if is_one && addresses.len() == 1 { alone } else { each };
                let why = match self.dial_one(address, wait).await {
                    Ok(client) => return Ok(client),
                    Err(why) => why,
                };
                whys.push(match address.get_hostaddrs() {
                    [ip] if addresses.len() > 1 => format!("{} ({ip}): {why}", named(server)),
                    _ if is_one => why,
                    _ => format!("{}: {why}", named(server)),
                });
            }
        }
        Err(whys.join("; "))
    }

    async fn dial_one(&self, server: &Config, wait: Duration) -> Result<Client, String> {
        match timeout(wait, server.connect(self.tls.clone())).await {
            Ok(Ok((client, connection))) => {
                tokio::spawn(async move {
                    // How it ended, every call on the client says too.
                    let _ = connection.await;
                });
                Ok(client)
            }
            Ok(Err(error)) => Err(in_words(&error)),
            Err(_) => Err(format!("no answer within {wait:?}")),
        }
    }
}

/// The addresses of a server that goes by one name; none where the settings say how it is reached.
async fn resolved(server: &Config, wait: Duration) -> Result<Vec<IpAddr>, String> {
    let ([Host::Tcp(name)], []) = (server.get_hosts(), server.get_hostaddrs()) else { return Ok(Vec::new()) };
    let port = server.get_ports().first().copied().unwrap_or(PORT);
    match timeout(wait, lookup_host((name.as_str(), port))).await {
        Ok(Ok(found)) => {
            let mut addresses = Vec::new();
            for ip in found.map(|address| address.ip()) {
                if !addresses.contains(&ip) {
                    addresses.push(ip);
                }
            }
            if addresses.is_empty() { Err(format!("{name} has no address")) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(format!("the name {name} was not found: {error}")),
        Err(_) => Err(format!("nobody said within {wait:?} which address {name} has")),
    }
}

/// The server at each of its addresses, under the same name and settings; as it is when it has none.
pub fn each_address(server: &Config, addresses: &[IpAddr]) -> Vec<Config> {
    if addresses.is_empty() {
        return vec![server.clone()];
    }
    let at = |address: &IpAddr| {
        let mut at = server.clone();
        at.hostaddr(*address);
        at
    };
    addresses.iter().map(at).collect()
}

/// In their order, or in a random one where the URL says `load_balance_hosts=random`.
fn in_turn(servers: &[Config]) -> Vec<&Config> {
    let mut turn: Vec<&Config> = servers.iter().collect();
    if servers.first().is_some_and(|one| one.get_load_balance_hosts() == LoadBalanceHosts::Random) {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system has random numbers");
        turn.shuffle(&mut StdRng::from_seed(seed));
    }
    turn
}

/// An error of the database in one line, without the values that it speaks of.
pub fn in_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("PostgreSQL says {}: {}", said.code().code(), said.message()),
        None => causes(error),
    }
}

/// The servers of a list, each with the settings of all; a list that does not fit together is left for the dialling to refuse.
pub fn each_server(all: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
    let count = hosts.len().max(addresses.len());
    let fits = |len: usize| len == 0 || len == count;
    if count < 2 || !fits(hosts.len()) || !fits(addresses.len()) || !(ports.len() <= 1 || fits(ports.len())) {
        return vec![all.clone()];
    }
    let one = |n: usize| {
        let mut one = Config::new();
        match hosts.get(n) {
            Some(Host::Tcp(name)) => one.host(name),
            #[cfg(unix)]
            Some(Host::Unix(folder)) => one.host_path(folder),
            None => &mut one,
        };
        if let Some(address) = addresses.get(n) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(n).or(ports.first()) {
            one.port(*port);
        }
        if let Some(user) = all.get_user() {
            one.user(user);
        }
        if let Some(password) = all.get_password() {
            one.password(password);
        }
        if let Some(dbname) = all.get_dbname() {
            one.dbname(dbname);
        }
        if let Some(options) = all.get_options() {
            one.options(options);
        }
        if let Some(name) = all.get_application_name() {
            one.application_name(name);
        }
        if let Some(wait) = all.get_connect_timeout() {
            one.connect_timeout(*wait);
        }
        if let Some(wait) = all.get_tcp_user_timeout() {
            one.tcp_user_timeout(*wait);
        }
        if let Some(interval) = all.get_keepalives_interval() {
            one.keepalives_interval(interval);
        }
        if let Some(retries) = all.get_keepalives_retries() {
            one.keepalives_retries(retries);
        }
        one.ssl_mode(all.get_ssl_mode())
            .ssl_negotiation(all.get_ssl_negotiation())
            .channel_binding(all.get_channel_binding())
            .target_session_attrs(all.get_target_session_attrs())
            .load_balance_hosts(all.get_load_balance_hosts())
            .keepalives(all.get_keepalives())
            .keepalives_idle(all.get_keepalives_idle());
        one
    };
    (0..count).map(one).collect()
}

/// The one server of these settings, by name.
fn named(server: &Config) -> String {
    match (server.get_hosts().first(), server.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => name.clone(),
        #[cfg(unix)]
        (Some(Host::Unix(folder)), _) => folder.display().to_string(),
        (None, address) => address.map(IpAddr::to_string).unwrap_or_default(),
    }
}

/// A host beyond this machine, by name.
fn far_host(host: &Host) -> Option<String> {
    match host {
        Host::Tcp(name) => {
            let near = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            (!near).then(|| name.clone())
        }
        #[cfg(unix)]
        Host::Unix(_) => None,
    }
}

/// Whether a URL that could not be parsed looks as if it held a password.
fn shown_password(url: &str) -> bool {
    let login = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    login.is_some_and(|(login, _)| login.contains(':'))
}

/// rustls for tokio-postgres.
#[derive(Clone)]
struct Tls(Arc<ClientConfig>);

/// One handshake that is to come.
struct Handshake {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// A connection inside TLS.
struct Encrypted<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        // A Unix socket has no name and no TLS.
        let host = if host.is_empty() { "localhost" } else { host };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Handshake { config: Arc::clone(&self.0), name })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let connector = tokio_rustls::TlsConnector::from(self.config);
            Ok(Encrypted(Box::new(connector.connect(self.name, stream).await?)))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}
