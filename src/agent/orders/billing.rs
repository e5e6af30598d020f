//! Orders about billing: files of a month's document.

use std::path::Path;

use base64::Engine;
use serde_json::{Value, json};

use crate::agent::views::billing::Wanted;
use crate::agent::{Agent, Hour, Refused};
use crate::billing::export::{self, Beside, Content, EXPORTS, Export, NotExported, Shape, Sheet};
use crate::billing::invoice::Invoice;
use crate::billing::price_book::PriceBook;
use crate::billing::profile::Profile;
use crate::domain::Month;
use crate::domain::pseudonym::{HandedOut, Names};
use crate::formats::typefaces::Typefaces;
use crate::formats::{self, Format, delimited};
use crate::seal::{canonical, digest};
use crate::store::fact::{BillingDeed, BillingExport, Fact};

use super::{BillingWish, Obeyed, Target};

/// A file that is handed out.
pub(in crate::agent) struct File {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What is handed out of a document.
pub(in crate::agent) struct Exported {
    pub answer: Value,
    pub files: Vec<File>,
    /// The document, if this issues it.
    issued: Option<Invoice>,
    export: BillingExport,
}

impl Agent {
    /// Hands out the files of a document, and records what was issued and handed out in one entry. The bytes go to who
    /// asked: nothing is written here, and the path of the wish only says which ending is wanted.
    pub(super) fn order_export(
        &mut self,
        target: &Target,
        wish: &BillingWish,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        if self.names_for(HandedOut::Billing, wish.names) == Names::Pseudonyms {
            self.make_pseudonym_key()?;
        }
        let Exported { answer, issued, export, .. } = self.exported(target, wish, None, (actor, hour))?;
        let is_as_seen = |seen: &String| issued.as_ref().is_some_and(|invoice| invoice.content() == *seen);
        if wish.seen.as_ref().is_some_and(|seen| !is_as_seen(seen)) {
            let why = format!("what {} owes changed meanwhile; nothing was issued: look at it again", export.month);
            return Err(Refused::new(8, why));
        }
        let issued = issued.map(|invoice| BillingDeed::Issued { invoice: Box::new(invoice) });
        let deeds = issued.into_iter().chain([BillingDeed::Exported { export }]);
        let facts = deeds.map(|deed| Fact::Billed { deed }).collect();
        self.record(hour, actor, facts)?;
        Ok(Obeyed::Done(answer))
    }

    /// The files of a document, of a folder only one tenant's if one is named; nothing is recorded.
    ///
    /// # Errors
    /// 2 for a format or ending that is not known, 8, 66 and 78 as [`Agent::wanted_invoice`].
    pub(in crate::agent) fn exported(
        &self,
        target: &Target,
        wish: &BillingWish,
        tenant: Option<&str>,
        (actor, hour): (&str, Hour),
    ) -> Result<Exported, Refused> {
        let names = self.names_for(HandedOut::Billing, wish.names);
        let export = self.export_named(&wish.format)?;
        let formats = formats_of(&export, wish)?;
        let units = self.units_named(target.unit.as_deref(), target.server.as_deref())?;
        let month = match target.month {
            Some(month) => month,
            None => self.newest_month()?,
        };
        let Wanted { invoice: whole, is_issued_now, without } = self.wanted_invoice(month, wish.which, actor, hour)?;
        let mut meant = whole.clone();
        if let Some(tenant) = tenant {
            only_tenant(&mut meant, &export, tenant)?;
        }
        let (shown, beside) = self.invoice_with_names((&meant, self.beside_invoices(month)?), names)?;
        let narrowed = if target.unit.is_some() || target.server.is_some() {
            shown.of_units(&units.into_iter().map(|unit| unit.id).collect::<Vec<_>>())
        } else {
            shown
        };
        let sheets = export.sheets(&narrowed, &beside);
        let files = self.sheet_files(&formats, sheets.map_err(|why| Refused::new(78, why.to_string()))?)?;
        let exported = BillingExport {
            month,
            document: whole.number.clone(),
            format: export.name().to_owned(),
            at: hour.now,
            by: actor.to_owned(),
            files: u32::try_from(files.len()).unwrap_or(u32::MAX),
            digest: digest_of(&files),
            names,
        };
        let mut answer = answer(&narrowed, &exported, &files);
        answer["in_folder"] = json!(export.shape() == Shape::Folder);
        answer["without_report"] = json!(without);
        Ok(Exported { answer, issued: is_issued_now.then_some(whole), export: exported, files })
    }

