//! Pulling: a model comes from a registry.

mod fetch;
mod flight;
mod foreign;
mod options;
mod transfer;

use crate::error::{Error, ErrorKind, Result};
use crate::name::{Digest, ModelName};
use crate::oci::{Entry, Member};
use crate::registry::{Access, Registry, RegistryReference, RemoteManifest};
use crate::store::handle::Store;
use crate::store::import_archive::{ImportArchiveOptions, Intake, refuse_bomb};
use crate::store::upstream::Flights;

use fetch::{Fetched, fetch};
pub(in crate::store) use flight::Flight;
pub use options::{PullOptions, Pulled};

impl Store {
    /// Fetches a model from a registry: its manifest, and those blobs that the store has not, several
    /// at a time and large ones in parts.
    ///
    /// Each blob is hashed while it comes, and moved into its place when it is whole; the model is
    /// visible when all are. A pull that broke off, however it did, is gone on with by the next one
    /// from what has come, as far as its bytes are still those that were noted. One blob that several
    /// pulls need at the same time is fetched by one of them. The manifest is stored as it is, byte
    /// for byte, where it is that of an Ollama model; of other artifacts that hold one GGUF file as it
    /// is (Docker's models, those of the CNCF's ModelPack, and files under their own names), a model is
    /// made.
    ///
    /// Memory stays within a few MiB for each transfer, whatever the size. [`Store::watch`] shows how
    /// far it is, and stops it.
    ///
    /// ```no_run
    /// use modelkeep::{PullOptions, Store};
    ///
    /// let store = Store::open_default()?;
    /// let pulled = store.pull("registry.example.com/team/model:q4", &PullOptions::new())?;
    /// println!("{}: {} bytes are new", pulled.name, pulled.new_bytes);
    /// # Ok::<(), modelkeep::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Network`](ErrorKind::Network) where the registry cannot be reached or does not answer as one,
    /// [`NotFound`](ErrorKind::NotFound) where it has no such model,
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) where it wants to know who asks, or does not
    /// let them; [`Busy`](ErrorKind::Busy) where it asks for a longer pause than two minutes;
    /// [`Corrupt`](ErrorKind::Corrupt) for bytes of another digest or length;
    /// [`Unsupported`](ErrorKind::Unsupported) for artifacts that are no models;
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed reference, and where the model is to be
    /// given a name; [`AlreadyExists`](ErrorKind::AlreadyExists) where another model has it and was not
    /// to be replaced.
    pub fn pull(
        &self,
        reference: impl TryInto<RegistryReference, Error: Into<Error>>,
        options: &PullOptions,
    ) -> Result<Pulled> {
        let reference = reference.try_into().map_err(Into::into)?;
        if let Some(error) = &options.malformed {
            return Err(error.clone());
        }
        let name = match &options.name {
            Some(name) => name.clone(),
            None => reference.model_name().ok_or_else(|| unnamed(&reference))?,
        };
        if self.is_several() {
            let target = self.target();
            self.must_show(&target, &name)?;
            return target.pull_here(&reference, &name, options);
        }
        self.pull_here(&reference, &name, options)
    }

    fn pull_here(
        &self,
        reference: &RegistryReference,
        name: &ModelName,
        options: &PullOptions,
    ) -> Result<Pulled> {
        self.may_change()?;
        let registry = Registry::new(reference, Access::Pull, &[], &options.registry)?;
        let pulled = self.pull_from(&registry, name, options);
        pulled.map_err(|error| {
            let text = format!("pulling {reference}");
            Error::caused(error.kind(), text, error)
        })
    }

    fn pull_from(
        &self,
        registry: &Registry,
        name: &ModelName,
        options: &PullOptions,
    ) -> Result<Pulled> {
        let found = self.ending(registry, || manifest(registry))?;
        match foreign::Artifact::of(&found.bytes)? {
            Some(artifact) => self.pull_artifact(registry, artifact, &found, name, options),
            None => self.pull_found(registry, found, name, options, &Flights::default()),
        }
    }

    /// Fetches the model of a manifest; who reads its blobs along finds them in `flights`.
    pub(in crate::store) fn pull_found(
        &self,
        registry: &Registry,
        found: RemoteManifest,
        name: &ModelName,
        options: &PullOptions,
        flights: &Flights,
    ) -> Result<Pulled> {
        let taking = ImportArchiveOptions::new()
            .name(name)
            .replace(options.replace);
        let digest = found.digest;
        let mut intake = Intake::of_manifest(self, &taking, found.bytes)?;
        // A model's own manifest may be in an image.
        while let Some(inner) = intake.next_awaited() {
            let bytes = self.ending(registry, || registry.document(&inner))?;
            let entry = Entry {
                member: Member::Blob(inner),
                size: bytes.len() as u64,
            };
            intake.take(entry, &mut &*bytes)?;
        }
        let wanted = intake.missing()?;
        for (digest, size) in &wanted {
            intake.hold(*digest, *size);
        }
        let mut fetched = self.fetch(registry, &wanted, options, flights)?;
        intake.pinned.append(&mut fetched.pinned);
        let taken = intake.finish()?;
        let model = taken.models.into_iter().next();
        let model = model.ok_or_else(|| Error::new(ErrorKind::Corrupt, "it names no model"))?;
        Ok(fetched.pulled(registry, digest, model.name, model.replaced))
    }

    fn fetch(
        &self,
        registry: &Registry,
        blobs: &[(Digest, u64)],
        options: &PullOptions,
        flights: &Flights,
    ) -> Result<Fetched> {
        let transfers = options.registry.transfers();
        self.ending(registry, || {
            fetch(self, registry, blobs, transfers, flights)
        })
    }
}

/// Returns the manifest of a model, of a list where it is the only one that could be it.
fn manifest(registry: &Registry) -> Result<RemoteManifest> {
    let found = registry.manifest()?;
    refuse_bomb(&found.bytes)?;
    match foreign::only_manifest(&found.bytes)? {
        None => Ok(found),
        Some(digest) => registry.manifest_at(&digest.to_string()),
    }
}

fn unnamed(reference: &RegistryReference) -> Error {
    let text = format!(
        "pulling {reference}: only a repository of two parts and a tag makes the name of a model; \
         give it one (modelkeep pull REFERENCE NAME)"
    );
    Error::new(ErrorKind::InvalidName, text)
}
