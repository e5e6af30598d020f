//! Charts of high watermarks as inline SVG, and the scale every chart shares.

use rust_decimal::Decimal;

/// The distance of two grid lines and how many steps reach over this amount: 1, 2, 2.5 or 5 times a power of ten.
pub(super) fn steps(highest: Decimal) -> (Decimal, u32) {
    const STEPS_MAX: u32 = 4;
    let mut power = Decimal::new(1, 2);
    // Points are at most some 10^17, so twenty powers of ten reach over every sum.
    for _ in 0..20 {
        for factor in [Decimal::ONE, Decimal::TWO, Decimal::new(25, 1), Decimal::from(5)] {
            let step = factor * power;
            if step * Decimal::from(STEPS_MAX) >= highest {
                let count = (1..=STEPS_MAX).find(|count| step * Decimal::from(*count) >= highest);
                return (step, count.unwrap_or(STEPS_MAX));
            }
        }
        power *= Decimal::TEN;
    }
    (highest, 1)
}
