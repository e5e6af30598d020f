//! The report page: what it shows, adjusting with a preview, acts and their refusals, a second person.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use tidegauge::agent::asked::WorkloadsAsked;
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query};
use tidegauge::domain::Points;
use tidegauge::simulation::world::{World, WorldPlan};

use super::visitor::{Page, Site, Visitor, at, between};
use super::{asked, looking, morning_of_the_first, open_report};

/// With a limit of 20 points for one person.
fn four_eyes() -> Site {
    let mut plan = WorldPlan::small(1, at("2026-08-20T09:30:00Z"), 40);
    let console = tidegauge::config::ConsoleSettings { four_eyes: Some(Points::whole(20)), ..Default::default() };
    plan.settings.console = Some(console);
    let mut world = World::new(plan);
    world.run_until(at("2026-10-01T08:00:00Z"));
    Site::of(world)
}

fn fresh() -> Site {
    Site::of(morning_of_the_first())
}

fn report_of(site: &Site) -> Value {
    let world = site.world.lock().expect("no test panics while it asks");
    world.ask(&Query::Report { unit: None, server: None, month: None }).expect("a report")
}

/// Unit, month and digest, as the page's forms carry them.
fn stated(site: &Site) -> [(&'static str, String); 3] {
    let report = report_of(site);
    let text = |field: &str| report[field].as_str().expect("text").to_owned();
    [("unit", text("unit")), ("month", text("month")), ("digest", text("digest"))]
}

/// The first workloads that may be taken out, by `server/id` and name.
fn removable(site: &Site, many: usize) -> Vec<(String, String)> {
    let world = site.world.lock().expect("no test panics while it asks");
    let rows = world.ask(&Query::Workloads(Box::<WorkloadsAsked>::default())).expect("a report")["workloads"].clone();
    let rows = rows.as_array().expect("rows").iter().filter(|row| row["can_be_removed"] == true);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let named = rows.map(|row| (format!("{}/{}", text(&row["server"]), text(&row["id"])), text(&row["name"])));
    named.take(many).collect()
}

fn sent(visitor: &Visitor, path: &str, stated: &[(&str, String)], more: &[(&str, &str)]) -> Page {
    let mut fields: Vec<(&str, &str)> = stated.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend(more);
    visitor.post(path, &fields)
}

/// The hidden fields and buttons of the form that goes to this address.
fn fields_of(html: &str, action: &str) -> Vec<(String, String)> {
    let form = between(html, &format!("action=\"{action}\""), "</form>");
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    const SIGNS: [(&str, &str); 5] = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    let unescaped = |text: &str| SIGNS.iter().fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign));
    let field = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"")?;
        Some((name.to_owned(), unescaped(rest.split_once('"')?.0)))
    };
    inputs.filter_map(field).collect()
}

fn sent_form(visitor: &Visitor, page: &Page, action: &str) -> Page {
    let fields = fields_of(&page.html, action);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.send(action, &fields)
}

#[test]
fn the_page_shows_totals_sums_days_workloads_and_what_happened() {
    let report = open_report();
    let page = looking("vera").get("/report?server=vbr01&month=2026-09");
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    let total = report["total_points_rounded"].as_str().expect("text");
    for said in [
        "Usage report of September 2026",
        &format!("Totals {total} points awaits review"),
        "Gate open",
        "If nobody acts, it is sent as it stands.",
        "Built: ",
        "the agent",
    ] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
    for name in ["By type", "By tenant", "By server", "Workloads", "Daily high watermarks"] {
        assert!(page.html.contains(&format!("<caption class=\"unseen\">{name}</caption>")), "no table {name}");
    }
    assert!(page.html.contains("role=\"img\""), "the days have a chart");
    for format in ["PDF", "HTML", "XLSX", "CSV", "JSON"] {
        assert!(page.html.contains(&format!("download>{format}</a>")), "no {format}");
    }
    assert!(page.html.len() < 300_000, "{} bytes", page.html.len());
}

#[test]
fn people_are_offered_what_their_role_allows() {
    let of = |name: &str| looking(name).get("/report").html;
    let offers = |name: &str| {
        let html = of(name);
        ["type=\"checkbox\"", ">Preview<", ">Postpone<", ">Evidence<", ">Send report<"].map(|said| html.contains(said))
    };
    assert_eq!(offers("vera"), [false; 5]);
    assert_eq!(offers("rolf"), [true, true, true, true, false]);
    assert_eq!(offers("anna"), [true; 5]);
}

