//! The host that a request is for: against names that were pointed at this machine (DNS rebinding).
//!
//! A page that re-points its own name to this machine makes a browser send requests here, but the
//! `Host` is still that name.

use std::net::{IpAddr, UdpSocket};

use hyper::header;
use hyper::http::request::Parts;
use hyper::{Method, Uri, Version};

/// Returns the host of a request, its port included: the authority of an absolute target, else the
/// `Host` header.
///
/// # Errors
/// What is wrong with the `Host` headers, by the rules of Go's `net/http`.
pub(crate) fn host(head: &Parts) -> Result<&str, &'static str> {
    let named = header(head)?;
    Ok(authority(&head.uri).unwrap_or(named))
}

fn header(head: &Parts) -> Result<&str, &'static str> {
    let needs_one = head.version >= Version::HTTP_11 && head.method != Method::CONNECT;
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    match (host, second) {
        (_, Some(_)) => Err("too many Host headers"),
        (None, _) if needs_one => Err("missing required Host header"),
        (None, _) => Ok(""),
        (Some(host), _) if host.as_bytes().iter().all(is_host_byte) => {
            host.to_str().map_err(|_| "malformed Host header")
        }
        _ => Err("malformed Host header"),
    }
}

fn is_host_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(byte)
}

fn authority(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?.as_str();
    Some(
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host),
    )
}

/// What a host names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This machine or its network, by address.
    Address,
    /// This machine, by a name that no public server can answer for.
    Name,
    /// Anything else.
    Elsewhere,
}

impl Place {
    pub(crate) fn of(host: &str) -> Self {
        let name = without_port(host).unwrap_or(host);
        if is_here(without_zone(name)) {
            return Place::Address;
        }
        let name = name.to_ascii_lowercase();
        let local = [".localhost", ".local", ".internal"];
        let is_local = local.iter().any(|suffix| name.ends_with(suffix));
        match name.as_str() {
            "" | "localhost" => Place::Name,
            _ if is_local || name == own_name() => Place::Name,
            _ => Place::Elsewhere,
        }
    }
}

/// Returns a host spelled otherwise, with its port: clients take it for another, and it leads to the
/// same place. A name has its first letter in the other case, an address another form; `None` where
/// there is none.
pub(crate) fn respelled(host: &str) -> Option<String> {
    let name = without_port(host).unwrap_or(host);
    let port = host
        .strip_prefix(name)
        .or_else(|| host.split_once(']').map(|(_, port)| port))?;
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Some(format!("[{}]{port}", address.to_ipv6_mapped())),
        Ok(IpAddr::V6(address)) => {
            let long = address.segments().map(|segment| format!("{segment:04x}"));
            let long = long.join(":");
            // Whoever wrote it so gets the form without zeros.
            let other = if long == name {
                address.to_string()
            } else {
                long
            };
            Some(format!("[{other}]{port}"))
        }
        Err(_) => {
            let at = name.find(|letter: char| letter.is_ascii_alphabetic())?;
            let (before, rest) = host.split_at(at);
            let mut letters = rest.chars();
            let letter = match letters.next()? {
                letter if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
                letter => letter.to_ascii_lowercase(),
            };
            Some(format!("{before}{letter}{}", letters.as_str()))
        }
    }
}

/// Returns the host before a port; `None` where no port stands, or the brackets are not in order.
fn without_port(host: &str) -> Option<&str> {
    let (name, _) = host.rsplit_once(':')?;
    match name.strip_prefix('[') {
        Some(inner) => inner
            .strip_suffix(']')
            .filter(|inner| !inner.contains(['[', ']'])),
        None => (!name.contains([':', '[', ']'])).then_some(name),
    }
}

/// Returns an address without its zone, which only those of IPv6 have.
fn without_zone(name: &str) -> &str {
    match name.split_once('%') {
        Some((address, zone)) if address.contains(':') && !zone.is_empty() => address,
        _ => name,
    }
}

