//! Users, invitations, tokens and roles, through the real agent.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use tidegauge::agent::Knock;
use tidegauge::agent::orders::Target;
use tidegauge::domain::people::{ROLES, SecretHash};
use tidegauge::people::{password, token};

use super::*;

fn hashed(text: &str) -> SecretHash {
    password::hash(&SecretString::from(text), [5; 16])
}

fn code(seed: u8) -> SecretHash {
    token::code([seed; 32]).1
}

fn add(name: &str, role: Role) -> Order {
    Order::AddUser { name: name.to_owned(), role, password: Some(hashed("four words make one")), invitation: None }
}

fn invite(name: &str, role: Role, seed: u8) -> Order {
    Order::AddUser { name: name.to_owned(), role, password: None, invitation: Some(code(seed)) }
}

fn role(name: &str, role: Role) -> Order {
    Order::ChangeUser { name: name.to_owned(), role: Some(role), active: None, password: None, invitation: None }
}

fn active(name: &str, active: bool) -> Order {
    Order::ChangeUser { name: name.to_owned(), role: None, active: Some(active), password: None, invitation: None }
}

fn set(name: &str, password: &str, invitation: Option<SecretHash>) -> Order {
    Order::SetPassword { name: name.to_owned(), password: hashed(password), invitation }
}

fn token_for(name: &str, role: Role, seed: u8) -> Order {
    let hash = token::new([seed; 32]).1;
    Order::AddToken { name: name.to_owned(), role, expires_at: Some(at(NOW) + TimeDelta::days(1)), hash }
}

fn holder(home: &mut Home, seed: u8) -> Result<Value, Refused> {
    home.ask(&Query::Knock(Knock::Token { hash: token::new([seed; 32]).1 }))
}

fn code_of(refused: Result<Value, Refused>) -> u8 {
    refused.expect_err("it is refused").code
}

#[test]
fn each_order_and_question_is_refused_below_its_role() {
    let mut home = Home::new();
    let target = Target::default;
    let reason = || "because".to_owned();
    let orders = [
        (Order::Reset { target: target() }, Role::Reviewer),
        (Order::SampleNow { server: "x".to_owned() }, Role::Reviewer),
        (Order::Send { target: target() }, Role::Approver),
        (Order::Justify { target: target(), reason: reason() }, Role::Approver),
        (Order::Approve { target: target(), proposal: "1".to_owned() }, Role::Approver),
        (Order::ConfirmClock, Role::Administrator),
        (add("eve", Role::Viewer), Role::Administrator),
        (token_for("eve", Role::Viewer, 1), Role::Administrator),
    ];
    for (order, needed) in orders {
        assert_eq!(order.needs(), needed);
        for role in ROLES.into_iter().filter(|role| *role < needed) {
            let refused = home.order(order.clone(), &person("eve", role)).expect_err("the role is too small");
            assert_eq!(refused.code, 77);
            assert!(refused.why.contains(&format!("eve is {role} here")), "{refused}");
        }
        let why = home.order(order, &person("max", needed)).map_or_else(|refused| refused.why, |_| String::new());
        assert!(!why.contains("takes"), "{why}");
    }
    let now = Hour::at(home.now);
    let viewer = person("eve", Role::Viewer);
    home.agent().answer_for(&Query::Status {}, &viewer, now).expect("a viewer sees all but people");
    for query in [Query::Users {}, Query::Tokens {}, Query::Knock(Knock::SignIn { name: "eve".to_owned() })] {
        let refused = home.agent().answer_for(&query, &person("eve", Role::Approver), now);
        assert_eq!(code_of(refused), 77, "{query:?}");
    }
}

#[test]
fn no_socket_asks_the_programs_own_questions() {
    for what in ["sign_in", "token_holder", "invited"] {
        let asked = serde_json::json!({"what": what, "name": "anna", "hash": "x"});
        assert!(serde_json::from_value::<Query>(asked).is_err(), "{what}");
    }
    assert!(serde_json::to_value(Query::Knock(Knock::SignIn { name: "anna".to_owned() })).is_err());
}

