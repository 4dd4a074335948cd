//! The path of a request target, as Go's `net/url` and `net/http` read it.

/// Decodes `%XX`; `None` where an escape is malformed.
pub(crate) fn decode(escaped: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Encodes a path for a `Location`; the inverse of [`decode`].
pub(crate) fn encode(path: &[u8]) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Returns the path without empty, `.` and `..` segments. A slash at its end stays.
pub(crate) fn clean(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_as_go_does() {
        let cases = [
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/api/../api/tags", "/api/tags"),
            ("/api/tags/..", "/api"),
            ("/api/tags//", "/api/tags/"),
            ("/a/../../b/", "/b/"),
            ("/api/%2e%2e/x", "/api/%2e%2e/x"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn an_escape_has_two_digits() {
        assert_eq!(decode("/a%2Fb%3a").as_deref(), Some(&b"/a/b:"[..]));
        for path in ["%", "/%2", "/%zz", "/%2g", "/%\u{e9}"] {
            assert_eq!(decode(path), None, "{path}");
        }
        assert_eq!(
            encode(b"/api/blobs/sha256:a \xff"),
            "/api/blobs/sha256:a%20%FF"
        );
    }
}
