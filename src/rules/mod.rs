//! What should happen, given facts and the hour. Pure.
