//! How a registry is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a registry is reached, and as whom.
///
/// Proxies are those of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`); none
/// is used for this machine. Certificates are checked against those that the system trusts.
/// Credentials are those of `docker login` and `podman login`: of `DOCKER_AUTH_CONFIG`,
/// `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG` and the files in their usual places, with the helpers that
/// these name. They are sent to the registry and to where it has tokens issued, and to no host that a
/// download is redirected to.
///
/// ```
/// use modelkeep::RegistryOptions;
///
/// let options = RegistryOptions::new().username_password("me", "hunter2").connections(8);
/// assert!(!format!("{options:?}").contains("hunter2"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryOptions {
    pub(super) plain_http: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(super) credentials: Option<Credentials>,
    pub(super) connections: usize,
    pub(super) stall_timeout: Duration,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    Basic(String, Secret),
    /// Sent as it is.
    Token(Secret),
    /// For the server of tokens, which makes others of it.
    Identity(Secret),
}

/// What is in no log and no error.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Enough for a fast network, and few enough for a registry that counts.
const CONNECTIONS: usize = 4;

const STALL_TIMEOUT: Duration = Duration::from_secs(30);

impl Default for RegistryOptions {
    fn default() -> Self {
        RegistryOptions {
            plain_http: false,
            ca_file: None,
            client_certificate: None,
            credentials: None,
            connections: CONNECTIONS,
            stall_timeout: STALL_TIMEOUT,
        }
    }
}

impl RegistryOptions {
    /// Returns the options of a registry that is reached by HTTPS, as whom the files of `docker
    /// login` say.
    pub fn new() -> Self {
        RegistryOptions::default()
    }

    /// Sets whether the registry is reached by plain HTTP, which everybody on the way can read and
    /// change. One on this machine is without it, where it does not speak TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: bool) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Sets the certificates, as PEM, that the registry's is checked against, in place of the
    /// system's. Hosts that it redirects to are checked against the system's.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Sets the certificate, with its chain, and the key that the registry asks a client for, both
    /// as PEM; they may be in one file.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Sets the user and the password, in place of those that are stored.
    #[must_use]
    pub fn username_password(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.credentials = Some(Credentials::Basic(username.into(), Secret(password.into())));
        self
    }

    /// Sets the token that the registry takes as it is, in place of what is stored.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.credentials = Some(Credentials::Token(Secret(token.into())));
        self
    }

    /// Sets how many transfers run at a time, 4 by default; 0 counts as 1, and more than 64 as 64.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, 64);
        self
    }

    /// Sets how long a connection may be silent, 30 seconds by default; then it counts as broken, and
    /// the transfer goes on by another one.
    #[must_use]
    pub fn stall_timeout(mut self, time: Duration) -> Self {
        self.stall_timeout = time;
        self
    }

    /// Returns how many transfers run at a time.
    pub(crate) fn transfers(&self) -> usize {
        self.connections
    }
}
