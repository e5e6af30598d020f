//! Real chance, from the operating system.

use crate::doors::Chance;

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn below(&mut self, bound: u64) -> u64 {
        // Numbers beyond the last whole multiple of the bound would favour the small ones.
        let fair_below = u64::MAX - u64::MAX % bound.max(1);
        loop {
            let mut bytes = [0; 8];
            self.fill(&mut bytes);
            let drawn = u64::from_le_bytes(bytes);
            if drawn < fair_below {
                return drawn % bound.max(1);
            }
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has random numbers");
    }
}
