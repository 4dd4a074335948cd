//! Pages that a browser shows: which of them may ask.
//!
//! A page can make a browser send requests to a server on the same machine. It cannot choose the
//! `Origin` that the browser adds.

use std::env;
use std::str::FromStr;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http;

use crate::reply::{Reply, empty, with};

/// An origin whose pages may ask; one `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern(String);

impl FromStr for OriginPattern {
    type Err = String;

    /// Reads a pattern by the rules of Ollama: it names a scheme of the web, or holds one `*`.
    fn from_str(text: &str) -> Result<Self, String> {
        let web = [
            "http",
            "https",
            "chrome-extension",
            "safari-extension",
            "moz-extension",
        ];
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match text.matches('*').count() {
            0 if scheme.is_some_and(|scheme| web.contains(&scheme)) => {}
            1 => {}
            0 => {
                return Err(format!(
                    "{text:?} is no origin of the web, as http://host:port is"
                ));
            }
            _ => return Err(format!("{text:?} has more than one *")),
        }
        Ok(OriginPattern(text.to_owned()))
    }
}

impl OriginPattern {
    fn matches(&self, origin: &str) -> bool {
        match self.0.split_once('*') {
            Some((start, end)) => origin.starts_with(start) && origin.ends_with(end),
            None => origin == self.0,
        }
    }
}

/// The origins that may ask, besides those of programs on the same machine.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<OriginPattern>);

/// Origins of programs on the same machine, which Ollama admits, too.
const LOCAL_ORIGINS: [&str; 17] = [
    "http://localhost",
    "https://localhost",
    "http://localhost:*",
    "https://localhost:*",
    "http://127.0.0.1",
    "https://127.0.0.1",
    "http://127.0.0.1:*",
    "https://127.0.0.1:*",
    "http://0.0.0.0",
    "https://0.0.0.0",
    "http://0.0.0.0:*",
    "https://0.0.0.0:*",
    "app://*",
    "file://*",
    "tauri://*",
    "vscode-webview://*",
    "vscode-file://*",
];

/// What a preflight is told, as by Ollama.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,\
         X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,\
         X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,\
         X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,\
         X-Stainless-Runtime-Version,X-Stainless-Timeout",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "43200"),
];

impl Origins {
    /// Admits these origins besides those of this machine.
    pub fn new(patterns: Vec<OriginPattern>) -> Self {
        let local = LOCAL_ORIGINS
            .iter()
            .map(|origin| OriginPattern((*origin).to_owned()));
        Origins(patterns.into_iter().chain(local).collect())
    }

    /// Reads `OLLAMA_ORIGINS`, patterns with commas between them; none where it is unset or empty.
    ///
    /// # Errors
    /// Where an entry is no pattern.
    pub fn from_env() -> Result<Vec<OriginPattern>, String> {
        let text = env::var("OLLAMA_ORIGINS").unwrap_or_default();
        let text = crate::address::unquoted(&text);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let patterns = text.split(',').map(str::parse);
        let patterns: Result<_, String> = patterns.collect();
        patterns.map_err(|error| format!("OLLAMA_ORIGINS: {error}"))
    }

    /// Returns whose page asks; the error is an origin that is not admitted.
    pub(crate) fn page<'a>(&self, headers: &'a HeaderMap, host: &str) -> Result<Page<'a>, &'a str> {
        let Some(origin) = foreign_origin(headers, host) else {
            return Ok(Page::None);
        };
        if self.0.iter().any(|pattern| pattern.0 == "*") {
            return Ok(Page::Any);
        }
        let is_admitted = self.0.iter().any(|pattern| pattern.matches(origin));
        if is_admitted {
            Ok(Page::Of(origin))
        } else {
            Err(origin)
        }
    }
}

/// Whose page asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page<'a> {
    /// No page, or one of this server.
    None,
    /// A page, where all are admitted.
    Any,
    /// A page of an admitted origin.
    Of(&'a str),
}

impl Page<'_> {
    /// Tells a browser that the page may read the reply.
    pub(crate) fn mark<B>(self, reply: http::Response<B>) -> http::Response<B> {
        match self {
            Page::None => reply,
            Page::Any => with(reply, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            Page::Of(origin) => {
                let reply = with(reply, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                with(reply, header::VARY, "Origin")
            }
        }
    }

    /// Returns the reply to a browser that asks what the page may send.
    pub(crate) fn preflight(self) -> Reply {
        let mut reply = self.mark(empty(hyper::StatusCode::NO_CONTENT));
        if matches!(self, Page::Of(_)) {
            let asked = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
            reply = with(reply, header::VARY, asked);
        }
        PREFLIGHT
            .into_iter()
            .fold(reply, |reply, (name, value)| with(reply, name, value))
    }
}

/// Returns the origin of a page that another server showed.
fn foreign_origin<'a>(headers: &'a HeaderMap, host: &str) -> Option<&'a str> {
    // A value that is no text is no origin that anybody admits.
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or("null");
    let own = origin
        .strip_prefix("http://")
        .or(origin.strip_prefix("https://"));
    (!origin.is_empty() && own != Some(host)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(patterns: &[&str], host: &str, origin: &str) -> bool {
        let patterns = patterns.iter().map(|pattern| pattern.parse().unwrap());
        let headers = HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]);
        Origins::new(patterns.collect())
            .page(&headers, host)
            .is_ok()
    }

    #[test]
    fn a_page_of_elsewhere_is_refused() {
        let own = [
            "http://localhost:3000",
            "tauri://x",
            "app://",
            "http://h.local",
        ];
        for origin in own {
            assert!(admits(&[], "h.local", origin), "{origin}");
        }
        let foreign = [
            "http://evil.example",
            "null",
            "http://localhost.evil.example",
            "app:",
        ];
        for origin in foreign {
            assert!(!admits(&[], "localhost", origin), "{origin}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for origin in ["http://bab", "http://b"] {
            assert!(admits(&["http://b*b"], "localhost", origin), "{origin}");
        }
        assert!(!admits(&["http://b*b"], "localhost", "http://ba"));
        assert!(admits(&["*"], "localhost", "foo://x"));
    }

    #[test]
    fn a_cache_is_told_what_a_reply_depends_on() {
        let varies = |reply: &Reply| {
            let mut found = reply.headers().get_all(header::VARY).iter();
            (found.next().cloned(), found.next().is_none())
        };
        for page in [Page::None, Page::Any] {
            assert_eq!(varies(&page.preflight()), (None, true));
        }
        let page = Page::Of("http://a.example");
        let marked = page.mark(empty(hyper::StatusCode::OK));
        assert_eq!(varies(&marked), (Some("Origin".parse().unwrap()), true));
        let asked = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        let preflight = varies(&page.preflight());
        assert_eq!(preflight, (Some(asked.parse().unwrap()), true));
    }

    #[test]
    fn a_pattern_is_an_origin_of_the_web_or_has_one_star() {
        for text in [
            "http://a.example",
            "moz-extension://a",
            "foo://*",
            "a.*",
            "*",
        ] {
            assert!(text.parse::<OriginPattern>().is_ok(), "{text}");
        }
        for text in ["foo", "", " http://a", "foo://a"] {
            let error = text.parse::<OriginPattern>().unwrap_err();
            assert!(error.contains("is no origin"), "{text}: {error}");
        }
        let error = "http://*.a*".parse::<OriginPattern>().unwrap_err();
        assert!(error.contains("more than one"), "{error}");
    }
}
