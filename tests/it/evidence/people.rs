//! Hashes of passwords and tokens stay at home; who approved goes along.

use secrecy::{ExposeSecret, SecretString};
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::people::Role;
use tidegauge::people::{password, token};

use super::*;

#[test]
fn an_archive_holds_no_hash_of_a_password_token_or_link_and_its_chain_is_whole() {
    let (mut world, _) = world(5);
    world.run_until(at("2026-02-02T10:00:00Z"));
    let secret = password::hash(&SecretString::from("four words make one"), [7; 16]);
    let (_, code) = token::code([1; 32]);
    let (token, of_token) = token::new([2; 32]);
    let anna = |password, invitation| Order::AddUser {
        name: "anna".to_owned(),
        role: Role::Administrator,
        password,
        invitation,
    };
    world.order(anna(Some(secret.clone()), None), "mia").expect("nobody is called so");
    let invite = Order::ChangeUser {
        name: "anna".to_owned(),
        role: None,
        active: None,
        password: None,
        invitation: Some(code.clone()),
    };
    world.order(invite, "mia").expect("she is there");
    let add =
        Order::AddToken { name: "billing".to_owned(), role: Role::Viewer, expires_at: None, hash: of_token.clone() };
    world.order(add, "anna").expect("her role is enough");
    adjust(&mut world);
    world.run_until(at("2026-02-12T12:00:00Z"));

    let archive = exported(&world);
    assert_eq!(failing(&archive), Vec::<String>::new());
    let files = files(&archive);
    let lines = String::from_utf8(files["journal/slice.jsonl"].clone()).expect("lines of JSON");
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let by_anna = told.iter().find(|line| line["actor"] == "user:anna").expect("her entry is a link of the chain");
    assert!(by_anna["payload"].is_null() && by_anna["facts"].is_null(), "{by_anna}");
    let mut all: Vec<u8> = files.values().flatten().copied().collect();
    // Payloads are squeezed inside base64; their facts beside them are not.
    all.extend_from_slice(lines.as_bytes());
    let holds = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("user:anna"));
    for hash in [secret.expose(), code.expose(), of_token.expose(), token.expose_secret()] {
        assert!(!holds(hash), "{hash}");
    }
    world.agent().store().verify().expect("the state follows from the journal");
}

#[test]
fn an_adjustment_that_took_two_people_was_recorded_by_the_second() {
    let mut plan = WorldPlan::small(6, at("2026-01-20T09:30:00Z"), 6).from_files();
    plan.settings.console.get_or_insert_default().four_eyes = Some(tidegauge::domain::Points::ZERO);
    let (mut world, _) = world_of(plan);
    world.run_until(at("2026-02-02T10:00:00Z"));
    let counted = report(&world).workloads.into_iter().find(|workload| workload.counted).expect("a counted machine");
    let removal = AdjustmentOrder::Remove { workloads: vec![counted.id], reason: "a test machine".to_owned() };
    let order = Order::Adjust { target: january(), adjustments: vec![removal] };
    let proposed = world.order(order, "mia").expect("an open report");
    let proposal = proposed["id"].as_str().expect("it is proposed").to_owned();
    world.order(Order::Approve { target: january(), proposal }, "ben").expect("another person");
    world.run_until(at("2026-02-12T12:00:00Z"));
    let archive = exported(&world);
    assert_eq!(failing(&archive), Vec::<String>::new(), "{}", findings(&archive));
    assert!(findings(&archive).contains("holds report r1: adjustments"), "{}", findings(&archive));
}
