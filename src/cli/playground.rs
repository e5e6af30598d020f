//! `playground`: the simulated outside behind real sockets on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Days;
use clap::Args;
use secrecy::ExposeSecret;

use super::session::{Session, absolute};
use super::stopping::{Stop, on_signal, told};
use crate::agent::Refused;
use crate::config::Settings;
use crate::license_server;
use crate::ports::certificate::{self, Made};
use crate::ports::lines;
use crate::ports::serve::{self, TlsFiles};
use crate::simulation::estate::{Estate, EstatePlan};
use crate::simulation::mailbox::{self, Mailbox};
use crate::simulation::vbr::{Vbr, key_file};
use crate::simulation::vspc::{Role, Vspc};
use crate::simulation::wire::{API_KEY, PASSWORD, USERNAME};
use crate::simulation::world::{WorldPlan, playground_license_server};
use crate::simulation::{chance::SeededChance, provider};

/// How long the keys of the simulated servers are valid.
const KEY_DAYS: u64 = 5;
/// How long the key file that lies there for `license install` is valid.
const FILE_DAYS: u64 = 120;

/// Options of `playground`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// The folder for certificates, passwords, token and settings
    #[arg(long, value_name = "DIR", default_value = "playground")]
    dir: PathBuf,
    /// Ends after so many seconds; without it, at Ctrl-C
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// The world's seed
    #[arg(long, default_value_t = 7, value_name = "N")]
    seed: u64,
}

/// Serves until it is told to stop.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("playground")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(serve_all(session, asked));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve_all(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let (sender, stop) = on_signal()?;
    let dir = absolute(&asked.dir);
    let made = certificate::make(&["localhost", "127.0.0.1"])
        .map_err(|error| Refused::new(1, format!("cannot make a certificate: {error}")))?;
    write_secrets(session, &dir, &made)?;
    let plan = ending_soon(provider::plan(asked.seed, session.doors.clock.now(), Settings::default()));
    let mut servers = Vec::new();
    for server in &plan.servers {
        let estate = Arc::new(Mutex::new(Estate::new(server.estate.clone())));
        let vbr = Vbr::new(estate, Arc::clone(&session.doors.clock), USERNAME, PASSWORD);
        servers.push((server.name.clone(), over_tls(&dir, vbr.router(), &stop).await?));
    }
    let console = console(session, asked.seed, &dir, &stop).await?;
    let license_server = license_server(session, &plan, &dir, &stop).await?;
    let mail = mail_server(&stop).await?;
    let settings = settings_text(&dir, &made, &servers, license_server, mail);
    session.write(&dir.join("tidegauge.toml"), settings.as_bytes())?;
    let longer = key_file(plan.begins_at.date_naive() + Days::new(FILE_DAYS));
    session.write(&dir.join("renewed.lic"), longer.as_bytes())?;
    session.print(&introduction(&dir, &made, &servers, license_server, mail))?;
    session.print(&introduction_of(console, &dir))?;
    match asked.seconds {
        Some(seconds) => {
            let _ = tokio::time::timeout(Duration::from_secs(seconds), told(stop)).await;
        }
        None => told(stop).await,
    }
    let _ = sender.send(true);
    Ok(())
}

/// The same with keys in their last week, so that there is something to renew.
fn ending_soon(mut plan: WorldPlan) -> WorldPlan {
    let ends_on = plan.begins_at.date_naive() + Days::new(KEY_DAYS);
    plan.servers.iter_mut().for_each(|server| server.estate.license.expires_on = Some(ends_on));
    plan
}

fn write_secrets(session: &Session<'_>, dir: &Path, made: &Made) -> Result<(), Refused> {
    session.write(&dir.join("ca.pem"), made.ca_pem.as_bytes())?;
    session.write(&dir.join("server.pem"), made.certificate_pem.as_bytes())?;
    session.write(&dir.join("server.key"), made.key_pem.as_bytes())?;
    session.write(&dir.join("vbr.password"), PASSWORD.as_bytes())
}

async fn over_tls(dir: &Path, router: axum::Router, stop: &Stop) -> Result<SocketAddr, Refused> {
    let files = TlsFiles { certificates: dir.join("server.pem"), key: dir.join("server.key") };
    let served = serve::tls(any_port(), &files, router, told(stop.clone())).await;
    served.map(|served| served.address).map_err(|error| Refused::new(69, error.to_string()))
}

/// Servers of the console with their machines and what they are to the provider.
const MANAGED: [(&str, u32, Role); 2] = [("vbr11", 24, Role::Client), ("vcc01", 60, Role::CloudConnect)];