    /// The ending that a format has when nobody says one: its first, when each file is one alone.
    pub(in crate::agent) fn ending_of(&self, format: &str) -> Result<Option<String>, Refused> {
        let export = self.export_named(format)?;
        let first = export.extensions().first().filter(|_| export.shape() == Shape::OneFile);
        Ok(first.map(|ending| (*ending).to_owned()))
    }

    /// Name, endings and whether each tenant has files of its own, of every format there is.
    pub(in crate::agent) fn exports_shown(&self) -> Vec<Value> {
        let profiles = self.settings.billing_profiles.iter().map(Chosen::Profile);
        let shown = |export: Chosen<'_>| {
            let by_tenant = export.shape() == Shape::Folder;
            json!({"format": export.name(), "endings": export.extensions(), "by_tenant": by_tenant})
        };
        EXPORTS.iter().map(Chosen::Row).chain(profiles).map(shown).collect()
    }

    fn sheet_files(&self, formats: &[&Format], sheets: Vec<Sheet>) -> Result<Vec<File>, Refused> {
        let mut files = Vec::new();
        // A typeface is a large file, and looked for in each tenant's statement anew.
        let is_drawn = formats.iter().any(|format| format.extension == "pdf");
        for Sheet { stem, content } in sheets {
            match content {
                Content::Drawn(document) => {
                    let typefaces = if is_drawn { self.typefaces_for(&document) } else { Typefaces::default() };
                    files.extend(formats.iter().map(|format| File {
                        name: format!("{stem}.{}", format.extension),
                        media_type: format.media_type,
                        bytes: (format.write)(&document, &typefaces).into_owned(),
                    }));
                }
                Content::Fields(fields) => files.push(File {
                    name: format!("{stem}.csv"),
                    media_type: "text/csv",
                    bytes: delimited::write(&fields).map_err(|why| Refused::new(65, why.to_string()))?,
                }),
            }
        }
        Ok(files)
    }

    /// A row of the exports, or a profile of the settings.
    fn export_named(&self, name: &str) -> Result<Chosen<'_>, Refused> {
        let profiles = &self.settings.billing_profiles;
        let of_settings = || profiles.iter().find(|profile| profile.name == name).map(Chosen::Profile);
        export::by_name(name).map(Chosen::Row).or_else(of_settings).ok_or_else(|| {
            let own = profiles.iter().map(|profile| profile.name.as_str());
            let known: Vec<&str> = EXPORTS.iter().map(|row| row.name).chain(own).collect();
            let why = format!("there is no billing format '{name}'; known are {}", known.join(", "));
            Refused::new(2, format!("{why}, and each [[billing.profile]] of the settings"))
        })
    }

    /// The newest month with a report.
    pub(in crate::agent) fn newest_month(&self) -> Result<Month, Refused> {
        let mut months = Vec::new();
        for unit in self.units()? {
            months.extend(self.report_months(&unit.id)?.last().map(|(month, _)| *month));
        }
        months
            .into_iter()
            .max()
            .ok_or_else(|| Refused::new(66, "there is no report yet; it is built at 00:00 GMT on the 1st"))
    }

    /// The price book, where nothing goes on without one.
    pub(in crate::agent) fn price_book_needed(&self) -> Result<PriceBook, Refused> {
        let none = || Refused::new(78, "there is no price book; name one in the settings: [billing] price_book");
        self.price_book().map_err(|why| Refused::new(78, why))?.ok_or_else(none)
    }
}

