//! `docs/LICENSE.md`: its tables are what the rules do.

use std::fmt::Write;
use std::path::PathBuf;

use tidegauge::rules::consent::{Machines, words};
use tidegauge::rules::eligibility::Ineligible;
use tidegauge::rules::license_results::{
    Consequence, INVALID_TO_DO, LICENSE_RESULTS, LicenseOutcome, Pause, ResultRow, Telling,
};
use tidegauge::rules::renewal::window;

use super::renewal::WINDOWS;

/// Set to write the page anew after a rule changed on purpose.
const UPDATE: &str = "UPDATE_EXPECT";

fn follows(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::Install => "the key is verified and installed",
        Consequence::Keep => "next regular check",
        Consequence::RetryAfter(Pause::Hour) => "again after 60 minutes",
        Consequence::RetryAfter(Pause::Day) => "again after 24 hours",
        Consequence::AwaitOrder => "not asked again until a person orders it",
        Consequence::SwitchOff => "auto update off at once",
    }
}

fn result_row(row: &ResultRow) -> String {
    let told = match row.telling {
        Telling::Notice => "yes",
        Telling::HistoryOnly => "history only",
    };
    let ResultRow { message, outcome, consequence, to_do, .. } = row;
    let (number, name) = (outcome.number(), outcome.name());
    format!("| `{message}` | {number} {name} | {} | {told} | {to_do} |\n", follows(*consequence))
}

fn results() -> String {
    let mut table = "| message | result | what follows | mail | what to do |\n|---|---|---|---|---|\n".to_owned();
    LICENSE_RESULTS.iter().for_each(|row| table.push_str(&result_row(row)));
    let (number, name) = (LicenseOutcome::InvalidAnswer.number(), LicenseOutcome::InvalidAnswer.name());
    let again = follows(Consequence::RetryAfter(Pause::Hour));
    let for_a_person = follows(Consequence::RetryAfter(Pause::Day));
    let _ = writeln!(
        table,
        "| no answer, or any other | {number} {name} | {again}; {for_a_person} where a person is needed, as for a wrong password | \
         yes | {INVALID_TO_DO} |"
    );
    table
}

fn windows() -> String {
    let mut table =
        "| anchor A | days N | asked through A + N | off at 00:00 GMT of | grace through |\n|---|---|---|---|---|\n"
            .to_owned();
    for (anchor, ..) in WINDOWS {
        let window = window(anchor.parse().ok(), None).expect("every row has a date");
        let off_on = window.off_at().date_naive();
        let grace = window.grace_ends_on.expect("the license expires");
        let _ = writeln!(table, "| {anchor} | {} | {} | {off_on} | {grace} |", window.days, window.ends_on);
    }
    table
}

fn page() -> String {
    let reasons: String = Ineligible::ALL.iter().map(|reason| format!("* {reason}.\n")).collect();
    format!(
        "# License auto update\n\n\
         The tables of this page are written by a test from the rules that the agent obeys.\n\n\
         ## Consent\n\n\
         Off by default; `tidegauge license auto-update on` shows and records these words with time and user:\n\n\
         > {}\n\n\
         Enterprise Manager's setting (`em_auto_update`) wins in both directions.\n\n\
         ## Which keys are not renewed automatically\n\n{reasons}\n\
         `license show` and `status` say which holds; `license update` asks all the same when a person orders it. A revoked \
         key is not asked for by the schedule: only its issuer can take that back, and asking again changes nothing.\n\n\
         ## When it is asked\n\n\
         At once after switching on, then weekly, daily from seven days before A = the earlier of license and support \
         expiration. A failed check comes again after its pause and up to five minutes more. The retry window ends with day \
         A + N, N being the days of A's own month; then auto update switches itself off, and reporting is manual: no \
         telemetry, nothing sent by itself, reminders to the manual deadline. It is switched on again when a later key is \
         installed, not before. `tidegauge license window --expires DAY` prints \
         any row.\n\n{}\n\
         A license that expires on 2026-03-31 with support to 2026-02-20 has A = 2026-02-20 and is asked for through \
         2026-03-20.\n\n\
         ## What the answer means\n\n\
         An unknown answer is an invalid answer, kept word for word. The same message is mailed once a day, and the first \
         check that ends well after a failure once.\n\n{}\n\
         ## Which key is installed\n\n\
         One signed by the License Update Server of the enrolment, for the same license, contract, installations, licensee, \
         Support ID, type, product, edition and Cloud Connect flag. Points and support date may go up or down; the package \
         changes only with `policy.allow_package_change`. A key never goes back: its serial grows, and its expiration is later, \
         or equal as when only the points change. The journal has the key first and `licenses/UNIT.tglicense` after it: until then \
         the old one is in force and on disk, and a start finishes what a crash cut short.\n",
        words(Machines::Unnamed),
        windows(),
        results(),
    )
}

#[test]
fn the_page_about_licenses_says_what_the_rules_do() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/LICENSE.md");
    let page = page();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().expect("docs")).expect("the clone can be written");
        std::fs::write(&path, &page).expect("the clone can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/LICENSE.md is not what the rules do; run with {UPDATE}=1");
}
