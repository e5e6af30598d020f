//! Unmistakable secrets of every kind go through the real binary, against far sides that repeat them back in every
//! refusal, with everything logged; afterwards they are searched for wherever something was written.

mod parrot; // far sides that say back what they are told

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use parrot::Parrot;

const BINARY: &str = env!("CARGO_BIN_EXE_tidegauge");
const USER_PASSWORD: &str = "zqUserPassword4nTz8wQe";
const MAIL_PASSWORD: &str = "zqMailPassword7hKd2mVx";
const ENV_PASSWORD: &str = "zqEnvPassword3sRy6bNc";
const HOOK_PATH_TOKEN: &str = "zqHookPathToken5jLp9fGt";
/// The name of a file, and the secret in it.
const FILES: [(&str, &str); 6] = [
    ("vbr.password", "zqVbrPassword1aWs4dEf"),
    ("vspc.key", "zqVspcKey2bXc5gHj"),
    ("mail.password", MAIL_PASSWORD),
    ("openid.secret", "zqOpenIdSecret6kMn8pQr"),
    ("sink.authorization", "Bearer zqSinkAuthorization9tUv1wXy"),
    ("user.password", USER_PASSWORD),
];
/// Requests, lines of a log and tries to wait that end a test which would not end.
const MOST: usize = 5_000;

fn hook_secret() -> String {
    format!("whsec_{}", STANDARD.encode("zqHookSecret0bytes24long"))
}

/// Everything a secret may look like.
fn spellings(secret: &str) -> [String; 3] {
    let bare = secret.trim_start_matches("Bearer ").trim_start_matches("whsec_").to_owned();
    [STANDARD.encode(&bare), STANDARD.encode(format!("\0tidegauge\0{bare}")), bare]
}

/// A folder with settings, and everything that was printed.
struct Home {
    folder: TempDir,
    printed: String,
    far: Parrot,
    post: Parrot,
}

impl Home {
    fn new() -> Home {
        let home = Home {
            folder: TempDir::new().expect("a folder"),
            printed: String::new(),
            far: Parrot::http(),
            post: Parrot::smtp(),
        };
        for (name, secret) in FILES.into_iter().chain([("hook.secret", hook_secret().as_str())]) {
            home.private(name, secret);
        }
        let (far, post) = (format!("http://127.0.0.1:{}", home.far.port), home.post.port);
        let file = |name: &str| home.path(name).display().to_string();
        let server = |name: &str, source: &str, login: &str| {
            format!(
                "[[server]]\nname = \"{name}\"\nsource = \"{source}\"\nurl = \"{far}\"\nlicense = \"backup_server\"\n{login}\n"
            )
        };
        let by_file = format!("username = \"tidegauge\"\npassword_file = \"{}\"", file("vbr.password"));
        let vspc = format!(
            "[[server]]\nname = \"vspc01\"\nsource = \"vspc\"\nurl = \"{far}\"\napi_key_file = \"{}\"\n",
            file("vspc.key")
        );
        let settings = [
            server("vbr01", "vbr", &by_file),
            server("vbr02", "vbr", "username = \"tidegauge\"\npassword_env = \"TIDEGAUGE_TEST_PASSWORD\""),
            vspc,
            format!("[license_server]\nurl = \"{far}\"\n"),
            format!(
                "[mail]\nhost = \"127.0.0.1\"\nport = {post}\ntls = \"none\"\nusername = \"tidegauge\"\npassword_file = \"{}\"\n\
                 from = \"tidegauge@example.net\"\nto = [\"licensing@example.net\"]\n",
                file("mail.password")
            ),
            format!(
                "[[webhook]]\nname = \"ops\"\nurl = \"{far}/{HOOK_PATH_TOKEN}\"\nsecret_files = [\"{}\"]\nallow_private = true\n",
                file("hook.secret")
            ),
            format!(
                "[[usage_sink]]\nname = \"metering\"\nurl = \"{far}/events\"\nauthorization_file = \"{}\"\nperiod = \"day\"\n\
                 allow_private = true\n",
                file("sink.authorization")
            ),
            "[console]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
            format!(
                "[console.openid]\nissuer = \"{far}\"\nclient_id = \"tidegauge\"\nclient_secret_file = \"{}\"\n\
                 roles = {{ viewer = [\"everybody\"] }}\n",
                file("openid.secret")
            ),
        ];
        std::fs::write(home.path("tidegauge.toml"), settings.concat()).expect("a file");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn private(&self, name: &str, text: &str) {
        use tidegauge::doors::Files;
        tidegauge::ports::files::RealFiles.write(&self.path(name), text.as_bytes()).expect("a file");
    }

    /// The binary with everything logged that can be.
    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        let global = ["--config", "tidegauge.toml", "--state", "state", "--reports", "reports"];
        command.args(line).args(global).current_dir(self.folder.path()).env_remove("TIDEGAUGE_CONFIG");
        command.env("TIDEGAUGE_LOG", "trace").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("TIDEGAUGE_TEST_PASSWORD", ENV_PASSWORD);
        command
    }

