//! A draft or an issued document as a download.

use base64::Engine;
use serde::Deserialize;

use crate::agent::asked::BillingFileAsked;
use crate::agent::{Query, Refused};
use crate::console::frame::Visit;
use crate::console::pages::Shown;

/// `tidegauge.billing-file/1`, as far as it is handed on.
#[derive(Deserialize)]
struct File {
    name: String,
    media_type: String,
    base64: String,
}

/// `/billing/file?month=2026-10&format=statements&as=pdf&tenant=…`.
pub async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    let text = |name: &str| visit.asked.text(name).map(str::to_owned);
    let asked = BillingFileAsked {
        month: visit.asked.read("month")?,
        format: visit.asked.needed("format")?.to_owned(),
        ending: text("as"),
        document: visit.asked.read("document")?,
        tenant: text("tenant"),
        unit: None,
        server: None,
    };
    let File { name, media_type, base64 } = visit.ask(Query::BillingFile(Box::new(asked))).await?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
    let bytes = bytes.map_err(|_| Refused::new(1, "the agent's answer is not a file"))?;
    Ok(Shown::File { name, media_type, bytes })
}
