//! Pushing: a model goes to a registry.

mod options;
mod sending;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Manifest;
use crate::name::{Digest, ModelName, Reference, convert};
use crate::oci;
use crate::registry::{Access, Placed, Registry, RegistryReference};
use crate::store::handle::Store;
use crate::sync::lock;

pub use options::{PushOptions, Pushed};
use sending::Sending;

/// A registry is asked for blobs of so many other repositories at most.
const MOST_OTHERS: usize = 8;

impl Store {
    /// Sends a model to a registry: those blobs that it has not, several at a time, and then the
    /// manifest, as it is stored, byte for byte. A blob that another repository of the registry has, as
    /// the names of the models here tell, is mounted from there. What broke off is asked for and gone on
    /// with; a push that was killed finds the whole blobs there. Nothing is written here.
    ///
    /// [`Store::watch`] shows how far it is, and stops it.
    ///
    /// ```no_run
    /// use modelkeep::{PushOptions, Store};
    ///
    /// let store = Store::open_default()?;
    /// let to = PushOptions::new().to("registry.example.com/team/model:q4");
    /// println!("{} bytes were sent", store.push("model", &to)?.sent_bytes);
    /// # Ok::<(), modelkeep::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a model that is not stored,
    /// [`FileNotFound`](ErrorKind::FileNotFound) where a blob of it is missing;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) where its name says no registry that takes
    /// models this way; [`Corrupt`](ErrorKind::Corrupt) where the registry finds a blob damaged;
    /// otherwise as [`pull`](Self::pull).
    pub fn push(
        &self,
        name: impl TryInto<Reference, Error: Into<Error>>,
        options: &PushOptions,
    ) -> Result<Pushed> {
        if let Some(error) = &options.malformed {
            return Err(error.clone());
        }
        let model = self.model(convert::name::<Reference>(name)?)?;
        let (store, name) = (model.store(), model.name());
        let to = match &options.to {
            Some(to) => to.clone(),
            None => RegistryReference::from(name),
        };
        if to.is_ollamas() {
            let text = format!(
                "pushing '{name}': {} takes models from Ollama's own keys alone; say where to push \
                 it (modelkeep push NAME REGISTRY/REPOSITORY:TAG)",
                to.host()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        let pushed = store.push_to(name, to, options);
        pushed.map_err(|error| Error::caused(error.kind(), format!("pushing '{name}'"), error))
    }

    fn push_to(
        &self,
        name: &ModelName,
        to: RegistryReference,
        options: &PushOptions,
    ) -> Result<Pushed> {
        let bytes = self.manifest_bytes(name)?.ok_or_else(|| {
            let text = format!("model '{name}' was deleted meanwhile");
            Error::new(ErrorKind::NotFound, text)
        })?;
        let manifest = Manifest::parse(&bytes)?;
        let others = self.elsewhere(&to, &manifest)?;
        let repositories: Vec<String> = others.keys().cloned().collect();
        let registry = Registry::new(&to, Access::Push, &repositories, &options.registry)?;
        let mut files = Vec::new();
        for digest in manifest.digests() {
            let sending = Sending::open(self, digest)?;
            self.expect(sending.size);
            files.push(sending);
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let sent = Mutex::new(Pushed {
            name: name.clone(),
            digest: Digest::of(&bytes),
            reference: to,
            sent_blobs: 0,
            sent_bytes: 0,
            mounted_blobs: 0,
            shared_blobs: 0,
        });
        let push = Push {
            registry: &registry,
            others: &others,
            files: Mutex::new(files.into()),
            failure: Mutex::default(),
            sent,
        };
        self.ending(&registry, || {
            push.all(options.registry.transfers())?;
            registry.put_manifest(&bytes, oci::pushed_type(&bytes))
        })?;
        Ok(push
            .sent
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns which blobs of a model other repositories of the registry have, as the names of the
    /// models here tell. What cannot be read tells nothing.
    fn elsewhere(
        &self,
        to: &RegistryReference,
        manifest: &Manifest,
    ) -> Result<BTreeMap<String, BTreeSet<Digest>>> {
        let own: BTreeSet<Digest> = manifest.digests().into_iter().collect();
        let mut found: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
        for name in self.names()?.names {
            let other = RegistryReference::from(&name);
            let is_beside = other.host().eq_ignore_ascii_case(to.host())
                && other.repository() != to.repository();
            if !is_beside || found.len() == MOST_OTHERS {
                continue;
            }
            let Ok(Some(bytes)) = self.manifest_bytes(&name) else {
                continue;
            };
            let digests = Manifest::parse(&bytes)
                .map(|it| it.digests())
                .unwrap_or_default();
            let shared: BTreeSet<Digest> = own
                .intersection(&digests.into_iter().collect())
                .copied()
                .collect();
            if !shared.is_empty() {
                found
                    .entry(other.repository().to_owned())
                    .or_default()
                    .extend(shared);
            }
        }
        Ok(found)
    }
}

/// The blobs on their way.
struct Push<'a> {
    registry: &'a Registry,
    others: &'a BTreeMap<String, BTreeSet<Digest>>,
    files: Mutex<VecDeque<Sending>>,
    failure: Mutex<Option<Error>>,
    sent: Mutex<Pushed>,
}

impl Push<'_> {
    /// Sends every blob, so many at a time.
    fn all(&self, transfers: usize) -> Result<()> {
        thread::scope(|scope| {
            for _ in 0..transfers {
                scope.spawn(|| self.work());
            }
        });
        match lock(&self.failure).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn work(&self) {
        while lock(&self.failure).is_none() {
            let Some(file) = lock(&self.files).pop_front() else {
                return;
            };
            if let Err(error) = self.one(&file) {
                // What ends because of it is not the reason.
                lock(&self.failure).get_or_insert(error);
                self.registry.stop();
            }
        }
    }

    fn one(&self, file: &Sending) -> Result<()> {
        let digest = &file.digest;
        let is_there = self.registry.has_blob(digest)?;
        let is_mounted = !is_there && self.mount(digest)?;
        if !(is_there || is_mounted) {
            let content = |at| file.from(at);
            let sent = self
                .registry
                .upload(digest, file.size, &content, &|| file.sent());
            file.failure().map_or(Ok(()), Err)?;
            sent?;
        }
        file.finish();
        let mut sent = lock(&self.sent);
        match (is_there, is_mounted) {
            (true, _) => sent.shared_blobs += 1,
            (_, true) => sent.mounted_blobs += 1,
            _ => {
                sent.sent_blobs += 1;
                sent.sent_bytes += file.size;
            }
        }
        Ok(())
    }

    fn mount(&self, digest: &Digest) -> Result<bool> {
        let having = self
            .others
            .iter()
            .filter(|(_, blobs)| blobs.contains(digest));
        for (repository, _) in having {
            if self.registry.mount(digest, repository)? == Placed::Mounted {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
