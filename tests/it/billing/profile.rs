//! Files for accounting programs: columns, signs, dates, encodings, and what they refuse.

use tidegauge::billing::export::Content;
use tidegauge::billing::invoice::Invoice;
use tidegauge::billing::profile::{DateForm, Header, NotATemplate, Profile, ProfileColumn, Template, placeholders};
use tidegauge::document::delimited::{DecimalSign, Delimiter, Dialect, Encoding};
use tidegauge::formats::delimited;

use super::documents::draw_up;
use super::*;

const CONTINENTAL: Dialect =
    Dialect { delimiter: Delimiter::Semicolon, decimal: DecimalSign::Comma, encoding: Encoding::Windows1252 };

fn profile(dialect: Dialect, columns: &[(&str, &str)]) -> Profile {
    let column = |(name, value): &(&str, &str)| ProfileColumn {
        name: (*name).to_owned(),
        value: Template::parse(value).expect("a good template"),
    };
    Profile {
        name: "accounts".to_owned(),
        dialect,
        dates: DateForm::DotsDayFirst,
        header: Header::Names,
        columns: columns.iter().map(column).collect(),
    }
}

fn written(profile: &Profile, invoice: &Invoice) -> Result<Vec<u8>, String> {
    let Content::Fields(fields) = profile.sheet(invoice).content else { panic!("fields, not pages") };
    delimited::write(&fields).map_err(|why| why.to_string())
}

fn october(tenants: &[&str]) -> Invoice {
    let book = euros(
        "[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\nminimum = \"40\"\n[[tenant]]\nname = \"Müller; Söhne\"\n\
         customer_number = \"10042\"\n",
    );
    let lines = tenants.iter().map(|tenant| vms(tenant, 2)).collect();
    draw_up(&book, &[report("unit", 1, lines)], &[]).expect("a document")
}

#[test]
fn a_profile_writes_its_columns_with_its_own_signs() {
    let columns = [
        ("Debitor", "{customer_number}"),
        ("Name", "{tenant}"),
        ("Text", "Backup {month}: {quantity} à {unit_price} {{netto}}"),
        ("Menge", "{quantity}"),
        ("Preis", "{unit_price}"),
        ("Betrag", "{amount}"),
        ("Von", "{period_from}"),
        ("Bis", "{period_to}"),
        ("Leer", ""),
    ];
    let bytes = written(&profile(CONTINENTAL, &columns), &october(&["Müller; Söhne"])).expect("Western signs");
    let (text, _, wrong) = encoding_rs::WINDOWS_1252.decode(&bytes);
    assert!(!wrong && !bytes.starts_with(b"\xEF\xBB\xBF"));
    assert_eq!(
        text,
        "Debitor;Name;Text;Menge;Preis;Betrag;Von;Bis;Leer\r\n\
         10042;\"Müller; Söhne\";Backup 2026-10: 22 à 1,50 {netto};22;1,50;33,00;01.10.2026;31.10.2026;\r\n\
         10042;\"Müller; Söhne\";Backup 2026-10: 1 à 7,00 {netto};1;7,00;7,00;01.10.2026;31.10.2026;\r\n"
    );
}

#[test]
fn a_name_is_never_run_as_a_formula_nor_written_as_something_else() {
    let columns = [("Name", "{tenant}"), ("Text", "{tenant} of {month}"), ("Amount", "{amount}")];
    let mut plain = profile(Dialect::PLAIN, &columns);
    let text = String::from_utf8(written(&plain, &october(&["=1+1"])).expect("UTF-8")).expect("text");
    assert!(text.starts_with("Name,Text,Amount\r\n'=1+1,'=1+1 of 2026-10,33.00\r\n"), "{text}");
    plain.header = Header::Nothing;
    plain.dialect.encoding = Encoding::Utf8Bom;
    let text = String::from_utf8(written(&plain, &october(&["Řehoř"])).expect("UTF-8")).expect("text");
    assert!(text.starts_with("\u{feff}Řehoř,Řehoř of 2026-10,33.00\r\n"), "{text}");
    let refused = written(&profile(CONTINENTAL, &columns), &october(&["Řehoř"]));
    assert!(
        refused.as_ref().is_err_and(|why| why.contains("'Řehoř' cannot be written in windows-1252")),
        "{refused:?}"
    );
}

#[test]
fn every_placeholder_can_be_used_and_a_wrong_one_names_the_nearest() {
    let invoice = october(&["A"]);
    for name in placeholders() {
        let one = profile(Dialect::PLAIN, &[("X", &format!("{{{name}}}"))]);
        assert_eq!(written(&one, &invoice).expect("UTF-8").iter().filter(|byte| **byte == b'\n').count(), 3, "{name}");
    }
    let nearest = |text: &str| Template::parse(text).expect_err("a wrong template");
    assert_eq!(nearest("{tenat}"), NotATemplate::Unknown { name: "tenat".to_owned(), nearest: Some("tenant") });
    assert_eq!(nearest("{ammount}"), NotATemplate::Unknown { name: "ammount".to_owned(), nearest: Some("amount") });
    for text in ["{tenant", "tenant}", "{", "}", "{{}", "{}}"] {
        assert!(Template::parse(text).is_err(), "{text}");
    }
}
