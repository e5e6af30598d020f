#![no_main]

// A damaged font may break off within the crate that reads it: that is caught, and may not end the fuzzer. What is not caught does.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |bytes: &[u8]| entries::run("font", bytes)
);