    fn run(&mut self, line: &[&str]) -> String {
        let output = self.command(line).output().expect("the binary runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        self.printed.push_str(&format!("$ {line:?}\n{said}\n"));
        said
    }

    /// Where a secret stands that should stand nowhere.
    fn found(&self, secret: &str) -> Vec<String> {
        let spelled = spellings(secret);
        let holds = |text: &str| spelled.iter().any(|one| text.contains(one.as_str()));
        let mut places: Vec<String> =
            self.printed.lines().filter(|line| holds(line)).map(|line| line.chars().take(400).collect()).collect();
        for folder in ["state", "reports"] {
            files_below(&self.path(folder), &mut |path, bytes| {
                let is_key = path.components().any(|part| part.as_os_str() == "keys");
                if !is_key && holds(&String::from_utf8_lossy(bytes)) {
                    places.push(path.display().to_string());
                }
            });
        }
        places
    }
}

fn files_below(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files_below(&entry.path(), look);
        } else if let Ok(bytes) = std::fs::read(entry.path()) {
            look(&entry.path(), &bytes);
        }
    }
}

/// A running agent, everything it logs kept.
struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Running {
    fn start(home: &Home) -> Running {
        let mut child =
            home.command(&["agent"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (kept, lines) = (Arc::clone(&log), BufReader::new(child.stderr.take().expect("its log is ours")));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Running { child, log }
    }

    fn logged(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line of an event.
    fn wait_for(&mut self, event: &str) -> Value {
        for _ in 0..MOST {
            let logged = self.logged();
            let entries = logged.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(entry) = entries.into_iter().find(|entry| entry["event"] == event) {
                return entry;
            }
            assert!(self.child.try_wait().expect("a child").is_none(), "it ended:\n{logged}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("{event} does not come:\n{}", self.logged());
    }

    fn of_proc(&self, name: &str) -> String {
        let bytes = std::fs::read(format!("/proc/{}/{name}", self.child.id())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Speaks HTTP to the console, byte for byte.
fn browse(port: u64, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port as u16)).expect("the console listens");
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Every command that shows a secret to somebody; gives the API token that was made.
fn through_every_command(home: &mut Home) -> String {
    home.run(&["user", "add", "adam", "--role", "administrator", "--password-file", "user.password"]);
    let made = home.command(&["token", "add", "billing", "--role", "viewer"]).output().expect("the binary runs");
    let token = String::from_utf8_lossy(&made.stdout)
        .split_whitespace()
        .find(|word| word.starts_with("tgt_"))
        .map(str::to_owned);
    let token = token.expect("a token is printed once");
    let enrolment = tidegauge::protocol::EnrolmentToken {
        contract_id: "C-1".to_owned(),
        secret: "zqEnrolmentSecret3cVb6nMk".into(),
        server_key: "sha256:00".to_owned(),
        url: None,
        expires_at: "2099-01-01T00:00:00Z".parse().expect("an instant"),
    };
    home.private("enrolment.token", secrecy::ExposeSecret::expose_secret(&enrolment.to_text()));
    for line in [
        &["config", "check"][..],
        &["doctor"],
        &["doctor", "--json"],
        &["mail", "test"],
        &["webhook", "test", "ops"],
        &["enrol", "--token-file", "enrolment.token"],
        &["sample", "now"],
        &["sample", "now", "--server", "vbr01"],
        &["sample", "now", "--server", "vbr02"],
        &["license", "update"],
        &["status", "--json"],
        &["user", "list", "--json"],
        &["token", "list", "--json"],
        &["journal", "--json"],
        &["telemetry", "list"],
    ] {
        // Each far side answers otherwise every time.
        for _ in 0..if line[0] == "sample" || line[0] == "enrol" { 4 } else { 1 } {
            home.run(line);
        }
    }
    token
}

/// Signs in, shows the token, and goes wrong in every way; gives what was answered, and the cookie.
fn at_the_console(port: u64, token: &str) -> (Vec<String>, String) {
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let entered = browse(port, "POST", "/sign-in", form, &format!("name=adam&password={USER_PASSWORD}&to=/"));
    let cookie =
        entered.split("tidegauge=").nth(1).and_then(|rest| rest.split(';').next()).expect("a cookie").to_owned();
    let with_cookie = format!("cookie: tidegauge={cookie}\r\n");
    let bearer = format!("authorization: Bearer {token}\r\n");
    let users = browse(port, "GET", "/users", &with_cookie, "");
    assert!(users.contains("adam"), "the session holds: {users}");
    let json = format!("{bearer}content-type: application/json\r\n");
    let wrong = format!("{{\"order\":\"set_password\",\"name\":\"adam\",\"password\":\"{USER_PASSWORD}\",\"odd\":[}}");
    let answers = vec![
        browse(port, "POST", "/sign-in", form, &format!("name=adam&password={USER_PASSWORD}x")),
        browse(port, "POST", "/sign-in", form, &format!("name={USER_PASSWORD}&password=adam-typed-both-the-other-way")),
        browse(port, "GET", "/api/v1/status", &bearer, ""),
        browse(port, "GET", &format!("/api/v1/usage?month={token}"), &bearer, ""),
        browse(port, "POST", "/api/v1/orders", &json, &wrong),
        browse(port, "POST", "/api/v1/orders/set_password", &json, &wrong.replace(":[}", ":1}")),
        browse(port, "GET", "/api/v1/status", "authorization: Bearer tgt_zqWrongToken\r\n", ""),
        browse(port, "GET", "/openid/begin?to=/", "", ""),
        browse(port, "GET", "/openid/back?code=zqCode&state=zqState", "", ""),
    ];
    assert!(answers[2].starts_with("HTTP/1.1 200"), "the token works: {}", answers[2]);
    (answers, cookie)
}

#[test]
fn no_secret_of_any_kind_is_logged_printed_or_kept_even_when_a_server_says_it_back() {
    let mut home = Home::new();
    let token = through_every_command(&mut home);
    let mut agent = Running::start(&home);
    let listening = agent.wait_for("console.listening");
    let port = listening["address"].as_str().and_then(|text| text.rsplit(':').next()?.parse().ok()).expect("a port");
    let (answers, cookie) = at_the_console(port, &token);
    let proof = [hook_secret(), token, cookie];
    for _ in 0..MOST {
        // The duties of the first minute: each server is asked, and what is to be told is tried.
        if 20 < home.far.requests.load(Ordering::Relaxed) && 1 < home.post.requests.load(Ordering::Relaxed) {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let arguments = agent.of_proc("cmdline");
    assert!(arguments.contains("agent"), "{arguments}");
    let environment = agent.of_proc("environ");
    assert!(environment.contains(ENV_PASSWORD), "a password_env stands in /proc/PID/environ, as the document says");
    let _ = Command::new("kill").args(["-TERM", &agent.child.id().to_string()]).status();
    let _ = agent.child.wait();
    let log = agent.logged();
    assert!(log.contains("\"level\":\"TRACE\""), "everything is logged that can be");
    home.printed.push_str(&[log.as_str(), arguments.as_str()].join("\n"));
    // The second is the sign-in page of whoever typed a password as his name: his own browser shows it to him again.
    for answer in answers.iter().enumerate().filter(|(number, _)| *number != 1).map(|(_, answer)| answer) {
        home.printed.push_str(answer);
    }

    let heard = home.far.heard() + &home.post.heard();
    for told in [FILES[0].1, FILES[1].1, MAIL_PASSWORD, ENV_PASSWORD, HOOK_PATH_TOKEN] {
        assert!(heard.contains(told), "the far side was told {told}, and so could repeat it");
    }
    let own_key = std::fs::read_to_string(home.path("state/keys/agent.pem")).expect("the agent's key");
    let own_key = own_key.lines().nth(1).expect("its second line").to_owned();
    let kinds = FILES.iter().map(|(_, secret)| (*secret).to_owned());
    let more =
        [ENV_PASSWORD, HOOK_PATH_TOKEN, "zqEnrolmentSecret3cVb6nMk", "zqWrongToken", "zqCode"].map(str::to_owned);
    for secret in kinds.chain(more).chain(proof).chain([own_key]) {
        let places = home.found(&secret);
        assert!(places.is_empty(), "{secret} is found:\n{places:#?}");
    }
}

#[tokio::test]
async fn what_a_server_says_back_is_heard_without_the_secrets_that_it_was_told() {
    use tidegauge::ask::{Answer, Ask, Body, FormValue, HeaderSecret, HttpAsk};
    use tidegauge::doors::Wire;
    use tidegauge::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace, Trust};

    let (folder, parrot) = (TempDir::new().expect("a folder"), Parrot::http());
    let password = folder.path().join("password");
    let secret = r#"zq "quoted" & käse\"#;
    tidegauge::doors::Files::write(&tidegauge::ports::files::RealFiles, &password, secret.as_bytes()).expect("a file");
    let login = Login { username: "tide gauge".to_owned(), password: SecretPlace::File(password) };
    let peer = HttpPeer {
        base_url: format!("http://127.0.0.1:{}", parrot.port),
        trust: Trust::System,
        login: Some(login),
        api_key: None,
    };
    let peers = [("vbr01".to_owned(), PeerSettings::Http(peer))].into();
    let wire = tidegauge::ports::wire::RealWire::new(peers);
    let fields = vec![
        ("username", FormValue::PeerUsername),
        ("password", FormValue::PeerPassword),
        ("refresh_token", FormValue::Secret("zqRefreshToken".to_owned().into())),
    ];
    let mut ask = HttpAsk::post("vbr01", "/token", Body::Form(fields));
    ask.secret_headers.push(("authorization", HeaderSecret::PeerBasic));
    for status in [401, 500, 200] {
        let Answer::Http(answer) = wire.carry(Ask::Http(ask.clone())).await else { panic!("it answers") };
        let said = String::from_utf8(answer.body).expect("text");
        assert_eq!(answer.status, status);
        assert!(said.contains("***") && said.contains("tide"), "{said}");
        for spelled in ["quoted", "k%C3%A4se", "käse", &STANDARD.encode(format!("tide gauge:{secret}"))] {
            assert!(!said.contains(spelled), "{spelled}: {said}");
        }
        // A refusal has no business with it; an answer may give it back for the next time.
        assert_eq!(said.contains("zqRefreshToken"), status == 200, "{said}");
    }
}
