//! What is refused before any database is asked: the tests here need none.

use std::net::TcpListener;
use std::time::Duration;

use tidegauge::doors::peer::Trust;
use tidegauge::ports::postgres::Database;

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