#[test]
fn workloads_are_searched_narrowed_sorted_and_turned_page_by_page() {
    let vera = looking("vera");
    let all = asked(&Query::Workloads(Box::<WorkloadsAsked>::default()));
    let name = all["workloads"][0]["name"].as_str().expect("text");
    let found = vera.get(&format!("/report?search={}", name.to_uppercase()));
    assert!(found.words().contains("1 workload,"), "{}", found.words());
    let strange = vera.get("/report?search=%22%3E%3Cimg%20src%3Dx%3E");
    assert!(strange.words().contains("0 workloads, 0 points") && !strange.html.contains("<img"));
    let page = vera.get("/report");
    assert!(page.html.contains("aria-sort=\"ascending\"><a href=\"/report?"), "sorted by name unless it is said");
    let once = vera.get("/report?sort=points");
    assert!(once.html.contains("sort=points&#38;descending=true"), "a second click turns it round");
    assert!(vera.get("/report?sort=points&descending=true").html.contains("aria-sort=\"descending\""));
    assert_eq!(vera.get("/report?sort=colour").status, StatusCode::BAD_REQUEST);
    assert_eq!(vera.get("/report?month=2020-01").status, StatusCode::NOT_FOUND);
    assert_eq!(vera.get("/report?unit=nobody").status, StatusCode::NOT_FOUND);
}

#[test]
fn several_workloads_are_adjusted_after_their_effect_was_seen() {
    let site = fresh();
    let (rolf, before) = (site.signed_in("rolf"), report_of(&site));
    let chosen = removable(&site, 2);
    let picks: Vec<(&str, &str)> = chosen.iter().map(|(named, _)| ("pick", named.as_str())).collect();
    let reason = [("reason", "test machines <b>&amp;"), ("search", "vm")];
    let preview = sent(&rolf, "/report/preview", &stated(&site), &[picks, reason.to_vec()].concat());
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.html);
    let words = preview.words();
    let total = before["total_points"].as_str().expect("text");
    for said in ["Effect", &format!("Points {total}"), "Money no price book", "Gate open", "2 changes"] {
        assert!(words.contains(said), "the preview does not say '{said}': {words}");
    }
    for (_, name) in &chosen {
        assert!(words.contains(name.as_str()), "{name} is not named: {words}");
    }
    assert!(!words.contains("second person"));
    assert_eq!(report_of(&site)["digest"], before["digest"], "a preview changes nothing");

    let saved = sent_form(&rolf, &preview, "/report/adjust");
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.html);
    let after = report_of(&site);
    let page = rolf.get(saved.onward());
    let said = format!("Adjusted: from {total} to {} points.", after["total_points"].as_str().expect("text"));
    assert!(page.words().contains(&said), "{}", page.words());
    assert!(page.words().contains("rolf Adjusted: 2 workloads taken out test machines"), "{}", page.words());
    assert_eq!(after["adjustments"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["adjustments"][0]["by"], "user:rolf");
    assert_eq!(after["adjustments"][0]["reason"], "test machines <b>&amp;");
}

