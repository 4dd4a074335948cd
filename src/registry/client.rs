//! One repository of a registry: its manifests, and how anything is asked of it.

use std::sync::OnceLock;

use ureq::http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use ureq::{Body, SendBody};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Digest;
use crate::oci;

use super::address::{RegistryReference, is_loopback};
use super::agent::Agents;
use super::auth::{Auth, challenges};
use super::options::RegistryOptions;
use super::response::{header, read_whole, refusal};
use super::retry::{Fault, Pauses};

/// A download may be sent from host to host so often.
const MOST_REDIRECTS: usize = 5;

/// A header that was made anew may have expired at once; one that is refused again is wrong.
const MOST_CHALLENGES: usize = 2;

const HTTP: &str = "http";
const HTTPS: &str = "https";

/// What is done in a repository.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// One repository of a registry, for one call.
pub(crate) struct Registry {
    reference: RegistryReference,
    /// How it is spoken to, once that is known.
    scheme: OnceLock<&'static str>,
    pub(super) agents: Agents,
    auth: Auth,
    pub(super) pauses: Pauses,
}

/// A request without its body.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub target: Uri,
    pub headers: &'a [(&'static str, String)],
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, target: Uri) -> Self {
        Ask {
            method,
            target,
            headers: &[],
        }
    }
}

/// A manifest as a registry has it.
pub(crate) struct RemoteManifest {
    pub bytes: Vec<u8>,
    pub digest: Digest,
}

impl Registry {
    /// Makes ready for a repository; `others` are repositories whose blobs may be mounted. Connects to
    /// nothing.
    pub(crate) fn new(
        reference: &RegistryReference,
        access: Access,
        others: &[String],
        options: &RegistryOptions,
    ) -> Result<Self> {
        let host = reference.served_by();
        let mut scopes = Vec::new();
        if !reference.repository().is_empty() {
            let actions = match access {
                Access::Pull => "pull",
                Access::Push => "pull,push",
            };
            scopes.push(format!("repository:{}:{actions}", reference.repository()));
            scopes.extend(others.iter().map(|it| format!("repository:{it}:pull")));
        }
        let has_certificates = options.ca_file.is_some() || options.client_certificate.is_some();
        let scheme = match options.plain_http {
            true => OnceLock::from(HTTP),
            false if has_certificates || !is_loopback(host) => OnceLock::from(HTTPS),
            false => OnceLock::new(),
        };
        Ok(Registry {
            reference: reference.clone(),
            scheme,
            agents: Agents::new(host, options)?,
            auth: Auth::new(reference.host(), scopes, options),
            pauses: Pauses::default(),
        })
    }

