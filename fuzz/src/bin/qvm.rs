//! libFuzzer on the target `qvm`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::drive("qvm", bytes));
