//! Who a verified person is here, and what is not taken from a provider's word.

use serde_json::{Value, json};
use tidegauge::ask::Setback;
use tidegauge::domain::people::{Person, Role};
use tidegauge::people::openid::{Claims, NotAdmitted, OpenId};

use super::provider::Says;
use super::tokens::{Key, claims};
use super::{party, signed_in};

/// The claims of a token with some changed; `null` takes one away.
fn told(changes: &Value, userinfo: Value) -> Result<Claims, Setback> {
    signed_in(Says { userinfo, ..Says::default() }, |nonce| {
        let mut claims = claims(nonce);
        let all = claims.as_object_mut().expect("claims");
        for (name, value) in changes.as_object().expect("changes") {
            all.insert(name.clone(), value.clone());
        }
        all.retain(|_, value| !value.is_null());
        Key::OURS.signed(&claims)
    })
}

fn admitted(party: &OpenId, changes: &Value) -> Result<Person, NotAdmitted> {
    party.admitted(&told(changes, json!({"sub": "248289761001"})).expect("a good sign-in"))
}

fn alice(role: Role) -> Result<Person, NotAdmitted> {
    Ok(Person::guest("alice", role))
}

#[test]
fn somebody_gets_the_highest_role_of_the_groups() {
    for (groups, role) in [
        (json!(["everybody", "tidegauge-admins"]), Role::Administrator),
        (json!(["everybody"]), Role::Viewer),
        (json!("tidegauge-admins"), Role::Administrator),
        (json!([1, null, "everybody"]), Role::Viewer),
    ] {
        assert_eq!(admitted(&party(), &json!({"groups": groups})), alice(role), "{groups}");
    }
}

#[test]
fn nobody_without_a_mapped_group_is_let_in() {
    let no_role = Err(NotAdmitted::NoRole { name: "alice".to_owned(), claim: "groups".to_owned() });
    for groups in [json!([]), json!(["Tidegauge-Admins"]), json!("everybody tidegauge-admins"), json!({"everybody": 1})]
    {
        assert_eq!(admitted(&party(), &json!({"groups": groups})), no_role, "{groups}");
    }
    assert_eq!(admitted(&party(), &json!({"groups": null})), no_role);
}

#[test]
fn a_claim_inside_another_is_found_by_its_path() {
    let party = OpenId { role_claim: "realm_access.roles".to_owned(), ..party() };
    let inside = json!({"realm_access": {"roles": ["everybody"]}});
    assert_eq!(admitted(&party, &inside), alice(Role::Viewer));
    let party = OpenId { role_claim: "https://example.net/roles".to_owned(), ..party };
    assert_eq!(admitted(&party, &json!({"https://example.net/roles": ["everybody"]})), alice(Role::Viewer));
}

#[test]
fn a_name_that_is_none_here_is_refused() {
    for name in ["", " ", "a b", "alice\nroot", "-x", "älice", &"x".repeat(65)] {
        let refused = admitted(&party(), &json!({"preferred_username": name}));
        assert_eq!(refused, Err(NotAdmitted::OddName { claim: "preferred_username".to_owned() }), "{name:?}");
    }
    let missing = admitted(&party(), &json!({"preferred_username": null}));
    assert_eq!(missing, Err(NotAdmitted::NoName { claim: "preferred_username".to_owned() }));
}

#[test]
fn a_mail_address_is_a_name_once_the_provider_has_verified_it() {
    let party = OpenId { name_claim: "email".to_owned(), ..party() };
    let named = |more: Value| admitted(&party, &json!({"email": "Bob@example.net", "email_verified": more}));
    assert_eq!(named(json!(true)).map(|person| person.name), Ok("bob@example.net".to_owned()));
    for doubt in [json!(false), json!("false"), json!(null)] {
        assert_eq!(named(doubt), Err(NotAdmitted::UnverifiedMail));
    }
}

#[test]
fn what_the_token_leaves_out_is_asked_for() {
    let says = |subject: &str| json!({"sub": subject, "groups": ["everybody"], "preferred_username": "mallory"});
    let found = told(&json!({"groups": null}), says("248289761001")).expect("a good sign-in");
    assert_eq!(party().admitted(&found), alice(Role::Viewer), "what is signed stands");
    let other = told(&json!({"groups": null}), says("1")).expect_err("of another subject");
    assert_eq!(other.why(), "the sign-in provider: what it says of the subject is of another subject or not its");
}
