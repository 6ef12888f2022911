#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwright_fuzz::pkcs12::pkcs12(data));
