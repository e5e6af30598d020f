//! `[billing]`: the price book, profiles of accounting programs, and how the supplier writes.

use crate::billing::export;
use crate::billing::profile::{
    COLUMNS_MAX, DATE_FORMS, DateForm, Header, NotATemplate, Profile, ProfileColumn, Template,
};
use crate::billing::supplier_invoice::{FIELDS, Reading};
use crate::document::delimited::{DECIMAL_SIGNS, DELIMITERS, DecimalSign, Delimiter, Dialect, ENCODINGS, Encoding};
use crate::domain::workload::WorkloadType;

use super::Settings;
use super::section::Section;
use super::tree::{Node, Origin, Table, Value};

/// Most profiles in one file.
const PROFILES_MAX: usize = 100;

pub(super) fn read(section: &mut Section<'_>, settings: &mut Settings) {
    settings.price_book = section.path("price_book");
    settings.billing_profiles = profiles(section);
    settings.supplier = section.inside("supplier", supplier).unwrap_or_default();
}

fn profiles(section: &mut Section<'_>) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for (table, origin) in tables(section, "profile", PROFILES_MAX, "write [[billing.profile]] with two brackets") {
        let place = match table.get("name").map(|node| &node.value) {
            Some(Value::Text(name)) => format!("billing profile {name}"),
            _ => "[[billing.profile]]".to_owned(),
        };
        let Some(profile) = section.within(&place, table, origin.clone(), profile) else { continue };
        if profiles.iter().any(|other| other.name == profile.name) {
            section.refuse(origin, format!("two billing profiles are called {}", profile.name), "rename one of them");
            continue;
        }
        profiles.push(profile);
    }
    profiles
}

fn profile(section: &mut Section<'_>) -> Option<Profile> {
    let name = name(section);
    let dialect = Dialect {
        delimiter: section.choice("delimiter", &DELIMITERS).unwrap_or(Delimiter::Comma),
        decimal: section.choice("decimal", &DECIMAL_SIGNS).unwrap_or(DecimalSign::Point),
        encoding: section.choice("encoding", &ENCODINGS).unwrap_or(Encoding::Utf8),
    };
    let dates = section.choice("date", &DATE_FORMS).unwrap_or(DateForm::Iso);
    let header = match section.switch("header") {
        Some(false) => Header::Nothing,
        Some(true) | None => Header::Names,
    };
    let origin = section.origin();
    let written = tables(section, "columns", COLUMNS_MAX, "write [{ name = \"Amount\", value = \"{amount}\" }]");
    if written.is_empty() {
        let why = format!("{} has no columns", section.place());
        section.refuse(origin, why, "add columns = [{ name = \"Amount\", value = \"{amount}\" }]");
    }
    let mut columns = Vec::new();
    for (table, origin) in written {
        let place = match table.get("name").map(|node| &node.value) {
            Some(Value::Text(name)) => format!("column {name} of {}", section.place()),
            _ => format!("a column of {}", section.place()),
        };
        columns.extend(section.within(&place, table, origin, column));
    }
    Some(Profile { name: name?, dialect, dates, header, columns })
}

/// What `--format` takes and files are named by.
fn name(section: &mut Section<'_>) -> Option<String> {
    let origin = section.origin();
    let name = section.required("name", "accounts")?;
    let plain = name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_');
    if !plain {
        section.refuse(origin, format!("`name` of a billing profile is \"{name}\""), "write letters, digits, - and _");
        return None;
    }
    if export::by_name(&name).is_some() {
        section.refuse(
            origin,
            format!("\"{name}\" is a billing format of the program"),
            "give the profile another name",
        );
        return None;
    }
    Some(name)
}

fn column(section: &mut Section<'_>) -> Option<ProfileColumn> {
    let name = section.required("name", "Amount");
    let origin = section.peek("value").map_or_else(|| section.origin(), |node| node.origin.clone());
    let value = if section.peek("value").is_some_and(|node| matches!(&node.value, Value::Text(text) if text.is_empty()))
    {
        // A column that stays empty, because the program wants it there.
        section.take("value");
        String::new()
    } else {
        section.required("value", "{amount}")?
    };
    match Template::parse(&value) {
        Ok(value) => Some(ProfileColumn { name: name?, value }),
        Err(why) => {
            let remedy = match &why {
                NotATemplate::Unknown { nearest: Some(nearest), .. } => format!("did you mean {{{nearest}}}?"),
                NotATemplate::Unknown { nearest: None, .. } => "docs/PRICE_BOOK.md lists the placeholders".to_owned(),
                NotATemplate::Brace => "write {tenant}, say".to_owned(),
            };
            section.refuse(origin, format!("`value` \"{value}\" of {} {why}", section.place()), &remedy);
            None
        }
    }
}

/// The tables of a list, at most so many.
fn tables(section: &mut Section<'_>, key: &'static str, most: usize, remedy: &str) -> Vec<(Table, Origin)> {
    let Some(node) = section.take(key) else { return Vec::new() };
    let Value::List(items) = node.value else {
        section.refuse(node.origin, format!("`{key}` of {} is no list", section.place()), remedy);
        return Vec::new();
    };
    if items.len() > most {
        let why = format!("`{key}` of {} has {} entries", section.place(), items.len());
        section.refuse(node.origin, why, &format!("write at most {most}"));
        return Vec::new();
    }
    let mut tables = Vec::new();
    for Node { value, origin, .. } in items {
        match value {
            Value::Table(table) => tables.push((table, origin)),
            Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::List(_) => {
                section.refuse(origin, format!("an entry of `{key}` of {} is no table", section.place()), remedy);
            }
        }
    }
    tables
}

fn supplier(section: &mut Section<'_>) -> Reading {
    let mut reading = Reading::default();
    for (field, key, _) in FIELDS {
        if let Some(name) = section.text(key) {
            reading.columns.insert(field, name);
        }
    }
    reading.decimal = section.choice("decimal", &DECIMAL_SIGNS).unwrap_or(DecimalSign::Point);
    let Some((types, _)) = section.table("types") else { return reading };
    for (name, node) in types {
        match node.value {
            Value::Text(kind) => {
                let Ok(kind) = kind.parse::<WorkloadType>();
                reading.types.insert(name, kind);
            }
            Value::Number(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) => {
                let why = format!("`{name}` of types of [billing.supplier] is no text");
                section.refuse(node.origin, why, "write \"VM-500\" = \"VM\"");
            }
        }
    }
    reading
}
