//! Who may ask: the checks of the reference against pages that a browser shows.
//!
//! A page can make a browser send requests to a server on the same machine. It cannot choose the
//! `Origin` that the browser adds, and where it re-points its own name to this machine (DNS
//! rebinding), the `Host` is still that name.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{self, HeaderMap};
use hyper::http::uri::Authority;
use hyper::{Method, StatusCode};

use crate::answer::{Reply, Request, text, with};

/// Decides which requests are answered.
#[derive(Clone, Debug)]
pub struct Guard {
    is_loopback: bool,
    origins: Vec<String>,
}

/// Origins of programs on the same machine, which the reference admits, too.
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

impl Guard {
    /// A guard for a server at `address`. `origins` are admitted besides those of this machine;
    /// each may hold one `*`.
    pub fn new(address: SocketAddr, origins: Vec<String>) -> Self {
        Guard {
            is_loopback: address.ip().is_loopback(),
            origins,
        }
    }

    /// The refusal of a request that must not be answered, or the answer to one that only asks
    /// what it may send.
    pub(crate) fn check(&self, request: &Request) -> Option<Reply> {
        let host = host(request);
        let asks = request.method() == Method::OPTIONS;
        if let Some(origin) = foreign_origin(request) {
            if !self.admits(origin) {
                return Some(text(StatusCode::FORBIDDEN, ""));
            }
            if asks {
                return Some(preflight(origin));
            }
        }
        match Place::of(host) {
            _ if !self.is_loopback => None,
            Place::Elsewhere => Some(self.mark(text(StatusCode::FORBIDDEN, ""), request)),
            Place::Name if asks => Some(text(StatusCode::NO_CONTENT, "")),
            Place::Name | Place::Address => None,
        }
    }

    /// Tells a browser that the page of an admitted origin may read the reply.
    pub(crate) fn mark(&self, reply: Reply, request: &Request) -> Reply {
        match foreign_origin(request) {
            Some(origin) => {
                let reply = with(reply, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                with(reply, header::VARY, "Origin")
            }
            None => reply,
        }
    }

    fn admits(&self, origin: &str) -> bool {
        let local = LOCAL_ORIGINS.iter().any(|pattern| matches(origin, pattern));
        local || self.origins.iter().any(|pattern| matches(origin, pattern))
    }
}

/// The origin of a page that another server showed.
fn foreign_origin(request: &Request) -> Option<&str> {
    let host = host(request);
    let is_own = |origin: &&str| {
        let rest = origin
            .strip_prefix("http://")
            .or(origin.strip_prefix("https://"));
        rest == Some(host)
    };
    origin(request.headers()).filter(|origin| !is_own(origin))
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    let origin = headers.get(header::ORIGIN)?;
    // A value that is no text is no origin that anybody admits.
    Some(origin.to_str().unwrap_or("null")).filter(|origin| !origin.is_empty())
}

fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
        None => text == pattern,
    }
}

fn preflight(origin: &str) -> Reply {
    let reply = text(StatusCode::NO_CONTENT, "");
    let reply = with(reply, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let reply = with(
        reply,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET,POST,DELETE,HEAD,OPTIONS",
    );
    let reply = with(
        reply,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization,Content-Type,User-Agent,Accept,X-Requested-With",
    );
    with(reply, header::VARY, "Origin")
}

/// The host that the client believes to speak to, its port included.
fn host(request: &Request) -> &str {
    let named = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    named
        .or_else(|| request.uri().authority().map(Authority::as_str))
        .unwrap_or_default()
}

/// What a host names.
enum Place {
    /// This machine or its network, by address.
    Address,
    /// This machine, by a name that no public server can answer for.
    Name,
    /// Anything else.
    Elsewhere,
}

impl Place {
    fn of(host: &str) -> Self {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        if name.parse().is_ok_and(is_private) {
            return Place::Address;
        }
        let local = [".localhost", ".local", ".internal"];
        let own = gethostname::gethostname()
            .to_string_lossy()
            .to_ascii_lowercase();
        let is_here = ["", "localhost", &own].contains(&name.as_str())
            || local.iter().any(|suffix| name.ends_with(suffix));
        if is_here {
            Place::Name
        } else {
            Place::Elsewhere
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    let special = address.is_loopback() || address.is_unspecified();
    special
        || match address {
            IpAddr::V4(address) => address.is_private(),
            IpAddr::V6(address) => address.is_unique_local(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: &str, origin: Option<&str>) -> Option<u16> {
        let guard = Guard::new(
            "127.0.0.1:11434".parse().unwrap(),
            vec!["https://*.example.org".into()],
        );
        let mut request = hyper::http::Request::get("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        guard
            .check(&request.body(Vec::new()).unwrap())
            .map(|reply| reply.status().as_u16())
    }

    #[test]
    fn a_name_that_was_pointed_here_is_refused() {
        for host in [
            "localhost:11434",
            "127.0.0.1",
            "[::1]:1",
            "192.168.0.7:80",
            "a.local",
            "",
        ] {
            assert_eq!(status(host, None), None, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:11434",
            "8.8.8.8",
            "localhost.evil.example",
        ] {
            assert_eq!(status(host, None), Some(403), "{host}");
        }
    }

    #[test]
    fn a_page_of_elsewhere_is_refused() {
        for origin in [
            "http://localhost:3000",
            "tauri://x",
            "https://a.example.org",
            "http://h.local",
        ] {
            assert_eq!(status("h.local", Some(origin)), None, "{origin}");
        }
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost.evil.example",
        ] {
            assert_eq!(status("localhost", Some(origin)), Some(403), "{origin}");
        }
    }

    #[test]
    fn a_preflight_is_answered_for_admitted_origins() {
        let guard = Guard::new("127.0.0.1:11434".parse().unwrap(), Vec::new());
        let asked = |host: &str, origin: &str| {
            let request = hyper::http::Request::options("/").header("host", host);
            let request = request.header("origin", origin).body(Vec::new()).unwrap();
            guard.check(&request).map(|reply| reply.status().as_u16())
        };
        assert_eq!(asked("127.0.0.1", "http://localhost:3000"), Some(204));
        assert_eq!(asked("evil.example", "http://evil.example"), Some(403));
        assert_eq!(asked("127.0.0.1", "http://127.0.0.1"), None);
    }

    #[test]
    fn a_server_for_the_network_is_asked_by_any_name() {
        let guard = Guard::new("0.0.0.0:11434".parse().unwrap(), Vec::new());
        let request = hyper::http::Request::get("/").header("host", "box.example");
        assert!(guard.check(&request.body(Vec::new()).unwrap()).is_none());
    }
}
