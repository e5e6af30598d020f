//! A document as a file: pure, byte for byte reproducible.
