//! Any bytes as a GGUF file: read strictly and leniently, whole and piece by piece, look at
//! everything that the reader hands out, edit it, hash it, compare it,
//! and print it for people.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelkeep::printable;
use modelkeep_cli::describe_bytes;

fuzz_target!(|bytes: &[u8]| {
    modelkeep::internal::fuzz_read(bytes);
    modelkeep::internal::fuzz_compare(bytes);
    for line in describe_bytes(bytes) {
        // Nothing is left in it that would have to be escaped, not even a line end.
        assert_eq!(printable(&line), line);
    }
});
