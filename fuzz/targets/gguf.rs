//! Any bytes as a GGUF file: read strictly and leniently, whole and piece by piece, and look at
//! everything that the reader hands out.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| modelkeep::gguf::exercise(bytes));