/// What is written.
enum Chosen<'a> {
    Row(&'static Export),
    Profile(&'a Profile),
}

impl Chosen<'_> {
    fn name(&self) -> &str {
        match self {
            Chosen::Row(export) => export.name,
            Chosen::Profile(profile) => &profile.name,
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Chosen::Row(export) => export.shape,
            Chosen::Profile(_) => Shape::OneFile,
        }
    }

    /// Endings of files; a profile's is what its program takes.
    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Chosen::Row(export) => export.extensions,
            Chosen::Profile(_) => &["csv"],
        }
    }

    fn sheets(&self, invoice: &Invoice, beside: &Beside) -> Result<Vec<Sheet>, NotExported> {
        match self {
            Chosen::Row(export) => (export.sheets)(invoice, beside),
            Chosen::Profile(profile) => Ok(vec![profile.sheet(invoice)]),
        }
    }
}

/// The formats that are written: the chosen one, or all of a folder's.
fn formats_of(export: &Chosen<'_>, wish: &BillingWish) -> Result<Vec<&'static Format>, Refused> {
    let extensions = export.extensions();
    let by_path = || Path::new(&wish.out).extension().and_then(|ending| ending.to_str());
    let known = |ending: &str| extensions.iter().copied().filter(|known| *known == ending).collect();
    let wanted: Vec<&str> = match (export.shape(), extensions, wish.ending.as_deref()) {
        (_, _, Some(ending)) => known(ending),
        // One ending leaves no choice, whatever the file is called: import folders want `.txt`, say.
        (Shape::Folder, _, None) | (Shape::OneFile, [_], None) => extensions.to_vec(),
        (Shape::OneFile, _, None) => by_path().map(known).unwrap_or_default(),
    };
    if wanted.is_empty() {
        let known = extensions.join(" or ");
        return Err(Refused::new(2, format!("{} is written as {known}: say which with --as", export.name())));
    }
    Ok(wanted.into_iter().filter_map(formats::by_extension).collect())
}

/// Leaves one tenant's statement alone.
fn only_tenant(invoice: &mut Invoice, export: &Chosen<'_>, tenant: &str) -> Result<(), Refused> {
    if export.shape() != Shape::Folder {
        return Err(Refused::new(2, format!("{} holds all tenants; leave the tenant out", export.name())));
    }
    invoice.tenants.retain(|sum| sum.tenant == tenant);
    if invoice.tenants.is_empty() {
        return Err(Refused::new(66, format!("document {} has nothing for tenant {tenant}", invoice.number)));
    }
    Ok(())
}

fn digest_of(files: &[File]) -> String {
    let all: Vec<Value> = files.iter().map(|file| json!([file.name, digest::sha256_hex(&file.bytes)])).collect();
    format!("sha256:{}", digest::sha256_hex(&canonical::bytes(&json!(all))))
}

fn answer(invoice: &Invoice, exported: &BillingExport, files: &[File]) -> Value {
    let base64 = |file: &File| base64::engine::general_purpose::STANDARD.encode(&file.bytes);
    let files = files.iter().map(|file| {
        json!({
            "name": file.name, "media_type": file.media_type, "bytes": file.bytes.len(),
            "sha256": digest::sha256_hex(&file.bytes), "base64": base64(file),
        })
    });
    json!({
        "schema": "tidegauge.billing-export/1",
        "month": invoice.month,
        "document": invoice.number,
        "standing": invoice.standing,
        "corrects": invoice.corrects,
        "only_units": invoice.only_units,
        "format": exported.format,
        "names": exported.names,
        "currency": invoice.currency,
        "tax_note": invoice.tax_note,
        "lines": invoice.lines.len(),
        "tenants": invoice.tenants,
        "total": invoice.total,
        "margin": invoice.total.margin(),
        "digest": exported.digest,
        "files": files.collect::<Vec<Value>>(),
    })
}
