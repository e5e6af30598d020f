//! Money: what the price book asks for the month's reports, and the documents that tenants get. Pure, exact to the last digit.

pub mod charge;
mod exact;
pub mod invoice;
pub mod line;
pub mod price_book;
mod settle;
mod usage;
