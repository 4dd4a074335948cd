//! Who asks, from where people have it: the files of `docker login` and `podman login`, and the
//! helpers that these name.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

use crate::error::{Error, ErrorKind, Result};

use super::options::{Credentials, Secret};

/// The key of Docker Hub in a file of `docker login`.
// docker CLI, registry.IndexServer
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Returns what is stored for a registry: of the first place that has something for it, in this
/// order: the text of `DOCKER_AUTH_CONFIG`, the file of `REGISTRY_AUTH_FILE`, `config.json` of
/// Docker, `auth.json` of Podman. A file that is not there has nothing.
///
/// # Errors
/// Where a file cannot be read, and where a helper fails. No text of a helper's is in them.
pub(super) fn stored(host: &str) -> Result<Option<Credentials>> {
    let key = match host.eq_ignore_ascii_case("docker.io") {
        true => DOCKER_HUB_KEY,
        false => host,
    };
    if let Some(text) = env::var_os("DOCKER_AUTH_CONFIG") {
        let place = Path::new("DOCKER_AUTH_CONFIG");
        if let Some(found) = read(text.as_encoded_bytes(), key, place)? {
            return Ok(Some(found));
        }
    }
    for file in files() {
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io("reading credentials of", &file, e)),
        };
        if let Some(found) = read(&text, key, &file)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn files() -> Vec<PathBuf> {
    let place = |variable: &str| {
        env::var_os(variable)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let home = env::home_dir();
    let docker = place("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
    let run = place("XDG_RUNTIME_DIR");
    let config = place("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let podman = |at: PathBuf| at.join("containers").join("auth.json");
    let all = [
        place("REGISTRY_AUTH_FILE"),
        docker.map(|at| at.join("config.json")),
        run.map(podman),
        config.map(podman),
    ];
    all.into_iter().flatten().collect()
}

fn read(text: &[u8], key: &str, place: &Path) -> Result<Option<Credentials>> {
    let failed = |what: &str| {
        let text = format!(
            "reading credentials for {key} of {}: {what}",
            place.display()
        );
        Err(Error::new(ErrorKind::InvalidArgument, text).at(place))
    };
    match get_credential_from_reader(text, key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Credentials::Basic(user, Secret(password))))
        }
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(Credentials::Identity(Secret(token))))
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        // docker-credential-helpers, errCredentialsNotFoundMessage
        Err(CredentialRetrievalError::HelperFailure {
            ref stdout,
            ref stderr,
            ..
        }) if [stdout, stderr]
            .iter()
            .any(|it| it.contains("credentials not found")) =>
        {
            Ok(None)
        }
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            failed(&format!("{helper} failed"))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            failed("the credential helper that it names cannot be run")
        }
        Err(CredentialRetrievalError::MalformedHelperResponse) => {
            failed("the credential helper that it names printed something else than credentials")
        }
        Err(CredentialRetrievalError::CredentialMismatchError) => {
            failed("its auth and its user and password differ")
        }
        Err(CredentialRetrievalError::CredentialDecodingError) => {
            failed("its auth is not base64 of user:password")
        }
        Err(_) => failed("it is no JSON object of docker login"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str) -> Result<Option<Credentials>> {
        read(text.as_bytes(), host, Path::new("config.json"))
    }

    #[test]
    fn credentials_are_those_of_the_host_alone() {
        // user:pass:word
        let text = r#"{"auths":{"h.x:5000":{"auth":"dXNlcjpwYXNzOndvcmQ="}}}"#;
        match found(text, "h.x:5000") {
            Ok(Some(Credentials::Basic(user, password))) => {
                assert_eq!((user.as_str(), password.0.as_str()), ("user", "pass:word"));
            }
            other => panic!("{other:?}"),
        }
        for host in ["h.x", "h.x:5001", "x.h.x:5000"] {
            assert!(matches!(found(text, host), Ok(None)), "{host}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_without_its_secret() {
        let secret = "c2VjcmV0"; // without a colon
        let text = format!(r#"{{"auths":{{"h.x":{{"auth":"{secret}"}}}}}}"#);
        for text in [text.as_str(), "c2VjcmV0", "[]"] {
            let error = found(text, "h.x").expect_err(text).to_string();
            assert!(error.contains("h.x") && !error.contains("ecret"), "{error}");
            assert!(!error.contains(secret), "{error}");
        }
        assert!(matches!(found("{}", "h.x"), Ok(None)));
    }
}
