//! Secrets, compared without being kept.

use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The HMAC of a secret. Two are compared in constant time, and tell nothing without their key.
pub(super) type Fingerprint = CtOutput<Hmac<Sha256>>;

/// What fingerprints are made with: another one in every process.
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// # Errors
    /// Where the system has no randomness.
    pub(super) fn random() -> Result<Self, String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| format!("asking for randomness: {error}"))?;
        let hmac = Hmac::new_from_slice(&bytes).map_err(|error| error.to_string())?;
        Ok(Key(hmac))
    }

    pub(super) fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        self.0.clone().chain_update(secret).finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_another_fingerprint_in_every_process() {
        let [one, other] = [(); 2].map(|()| Key::random().unwrap());
        assert!(one.fingerprint(b"secret") == one.fingerprint(b"secret"));
        assert!(one.fingerprint(b"secret") != one.fingerprint(b"Secret"));
        assert!(one.fingerprint(b"secret") != other.fingerprint(b"secret"));
    }
}
