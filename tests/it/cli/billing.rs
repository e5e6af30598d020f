//! `billing export` and `billing documents`: files, drafts, documents, corrections, refusals.

use std::path::Path;

use serde_json::{Value, json};

use super::{Shell, is_private, names, snapshot};

const PRICES: &str = "currency = \"EUR\"\nrounding = \"line\"\ntax_note = \"plus VAT\"\nno_tenant = \"House\"\n\
                      [[price]]\nvalid_from = 2025-01-01\nper_point = \"1.15\"\ncost_per_point = \"0.60\"\n\
                      [[tenant]]\nname = \"Tenant A\"\ncustomer_number = \"10042\"\n[[tenant.price]]\n\
                      valid_from = 2025-01-01\nminimum = \"40\"\n";

/// October's report and a price book; the second is the argument that names the settings.
fn with_prices() -> (Shell, String) {
    let shell = Shell::with_report();
    let prices = shell.file("prices.toml", PRICES);
    let config = shell.file("billed.toml", &format!("[billing]\nprice_book = \"{prices}\"\n"));
    (shell, config)
}

fn run(shell: &Shell, config: &str, line: &str, out: &str) -> super::Ran {
    let out = shell.path(out).display().to_string();
    let mut words: Vec<&str> = line.split(' ').collect();
    words.extend(["--out", &out, "--config", config]);
    shell.run(&words)
}

fn check(shell: &Shell, config: &str, line: &str, code: u8, words: &str) {
    let ran = run(shell, config, line, "refused.csv");
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
    assert!(ran.err.contains(words) && ran.err.lines().count() == 1, "{line}: {}", ran.err);
    assert!(!shell.path("refused.csv").exists(), "{line} writes nothing");
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read(path).expect("the file was written");
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let heads = reader.headers().expect("a header").clone();
    let row =
        |record: csv::StringRecord| heads.iter().zip(record.iter()).map(|(k, v)| (k.to_owned(), json!(v))).collect();
    reader.records().map(|record| Value::Object(row(record.expect("a record")))).collect()
}

#[test]
fn a_draft_says_so_and_its_lines_are_the_reports() {
    let (shell, config) = with_prices();
    let ran = run(&shell, &config, "billing export --month 2025-10 --format lines", "october.csv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for words in [
        "document 2025-10/1 draft",
        "provisional, not to be billed: report revision 1 of vbr01 is awaiting review",
        "Tenant A",
        "10042",
        "total in EUR",
        "77.95",
        "plus VAT",
        "october.csv",
    ] {
        assert!(ran.out.contains(words), "'{words}' is not in:\n{}", ran.out);
    }
    assert!(is_private(&shell.path("october.csv")));
    let rows = rows(&shell.path("october.csv"));
    let of = |field: &str| -> Vec<&str> { rows.iter().map(|row| row[field].as_str().unwrap_or_default()).collect() };
    assert_eq!(of("tenant"), ["House", "Tenant A", "Tenant A"]);
    assert_eq!(of("charge"), ["usage", "usage", "minimum"]);
    assert_eq!(of("amount"), ["37.95", "23.00", "17.00"]);
    assert_eq!(of("cost"), ["19.80", "12.00", "0.00"]);
    assert_eq!(of("status"), ["draft"; 3]);
    assert_eq!(of("report_lines")[..2], ["1", "2"]);
    let report = shell.json(&["report", "show", "--month", "2025-10"]);
    assert_eq!(of("report_id")[0], report["id"].as_str().expect("an id"));
}

