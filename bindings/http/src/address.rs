//! Where to listen, as it is written.

use std::env;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A port of a host: a name, an address, or nothing for all addresses of this machine.
    Host(String, u16),
    /// A Unix socket.
    Socket(PathBuf),
}

/// What Ollama listens on where nothing is said.
const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 11434;

/// An address as it is written; its port may be malformed.
struct Written<'a> {
    host: &'a str,
    port: Option<&'a str>,
    default_port: u16,
}

impl<'a> Written<'a> {
    /// Splits `[scheme://]host[:port][/path]` as Ollama does: a scheme gives the port that is left
    /// out, a path means nothing.
    fn read(text: &'a str) -> Self {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => DEFAULT_PORT,
        };
        let rest = rest.split('/').next().unwrap_or_default();
        let (host, port) = match split_port(rest) {
            Some((host, port)) => (host, Some(port)),
            None if rest.is_empty() => (DEFAULT_HOST, None),
            None => (rest.trim_matches(['[', ']']), None),
        };
        Written {
            host,
            port,
            default_port,
        }
    }

    fn port(&self) -> Option<u16> {
        match self.port {
            Some(port) => port.parse().ok(),
            None => Some(self.default_port),
        }
    }
}

/// Splits a port off: none where no colon stands, or those of an IPv6 address without brackets.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(inner) => Some((inner.strip_suffix(']')?, port)),
        None => (!host.contains(':')).then_some((host, port)),
    }
}

impl FromStr for Address {
    type Err = String;

    /// Reads `host`, `host:port`, `:port`, `http://host:port` or `unix:/path`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Address::Socket(PathBuf::from(path)));
        }
        let written = Written::read(text);
        let port = written.port();
        let port = port.ok_or_else(|| format!("{:?} is no port", written.port.unwrap_or_default()));
        Ok(Address::Host(written.host.to_owned(), port?))
    }
}

impl Address {
    /// Reads `OLLAMA_HOST` as Ollama does: where it is unset, 127.0.0.1:11434; a malformed port is
    /// the default one.
    pub fn from_env() -> Self {
        let text = env::var("OLLAMA_HOST").unwrap_or_default();
        let text = unquoted(&text);
        text.parse().unwrap_or_else(|_| {
            let written = Written::read(text);
            Address::Host(written.host.to_owned(), written.default_port)
        })
    }

    /// Returns the addresses that a name stands for: both loopback ones for `localhost`.
    pub(crate) fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let addresses = match host {
            // An unspecified address of IPv6 listens on those of IPv4, too, as Ollama's does.
            "" | "0.0.0.0" => vec![any],
            name if name.eq_ignore_ascii_case("localhost") => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            name => {
                let found = (name, port).to_socket_addrs()?;
                found.map(|address| address.ip()).collect()
            }
        };
        let mut addresses: Vec<_> = addresses.into_iter().map(|ip| (ip, port).into()).collect();
        addresses.dedup();
        Ok(addresses)
    }
}

/// Returns the text of an environment variable as Ollama reads it: without the space and the
/// quotation marks around it.
pub(crate) fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Host(host, port) => write!(f, "{host}:{port}"),
            Address::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_ollama_reads_it() {
        let cases = [
            ("", "127.0.0.1", 11434),
            ("localhost:1", "localhost", 1),
            (":21435", "", 21435),
            ("0.0.0.0", "0.0.0.0", 11434),
            ("http://127.0.0.1", "127.0.0.1", 80),
            ("https://h.example/path", "h.example", 443),
            ("http://127.0.0.1:5/abc", "127.0.0.1", 5),
            ("tcp://h:5", "h", 5),
            ("::1", "::1", 11434),
            ("[::1]", "::1", 11434),
            ("[::1]:5", "::1", 5),
            ("21435", "21435", 11434),
            ("h:+5", "h", 5),
            ("h:005", "h", 5),
        ];
        for (text, host, port) in cases {
            assert_eq!(
                text.parse(),
                Ok(Address::Host(host.to_owned(), port)),
                "{text}"
            );
        }
        for text in ["h:", "h:x", "h:-1", "h:65536"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_socket_is_a_path() {
        let socket = "unix:/run/m.sock".parse();
        assert_eq!(socket, Ok(Address::Socket(PathBuf::from("/run/m.sock"))));
    }

    #[test]
    fn localhost_is_both_loopback_addresses() {
        let resolved = Address::resolve("LocalHost", 5).unwrap();
        assert_eq!(
            resolved,
            ["127.0.0.1:5".parse().unwrap(), "[::1]:5".parse().unwrap()]
        );
    }

    #[test]
    fn every_address_is_that_of_both_protocols_and_none_is_there_twice() {
        for host in ["", "0.0.0.0", "::"] {
            let resolved = Address::resolve(host, 5).unwrap();
            assert_eq!(resolved, ["[::]:5".parse().unwrap()], "{host:?}");
        }
        let resolved = Address::resolve("127.0.0.1", 5).unwrap();
        assert_eq!(resolved, ["127.0.0.1:5".parse().unwrap()]);
    }

    #[test]
    fn an_address_is_printed_as_it_is_read() {
        for text in ["127.0.0.1:5", "[::1]:5", "h.example:80", "unix:/run/m.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }
}
