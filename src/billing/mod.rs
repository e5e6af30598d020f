//! Money: what the price book asks for the month's reports, and the documents that tenants get. Pure, exact to the last digit.

pub mod charge;
mod exact;
pub mod export;
pub mod invoice;
pub mod line;
mod lines_file;
pub mod price_book;
mod settle;
mod statement;
mod usage;
