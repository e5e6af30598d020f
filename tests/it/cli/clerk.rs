//! The billing clerk's other files: FOCUS, an accounting program's profile, the supplier's invoice.

use super::{Ran, Shell};

const PRICES: &str = "currency = \"EUR\"\nrounding = \"line\"\nno_tenant = \"House\"\n\
                      [focus]\nprovider = \"Example Provider\"\npublisher = \"Maker\"\nbilling_account_id = \"4711\"\n\
                      [[price]]\nvalid_from = 2025-01-01\nper_point = \"1.15\"\ncost_per_point = \"0.60\"\n\
                      [[tenant]]\nname = \"Tenant A\"\ncustomer_number = \"10042\"\n";

/// October's report (3 machines of the house, 20 points of Tenant A), a price book, and settings with this beside it.
fn with(settings: &str) -> (Shell, String) {
    let shell = Shell::with_report();
    let prices = shell.file("prices.toml", PRICES);
    let config = shell.file("billed.toml", &format!("[billing]\nprice_book = \"{prices}\"\n{settings}"));
    (shell, config)
}

fn export(shell: &Shell, config: &str, format: &str, out: &str) -> Ran {
    let out = shell.path(out).display().to_string();
    shell.run(&["billing", "export", "--month", "2025-10", "--format", format, "--out", &out, "--config", config])
}

fn reconcile(shell: &Shell, config: &str, text: &str, more: &[&str]) -> Ran {
    let file = shell.file("supplier.csv", text);
    let words = ["billing", "reconcile", "--supplier-invoice", &file, "--month", "2025-10", "--config", config];
    shell.run(&[words.as_slice(), more].concat())
}