#[test]
fn json_holds_the_same_lines_with_their_workloads_and_repeats_byte_for_byte() {
    let (shell, config) = with_prices();
    for out in ["one.json", "other.json"] {
        let ran = run(&shell, &config, "billing export --format lines", out);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let text = std::fs::read_to_string(shell.path("one.json")).expect("written");
    assert_eq!(text, std::fs::read_to_string(shell.path("other.json")).expect("written"));
    let invoice: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(invoice["schema"], "tidegauge.invoice-lines/1");
    let line = &invoice["lines"][0];
    for field in
        ["id", "tenant", "charge", "unit", "server", "type", "weight", "per", "unit_price", "above", "workloads"]
    {
        assert!(names(line).contains(&field), "{field} is not in {line:#}");
    }
    assert_eq!(line["source"]["workloads"], json!(["vbr01-machine-1", "vbr01-machine-2", "vbr01-machine-3"]));
    assert_eq!(
        (&line["points"], &line["unit_price"], &line["amount"]),
        (&json!("33"), &json!("1.15"), &json!("37.95"))
    );
    let out = shell.path("as-csv").display().to_string();
    let shown =
        shell.json(&["billing", "export", "--format", "lines", "--as", "csv", "--out", &out, "--config", &config]);
    assert_eq!(shown["files"].as_array().map(Vec::len), Some(1));
    assert!(!names(&shown["files"][0]).contains(&"base64"), "bytes stand in the file");
}

#[test]
fn statements_are_a_pdf_and_a_csv_for_each_tenant_without_what_the_supplier_asks() {
    let (shell, config) = with_prices();
    let ran = run(&shell, &config, "billing export --month 2025-10 --format statements", "statements");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut files: Vec<String> = std::fs::read_dir(shell.path("statements"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    files.sort();
    let begins: Vec<&str> = files.iter().map(|name| name.rsplit_once('-').map_or("", |(begin, _)| begin)).collect();
    assert_eq!(
        begins,
        ["2025-10-1-draft-House"; 2].iter().chain(&["2025-10-1-draft-Tenant-A"; 2]).copied().collect::<Vec<_>>()
    );
    let csv = files.iter().find(|name| name.contains("Tenant-A") && name.ends_with(".csv")).expect("a CSV");
    let rows = rows(&shell.path("statements").join(csv));
    assert!(
        rows.iter().all(|row| row["tenant"] == "Tenant A" && row.get("cost").is_none() && row.get("margin").is_none())
    );
    let pdf = files.iter().find(|name| name.ends_with(".pdf")).expect("a PDF");
    let bytes = std::fs::read(shell.path("statements").join(pdf)).expect("readable");
    assert!(bytes.starts_with(b"%PDF-") && is_private(&shell.path("statements").join(pdf)));
}

#[test]
fn an_issued_document_stays_as_it_is_and_a_correction_holds_the_differences() {
    let (shell, config) = with_prices();
    check(&shell, &config, "billing export --final --format lines", 8, "report revision 1 of vbr01 is awaiting review");
    let mark = ["report", "mark-external", "--portal", "Pulse", "--document", "4711"];
    assert_eq!(shell.run(&mark).code, 0);
    let ran = run(&shell, &config, "billing export --final --format lines", "first.csv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("document 2025-10/1, issued 2025-11-15 10:00 by user:clerk"), "{}", ran.out);
    let first = std::fs::read(shell.path("first.csv")).expect("written");

    shell.clock.pass(60);
    let remove = ["report", "adjust", "--remove", "sql01", "--reason", "a test machine"];
    let refused = shell.run(&remove);
    assert!(refused.code == 8 && refused.err.contains("`report correct --month 2025-10"), "{}", refused.err);
    assert_eq!(shell.run(&["report", "correct", "--reason", "a test machine"]).code, 0);
    assert_eq!(shell.run(&remove).code, 0);
    let same = run(&shell, &config, "billing export --final --format lines", "same.csv");
    assert_eq!(same.code, 0, "the correction was entered nowhere: {}", same.err);
    assert_eq!(std::fs::read(shell.path("same.csv")).expect("written"), first);
    let ran = run(&shell, &config, "billing export --format lines", "draft.csv");
    assert!(ran.out.contains("document 2025-10/2 draft") && ran.out.contains("corrects 2025-10/1"), "{}", ran.out);
    shell.clock.pass(60);
    assert_eq!(shell.run(&mark).code, 0, "entered there too");
    let ran = run(&shell, &config, "billing export --final --format lines", "second.csv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let second = rows(&shell.path("second.csv"));
    let before = rows(&shell.path("first.csv"));
    assert_eq!(second.len(), 1, "only what changed");
    assert_eq!((&second[0]["workloads"], &second[0]["amount"]), (&json!("-1"), &json!("-12.65")));
    assert_eq!(
        (&second[0]["corrects_document"], &second[0]["corrects_line"]),
        (&json!("2025-10/1"), &before[0]["line_id"])
    );

    for (line, out, same_as) in [
        ("billing export --document 1 --format lines", "again.csv", &first),
        (
            "billing export --final --format lines",
            "repeat.csv",
            &std::fs::read(shell.path("second.csv")).expect("written"),
        ),
        ("billing export --format lines", "plain.csv", &std::fs::read(shell.path("second.csv")).expect("written")),
    ] {
        let ran = run(&shell, &config, line, out);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(&std::fs::read(shell.path(out)).expect("written"), same_as, "{line}");
    }
    let documents = shell.json(&["billing", "documents"]);
    let numbers: Vec<&Value> =
        documents["documents"].as_array().expect("a list").iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, ["2025-10/1", "2025-10/2"]);
    let shown = shell.run(&["billing", "documents", "--month", "2025-10"]).out;
    assert!(shown.contains("-12.65") && shown.contains("user:clerk"), "{shown}");
    assert_eq!(shell.run(&["store", "verify"]).code, 0, "documents are replayed from the journal");
}

#[test]
fn an_export_of_one_unit_is_its_usage_alone() {
    let (shell, config) = with_prices();
    let other = shell.file("other.json", &snapshot("vbr02", "2025-10-31T23:00:00Z", 1).to_string());
    assert_eq!(shell.run(&["sample", "import", &other]).code, 0);
    let build = ["report", "generate", "--month", "2025-10", "--server", "vbr02", "--now", "2025-11-01T00:00:00Z"];
    assert_eq!(shell.run(&build).code, 0);
    let all = run(&shell, &config, "billing export --format lines", "all.csv");
    assert!(all.out.contains("total in EUR"), "{}{}", all.out, all.err);
    let servers =
        |name: &str| -> Vec<Value> { rows(&shell.path(name)).iter().map(|row| row["server"].clone()).collect() };
    assert_eq!(servers("all.csv"), ["vbr01", "vbr02", "vbr01", "vbr02"], "46 EUR are above the minimum of 40");
    let one = run(&shell, &config, "billing export --format lines --server vbr02", "one.csv");
    assert!(one.out.contains("only usage of unit"), "{}{}", one.out, one.err);
    assert_eq!(servers("one.csv"), ["vbr02", "vbr02"]);
}

#[test]
fn what_cannot_be_exported_is_refused_in_one_line() {
    let (shell, config) = with_prices();
    check(&shell, &config, "billing export --format invoices", 2, "known are lines, focus, statements");
    check(&shell, &config, "billing export --format lines --as pdf", 2, "csv or json");
    check(&shell, &config, "billing export --format lines --month 2025-09", 66, "no report of 2025-09");
    check(&shell, &config, "billing export --format lines --document 3", 66, "2025-10/3");
    check(&shell, &config, "billing export --format lines --final --now 2025-11-01", 2, "--now");
    let bare = shell.file("bare.toml", "");
    check(&shell, &bare, "billing export --format lines", 78, "price_book");
    let wrong = shell.file("wrong-prices.toml", "currency = \"EUR\"\nrounding = \"line\"\n");
    let wrong = shell.file("wrong.toml", &format!("[billing]\nprice_book = \"{wrong}\"\n"));
    check(&shell, &wrong, "billing export --format lines", 78, "wrong-prices.toml");
    let later = shell.file("later-prices.toml", &PRICES.replace("2025-01-01", "2026-01-01"));
    let later = shell.file("later.toml", &format!("[billing]\nprice_book = \"{later}\"\n"));
    check(&shell, &later, "billing export --format lines", 78, "no price for 2025-10");
}

#[test]
fn billing_files_under_pseudonyms_have_the_money_and_no_name() {
    let (shell, config) = with_prices();
    let [plain, under] = ["plain.csv", "under.csv"].map(|name| shell.path(name));
    assert_eq!(run(&shell, &config, "billing export --format lines", "plain.csv").code, 0);
    let ran = run(&shell, &config, "billing export --format lines --pseudonyms", "under.csv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("names are pseudonyms") && !ran.out.contains("Tenant A"), "{}", ran.out);
    let amounts = |path: &Path| rows(path).iter().map(|row| row["amount"].clone()).collect::<Vec<_>>();
    assert_eq!(amounts(&under), amounts(&plain));
    let text = std::fs::read_to_string(&under).expect("the file");
    for name in ["Tenant A", "House", "10042", "vbr01,"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
    assert!(rows(&under)[0]["pseudonyms_of"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    let table = shell.json(&["report", "pseudonyms", "--config", &config]);
    let names = table["names"].as_array().expect("rows");
    let tenant = names.iter().find(|row| row["name"] == "House").expect("who pays without a tenant is in it");
    assert!(text.contains(tenant["pseudonym"].as_str().expect("a pseudonym")));
}
