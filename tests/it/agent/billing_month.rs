//! The billing page: a month's sums, what is missing, and files that come back as bytes.

use super::*;
use base64::Engine;
use tidegauge::agent::asked::BillingFileAsked;
use tidegauge::agent::orders::{BillingWish, WhichInvoice};
use tidegauge::domain::pseudonym::Names;

const BOOK: &str = "currency = \"EUR\"\nrounding = \"line\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n\
                    cost_per_point = \"0.6\"\n[[tenant]]\nname = \"A\"\ncustomer_number = \"K-7\"\n";

fn billed(book: Option<&str>) -> World {
    let mut plan = plan_of("2026-11-02T09:00:00Z");
    plan.settings.price_book = book.map(|_| "prices.toml".into());
    let mut world = World::new(plan);
    if let Some(book) = book {
        let disk = world.disk.clone().expect("a world has a disk");
        tidegauge::doors::Files::write(&disk, std::path::Path::new("prices.toml"), book.as_bytes()).unwrap();
    }
    let of = |id: &str, tenant: &str| with(vm(id), json!({"tenant": tenant}));
    import(&mut world, &[of_vbr01("2026-10-31T23:58:00Z", &[of("a1", "A"), of("a2", "A"), of("b1", "B")])]).unwrap();
    generate(&mut world, "2026-10");
    world
}

fn month(world: &World) -> Value {
    world.ask(&Query::BillingMonth { month: None }).expect("a month")
}

fn file(world: &World, asked: BillingFileAsked) -> Result<(Value, Vec<u8>), Refused> {
    let file = world.ask(&Query::BillingFile(Box::new(asked)))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(file["base64"].as_str().expect("a text"));
    Ok((file, bytes.expect("base64")))
}

fn asked(format: &str) -> BillingFileAsked {
    BillingFileAsked { format: format.to_owned(), ..BillingFileAsked::default() }
}

#[test]
fn a_month_has_each_tenants_sums_and_what_keeps_it_from_being_issued() {
    let mut world = billed(Some(BOOK));
    let shown = month(&world);
    let tenants = shown["tenants"].as_array().expect("tenants").iter();
    let tenants: Vec<_> = tenants
        .map(|one| {
            json!([one["tenant"], one["customer_number"], one["points"], one["amount"], one["cost"], one["margin"]])
        })
        .collect();
    assert_eq!(
        tenants,
        [json!(["A", "K-7", "22", "22.00", "13.20", "8.80"]), json!(["B", null, "11", "11.00", "6.60", "4.40"])]
    );
    assert_eq!((&shown["total"]["amount"], &shown["currency"]), (&json!("33.00"), &json!("EUR")));
    assert_eq!((&shown["next"]["document"], &shown["missing"]), (&json!("2026-10/1 draft"), &json!([])));
    assert!(shown["not_final"][0].as_str().is_some_and(|why| why.contains("awaiting review")), "{shown:#}");

    let (portal, document) = ("Pulse".to_owned(), "4711".to_owned());
    world.order(Order::MarkExternal { target: Target::default(), portal, document }, "mia").unwrap();
    let out = "/etc/tidegauge/stolen.csv".to_owned();
    let wish = BillingWish {
        format: "lines".to_owned(),
        out,
        ending: None,
        which: WhichInvoice::Issue,
        names: Names::default(),
        seen: None,
    };
    let issued = world.order(Order::ExportBilling { target: Target::default(), wish }, "mia").expect("it is final");
    assert_eq!(issued["files"].as_array().map(Vec::len), Some(1), "the bytes are in the answer");
    let disk = world.disk.clone().expect("a world has a disk");
    let there = tidegauge::doors::Files::read(&disk, std::path::Path::new("/etc/tidegauge/stolen.csv"));
    assert_eq!(there.expect("a disk"), None, "a path of the wish is an ending and nothing else");

    let shown = month(&world);
    assert_eq!((&shown["next"], &shown["issued_amount"]), (&Value::Null, &json!("33.00")));
    assert_eq!(shown["documents"][0]["number"], "2026-10/1");
    assert_eq!(
        (&shown["tenants"][0]["documents"], &shown["tenants"][0]["in_next"]),
        (&json!([1]), &json!(false)),
        "where a tenant's statement is"
    );
    assert_eq!(
        (&shown["tenants"][0]["issued_amount"], &shown["tenants"][0]["open_amount"]),
        (&json!("22.00"), &json!("0"))
    );
}

#[test]
fn without_a_price_book_a_month_says_so_and_shows_what_is_known() {
    for (book, why) in [(None, "there is no price book"), (Some("currency = 7\n"), "prices.toml")] {
        let shown = month(&billed(book));
        assert!(shown["missing"][0].as_str().is_some_and(|missing| missing.contains(why)), "{shown:#}");
        assert_eq!((&shown["tenants"], shown["reports"].as_array().map(Vec::len)), (&json!([]), Some(1)));
    }
    let refused = billed(None).ask(&Query::BillingFile(Box::new(asked("lines")))).unwrap_err();
    assert_eq!(refused.code, 78);
}

#[test]
fn a_file_is_downloaded_as_bytes_and_nothing_is_recorded() {
    let world = billed(Some(BOOK));
    let before = world.agent().store().head();
    let (lines, bytes) = file(&world, asked("lines")).expect("a draft");
    assert_eq!(
        (&lines["media_type"], &lines["document"]),
        (&json!("text/csv; charset=utf-8"), &json!("2026-10/1 draft"))
    );
    assert!(String::from_utf8(bytes).expect("a text").contains("22.00"));
    let one = BillingFileAsked { tenant: Some("A".to_owned()), ending: Some("csv".to_owned()), ..asked("statements") };
    let (statement, _) = file(&world, one).expect("a statement");
    assert!(
        statement["name"].as_str().is_some_and(|name| name.contains("-A-") && name.ends_with(".csv")),
        "{statement}"
    );
    let all = BillingFileAsked { ending: Some("csv".to_owned()), ..asked("statements") };
    let (packed, bytes) = file(&world, all).expect("all statements");
    assert_eq!((&packed["name"], &packed["media_type"]), (&json!("2026-10-statements.zip"), &json!("application/zip")));
    assert!(bytes.starts_with(b"PK"));
    for (wrong, code) in [
        (BillingFileAsked { tenant: Some("nobody".to_owned()), ..asked("statements") }, 66),
        (BillingFileAsked { tenant: Some("A".to_owned()), ..asked("lines") }, 2),
        (BillingFileAsked { document: Some(1), ..asked("lines") }, 66),
        (asked("poetry"), 2),
    ] {
        assert_eq!(file(&world, wrong.clone()).unwrap_err().code, code, "{wrong:?}");
    }
    assert_eq!(world.agent().store().head(), before, "a question changes nothing");
}
