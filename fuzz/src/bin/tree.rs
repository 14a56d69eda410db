//! libFuzzer on the target `tree`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::drive("tree", bytes));