#[test]
fn without_a_reason_nothing_happens_and_what_was_chosen_stays() {
    let site = fresh();
    let rolf = site.signed_in("rolf");
    let chosen = removable(&site, 1);
    let page = sent(&rolf, "/report/preview", &stated(&site), &[("pick", &chosen[0].0), ("reason", "  ")]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(between(&page.html, "role=\"alert\">", "<").contains("reason"), "{}", page.words());
    assert!(page.html.contains(&format!("aria-label=\"Select {}\" checked", chosen[0].1)), "the choice is lost");
    let page = sent(&rolf, "/report/preview", &stated(&site), &[("reason", "nothing at all")]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains(">nothing at all</textarea>"), "what was typed is lost");
}

#[test]
fn of_two_who_look_at_one_report_the_second_sees_what_the_first_changed() {
    let site = fresh();
    let (rolf, anna) = (site.signed_in("rolf"), site.signed_in("anna"));
    let (seen, chosen) = (stated(&site), removable(&site, 2));
    let save = |visitor: &Visitor, at: usize| {
        sent(visitor, "/report/adjust", &seen, &[("pick", &chosen[at].0), ("reason", "a test machine")])
    };
    assert_eq!(save(&anna, 0).status, StatusCode::SEE_OTHER);
    let after = report_of(&site);
    let second = save(&rolf, 1);
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert!(second.words().contains("was changed meanwhile"), "{}", second.words());
    let total = after["total_points_rounded"].as_str().expect("text");
    assert!(second.words().contains(&format!("Totals {total} points")), "the newest is shown");
    assert_eq!(report_of(&site)["digest"], after["digest"]);
}

#[test]
fn a_reset_shows_what_it_takes_back_first() {
    let site = fresh();
    let rolf = site.signed_in("rolf");
    let (before, chosen) = (report_of(&site), removable(&site, 1));
    sent(&rolf, "/report/adjust", &stated(&site), &[("pick", &chosen[0].0), ("reason", "a test machine")]);
    assert!(rolf.get("/report").html.contains(">Reset</button>"));
    let page = rolf.get("/report/reset?month=2026-09");
    let total = before["total_points"].as_str().expect("text");
    assert!(page.words().contains(&chosen[0].1) && page.words().contains(total), "{}", page.words());
    let done = sent_form(&rolf, &page, "/report/reset-now");
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.html);
    assert!(rolf.get(done.onward()).words().contains("Reset: every adjustment was taken back."));
    assert_eq!(report_of(&site)["total_points"], before["total_points"]);
    assert!(!rolf.get("/report").html.contains(">Reset</button>"));
}

#[test]
fn a_report_is_postponed_until_a_minute_of_the_consoles_time_zone() {
    let site = fresh();
    let rolf = site.signed_in("rolf");
    let done = sent(&rolf, "/report/postpone", &stated(&site), &[("until", "2026-10-03T12:00")]);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.html);
    assert_eq!(
        (&report_of(&site)["stage"], &report_of(&site)["until"]),
        (&json!("postponed"), &json!("2026-10-03T12:00:00Z"))
    );
    assert!(rolf.get(done.onward()).words().contains("Postponed until 2026-10-03 12:00 GMT"));
    assert!(!rolf.get("/").html.contains("<dialog"), "the window is closed until then");
    let late = sent(&rolf, "/report/postpone", &stated(&site), &[("until", "2027-01-01T00:00")]);
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    let strange = sent(&rolf, "/report/postpone", &stated(&site), &[("until", "tomorrow")]);
    assert_eq!(strange.status, StatusCode::UNPROCESSABLE_ENTITY);
    let from_window = sent(&rolf, "/report/postpone", &stated(&site)[..2], &[("to", "/")]);
    assert_eq!((from_window.status, from_window.onward()), (StatusCode::SEE_OTHER, "/"));
}

#[test]
fn a_report_is_sent_once_after_its_number_was_seen_and_then_only_corrected() {
    let site = fresh();
    let anna = site.signed_in("anna");
    let page = anna.get("/report/send?month=2026-09");
    let total = report_of(&site)["total_points_rounded"].as_str().expect("text").to_owned();
    assert!(page.words().contains(&format!("What will be sent {total} points")), "{}", page.words());
    assert!(page.words().contains("Gate open"), "{}", page.words());
    let done = sent_form(&anna, &page, "/report/send-now");
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.html);
    let after = anna.get(done.onward());
    assert!(after.words().contains(&format!("Sent: {total} points.")), "{}", after.words());
    for gone in [">Preview<", ">Reset<", ">Postpone<", ">Send report<", "type=\"checkbox\""] {
        assert!(!after.html.contains(gone), "{gone} of a sent report");
    }
    assert!(after.html.contains(">Correct report</button>"));
    assert_eq!(sent_form(&anna, &page, "/report/send-now").status, StatusCode::CONFLICT);

    let entered = sent(&anna, "/report/mark", &stated(&site), &[("portal", "Pulse"), ("document", "D-1")]);
    assert!(anna.get(entered.onward()).words().contains("Pulse D-1"));
    let empty = sent(&anna, "/report/correct", &stated(&site), &[("reason", "")]);
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let corrected = sent(&anna, "/report/correct", &stated(&site), &[("reason", "a server was missing")]);
    let page = anna.get(corrected.onward());
    assert!(page.words().contains("Revision 2 is begun and awaits review."), "{}", page.words());
    assert!(page.words().contains("Correction begun, revision 2"), "{}", page.words());
    let older = anna.get("/report?revision=1");
    assert!(older.words().contains("submitted"), "the revision before stands");
    assert!(older.words().contains("those of the newest revision") && !older.html.contains("/reports/2026-09.pdf"));
    assert!(page.html.contains("/reports/2026-09.pdf"));
}