#[test]
fn a_link_sets_one_password_once_and_within_a_day() {
    let mut home = Home::new();
    let made = home.order(invite("Anna", Role::Reviewer, 1), &owner()).expect("nobody is called so");
    assert_eq!((&made["name"], &made["has_password"]), (&"anna".into(), &false.into()));
    assert_eq!(code_of(home.order(add("anna", Role::Viewer), &owner())), 8);
    let invited = home.ask(&Query::Knock(Knock::Invitation { hash: code(1) })).expect("the link holds");
    let anna: Person = serde_json::from_value(invited["person"].clone()).expect("a person");
    assert_eq!(anna, person("anna", Role::Reviewer));
    assert_eq!(code_of(home.order(set("anna", "another four words", Some(code(2))), &anna)), 66);
    assert_eq!(code_of(home.order(set("anna", "another four words", None), &person("eve", Role::Approver))), 77);
    home.order(set("anna", "another four words", Some(code(1))), &anna).expect("her own link");
    assert_eq!(code_of(home.order(set("anna", "and once more four", Some(code(1))), &anna)), 66);
    assert_eq!(code_of(home.ask(&Query::Knock(Knock::Invitation { hash: code(1) }))), 66);
    home.start();
    let known = home.ask(&Query::Knock(Knock::SignIn { name: "anna".to_owned() })).expect("always answered");
    let hash: SecretHash = serde_json::from_value(known["password"].clone()).expect("a hash");
    assert!(password::verify(&SecretString::from("another four words"), Some(&hash)));
    let nobody = home.ask(&Query::Knock(Knock::SignIn { name: "nobody".to_owned() })).expect("always answered");
    assert!(nobody["person"].is_null() && nobody["password"].is_null());

    home.order(invite("ben", Role::Viewer, 3), &owner()).expect("nobody is called so");
    home.now += TimeDelta::hours(24);
    assert_eq!(code_of(home.ask(&Query::Knock(Knock::Invitation { hash: code(3) }))), 66);
    let shown = home.ask(&Query::Users {}).expect("users").to_string();
    assert!(!shown.contains("argon2") && !shown.contains(code(3).expose()), "{shown}");
}

#[test]
fn the_last_administrator_stays_and_a_disabled_user_is_let_in_no_more() {
    let mut home = Home::new();
    home.order(add("anna", Role::Administrator), &owner()).expect("nobody is called so");
    for order in [role("anna", Role::Approver), active("anna", false)] {
        assert_eq!(code_of(home.order(order, &owner())), 8);
    }
    home.order(invite("ben", Role::Administrator, 1), &owner()).expect("nobody is called so");
    home.order(role("anna", Role::Approver), &person("ben", Role::Administrator)).expect("ben can come in");
    assert_eq!(code_of(home.order(role("anna", Role::Approver), &owner())), 3);
    home.order(active("anna", false), &owner()).expect("she is no administrator");
    let known = home.ask(&Query::Knock(Knock::SignIn { name: "anna".to_owned() })).expect("always answered");
    assert!(known["person"].is_null() && known["password"].is_null());
    home.order(active("anna", true), &owner()).expect("let in again");
    assert_eq!(code_of(home.order(active("eve", false), &owner())), 66);
}

#[test]
fn a_token_does_what_its_user_may_at_most_and_ends_with_him() {
    let mut home = Home::new();
    home.order(add("root2", Role::Administrator), &owner()).expect("nobody is called so");
    home.order(add("anna", Role::Administrator), &owner()).expect("nobody is called so");
    let anna = person("anna", Role::Administrator);
    let made = home.order(token_for("ci", Role::Approver, 1), &anna).expect("her role is enough");
    assert_eq!((&made["works"], &made["by"]), (&true.into(), &"anna".into()));
    assert!(!made.to_string().contains(token::new([1; 32]).1.expose()));
    assert_eq!(code_of(home.order(token_for("CI", Role::Viewer, 2), &anna)), 8);
    assert_eq!(holder(&mut home, 1).expect("it works")["person"], serde_json::json!(person("anna", Role::Approver)));
    home.order(role("anna", Role::Viewer), &owner()).expect("there is another administrator");
    assert_eq!(holder(&mut home, 1).expect("it works")["person"], serde_json::json!(person("anna", Role::Viewer)));
    assert_eq!(code_of(home.order(token_for("more", Role::Approver, 3), &anna)), 77, "she is a viewer now");
    home.order(active("anna", false), &owner()).expect("there is another administrator");
    assert_eq!(code_of(holder(&mut home, 1)), 77);

    home.order(token_for("own", Role::Administrator, 4), &owner()).expect("the machine's owner");
    assert_eq!(holder(&mut home, 4).expect("it works")["person"]["name"], "root");
    home.order(Order::RevokeToken { name: "own".to_owned() }, &owner()).expect("it works");
    assert_eq!(code_of(home.order(Order::RevokeToken { name: "own".to_owned() }, &owner())), 3);
    assert_eq!(code_of(holder(&mut home, 4)), 77);
    home.order(token_for("own", Role::Viewer, 5), &owner()).expect("the name is free");
    home.now += TimeDelta::days(1);
    assert_eq!(code_of(holder(&mut home, 5)), 77, "it has expired");
    assert_eq!(code_of(home.order(token_for("late", Role::Viewer, 6), &owner())), 65);
    home.start();
    let verified = home.agent().store().verify().expect("the state follows from the journal");
    assert!(verified.rows > 0);
}

