//! Money: what the price book asks for a report's lines. Pure, and exact to the last digit.

pub mod charge;
pub mod price_book;
