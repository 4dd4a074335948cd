//! Files of tokens, one a line.

use super::fingerprint::{Fingerprint, Key};
use super::lines;

/// The fewest characters of a token: tokens are compared fast, and so could be guessed fast.
const SHORTEST: usize = 16;

/// The tokens of a file, none of which is kept as it is written.
pub(super) struct Tokens {
    key: Key,
    known: Vec<Fingerprint>,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    /// The number of a line that is no token, and why.
    pub(super) fn parse(text: &str, key: Key) -> Result<Self, String> {
        let tokens = lines(text).map(|(number, line)| match fault(line) {
            Some(fault) => Err(format!("line {number} {fault}")),
            None => Ok(key.fingerprint(line.as_bytes())),
        });
        let known: Vec<_> = tokens.collect::<Result<_, _>>()?;
        if known.is_empty() {
            return Err("it has no token".to_owned());
        }
        Ok(Tokens { key, known })
    }

    /// Returns whether a token is one of them, in a time that does not depend on which.
    pub(super) fn contain(&self, token: &[u8]) -> bool {
        let asked = self.key.fingerprint(token);
        let known = self.known.iter();
        known.fold(false, |found, known| found | (*known == asked))
    }
}

/// Returns what keeps a line from being a token as RFC 6750 has it.
fn fault(line: &str) -> Option<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if !line.trim_end_matches('=').bytes().all(is_allowed) {
        return Some(
            "has a character that no token has: letters, digits and -._~+/ are".to_owned(),
        );
    }
    (line.len() < SHORTEST).then(|| {
        format!("is shorter than {SHORTEST} characters, and could be guessed: `openssl rand -hex 32` makes one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Tokens, String> {
        Tokens::parse(text, Key::random().unwrap())
    }

    #[test]
    fn a_token_is_a_whole_line() {
        let tokens = parsed("# of the nodes\r\n0123456789abcdef\r\n\nABCDEF-._~+/789==\n").unwrap();
        for token in ["0123456789abcdef", "ABCDEF-._~+/789=="] {
            assert!(tokens.contain(token.as_bytes()), "{token}");
        }
        for token in ["", "0123456789abcde", "0123456789abcdef ", "# of the nodes"] {
            assert!(!tokens.contain(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_by_its_line_and_not_told() {
        let cases = [
            ("\n# none\n", "no token"),
            ("0123456789abcdef\nshort-secret", "line 2 is shorter"),
            ("bob:$2y$05$abcdefghijkl", "line 1 has a character"),
            ("0123456789abcdef with more", "line 1 has a character"),
            ("===============", "line 1 is shorter"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).err().unwrap();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(
                !error.contains("secret") && !error.contains("bob"),
                "{error}"
            );
        }
    }
}