#[test]
fn a_token_of_a_lesser_role_sets_not_even_its_makers_password() {
    let mut home = Home::new();
    home.order(add("anna", Role::Administrator), &owner()).expect("nobody is called so");
    for role in [Role::Viewer, Role::Reviewer, Role::Approver] {
        let refused = home.order(set("anna", "mine from now on", None), &person("anna", role));
        assert_eq!(code_of(refused), 77, "{role}");
    }
    home.order(set("anna", "mine from now on", None), &person("anna", Role::Administrator)).expect("her own");
    home.order(add("ben", Role::Viewer), &owner()).expect("nobody is called so");
    home.order(set("ben", "mine from now on", None), &person("ben", Role::Viewer)).expect("his own");
}

#[test]
fn each_other_password_and_disabling_changes_the_lock_and_another_role_does_not() {
    let mut home = Home::new();
    home.order(add("anna", Role::Viewer), &owner()).expect("nobody is called so");
    let lock = |home: &mut Home| {
        let known = home.ask(&Query::Knock(Knock::SignIn { name: " Anna".to_owned() })).expect("always answered");
        known["lock"].as_u64().expect("a number, also for a name in capitals")
    };
    let mut locks = vec![lock(&mut home)];
    home.order(set("anna", "another four words", None), &owner()).expect("an administrator's");
    locks.push(lock(&mut home));
    home.order(active("anna", false), &owner()).expect("she is active");
    home.order(active("anna", true), &owner()).expect("she is not");
    locks.push(lock(&mut home));
    home.order(role("anna", Role::Approver), &owner()).expect("she is a viewer");
    locks.push(lock(&mut home));
    assert_eq!(locks, [0, 1, 2, 2]);
}

#[test]
fn a_password_or_token_in_clear_never_gets_in() {
    let mut home = Home::new();
    let clear = |password: Option<&str>, invitation: Option<&str>| Order::AddUser {
        name: "anna".to_owned(),
        role: Role::Viewer,
        password: password.map(SecretHash::new),
        invitation: invitation.map(SecretHash::new),
    };
    for order in [clear(Some("four words make one"), None), clear(None, Some("a code")), clear(None, None)] {
        let refused = home.order(order, &owner()).expect_err("no hash");
        assert!([2, 65].contains(&refused.code) && !refused.why.contains("four words"), "{refused}");
    }
    assert_eq!(home.ask(&Query::Users {}).expect("users")["users"], serde_json::json!([]));
}

#[test]
fn while_nobody_is_known_a_file_holds_the_first_administrators_link() {
    let mut home = Home::new();
    let path = home.folder.path().join("state/first-sign-in");
    let hour = Hour::at(home.now);
    let first = home.agent().first_sign_in(hour).expect("the folder is ours").expect("nobody is known");
    let link = first.link.expose_secret().to_owned();
    assert_eq!(std::fs::read_to_string(&path).expect("it was written"), format!("{link}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
    home.start();
    let again = home.agent().first_sign_in(hour).expect("the folder is ours").expect("nobody is known");
    assert_eq!(again.link.expose_secret(), link, "a restart keeps the link");
    // A kill after the file and before the journal: a link that nobody recorded is replaced.
    std::fs::write(&path, "http://127.0.0.1:8420/welcome/made-up\n").expect("the folder is ours");
    home.now += TimeDelta::hours(1);
    home.start();
    let hour = Hour::at(home.now);
    let healed = home.agent().first_sign_in(hour).expect("the folder is ours").expect("nobody is known");
    let code = healed.link.expose_secret().rsplit('/').next().expect("a code").to_owned();
    assert_ne!(code, "made-up");
    let hash = token::hash_of(&code);
    let invited = home.ask(&Query::Knock(Knock::Invitation { hash: hash.clone() })).expect("the link holds");
    let admin: Person = serde_json::from_value(invited["person"].clone()).expect("a person");
    assert_eq!(admin.role, Role::Administrator);
    home.order(set(&admin.name, "four words make one", Some(hash)), &admin).expect("his own link");
    assert!(!path.exists(), "it was used");
    let hour = Hour::at(home.now);
    assert!(home.agent().first_sign_in(hour).expect("the folder is ours").is_none());
}

#[test]
fn the_first_link_is_withdrawn_when_somebody_else_is_made() {
    let mut home = Home::new();
    let hour = Hour::at(home.now);
    let first = home.agent().first_sign_in(hour).expect("the folder is ours").expect("nobody is known");
    let code = first.link.expose_secret().rsplit('/').next().expect("a code").to_owned();
    home.order(add("anna", Role::Administrator), &owner()).expect("nobody is called so");
    assert!(!first.file.exists());
    assert_eq!(code_of(home.ask(&Query::Knock(Knock::Invitation { hash: token::hash_of(&code) }))), 66);
    assert!(home.agent().first_sign_in(hour).expect("the folder is ours").is_none());
}
