//! The page of money: statements, documents, and the supplier's invoice beside them.

use std::path::Path;
use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use serde_json::Value;
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query};
use tidegauge::doors::Files;
use tidegauge::simulation::world::{World, WorldPlan};

use super::OPEN_REPORT;
use super::visitor::{Site, at, between};

const BOOK: &str = "currency = \"EUR\"\nrounding = \"line\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\n\
                    cost_per_point = \"0.6\"\n";

/// The morning of 1 October with a price book; the report of September is open.
static PRICED: LazyLock<Site> = LazyLock::new(priced);

fn priced() -> Site {
    let mut plan = WorldPlan::small(1, at("2026-08-20T09:30:00Z"), 40);
    plan.settings.price_book = Some("prices.toml".into());
    let mut world = World::new(plan);
    let disk = world.disk.clone().expect("a world has a disk");
    disk.write(Path::new("prices.toml"), BOOK.as_bytes()).expect("it takes files");
    world.run_until(at("2026-10-01T08:00:00Z"));
    Site::of(world)
}

fn month(site: &Site) -> Value {
    let query = Query::BillingMonth { month: "2026-09".parse().ok() };
    site.world.lock().expect("no test panics while it asks").ask(&query).expect("a month")
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_else(|| panic!("{of} is no text"))
}

fn link<'a>(html: &'a str, begin: &str) -> Option<&'a str> {
    html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).find(|link| link.starts_with(begin))
}

