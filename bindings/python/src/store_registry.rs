//! What brings models into a store from a registry and takes them there, of the class `Store`.

use modelkeep::{PullOptions, PushOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::registry::{Pulled, Pushed, RegistryKeywords};
use crate::store::Store;

#[pymethods]
impl Store {
    /// Fetches a model from a registry: `reference` is `REGISTRY/REPOSITORY`, with `:TAG` or `@DIGEST`. Blobs
    /// that the store has are not fetched, each is hashed while it comes, and the model is visible when all
    /// are there. A pull that broke off, however it did, is gone on with by the next one.
    ///
    /// `name` is the model's name here, by default that of the registry, of a repository of two parts. A
    /// model of that name is replaced, or, with `replace=False`, an `ExistsError`. `progress` is as in
    /// `import_gguf`. How the registry is reached:
    ///
    /// - `username` and `password`, or `token`, are sent in place of what `docker login` or `podman login`
    ///   stored.
    /// - `ca_file` is a file of certificates, as PEM, that the registry's is checked against, in place of the
    ///   system's.
    /// - `client_certificate` is a pair of files, as PEM: the certificate that the registry asks for, and its
    ///   key.
    /// - `plain_http=True` does without TLS, so that everybody on the way can read and change what is sent. A
    ///   registry on this machine needs no such leave.
    /// - `connections` is how many transfers run at a time, 64 at most.
    ///
    /// Raises `NetworkError` where the registry cannot be reached or does not answer as one, `NotFoundError`
    /// where it has no such model, `PermissionDeniedError` where it wants to know who asks or does not let
    /// them, `CorruptError` for bytes of another digest, and `UnsupportedError` for what is no model.
    ///
    /// >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2")
    /// >>> del store["llama3.2"]
    /// >>> pulled = store.pull(f"{registry}/team/llama3.2", "llama3.2")
    /// >>> pulled.name, pulled.new_bytes, store["llama3.2"].system
    /// ('llama3.2:latest', 1002, 'Be brief.')
    #[pyo3(signature = (reference, name=None, *, replace=true, progress=None, **how),
        text_signature = "($self, reference, name=None, *, replace=True, progress=None, \
        plain_http=False, ca_file=None, client_certificate=None, username=None, password=None, \
        token=None, connections=4)")]
    fn pull(
        &self,
        py: Python<'_>,
        reference: &str,
        name: Option<&str>,
        replace: bool,
        progress: Option<Py<PyAny>>,
        how: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<Pulled>> {
        let mut options = PullOptions::new()
            .replace(replace)
            .registry(RegistryKeywords::options("pull", how)?);
        if let Some(name) = name {
            options = options.name(name);
        }
        let pull = |store: &modelkeep::Store| store.pull(reference, &options);
        Pulled::of(py, self.watched(py, progress, "pulling", pull)?)
    }

    /// Sends the model `name` to a registry: `to` is `REGISTRY/REPOSITORY:TAG`, by default what its name
    /// says. Blobs that the registry has are not sent, and the manifest is sent as it is stored, so its digest
    /// is the same there. A push that was killed finds the whole blobs there.
    ///
    /// `progress` is as in `import_gguf`, and how the registry is reached as in `pull`.
    ///
    /// Raises as `pull`; `ArgumentError` where the model's name says no registry that takes models this way.
    ///
    /// >>> store.push("llama3.2", f"{registry}/team/llama3.2").sent_blobs
    /// 7
    /// >>> store.push("llama3.2", f"{registry}/team/llama3.2:again").shared_blobs
    /// 7
    #[pyo3(signature = (name, to=None, *, progress=None, **how),
        text_signature = "($self, name, to=None, *, progress=None, plain_http=False, ca_file=None, \
        client_certificate=None, username=None, password=None, token=None, connections=4)")]
    fn push(
        &self,
        py: Python<'_>,
        name: &str,
        to: Option<&str>,
        progress: Option<Py<PyAny>>,
        how: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<Pushed>> {
        let mut options = PushOptions::new().registry(RegistryKeywords::options("push", how)?);
        if let Some(to) = to {
            options = options.to(to);
        }
        let push = |store: &modelkeep::Store| store.push(name, &options);
        Pushed::of(py, self.watched(py, progress, "pushing", push)?)
    }
}