#[test]
fn what_lowers_a_report_by_more_than_the_limit_waits_for_a_second_person() {
    let site = four_eyes();
    let (anna, bert, rolf) = (site.signed_in("anna"), site.signed_in("bert"), site.signed_in("rolf"));
    let (before, chosen) = (report_of(&site), removable(&site, 4));
    let picks: Vec<(&str, &str)> = chosen.iter().map(|(named, _)| ("pick", named.as_str())).collect();
    let propose = |visitor: &Visitor, reason: &str| {
        let preview =
            sent(visitor, "/report/preview", &stated(&site), &[picks.clone(), vec![("reason", reason)]].concat());
        assert!(preview.words().contains("until a second person approves it"), "{}", preview.words());
        let saved = sent_form(visitor, &preview, "/report/adjust");
        visitor.get(saved.onward())
    };
    let hers = propose(&anna, "a cluster was retired");
    assert!(hers.words().contains("waits for a second person"), "{}", hers.words());
    assert_eq!(report_of(&site)["digest"], before["digest"], "a proposal changes nothing");
    assert!(!hers.html.contains(">Approve</button>") && hers.html.contains(">Take back</button>"));
    assert!(anna.get("/report/send").words().contains("1 proposed adjustment waits"));
    assert!(!rolf.get("/report").html.contains(">Approve</button>"));

    let his = bert.get("/report");
    assert!(his.words().contains("a cluster was retired") && his.words().contains(&chosen[0].1), "{}", his.words());
    let approved = sent_form(&bert, &his, "/report/approve");
    assert_eq!(approved.status, StatusCode::SEE_OTHER, "{}", approved.html);
    assert_ne!(report_of(&site)["digest"], before["digest"]);
    assert!(bert.get(approved.onward()).words().contains("approved by bert"), "the history names both");
    assert_eq!(sent_form(&bert, &his, "/report/approve").status, StatusCode::CONFLICT, "it is decided");
    assert_eq!(sent(&rolf, "/report/approve", &stated(&site), &[("proposal", "x")]).status, StatusCode::FORBIDDEN);

    let again = removable(&site, 4);
    let target = Target::default();
    let reason = "one more".to_owned();
    let workloads = again.iter().map(|(named, _)| named.clone()).collect();
    let order = Order::Adjust {
        target,
        adjustments: vec![tidegauge::domain::adjustment::AdjustmentOrder::Remove { workloads, reason }],
    };
    let anna_herself = tidegauge::domain::people::Person::ours("anna", tidegauge::domain::people::Role::Approver);
    site.world.lock().expect("no test panics while it orders").order_as(order, &anna_herself).expect("a proposal");
    let rejected = sent_form(&bert, &bert.get("/report"), "/report/reject");
    assert!(bert.get(rejected.onward()).words().contains("Rejected: the report stays as it is."));
}

#[test]
fn evidence_is_downloaded_by_reviewers() {
    let path = format!("/report/evidence?unit={}&month=2026-09", open_report()["unit"].as_str().expect("an id"));
    let file = looking("rolf").get(&path);
    assert_eq!(file.headers[header::CONTENT_TYPE], "application/zip");
    assert_eq!(file.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"2026-09-evidence.zip\"");
    assert!(file.html.starts_with("PK"));
    assert_eq!(looking("vera").get(&path).status, StatusCode::FORBIDDEN);
}

#[test]
fn machines_that_may_be_the_same_have_a_page_of_their_own() {
    let page = looking("vera").get("/report/duplicates?month=2026-09");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.words().contains("None were found in the samples behind this report."), "{}", page.words());
}