    /// Returns how the registry is spoken to. One on this machine is asked the first time whether it
    /// speaks TLS, where that was not said.
    fn scheme(&self) -> &'static str {
        self.scheme.get_or_init(|| match self.speaks_tls() {
            true => HTTPS,
            false => HTTP,
        })
    }

    fn speaks_tls(&self) -> bool {
        let asked = format!("{HTTPS}://{}/v2/", self.reference.served_by());
        let request = Request::builder().uri(asked).body(SendBody::none());
        let Ok(request) = request else {
            return true;
        };
        match self.agents.send(request) {
            Ok(_) => true,
            // One whose certificate is not believed does speak it.
            Err(fault) => fault.into_error().to_string().contains("certificate:"),
        }
    }

    /// Ends all requests that are under way, from any thread; none begins after it.
    pub(crate) fn stop(&self) {
        self.pauses.stop();
        self.agents.shut_down();
    }

    /// Returns the pauses between attempts.
    pub(crate) fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// Returns what this is a client of, as people write it.
    pub(crate) fn reference(&self) -> &RegistryReference {
        &self.reference
    }

    /// Returns the manifest that the reference names.
    pub(crate) fn manifest(&self) -> Result<RemoteManifest> {
        self.manifest_at(&self.reference.target())
    }

    /// Returns the manifest of a tag or a digest.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where the bytes are not those of the digest.
    pub(crate) fn manifest_at(&self, target: &str) -> Result<RemoteManifest> {
        let doing = format!("reading the manifest {target} of {}", self.repository());
        let uri = self.uri(&format!(
            "/v2/{}/manifests/{target}",
            self.reference.repository()
        ))?;
        let accept = [("accept", oci::MANIFEST_TYPES.join(", "))];
        let (bytes, stated) = self.patiently(|| {
            let ask = Ask {
                headers: &accept,
                ..Ask::new(Method::GET, uri.clone())
            };
            let response = self.ask(&ask)?;
            if response.status() != StatusCode::OK {
                return Err(refusal(response, &doing));
            }
            let stated = header(&response, "docker-content-digest").map(str::to_owned);
            Ok((
                read_whole(response, oci::LARGEST_DOCUMENT, "the manifest")?,
                stated,
            ))
        })?;
        let digest = Digest::of(&bytes);
        let wanted = target.parse::<Digest>().ok();
        // A header of another algorithm says nothing that could be checked.
        let stated = stated.and_then(|text| text.parse::<Digest>().ok());
        match wanted.or(stated).filter(|wanted| *wanted != digest) {
            None => Ok(RemoteManifest { bytes, digest }),
            Some(wanted) => {
                let text = format!("{doing}: the bytes of {wanted} are {digest}");
                Err(Error::new(ErrorKind::Corrupt, text))
            }
        }
    }

    /// Makes a request that may be made again until it succeeds or fails for good.
    pub(super) fn patiently<T>(&self, call: impl FnMut() -> Result<T, Fault>) -> Result<T> {
        self.pauses.patiently(|| 0, call)
    }

    /// Makes a request without a body: answers challenges, and follows redirects of what is read.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
        let mut target = ask.target.clone();
        for _ in 0..=MOST_REDIRECTS {
            let hop = Ask {
                method: ask.method.clone(),
                target: target.clone(),
                headers: ask.headers,
            };
            let response = self.authorized(&hop, SendBody::none)?;
            let is_read = ask.method == Method::GET || ask.method == Method::HEAD;
            if !(is_read && response.status().is_redirection()) {
                return Ok(response);
            }
            let to = header(&response, "location").unwrap_or_default();
            target = self.resolve(&target, to)?;
        }
        let text = format!("{} redirects for ever", self.repository());
        Err(Error::new(ErrorKind::Network, text).into())
    }

    /// Makes a request of a body that can be made anew, and answers the challenges of the registry's
    /// own host; no other one is shown who asks.
    pub(super) fn authorized<'b>(
        &self,
        ask: &Ask<'_>,
        mut body: impl FnMut() -> SendBody<'b>,
    ) -> Result<Response<Body>, Fault> {
        let is_own = self.agents.is_own(&ask.target);
        let mut challenged = 0;
        loop {
            let used = self.auth.header().filter(|_| is_own);
            let request = self.request(ask, used.as_ref(), body())?;
            let response = self.agents.send(request)?;
            let is_refused = response.status() == StatusCode::UNAUTHORIZED;
            if !(is_own && is_refused && challenged < MOST_CHALLENGES) {
                return Ok(response);
            }
            challenged += 1;
            if !self
                .auth
                .renew(&challenges(&response), used.as_ref(), &self.agents)?
            {
                return Ok(response);
            }
        }
    }

    fn request<'b>(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&HeaderValue>,
        body: SendBody<'b>,
    ) -> Result<Request<SendBody<'b>>, Fault> {
        let request = Request::builder();
        let mut request = request.method(ask.method.clone()).uri(ask.target.clone());
        for (name, value) in ask.headers {
            request = request.header(*name, value);
        }
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let made = request.body(body);
        made.map_err(|_| self.bad_target(ask.target.path()).into())
    }

    /// Returns the target of a path on the registry.
    pub(super) fn uri(&self, path: &str) -> Result<Uri> {
        let (scheme, host) = (self.scheme(), self.reference.served_by());
        let made = format!("{scheme}://{host}{path}").parse();
        made.map_err(|_| self.bad_target(path))
    }

    /// Returns the target that a `Location` or a `Link` is, as seen from where it came.
    ///
    /// # Errors
    /// Where it is malformed, and where it leads from HTTPS to plain HTTP: the same host would be shown there who asks, and any
    /// other one what is sent.
    pub(super) fn resolve(&self, from: &Uri, location: &str) -> Result<Uri> {
        let failed = || self.bad_target(location);
        if location.starts_with('/') && !location.starts_with("//") {
            let (scheme, authority) = (from.scheme_str(), from.authority());
            let (scheme, authority) = scheme.zip(authority).ok_or_else(failed)?;
            return format!("{scheme}://{authority}{location}")
                .parse()
                .map_err(|_| failed());
        }
        let target: Uri = location.parse().map_err(|_| failed())?;
        let has_user = target
            .authority()
            .is_some_and(|it| it.as_str().contains('@'));
        match (from.scheme_str(), target.scheme_str()) {
            (Some(HTTPS), Some(HTTP)) => {
                let text = format!(
                    "{} sends a request on to plain HTTP: anybody on the way could read it",
                    self.repository()
                );
                Err(Error::new(ErrorKind::Network, text))
            }
            (_, Some(HTTP | HTTPS)) if !has_user => Ok(target),
            _ => Err(failed()),
        }
    }

    fn bad_target(&self, path: &str) -> Error {
        // What follows a path may be a signature.
        let path = path.split('?').next().unwrap_or_default();
        let text = format!("{} leads to {}", self.repository(), printable(path));
        Error::new(ErrorKind::Network, text)
    }

    /// Returns the repository with its host, as errors name it.
    pub(super) fn repository(&self) -> String {
        format!("{}/{}", self.reference.host(), self.reference.repository())
    }

    /// Returns the path of the repository.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.reference.repository())
    }
}

pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::agent::tests::pem;

    fn registry() -> Registry {
        let reference: RegistryReference = "h.x/a/b".parse().unwrap();
        Registry::new(&reference, Access::Pull, &[], &RegistryOptions::new()).unwrap()
    }

    #[test]
    fn only_a_registry_on_this_machine_is_asked_how_it_is_spoken_to() {
        let scheme = |reference: &str, options: &RegistryOptions| {
            let reference: RegistryReference = reference.parse().unwrap();
            let registry = Registry::new(&reference, Access::Pull, &[], options).unwrap();
            registry.scheme.get().copied()
        };
        let directory = tempfile::tempdir().unwrap();
        let both = directory.path().join("both.pem");
        std::fs::write(&both, pem("CERTIFICATE") + &pem("PRIVATE KEY")).unwrap();
        let plain = RegistryOptions::new();
        let authority = plain.clone().ca_file(&both);
        let client = plain.clone().client_certificate(&both, &both);
        assert_eq!(scheme("h.x/a/b", &plain), Some(HTTPS));
        assert_eq!(scheme("localhost:1/a/b", &plain), None);
        for options in [authority, client] {
            assert_eq!(scheme("localhost:1/a/b", &options), Some(HTTPS));
        }
        let plain = plain.plain_http(true);
        assert_eq!(scheme("h.x/a/b", &plain), Some(HTTP));
    }

    #[test]
    fn a_location_is_absolute_or_a_path_of_the_same_host() {
        let registry = registry();
        let from: Uri = "https://h.x:1/v2/a/b/blobs/x".parse().unwrap();
        let resolved = |to: &str| registry.resolve(&from, to).map(|it| it.to_string());
        assert_eq!(
            resolved("/y?z=1").ok().as_deref(),
            Some("https://h.x:1/y?z=1")
        );
        assert_eq!(
            resolved("https://o.y/z").ok().as_deref(),
            Some("https://o.y/z")
        );
        for bad in [
            "",
            "//o.y/z",
            "ftp://o.y/z",
            "file:///etc/passwd",
            "y",
            "https://u:p@o.y/z",
            "https://",
            "http://o.y/z",
            "HTTP://h.x:1/z",
        ] {
            let error = resolved(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Network, "{bad}");
            assert!(error.to_string().contains("h.x/a/b"), "{error}");
        }
        let from: Uri = "http://h.x/v2/a/b/blobs/x".parse().unwrap();
        assert!(registry.resolve(&from, "http://o.y/z").is_ok());
        let error = resolved("ftp://o.y/z?signature=secret").expect_err("no scheme of ours");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