#[test]
fn focus_is_one_csv_and_needs_to_know_who_sells() {
    let (shell, config) = with("");
    let ran = export(&shell, &config, "focus", "focus.csv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = std::fs::read_to_string(shell.path("focus.csv")).expect("written");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("37.95,4711,,EUR,2025-10-01T00:00:00Z"), "{text}");
    let bare = shell.file(
        "bare-prices.toml",
        &PRICES
            .replace("[focus]", "[[tenant]]\nname = \"X\"\n#")
            .replace("provider", "#")
            .replace("publisher", "#")
            .replace("billing_account_id", "#"),
    );
    let bare = shell.file("bare.toml", &format!("[billing]\nprice_book = \"{bare}\"\n"));
    let ran = export(&shell, &bare, "focus", "refused.csv");
    assert_eq!((ran.code, ran.err.lines().count()), (78, 1), "{}", ran.err);
    assert!(ran.err.contains("add [focus]") && !shell.path("refused.csv").exists(), "{}", ran.err);
    let ran = export(&shell, &shell.file("none.toml", ""), "focus", "refused.csv");
    assert!(ran.code == 78 && ran.err.contains("price_book"), "{}", ran.err);
}

#[test]
fn a_profile_of_the_settings_is_a_format() {
    let profile = "[[billing.profile]]\nname = \"accounts\"\ndelimiter = \";\"\ndecimal = \",\"\nencoding = \"windows-1252\"\n\
                   columns = [{ name = \"Debtor\", value = \"{customer_number}\" }, { name = \"Net\", value = \"{amount}\" }]\n";
    let (shell, config) = with(profile);
    let ran = export(&shell, &config, "accounts", "import.txt");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        std::fs::read_to_string(shell.path("import.txt")).expect("written"),
        "Debtor;Net\r\n;37,95\r\n10042;23,00\r\n"
    );
    let documents = shell.run(&["billing", "documents", "--config", &config]);
    assert_eq!(documents.code, 0, "{}", documents.err);
    let ran = export(&shell, &config, "acounts", "refused.csv");
    assert!(ran.code == 2 && ran.err.contains("known are lines, focus, statements, accounts"), "{}", ran.err);
    let broken = shell.file("broken.toml", &profile.replace("{amount}", "{amuont}"));
    let ran = shell.run(&["config", "check", "--config", &broken]);
    assert!(ran.code == 78 && ran.err.contains("did you mean {amount}?"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_supplier_who_agrees_gives_0_and_one_who_does_not_gives_8_with_each_difference() {
    let (shell, config) = with("");
    let ran = reconcile(&shell, &config, "type,points,amount\nVM,33,19.80\nCloudConnectVM,20,12.00\n", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for words in
        ["no document of 2025-10 was issued", "report revision 1 of vbr01 is awaiting review", "equal: 2025-10 EUR"]
    {
        assert!(ran.out.contains(words), "'{words}' is not in:\n{}", ran.out);
    }
    let wrong = "type,points,amount\nVM,44,26.40\nCloudConnectVM,20,12.00\n";
    let ran = reconcile(&shell, &config, wrong, &[]);
    assert_eq!((ran.code, ran.err.lines().count()), (8, 1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("supplier +11 to report") && ran.out.contains("supplier +6.60 to lines"), "{}", ran.out);
    let ran = reconcile(&shell, &config, wrong, &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON before the refusal");
    assert_eq!((ran.code, &found["schema"], &found["equal"]), (8, &"tidegauge.reconciliation/1".into(), &false.into()));
    let row = found["rows"].as_array().expect("rows").iter().find(|row| row["type"] == "VM").expect("the type");
    assert_eq!((&row["tenant"], &row["differences"][0]["by"]), (&serde_json::Value::Null, &"11".into()));
    let ran = reconcile(&shell, &config, wrong, &["--tolerance", "6.60"]);
    assert!(ran.code == 8 && !ran.out.contains("to lines"), "points still differ: {}", ran.out);
}

#[test]
fn an_invoice_is_not_set_beside_documents_of_another_currency() {
    let (shell, config) = with("");
    let entered = ["report", "mark-external", "--month", "2025-10", "--portal", "Pulse", "--document", "U-1"];
    let ran = shell.run(&[entered.as_slice(), &["--config", &config]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let out = shell.path("lines.csv").display().to_string();
    let issue = ["billing", "export", "--month", "2025-10", "--format", "lines", "--final", "--out", &out];
    let ran = shell.run(&[issue.as_slice(), &["--config", &config]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let agreed = "type,points,amount\nVM,33,19.80\nCloudConnectVM,20,12.00\n";
    let ran = reconcile(&shell, &config, agreed, &[]);
    assert!(ran.code == 0 && ran.out.contains("equal: 2025-10 EUR"), "{}{}", ran.out, ran.err);
    shell.file("prices.toml", &PRICES.replace("EUR", "USD"));
    let ran = reconcile(&shell, &config, agreed, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (78, ""), "{}", ran.err);
    assert!(ran.err.contains("were issued in EUR, and the price book is in USD"), "{}", ran.err);
}

#[test]
fn a_bad_invoice_is_65_with_file_line_and_column() {
    let (shell, config) = with("[billing.supplier]\namount = \"Net\"\n");
    for (text, words) in [
        ("type,Net\nVM,a lot\n", "line 2, column 'Net': 'a lot' is no plain number"),
        ("type,amount\nVM,1\n", "has no column 'Net', which [billing.supplier] amount names"),
    ] {
        let ran = reconcile(&shell, &config, text, &[]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (65, "", 1), "{}", ran.err);
        assert!(ran.err.contains("supplier.csv") && ran.err.contains(words), "{}", ran.err);
    }
    std::fs::write(shell.path("latin.csv"), b"type,Net\nVM\xFC,1\n").expect("a file");
    let latin = shell.path("latin.csv").display().to_string();
    let words = ["billing", "reconcile", "--supplier-invoice", &latin, "--month", "2025-10", "--config", &config];
    assert_eq!(shell.run(&words).code, 65);
    assert_eq!(shell.run(&[words.as_slice(), &["--tolerance", "-1"]].concat()).code, 2);
}
