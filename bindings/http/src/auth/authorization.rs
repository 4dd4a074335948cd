//! The header `Authorization`: what a request brings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};

/// What a request brings.
pub(super) enum Authorization<'a> {
    /// By RFC 7617.
    Basic(Login),
    /// A token, by RFC 6750.
    Bearer(&'a str),
}

/// A user and a password.
pub(super) struct Login {
    /// Both, with a colon between them.
    bytes: Vec<u8>,
    user: usize,
}

impl Login {
    /// Decodes what stands after the scheme; `None` where it has no colon.
    fn decode(encoded: &str) -> Option<Self> {
        let bytes = STANDARD.decode(encoded).ok()?;
        let user = bytes.iter().position(|byte| *byte == b':')?;
        Some(Login { bytes, user })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn user(&self) -> &[u8] {
        self.bytes.get(..self.user).unwrap_or_default()
    }

    pub(super) fn password(&self) -> &[u8] {
        self.bytes.get(self.user + 1..).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn of(user: &str, password: &str) -> Self {
        Login::decode(&STANDARD.encode(format!("{user}:{password}"))).unwrap()
    }
}

impl<'a> Authorization<'a> {
    /// Reads the header; `None` where it is missing, there twice, malformed, or of another scheme.
    pub(super) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (value, second) = (values.next()?, values.next());
        if second.is_some() {
            return None;
        }
        let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim_start_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Authorization::Bearer(rest));
        }
        let is_basic = scheme.eq_ignore_ascii_case("basic");
        let login = is_basic.then(|| Login::decode(rest)).flatten();
        login.map(Authorization::Basic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Some(match Authorization::read(&headers)? {
            Authorization::Basic(login) => {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).unwrap();
                (text(login.user()), text(login.password()))
            }
            Authorization::Bearer(token) => ("(bearer)".to_owned(), token.to_owned()),
        })
    }

    #[test]
    fn users_and_tokens_are_read() {
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let cases = [
            (encoded("bob:pass:word"), ("bob", "pass:word")),
            (encoded(":"), ("", "")),
            (encoded("b\u{f6}b:p\u{e4}ss"), ("b\u{f6}b", "p\u{e4}ss")),
            ("bAsIc  Ym9iOng=".to_owned(), ("bob", "x")),
            ("bearer a.b".to_owned(), ("(bearer)", "a.b")),
        ];
        for (text, (user, secret)) in cases {
            let expected = Some((user.to_owned(), secret.to_owned()));
            assert_eq!(read(&[&text]), expected, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_nothing() {
        let bob = "Basic Ym9iOng=";
        let cases = [
            &[][..],
            &[""],
            &["Basic"],
            &["Basic !"],
            &["Basic Ym9i"],
            &["Digest Ym9iOng="],
            &[bob, bob],
        ];
        for values in cases {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
