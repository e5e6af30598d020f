//! The license's page: auto update goes on with its consent alone.

use axum::http::StatusCode;
use tidegauge::agent::Query;

use super::morning_of_the_first;
use super::visitor::Site;

#[test]
fn auto_update_goes_on_only_with_the_consent_to_its_words() {
    let site = Site::of(morning_of_the_first());
    let anna = site.signed_in("anna");
    let is_on = || {
        let query = Query::License { unit: None, server: None };
        site.world.lock().expect("no panic").ask(&query).expect("a license")["auto_update"] == true
    };
    let off = anna.post("/license/auto-update", &[("on", "false")]);
    assert!(off.onward().starts_with("/license") && !is_on(), "{}", off.html);
    let without = anna.post("/license/auto-update", &[("on", "true")]);
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.html.contains("role=\"alert\"") && without.html.contains("name=\"consent\""), "{}", without.html);
    assert!(!is_on());
    let with = anna.post("/license/auto-update", &[("on", "true"), ("consent", "yes")]);
    assert!(with.onward().starts_with("/license") && is_on(), "{}", with.html);
}
