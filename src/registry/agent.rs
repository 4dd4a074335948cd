//! Connections: one way to the registry itself, and one to every other host.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, SendBody};

use crate::error::{Error, ErrorKind, Result};

use super::address::is_loopback;
use super::options::RegistryOptions;
use super::retry::Fault;

/// A host that does not answer by then is away.
const CONNECT: Duration = Duration::from_secs(20);

/// A registry may look for long, and check what was sent, before it answers.
const ANSWER: Duration = Duration::from_secs(600);

/// The bytes of a body are read and sent through a buffer of this size.
const BUFFER: usize = 128 << 10;

/// The way to the registry has the certificates of its options, and no other host is shown them.
pub(super) struct Agents {
    host: String,
    own: Agent,
    other: Agent,
    /// Whether the registry has answered before: it is there, and what fails may pass.
    answered: AtomicBool,
}

impl Agents {
    /// # Errors
    /// Where a file of certificates cannot be read.
    pub(super) fn new(host: &str, options: &RegistryOptions) -> Result<Self> {
        let own = config(host, options, own_tls(options)?);
        let other = config("", options, tls().build());
        Ok(Agents {
            host: host.to_owned(),
            own: own.new_agent(),
            other: other.new_agent(),
            answered: AtomicBool::new(false),
        })
    }

    /// Returns whether a target is on the host of the registry.
    pub(super) fn is_own(&self, target: &Uri) -> bool {
        let authority = target.authority().map(|it| it.as_str());
        authority.is_some_and(|it| it.eq_ignore_ascii_case(&self.host))
    }

    fn agent(&self, is_own: bool) -> &Agent {
        if is_own { &self.own } else { &self.other }
    }

    /// Sends a request, and returns the response, of whatever status; redirects are not followed.
    pub(super) fn send(&self, request: Request<SendBody<'_>>) -> Result<Response<Body>, Fault> {
        let is_own = self.is_own(request.uri());
        let agent = self.agent(is_own);
        let host = request.uri().host().unwrap_or_default().to_owned();
        // A registry checks what was sent before it answers.
        let is_sent = [Method::PUT, Method::PATCH, Method::POST].contains(request.method());
        let request = match is_sent {
            true => agent
                .configure_request(request)
                .timeout_per_read(Some(ANSWER))
                .build(),
            false => request,
        };
        let sent = agent.run(request);
        if is_own && sent.is_ok() {
            self.answered.store(true, Ordering::Relaxed);
        }
        let may_pass = !is_own || self.answered.load(Ordering::Relaxed);
        sent.map_err(|error| Fault::of_transport(&host, error, may_pass))
    }

    /// Ends what is under way, and lets nothing begin.
    pub(super) fn shut_down(&self) {
        self.own.clone().shutdown();
        self.other.clone().shutdown();
    }
}

fn config(host: &str, options: &RegistryOptions, tls: TlsConfig) -> Config {
    // Of this machine's own servers a proxy knows nothing.
    let proxy = Proxy::try_from_env().filter(|_| !is_loopback(host));
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("modelkeep/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .proxy(proxy)
        .tls_config(tls)
        .max_idle_connections(options.transfers())
        .max_idle_connections_per_host(options.transfers())
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_per_read(Some(options.stall_timeout))
        .timeout_per_write(Some(options.stall_timeout))
        .build()
}

fn tls() -> ureq::tls::TlsConfigBuilder {
    TlsConfig::builder().root_certs(RootCerts::PlatformVerifier)
}

fn own_tls(options: &RegistryOptions) -> Result<TlsConfig> {
    let mut tls = tls();
    if let Some(file) = &options.ca_file {
        let (certificates, _) = pem(file)?;
        if certificates.is_empty() {
            return Err(lacks(file, "certificate"));
        }
        tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
    }
    if let Some((chain, key)) = &options.client_certificate {
        let (certificates, _) = pem(chain)?;
        let (_, keys) = pem(key)?;
        if certificates.is_empty() {
            return Err(lacks(chain, "certificate"));
        }
        let key = keys
            .into_iter()
            .next()
            .ok_or_else(|| lacks(key, "private key"))?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&certificates, key)));
    }
    Ok(tls.build())
}

type Pem = (Vec<Certificate<'static>>, Vec<PrivateKey<'static>>);

fn pem(file: &Path) -> Result<Pem> {
    let text = fs::read(file).map_err(|e| Error::io("reading certificates of", file, e))?;
    let (mut certificates, mut keys) = (Vec::new(), Vec::new());
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(PemItem::PrivateKey(key)) => keys.push(key),
            Ok(_) => {}
            Err(_) => return Err(lacks(file, "well-formed PEM")),
        }
    }
    Ok((certificates, keys))
}

fn lacks(file: &Path, what: &str) -> Error {
    let text = format!("{} has no {what}", file.display());
    Error::new(ErrorKind::InvalidArgument, text).at(file)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of PEM that holds `what`, well-formed and without a meaning.
    pub(in crate::registry) fn pem(what: &str) -> String {
        format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n")
    }

    #[test]
    fn certificates_are_for_the_registry_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, what: &str| {
            let path = directory.path().join(name);
            fs::write(&path, pem(what)).unwrap();
            path
        };
        let (certificate, key) = (file("c", "CERTIFICATE"), file("k", "PRIVATE KEY"));
        let with = |options: RegistryOptions| Agents::new("h.x:5", &options);
        let options = RegistryOptions::new().ca_file(&certificate);
        let agents = with(options.client_certificate(&certificate, &key)).unwrap();
        for (target, is_shown) in [
            ("https://h.x:5/v2/", true),
            ("https://H.X:5/v2/", true),
            ("https://h.x/v2/", false),
            ("https://o.y:5/v2/", false),
        ] {
            let agent = agents.agent(agents.is_own(&target.parse().unwrap()));
            let tls = agent.config().tls_config();
            assert_eq!(tls.client_cert().is_some(), is_shown, "{target}");
            let is_given = matches!(tls.root_certs(), RootCerts::Specific(_));
            assert_eq!(is_given, is_shown, "{target}");
        }
        for options in [
            RegistryOptions::new().ca_file(&key),
            RegistryOptions::new().client_certificate(&key, &key),
            RegistryOptions::new().client_certificate(&certificate, &certificate),
            RegistryOptions::new().ca_file(file("x", "NOTHING")),
        ] {
            assert!(with(options.clone()).is_err(), "{options:?}");
        }
    }
}
