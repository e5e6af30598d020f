//! Names from outside on pages: text, and nothing that a browser runs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;
use tidegauge::domain::people::Person;

use crate::console::OPEN_REPORT;
use crate::console::visitor::{Answering, Site, Visitor};
use crate::tidy::source::files_below;

/// Ends a tag, an attribute in either quotes, and a script; speaks to templates; turns the direction.
const HOSTILE: &str = "zq</script><zq onzq='1' \"onzq=\"2\">{{zq}}\u{202e}javascript:zq";
/// Fields of the agent's answers that hold what servers and people wrote.
const FOREIGN: [&str; 14] = [
    "name",
    "tenant",
    "licensed_to",
    "product",
    "edition",
    "package",
    "support_id",
    "platform",
    "job",
    "why",
    "note",
    "words",
    "message",
    "company",
];
/// Most pages that are looked at.
const PAGES_MAX: usize = 80;

/// The answer with every text of those fields replaced.
fn hostile(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let is_foreign = FOREIGN.contains(&name.as_str()) && value.is_string();
                *value = if is_foreign { HOSTILE.into() } else { hostile(value.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = hostile(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    answer
}

/// Links of a page to other pages of the console.
fn links(html: &str) -> BTreeSet<String> {
    let found = html.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = found.filter(|link| link.starts_with('/') && !link.ends_with(".css") && !link.contains("/reports/"));
    own.map(|link| link.replace("&#38;", "&").replace("&amp;", "&").split('#').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn no_page_of_the_console_runs_what_a_server_or_a_person_wrote() {
    let answering: Answering = Arc::new(|query, person: Person| {
        OPEN_REPORT.world.lock().expect("no test panics while it asks").ask_as(&query, &person).map(hostile)
    });
    let anna = Visitor::signed_in(&Site::answering(answering), "anna");
    let (mut seen, mut waiting) = (BTreeSet::new(), VecDeque::from(["/".to_owned()]));
    let mut shown = 0;
    while let Some(path) = waiting.pop_front().filter(|_| seen.len() < PAGES_MAX) {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = anna.get(&path);
        assert!(page.status != StatusCode::INTERNAL_SERVER_ERROR || !page.html.is_empty(), "{path}");
        for forbidden in ["<zq", "</script><", "onzq='", "onzq=\"", "href=\"javascript", "src=\"javascript"] {
            assert!(!page.html.contains(forbidden), "{path} holds {forbidden} of a foreign name");
        }
        shown += usize::from(page.html.contains("&lt;zq") || page.html.contains("&#60;zq"));
        waiting.extend(links(&page.html).into_iter().filter(|link| !seen.contains(link)));
    }
    assert!(seen.len() > 8 && shown > 4, "{shown} of {} pages show foreign names: {seen:?}", seen.len());
}

#[test]
fn what_templates_write_unescaped_is_drawn_by_the_program_alone() {
    let mut found = BTreeSet::new();
    for file in files_below("templates") {
        for line in file.text.lines().filter(|line| line.contains("|safe") || line.contains("| safe")) {
            let expression =
                line.split("{{").filter(|part| part.contains("safe")).filter_map(|part| part.split("}}").next());
            found.extend(expression.map(|expression| format!("{}: {}", file.path, expression.trim())));
        }
        assert!(!file.text.contains("escape none") && !file.text.contains("autoescape"), "{}", file.path);
    }
    let drawn = [
        "templates/console/api.html: reference|safe",
        "templates/console/overview.html: chart|safe",
        "templates/console/report.html: chart|safe",
        "templates/console/usage.html: chart|safe",
        "templates/report/page.html: charts::watermark_chart(chart)|safe",
    ];
    assert_eq!(
        found,
        drawn.map(str::to_owned).into(),
        "each of these was looked at; look at another before it is added"
    );
}
