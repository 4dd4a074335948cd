//! Any bytes as every text that a store holds or a user hands in: each is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = modelkeep::gguf::sniff(bytes).map(|format| format.to_string());
    let seen = modelkeep::printable(&String::from_utf8_lossy(bytes)).into_owned();
    assert!(!seen.contains(char::is_control));
    assert_eq!(modelkeep::printable(&seen), seen);
    let _ = modelkeep::Manifest::parse(bytes);
    let _ = modelkeep::Config::parse(bytes);
    if let Ok(modelfile) = modelkeep::Modelfile::parse(bytes) {
        let _ = modelfile.to_string();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = modelkeep::Template::parse(text);
        let _ = text.parse::<modelkeep::Reference>();
        let _ = text.parse::<modelkeep::Digest>();
    }
});
