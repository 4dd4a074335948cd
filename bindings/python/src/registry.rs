//! Models that come from registries and go there: what is said of a registry in keywords, the results
//! of pull and push, and what a registry has.

use modelkeep::RegistryOptions;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::OrRaise;
use crate::options::bad;
use crate::path::FilePath;
use crate::progress::watched;
use crate::record::record;

record! {
    /// What a pull did.
    ///
    /// >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2")
    /// >>> pulled = store.pull(f"{registry}/team/llama3.2", "mine")
    /// >>> pulled.name, pulled.new_blobs, pulled.shared_blobs
    /// ('mine:latest', 0, 7)
    Pulled(py, it: modelkeep::Pulled) extends JsonBase shows [reference, name, digest, new_bytes] {
        /// What was asked for.
        reference => it.reference.to_string();
        /// The model's name here.
        name => it.name.to_string();
        /// The digest of the registry's manifest.
        digest => it.digest.to_string();
        /// Whether another model of that name was replaced.
        replaced => it.replaced;
        /// How many blobs came.
        new_blobs => it.new_blobs;
        /// The bytes of the blobs that came.
        new_bytes => it.new_bytes;
        /// How many of these bytes an earlier pull had fetched, before it broke off.
        resumed_bytes => it.resumed_bytes;
        /// How many blobs were there already.
        shared_blobs => it.shared_blobs;
    }
}

record! {
    /// What a push did.
    ///
    /// >>> pushed = store.push("llama3.2", f"{registry}/team/llama3.2")
    /// >>> pushed.sent_blobs, pushed.sent_bytes
    /// (7, 1002)
    Pushed(py, it: modelkeep::Pushed) extends JsonBase shows [name, reference, digest, sent_bytes] {
        /// The model's name here.
        name => it.name.to_string();
        /// Where it is.
        reference => it.reference.to_string();
        /// The digest of its manifest.
        digest => it.digest.to_string();
        /// How many blobs were sent.
        sent_blobs => it.sent_blobs;
        /// The bytes of the blobs that were sent.
        sent_bytes => it.sent_bytes;
        /// How many blobs the registry had in another repository.
        mounted_blobs => it.mounted_blobs;
        /// How many blobs were there already.
        shared_blobs => it.shared_blobs;
    }
}

/// The keywords that say how a registry is reached.
#[derive(Default)]
pub(crate) struct RegistryKeywords {
    options: RegistryOptions,
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

impl RegistryKeywords {
    /// Takes them from all that were given; `function` is what an error of Python names.
    ///
    /// # Errors
    /// A `TypeError` for one that there is not, or of another type, and an `ArgumentError` for
    /// credentials that are not those of one.
    pub(crate) fn options(
        function: &str,
        given: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<RegistryOptions> {
        let mut keywords = RegistryKeywords::default();
        let Some(given) = given else {
            return Ok(keywords.options);
        };
        for (name, value) in given {
            keywords = keywords.with(function, &name.extract::<String>()?, &value)?;
        }
        keywords.with_credentials().or_raise(given.py())
    }

    fn with(mut self, function: &str, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let options = self.options.clone();
        match name {
            "plain_http" => self.options = options.plain_http(argument(name, value)?),
            "connections" => self.options = options.connections(argument(name, value)?),
            "username" => self.username = argument(name, value)?,
            "password" => self.password = argument(name, value)?,
            "token" => self.token = argument(name, value)?,
            "ca_file" => {
                if let Some(file) = argument::<Option<FilePath>>(name, value)? {
                    self.options = options.ca_file(file.0);
                }
            }
            "client_certificate" => {
                if let Some((chain, key)) = argument::<Option<CertificateAndKey>>(name, value)? {
                    self.options = options.client_certificate(chain.0, key.0);
                }
            }
            _ => {
                let text = format!("{function}() got an unexpected keyword argument '{name}'");
                return Err(PyTypeError::new_err(text));
            }
        }
        Ok(self)
    }

    fn with_credentials(self) -> modelkeep::Result<RegistryOptions> {
        match (self.username, self.password, self.token) {
            (None, None, None) => Ok(self.options),
            (Some(user), Some(password), None) => {
                Ok(self.options.username_password(user, password))
            }
            (None, None, Some(token)) => Ok(self.options.token(token)),
            _ => Err(bad("either username and password, or token".to_owned())),
        }
    }
}

type CertificateAndKey = (FilePath, FilePath);

/// Extracts an argument as a signature does: an error of its type names it.
fn argument<'py, T: for<'a> FromPyObject<'a, 'py>>(
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<T> {
    value.extract::<T>().map_err(|error| {
        let error: PyErr = error.into();
        match error.is_instance_of::<PyTypeError>(value.py()) {
            true => PyTypeError::new_err(format!("argument '{name}': {}", error.value(value.py()))),
            false => error,
        }
    })
}

/// Lists what a registry has: of `REGISTRY/REPOSITORY` the tags, and of `REGISTRY` alone, where it lets
/// that be seen, the repositories; sorted, each as `Store.pull` takes it.
///
/// How the registry is reached is as in `Store.pull`. A Ctrl-C ends the call.
///
/// >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2:tiny")
/// >>> [tag.removeprefix(registry) for tag in modelkeep.ls_remote(f"{registry}/team/llama3.2")]
/// ['/team/llama3.2:tiny']
#[pyfunction]
#[pyo3(signature = (what, **how), text_signature = "(what, *, plain_http=False, ca_file=None, \
    client_certificate=None, username=None, password=None, token=None, connections=4)")]
pub(crate) fn ls_remote(
    py: Python<'_>,
    what: &str,
    how: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<String>> {
    let options = RegistryKeywords::options("ls_remote", how)?;
    watched(py, None, "", |observe| {
        modelkeep::ls_remote_with(what, &options, observe)
    })
}
