//! What is refused before any database is asked: the tests here need none.

use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use tidegauge::doors::peer::Trust;
use tidegauge::ports::postgres::{Database, each_address, each_server};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};

#[test]
fn a_password_in_the_url_and_a_far_database_in_the_clear_are_refused_without_being_repeated() {
    for url in ["postgresql://olga:hunter2@db1/tide", "postgresql://olga:hunter2@db1/tide?no such=1"] {
        let refused = Database::at(url, None, &Trust::System).err().expect("it holds a password").to_string();
        assert!(refused.contains("--database-password-file") && !refused.contains("hunter2"), "{refused}");
    }
    let in_the_clear = [
        ("db1", "postgresql://db1/tide?sslmode=disable"),
        ("192.0.2.7", "postgresql://localhost/tide?hostaddr=192.0.2.7&sslmode=disable"),
        ("192.0.2.7", "postgresql://localhost,localhost/tide?hostaddr=127.0.0.1,192.0.2.7&sslmode=disable"),
    ];
    for (far, url) in in_the_clear {
        let refused = Database::at(url, None, &Trust::System).err().expect("in the clear").to_string();
        assert!(refused.starts_with(&format!("{far} is not this machine")), "{refused}");
    }
    assert!(Database::at("postgresql://localhost/tide?hostaddr=127.0.0.1", None, &Trust::System).is_ok());
    assert!(Database::at("postgresql://olga@localhost,127.0.0.1/tide", None, &Trust::System).is_ok());
}

#[tokio::test]
async fn a_server_that_takes_connections_and_never_answers_keeps_none_of_the_others_from_being_tried() {
    let listening = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let [still, next] = listening.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let url = format!("postgresql://olga@127.0.0.1:{still},localhost:{next}/tide?hostaddr=127.0.0.1,127.0.0.1");
    let database = Database::at(&url, None, &Trust::System).unwrap();
    let why = database.dial_within(Duration::from_millis(50)).await.expect_err("neither is a database");
    assert_eq!(why, "127.0.0.1: no answer within 50ms; localhost: no answer within 50ms");
    for listener in listening {
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_ok(), "it was dialled");
    }
}

/// With another value than the usual one for everything that can be set.
fn all_set() -> Config {
    let mut all = Config::new();
    all.user("olga")
        .password("hunter2")
        .dbname("tide")
        .options("-c search_path=one")
        .application_name("tidegauge")
        .ssl_mode(SslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct)
        .connect_timeout(Duration::from_secs(3))
        .tcp_user_timeout(Duration::from_secs(4))
        .keepalives(false)
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(6))
        .keepalives_retries(7)
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .channel_binding(ChannelBinding::Require)
        .load_balance_hosts(LoadBalanceHosts::Random);
    all
}

fn is_set_as(one: &Config, all: &Config) {
    assert_eq!(
        (one.get_user(), one.get_password(), one.get_dbname(), one.get_options(), one.get_application_name()),
        (all.get_user(), all.get_password(), all.get_dbname(), all.get_options(), all.get_application_name())
    );
    assert_eq!(
        (one.get_ssl_mode(), one.get_ssl_negotiation(), one.get_channel_binding(), one.get_target_session_attrs()),
        (all.get_ssl_mode(), all.get_ssl_negotiation(), all.get_channel_binding(), all.get_target_session_attrs())
    );
    assert_eq!(
        (one.get_connect_timeout(), one.get_tcp_user_timeout()),
        (all.get_connect_timeout(), all.get_tcp_user_timeout())
    );
    assert_eq!((one.get_keepalives(), one.get_keepalives_idle()), (all.get_keepalives(), all.get_keepalives_idle()));
    assert_eq!(one.get_keepalives_interval(), all.get_keepalives_interval());
    assert_eq!(one.get_keepalives_retries(), all.get_keepalives_retries());
    assert_eq!(one.get_load_balance_hosts(), all.get_load_balance_hosts());
}

#[test]
fn each_server_of_a_list_is_reached_by_its_own_host_and_port_and_every_setting_of_all() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut all = all_set();
    all.host("db1").host("db2").port(5433).port(5434).hostaddr(address("192.0.2.1")).hostaddr(address("192.0.2.2"));
    let each = each_server(&all);
    assert_eq!(each.len(), 2);
    for (n, one) in each.iter().enumerate() {
        is_set_as(one, &all);
        assert_eq!(one.get_hosts(), &all.get_hosts()[n..=n]);
        assert_eq!(one.get_hostaddrs(), &all.get_hostaddrs()[n..=n]);
        assert_eq!(one.get_ports(), &all.get_ports()[n..=n]);
    }
    let one = all_set().host("db1").port(5433).clone();
    assert!(each_server(&one) == [one], "a single server is left as it is");
}

#[test]
fn a_server_of_several_addresses_is_tried_at_each_under_its_own_name() {
    let server = all_set().host("db").port(5433).clone();
    let addresses = ["192.0.2.1", "2001:db8::2"].map(|text| text.parse::<IpAddr>().unwrap());
    let each = each_address(&server, &addresses);
    assert_eq!(each.len(), 2);
    for (one, address) in each.iter().zip(addresses) {
        is_set_as(one, &server);
        assert_eq!((one.get_hosts(), one.get_hostaddrs()), (&[Host::Tcp("db".to_owned())][..], &[address][..]));
        assert_eq!(one.get_ports(), [5433]);
    }
    assert!(each_address(&server, &[]) == [server], "one that no name has to be looked up for");
}

#[tokio::test]
async fn a_name_that_has_no_address_is_named_and_the_next_server_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("postgresql://olga@nobody.invalid:5432,127.0.0.1:{port}/tide");
    let database = Database::at(&url, None, &Trust::System).unwrap();
    let why = database.dial_within(Duration::from_millis(200)).await.expect_err("neither is a database");
    assert!(why.contains("nobody.invalid: ") && why.contains("127.0.0.1: no answer within 200ms"), "{why}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok(), "it was dialled");
}