#[test]
fn without_a_price_book_the_page_says_so_and_what_to_do() {
    let vera = OPEN_REPORT.signed_in("vera");
    let words = vera.get("/billing").words();
    for said in ["Billing", "The month cannot be charged", "there is no price book; name one in the settings"] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
    let page = vera.post("/billing/reconcile", &[("month", "2026-09"), ("text", "type,quantity\nVM,<1>\n")]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(between(&page.html, "role=\"alert\">", "<").contains("price book"), "{}", page.html);
    assert!(page.html.contains("VM,&#60;1&#62;"), "what was pasted is kept");
}

#[test]
fn statements_stand_with_money_cost_and_margin_and_are_searched() {
    let shown = month(&PRICED);
    let vera = PRICED.signed_in("vera");
    let words = vera.get("/billing?month=2026-09").words();
    for tenant in shown["tenants"].as_array().expect("tenants") {
        let row = ["tenant", "workloads", "points", "amount", "cost", "margin", "issued_amount", "open_amount"];
        let row = row.map(|field| tenant[field].to_string().replace('"', "")).join(" ");
        assert!(words.contains(&row), "no row '{row}': {words}");
    }
    let total = &shown["total"];
    assert!(words.contains(&format!("Charged for September 2026 {} EUR", text(&total["amount"]))), "{words}");
    assert!(words.contains(&format!("Margin {} EUR", text(&total["margin"]))), "{words}");
    let none = vera.get("/billing?month=2026-09&search=nobody+at+all").words();
    assert!(none.contains("No tenant is called so"), "{none}");
}

#[test]
fn drafts_are_downloaded_by_reviewers_in_every_format_and_a_statement_for_each_tenant() {
    let rolf = PRICED.signed_in("rolf");
    let html = rolf.get("/billing?month=2026-09").html.replace("&#38;", "&");
    for format in ["lines&as=csv", "lines&as=json", "statements&as=pdf"] {
        let path = format!("/billing/file?month=2026-09&format={format}");
        assert!(html.contains(&format!("href=\"{path}\"")), "the page does not link {path}");
        let file = rolf.get(&path);
        assert_eq!(file.status, StatusCode::OK, "{path}: {}", file.html);
        let disposition = file.headers[header::CONTENT_DISPOSITION].to_str().expect("text");
        assert!(disposition.starts_with("attachment; filename=\"2026-09"), "{disposition}");
    }
    let links = html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let statement = links.into_iter().find(|link| link.contains("statements&as=csv&tenant=")).expect("a statement");
    assert!(rolf.get(statement).html.contains("draft"), "it says what it is");

    let vera = PRICED.signed_in("vera");
    assert_eq!(link(&vera.get("/billing?month=2026-09").html, "/billing/file"), None);
    let refused = vera.get("/billing/file?month=2026-09&format=lines&as=csv");
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.html);
    assert_eq!(rolf.get("/billing/file?month=2026-09&format=poetry").status, StatusCode::BAD_REQUEST);
    let unknown = rolf.get("/billing/file?month=2026-09&format=lines&as=csv&document=7");
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[test]
fn a_document_is_issued_after_it_was_seen_and_only_as_it_was_seen() {
    let site = priced();
    let (rolf, anna) = (site.signed_in("rolf"), site.signed_in("anna"));
    assert_eq!(link(&rolf.get("/billing?month=2026-09").html, "/billing/issue"), None);
    assert_eq!(rolf.get("/billing/issue?month=2026-09").status, StatusCode::FORBIDDEN);
    let early = anna.get("/billing/issue?month=2026-09");
    assert!(early.words().contains("Not yet:") && !early.html.contains("Issue now"), "{}", early.words());

    let target = Target { unit: None, server: None, month: "2026-09".parse().ok() };
    let (portal, document) = ("Pulse".to_owned(), "4711".to_owned());
    let entered = Order::MarkExternal { target, portal, document };
    for month in ["2026-08", "2026-09"] {
        let Order::MarkExternal { target, portal, document } = entered.clone() else { panic!("it is one") };
        let target = Target { month: month.parse().ok(), ..target };
        let order = Order::MarkExternal { target, portal, document };
        site.world.lock().expect("no test panics while it orders").order(order, "mia").expect("it is recorded");
    }
    let confirm = anna.get("/billing/issue?month=2026-09");
    assert!(confirm.words().contains("2026-09/1") && confirm.html.contains("Issue now"), "{}", confirm.words());
    let field = |name: &str| between(&confirm.html, &format!("name=\"{name}\" value=\""), "\"").to_owned();
    let content = field("content");
    let fields = |content: &'static str| [("month", "2026-09"), ("content", content)];
    assert_eq!(anna.post("/billing/issue", &fields("sha256:1")).status, StatusCode::CONFLICT, "another one was seen");
    assert_eq!(month(&site)["documents"], serde_json::json!([]), "nothing was issued");

    let seen = [("month", "2026-09"), ("content", &content)];
    assert_eq!(rolf.post("/billing/issue", &seen).status, StatusCode::FORBIDDEN);
    let issued = anna.post("/billing/issue", &seen);
    assert_eq!((issued.status, issued.onward()), (StatusCode::SEE_OTHER, "/billing?month=2026-09"));
    let page = anna.get("/billing?month=2026-09");
    let words = page.words();
    assert!(words.contains("Document 2026-09/1 is issued") && words.contains("Everything is issued"), "{words}");
    assert!(words.contains("by anna"), "{words}");
    assert_eq!(anna.post("/billing/issue", &seen).status, StatusCode::CONFLICT, "once");
    let file = "/billing/file?month=2026-09&format=lines&as=csv&document=1";
    assert!(page.html.replace("&#38;", "&").contains(file));
    assert_eq!(site.signed_in("vera").get(file).status, StatusCode::OK, "who sees all sees what was issued");
}

#[test]
fn a_suppliers_invoice_is_pasted_and_each_difference_is_named() {
    let vera = PRICED.signed_in("vera");
    let invoice = "type,quantity,amount\nVM,1,0.60\n";
    let page = vera.post("/billing/reconcile", &[("month", "2026-09"), ("text", invoice), ("file", "s.csv")]);
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let words = page.words();
    assert!(words.contains("different s.csv: invoice, report and lines of September 2026 differ"), "{words}");
    assert!(words.contains("less than the report") && words.contains("Supplier’s invoice 1"), "{words}");
    for (fields, said) in [
        ([("month", "2026-09"), ("text", "  "), ("tolerance", "0")], "there is no invoice"),
        ([("month", "2026-09"), ("text", invoice), ("tolerance", "-1")], "tolerance"),
        ([("month", "2026-09"), ("text", "a,b\n1,2\n"), ("tolerance", "0")], "as pasted"),
    ] {
        let page = vera.post("/billing/reconcile", &fields);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(between(&page.html, "role=\"alert\">", "<").contains(said), "{said}: {}", page.html);
    }
}

#[test]
fn the_rates_of_a_day_are_shown_with_their_sources() {
    let page = PRICED.signed_in("vera").get("/billing/rates?on=2026-09-30");
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    assert!(words.contains("vbr01 VM") && words.contains("Rows in force Product"), "{words}");
}