fn own_name() -> String {
    let name = gethostname::gethostname();
    name.to_string_lossy().to_ascii_lowercase()
}

fn is_here(address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let address = address.to_canonical();
    let is_special = address.is_loopback() || address.is_unspecified();
    is_special || is_private(address) || is_of_this_machine(address)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Returns whether an interface has the address: only such a one can be bound. No packet is sent.
fn is_of_this_machine(address: IpAddr) -> bool {
    let is_shared = match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    };
    !is_shared && UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_its_network_are_told_by_their_form() {
        let addresses = [
            "127.0.0.1",
            "127.9.9.9:80",
            "10.1.2.3",
            "192.168.0.7:80",
            "172.16.0.1",
            "0.0.0.0",
            "[::1]:1",
            "::1",
            "[::]:1",
            "[fd00::1]:1",
            "[::ffff:127.0.0.1]:1",
            "[::1%lo]:1",
        ];
        for host in addresses {
            assert_eq!(Place::of(host), Place::Address, "{host}");
        }
        let elsewhere = [
            "evil.example",
            "evil.example:11434",
            "8.8.8.8",
            "localhost.evil.example",
            "[::1]",
            "127.1",
            "127.0.0.1.",
            "localhost.",
            "localhost:1:2",
            "127.0.0.1%lo",
            "[::1%]:1",
            "010.0.0.1",
            "172.32.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::ffff:8.8.8.8]:1",
            "local",
            "[localhost]",
        ];
        for host in elsewhere {
            assert_eq!(Place::of(host), Place::Elsewhere, "{host}");
        }
        for host in [
            "",
            "localhost",
            "LOCALHOST:1",
            "localhost:x",
            "a.local",
            ".internal:1",
        ] {
            assert_eq!(Place::of(host), Place::Name, "{host}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_name_and_by_the_addresses_of_its_interfaces() {
        let name = gethostname::gethostname().to_string_lossy().into_owned();
        assert!(!name.is_empty());
        assert_eq!(Place::of(&name.to_ascii_uppercase()), Place::Name);
        for (address, is_own) in [
            ("127.0.0.1", true),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
        ] {
            let found = is_of_this_machine(address.parse().unwrap());
            assert_eq!(found, is_own, "{address}");
        }
    }

    #[test]
    fn a_host_has_another_spelling_that_leads_to_the_same_place() {
        let spellings = [
            ("localhost:11434", "Localhost:11434"),
            ("Models.lan", "models.lan"),
            ("10.0.0.1:80", "[::ffff:10.0.0.1]:80"),
            ("10.0.0.1", "[::ffff:10.0.0.1]"),
            ("[::1]:80", "[0000:0000:0000:0000:0000:0000:0000:0001]:80"),
            ("[0000:0000:0000:0000:0000:0000:0000:0001]:80", "[::1]:80"),
            ("9x:1", "9X:1"),
        ];
        for (host, other) in spellings {
            assert_eq!(respelled(host).as_deref(), Some(other), "{host}");
        }
        assert_eq!(respelled(""), None);
        assert_eq!(respelled("9"), None);
    }

    #[test]
    fn the_authority_of_an_absolute_target_is_the_host() {
        let head = |uri: &str, hosts: &[&str]| {
            let mut request = hyper::Request::get(uri);
            for host in hosts {
                request = request.header("host", *host);
            }
            request.body(()).unwrap().into_parts().0
        };
        assert_eq!(host(&head("/", &["a:1"])), Ok("a:1"));
        assert_eq!(host(&head("http://b/", &["a"])), Ok("b"));
        assert_eq!(host(&head("http://user@b:2/", &["a"])), Ok("b:2"));
        for (uri, hosts) in [
            ("/", &[][..]),
            ("http://b/", &[]),
            ("/", &["a", "a"]),
            ("/", &["a/b"]),
        ] {
            assert!(host(&head(uri, hosts)).is_err(), "{uri} {hosts:?}");
        }
    }
}
