//! Arithmetic that is exact or refuses.

use rust_decimal::{Decimal, RoundingStrategy};

/// The product, unless digits would be lost.
pub(super) fn times(one: Decimal, other: Decimal) -> Option<Decimal> {
    let product = one.checked_mul(other)?;
    let (one, other) = (one.normalize(), other.normalize());
    (product.is_zero() || product.normalize().scale() <= one.scale() + other.scale() && fits(one, other))
        .then_some(product)
}

/// Whether a product of these has at most the digits of a decimal.
fn fits(one: Decimal, other: Decimal) -> bool {
    one.mantissa().checked_mul(other.mantissa()).is_some_and(|product| product.unsigned_abs() >> 96 == 0)
}

/// The sum, unless digits would be lost.
pub(super) fn plus(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    (sum.checked_sub(one)? == other && sum.checked_sub(other)? == one).then_some(sum)
}

/// Rounded to so many digits after the point, half away from zero, and written with all of them.
pub(super) fn rounded(amount: Decimal, decimals: u32) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(decimals);
    rounded
}

/// As people write money: the coin's digits at least, more where they count.
pub(super) fn written(amount: Decimal, decimals: u32) -> Decimal {
    let plain = amount.normalize();
    if plain.scale() <= decimals { rounded(plain, decimals) } else { plain }
}
