//! Seeded chance: the same seed draws the same numbers.

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

use crate::doors::Chance;

/// Chance from a seed, which whoever uses it prints.
pub struct SeededChance(StdRng);

impl SeededChance {
    pub fn new(seed: u64) -> SeededChance {
        SeededChance(StdRng::seed_from_u64(seed))
    }
}

impl Chance for SeededChance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}