/// A Service Provider Console with two servers, with settings of its own.
async fn console(session: &Session<'_>, seed: u64, dir: &Path, stop: &Stop) -> Result<SocketAddr, Refused> {
    let clock = Arc::clone(&session.doors.clock);
    let vspc = Vspc::new(Arc::clone(&clock), USERNAME, PASSWORD, API_KEY);
    for (name, machines, role) in MANAGED {
        let estate = EstatePlan::new(seed ^ u64::from(machines), name, clock.now(), machines);
        vspc.manage(name, role, Arc::new(Mutex::new(Estate::new(estate))));
    }
    let address = over_tls(dir, vspc.router(), stop).await?;
    session.write(&dir.join("vspc.key"), API_KEY.as_bytes())?;
    let shown = dir.display();
    let settings = format!(
        "state_dir = \"{shown}/vspc-state\"\nreports_dir = \"{shown}/vspc-reports\"\n\n[[server]]\nname = \"vspc01\"\n\
         source = \"vspc\"\nurl = \"https://127.0.0.1:{}\"\napi_key_file = \"{shown}/vspc.key\"\n\
         tls = {{ ca_file = \"{shown}/ca.pem\" }}\n",
        address.port()
    );
    session.write(&dir.join("vspc.toml"), settings.as_bytes())?;
    Ok(address)
}

fn introduction_of(console: SocketAddr, dir: &Path) -> String {
    let shown = dir.display();
    format!(
        "A Service Provider Console:\n  vspc01           https://{console}   key in {shown}/vspc.key\n  \
         tidegauge sample now --config {shown}/vspc.toml\n"
    )
}

/// The License Update Server with one contract, and its token in a file.
async fn license_server(
    session: &Session<'_>,
    plan: &WorldPlan,
    dir: &Path,
    stop: &Stop,
) -> Result<SocketAddr, Refused> {
    let (server, contract_id) = playground_license_server(plan);
    let order = license_server::Order::IssueToken { contract_id, url: None };
    let token = server.obey(order, "operator", session.doors.clock.now(), &mut SeededChance::new(plan.seed));
    let token = token.map_err(|refused| Refused::new(1, refused.to_string()))?;
    let token = token.ok_or_else(|| Refused::new(1, "the license server made no token"))?.to_text();
    session.write(&dir.join("token.txt"), token.expose_secret().as_bytes())?;
    over_tls(dir, license_server::router(server, Arc::clone(&session.doors.clock)), stop).await
}

async fn mail_server(stop: &Stop) -> Result<SocketAddr, Refused> {
    let mailbox = Mailbox::default();
    let session = move || {
        let mut session = mailbox::Session::new(mailbox.clone());
        Box::new(move |line: &str| session.hear(line)) as lines::Session
    };
    let served = lines::serve(any_port(), mailbox::GREETING, session, told(stop.clone())).await;
    served.map_err(|error| Refused::new(69, error.to_string()))
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn settings_text(
    dir: &Path,
    made: &Made,
    servers: &[(String, SocketAddr)],
    license_server: SocketAddr,
    mail: SocketAddr,
) -> String {
    let shown = dir.display();
    let mut text = format!("state_dir = \"{shown}/state\"\nreports_dir = \"{shown}/reports\"\n");
    for (number, (name, address)) in servers.iter().enumerate() {
        // One by its authority and renewed by the License Update Server, the others by their fingerprint and renewed by
        // themselves: both ways are shown.
        let (tls, license) = match number {
            0 => (format!("{{ ca_file = \"{shown}/ca.pem\" }}"), "license_server"),
            _ => (format!("{{ fingerprint_sha256 = \"{}\" }}", made.fingerprint), "backup_server"),
        };
        text += &format!(
            "\n[[server]]\nname = \"{name}\"\nsource = \"vbr\"\nurl = \"https://127.0.0.1:{}\"\n\
             username = \"{USERNAME}\"\npassword_file = \"{shown}/vbr.password\"\ntls = {tls}\nlicense = \"{license}\"\n",
            address.port()
        );
    }
    text += &format!(
        "\n[license_server]\nurl = \"https://127.0.0.1:{}\"\ntls = {{ ca_file = \"{shown}/ca.pem\" }}\n",
        license_server.port()
    );
    text += &format!(
        "\n[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Tidegauge <tidegauge@example.net>\"\n\
         to = [\"licensing@example.net\"]\n",
        mail.port()
    );
    text
}

fn introduction(
    dir: &Path,
    made: &Made,
    servers: &[(String, SocketAddr)],
    license_server: SocketAddr,
    mail: SocketAddr,
) -> String {
    let shown = dir.display();
    let mut text = String::from("The playground is open.\n\n");
    for (name, address) in servers {
        text += &format!("  {name:<16} https://{address}   user {USERNAME}, password in {shown}/vbr.password\n");
    }
    text += &format!("  license server   https://{license_server}   enrolment token in {shown}/token.txt\n");
    text += &format!("  mail server      {mail}   takes everything\n\n");
    text += &format!("  certificate      SHA-256 {}, authority in {shown}/ca.pem\n\n", made.fingerprint);
    text += &format!(
        "In another terminal:\n  tidegauge sample now --config {shown}/tidegauge.toml\n  \
         tidegauge enrol --token-file {shown}/token.txt --config {shown}/tidegauge.toml\n  \
         tidegauge license auto-update on --config {shown}/tidegauge.toml\n  \
         tidegauge license update --server vbr02 --config {shown}/tidegauge.toml\n  \
         tidegauge agent --config {shown}/tidegauge.toml\n"
    );
    text
}
