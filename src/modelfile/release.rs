//! The release that a model requires.

use crate::error::{Error, ErrorKind};

/// Returns the text of `REQUIRES` as Ollama stores it: a semantic version, which may lack its last
/// numbers, without a leading `v`.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for any other text.
pub(crate) fn release(text: &str) -> Result<String, Error> {
    let version = text.strip_prefix('v').unwrap_or(text);
    if is_version(version) {
        return Ok(version.to_owned());
    }
    let text = format!("REQUIRES needs a version as in 0.14.0, not {text:?}");
    Err(Error::new(ErrorKind::InvalidArgument, text))
}

fn is_version(text: &str) -> bool {
    let (rest, build) = cut(text, '+');
    let (core, early) = cut(rest, '-');
    let numbers = core.split('.').count();
    let whole = numbers == 3 || (build.is_none() && early.is_none());
    numbers <= 3
        && whole
        && core.split('.').all(is_number)
        && early.is_none_or(|early| {
            early
                .split('.')
                .all(|part| is_word(part) && !is_padded(part))
        })
        && build.is_none_or(|build| build.split('.').all(is_word))
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !is_padded(text)
}

fn is_padded(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_semantic_and_may_be_short() {
        for text in [
            "0.14.0",
            "v0.14",
            "1",
            "1.2.3-rc.1+b-2",
            "1.0.0-0a",
            "v0.0.0+00",
        ] {
            assert_eq!(release(text).unwrap(), text.trim_start_matches('v'));
        }
        for text in [
            "", "v", "vv1", "01", "1.2.3.4", "1.2-rc", "1.2.3-", "1.2.3-01", "1.2.3+", "x",
        ] {
            release(text).unwrap_err();
        }
    }
}
