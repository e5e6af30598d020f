//! Money: what the price book asks for the month's reports, and the documents that tenants get. Pure, exact to the last digit.

pub mod charge;
mod exact;
pub mod export;
mod focus;
pub mod invoice;
pub mod line;
mod lines_file;
pub mod price_book;
pub mod profile;
pub mod pseudonyms;
pub mod reconciliation;
mod settle;
mod statement;
pub mod supplier_invoice;
mod usage;
