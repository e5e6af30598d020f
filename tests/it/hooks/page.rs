//! `docs/WEBHOOKS.md`: its tables are what the program sends.

use std::fmt::Write;
use std::path::PathBuf;

use tidegauge::channels::cloud_events::{BATCH_MAX, SCHEMA, TYPE};
use tidegauge::channels::hook_answer::PAUSES;
use tidegauge::channels::webhook_types::TYPES;

use super::events::event;

/// Set to write the page anew after a message changed on purpose.
const UPDATE: &str = "UPDATE_EXPECT";

fn types() -> String {
    let mut table = "| type | sent when | `data` beside `id` and `unit` |\n|---|---|---|\n".to_owned();
    for row in TYPES {
        let fields: Vec<String> = row.fields.iter().map(|field| format!("`{}`", field.replace('.', "_"))).collect();
        let _ = writeln!(table, "| `{}` | {} | {} |", row.event, row.when, fields.join(", "));
    }
    table
}

fn pauses() -> String {
    let spelled = |minutes: i64| if minutes < 60 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
    PAUSES.iter().map(|pause| spelled(pause.num_minutes())).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let example = event(Some("Tenant A"), 2, Some("44")).to_json(&uuid::Uuid::nil());
    format!(
        "# Webhooks and usage events\n\n\
         The tables and the example of this page are written by a test from what the program sends.\n\n\
         ## Webhooks\n\n\
         By the [Standard Webhooks](https://www.standardwebhooks.com) specification 1.0.0; verify with one of its libraries.\n\
         `webhook-id` is the id of the news, the same on every try and on `webhook replay`: drop by it what you have.\n\
         `webhook-timestamp` is the hour of the try. `webhook-signature` holds one `v1,` HMAC-SHA256 for each secret of the\n\
         settings, separated by spaces: to replace a secret, add the new one, teach it to the endpoint, then take the old one out.\n\n\
         The body is `{{\"type\", \"timestamp\", \"data\"}}`; `timestamp` is when it happened. It is thin: ids, month, points as\n\
         decimal strings; `server` is the name that the settings, or a console of theirs, give a backup server. Fields without a value are null, fields may be\n\
         added. Names of workloads, tenants and people never stand in it: ask the agent (`report show --json`).\n\n{}\n\
         `webhook.test` is what `webhook test NAME` sends.\n\n\
         ### What answers do\n\n\
         * 2xx within 20 seconds: taken. The body of an answer is not read.\n\
         * 410: the endpoint wants no more. Nothing waits for it or is queued for it until its settings change; `status` says so.\n\
         * 429, 502, 503, 504: all its messages wait as `Retry-After` says, up to a day; without it 5 minutes.\n\
         * Anything else, redirects too, and no answer: tried again after {}, and chance adds up to 5 minutes to the long ones.\n\
         \u{20} The specification's 5 seconds are one minute: the agent plans in whole minutes. After the 10th try the message is\n\
         \u{20} given up, `status` says so, and `webhook replay` sends it again.\n\n\
         Messages to one endpoint go one at a time, in the order in which things happened; one that waits for its next try lets\n\
         the others pass. `webhook log` shows every try.\n\n\
         ### Where messages may go\n\n\
         To `https://` and to addresses of the public internet only, looked at after the name was resolved and used for that very\n\
         connection; no proxy is used. `allow_private = true` lifts both for one endpoint.\n\n\
         ## Usage events\n\n\
         A `[[usage_sink]]` is sent CloudEvents 1.0 in JSON, up to {BATCH_MAX} in a batch or one by one (`mode`), of type\n\
         `{TYPE}` with `{SCHEMA}`: one for each tenant, server and workload type and each month, or day.\n\n\
         ```json\n{example:#}\n```\n\n\
         `id` is a UUIDv5 of tenant, server, type, period and revision: the same on every try and after every restart, so a sink\n\
         that drops by (`source`, `id`) counts each once. `subject` is the tenant; a provider's own machines have none.\n\n\
         * `period = \"month\"`: what the report says when it is submitted, or entered in a portal where nothing is submitted. A\n\
         \u{20} correction is a further revision with its own ids; it names the points before and the difference, and a line that it no\n\
         \u{20} longer has comes with 0 points.\n\
         * `period = \"day\"`: what stands at the end of the day, GMT, by each server's newest sample of that day, sent at 01:00. A\n\
         \u{20} server without a sample that day has no event. Later samples change the month, not the day.\n\n\
         Spans are sent in order until they are taken, with the pauses above, at last once a day; after an outage, and to a sink\n\
         that is added, the last 31 days or the months that ended in the last 100 days. Older ones that were owed are passed over, and\n\
         the log says which (`usage.passed_over`). What was sent before a break inside one span comes again with the same ids.\n",
        types(),
        pauses(),
    )
}

#[test]
fn the_page_about_webhooks_says_what_is_sent() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/WEBHOOKS.md");
    let page = page();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &page).expect("the clone can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/WEBHOOKS.md is not what is sent; run with {UPDATE}=1");
}
