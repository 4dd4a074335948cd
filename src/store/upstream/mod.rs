//! A registry behind this store: what is missing here is fetched from there, once, and kept.

mod flights;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Manifest;
use crate::name::{DEFAULT_HOST, Digest, ModelName};
use crate::registry::{Access, Registry, RegistryOptions, RegistryReference, RemoteManifest};
use crate::store::handle::Store;
use crate::store::pull::PullOptions;
use crate::sync::lock;

pub(crate) use flights::Arrival;
pub(in crate::store) use flights::Flights;

/// How long the answer about a tag holds: a thousand clients that ask at once are one question.
const FRESH: Duration = Duration::from_secs(5);

/// So many tags are known at most; who asks for others has those forgotten that nobody asks for now.
const MOST_TAGS: usize = 4_096;

/// What is told of pulls that end, in a line each.
type Notice = dyn Fn(&str) + Send + Sync;

/// A registry behind a store, for [`registry_through`](crate::http_api::registry_through): what a client
/// asks for and the store has not is fetched from there, once however many ask, handed on while it
/// comes, verified and kept. Dropping it ends what is under way; what has come so far is gone on with
/// another time.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{RegistryOptions, Upstream};
///
/// let told = |line: &str| eprintln!("{line}");
/// let upstream = Upstream::new(&store, "registry.example.com/mirror", RegistryOptions::new(), told)?;
/// assert_eq!(format!("{upstream:?}"), "Upstream(\"registry.example.com/mirror\")");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Upstream {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Upstream").field(&self.inner.place).finish()
    }
}

struct Inner {
    store: Store,
    /// The registry, and what stands before the names of its repositories.
    place: String,
    options: PullOptions,
    flights: Arc<Flights>,
    tags: Mutex<HashMap<ModelName, Arc<Mutex<Tag>>>>,
    running: Mutex<Vec<Arc<Registry>>>,
    notice: Box<Notice>,
}

/// What the registry said of a tag, and when; `None` where it has no such tag.
#[derive(Clone)]
struct Answer {
    asked: Instant,
    manifest: Option<Arc<Vec<u8>>>,
}

impl Answer {
    fn now(manifest: Option<Arc<Vec<u8>>>) -> Option<Self> {
        let asked = Instant::now();
        Some(Answer { asked, manifest })
    }
}

/// What is known of a tag.
#[derive(Default)]
struct Tag {
    answer: Option<Answer>,
    /// The manifest whose blobs are coming.
    pulling: Arc<Mutex<Option<Digest>>>,
}

impl Upstream {
    /// Puts a registry behind a store: `REGISTRY`, or `REGISTRY/PREFIX` where the repositories are below
    /// one. Connects to nothing. `notice` is told in a line each what was fetched, and what failed.
    ///
    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) for what is no registry; where nothing may be written to
    /// the store.
    pub fn new(
        store: &Store,
        registry: &str,
        options: RegistryOptions,
        notice: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self> {
        let place = registry.trim_end_matches('/').to_owned();
        match place.contains('/') {
            true => drop(place.parse::<RegistryReference>()?),
            false => drop(RegistryReference::of_host(&place)?),
        }
        store.may_change()?;
        Ok(Upstream {
            inner: Arc::new(Inner {
                store: store.clone(),
                place,
                options: PullOptions::new().registry(options),
                flights: Arc::default(),
                tags: Mutex::default(),
                running: Mutex::default(),
                notice: Box::new(notice),
            }),
        })
    }

    /// Returns the store that keeps what comes.
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Returns the bytes of a model's manifest as the registry has it now, and has its blobs fetched
    /// where they are missing; where the registry cannot be asked, those that are stored.
    pub(crate) fn manifest(&self, name: &ModelName) -> Result<Option<Vec<u8>>> {
        let stored = || self.inner.store.manifest_bytes(name);
        if !name.host().eq_ignore_ascii_case(DEFAULT_HOST) {
            return stored();
        }
        let tag = self.inner.tag(name);
        // One of those that ask at once asks, and the others wait for its answer.
        let mut tag = lock(&tag);
        if let Some(answer) = &tag.answer
            && answer.asked.elapsed() < FRESH
        {
            return match &answer.manifest {
                Some(bytes) => Ok(Some(bytes.to_vec())),
                None => stored(),
            };
        }
        match self.inner.ask(name) {
            Ok((registry, found)) => {
                let bytes = Arc::new(found.bytes.clone());
                tag.answer = Answer::now(Some(bytes.clone()));
                if stored()?.is_none_or(|stored| stored != found.bytes) {
                    self.inner.begin(registry, found, name, &tag.pulling)?;
                }
                Ok(Some(bytes.to_vec()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tag.answer = Answer::now(None);
                // A tag that is gone there is one of ours, or was one of theirs: it is kept.
                stored()
            }
            Err(error) => match stored()? {
                Some(bytes) => {
                    (self.inner.notice)(&format!("{error}; what is stored is served"));
                    Ok(Some(bytes))
                }
                None => Err(error),
            },
        }
    }

    /// Returns the manifest of a repository that has a digest, of those that were asked for lately.
    pub(crate) fn manifest_of(&self, repository: &ModelName, digest: &Digest) -> Option<Vec<u8>> {
        let tags: Vec<Arc<Mutex<Tag>>> = lock(&self.inner.tags)
            .iter()
            .filter(|(name, _)| name.parts()[..3] == repository.parts()[..3])
            .map(|(_, tag)| tag.clone())
            .collect();
        tags.iter().find_map(|tag| {
            let bytes = lock(tag).answer.clone()?.manifest?;
            (Digest::of(&bytes) == *digest).then(|| bytes.to_vec())
        })
    }

    /// Returns a blob that is on its way here.
    pub(crate) fn blob(&self, digest: &Digest) -> Option<Arrival> {
        let size = self.inner.flights.size(digest)?;
        let (store, flights) = (self.inner.store.clone(), self.inner.flights.clone());
        Some(Arrival::new(store, flights, *digest, size))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        for registry in lock(&self.inner.running).iter() {
            registry.stop();
        }
    }
}

impl Inner {
    fn tag(&self, name: &ModelName) -> Arc<Mutex<Tag>> {
        let mut tags = lock(&self.tags);
        if tags.len() >= MOST_TAGS {
            tags.retain(|_, tag| Arc::strong_count(tag) > 1);
        }
        tags.entry(name.clone()).or_default().clone()
    }

    /// Asks the registry for a manifest.
    fn ask(&self, name: &ModelName) -> Result<(Registry, RemoteManifest)> {
        let [_, namespace, model, tag] = name.parts();
        let reference = format!("{}/{namespace}/{model}:{tag}", self.place);
        let reference: RegistryReference = reference.parse()?;
        let registry = Registry::new(&reference, Access::Pull, &[], &self.options.registry)?;
        let found = registry.manifest()?;
        Ok((registry, found))
    }

    /// Has the blobs of a manifest fetched, unless they are coming already.
    fn begin(
        self: &Arc<Self>,
        registry: Registry,
        found: RemoteManifest,
        name: &ModelName,
        pulling: &Arc<Mutex<Option<Digest>>>,
    ) -> Result<()> {
        let digest = found.digest;
        if lock(pulling).replace(digest) == Some(digest) {
            return Ok(());
        }
        let under_way = UnderWay {
            inner: self.clone(),
            registry: Arc::new(registry),
            pulling: pulling.clone(),
            digest,
        };
        lock(&self.running).push(under_way.registry.clone());
        let expected = self.flights.expect(missing(&self.store, &found.bytes)?);
        let name = name.clone();
        let fetching = thread::Builder::new().spawn(move || {
            let (inner, registry) = (&under_way.inner, &under_way.registry);
            let pulled =
                inner
                    .store
                    .pull_found(registry, found, &name, &inner.options, &inner.flights);
            drop(expected);
            match pulled {
                Ok(pulled) => (inner.notice)(&format!(
                    "fetched {name}: {} bytes in {} blobs",
                    pulled.new_bytes, pulled.new_blobs
                )),
                Err(error) => (inner.notice)(&format!("fetching {name}: {error}")),
            }
        });
        let begun = fetching.map_err(|e| Error::caused(ErrorKind::Io, "starting a thread", e));
        begun.map(drop)
    }
}

/// A manifest whose blobs are coming.
struct UnderWay {
    inner: Arc<Inner>,
    registry: Arc<Registry>,
    pulling: Arc<Mutex<Option<Digest>>>,
    digest: Digest,
}

impl Drop for UnderWay {
    /// However the pull has ended, or could not begin, the next question begins another.
    fn drop(&mut self) {
        lock(&self.inner.running).retain(|other| !Arc::ptr_eq(other, &self.registry));
        lock(&self.pulling).take_if(|known| *known == self.digest);
    }
}

/// Returns the blobs of a manifest that are not stored, and the sizes that it states. Of one that is
/// malformed none are known: its pull says so.
fn missing(store: &Store, manifest: &[u8]) -> Result<Vec<(Digest, u64)>> {
    let sizes = Manifest::parse(manifest)?.sizes().unwrap_or_default();
    let missing = sizes
        .into_iter()
        .filter(|(digest, _)| !store.has_blob(digest));
    Ok(missing.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_nobody_asks_for_now_are_forgotten_when_there_are_many() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let upstream = Upstream::new(&store, "h.x", RegistryOptions::new(), |_| ()).unwrap();
        let tag = |n: usize| upstream.inner.tag(&format!("m{n}").parse().unwrap());
        let kept = tag(0);
        for n in 1..MOST_TAGS {
            tag(n);
        }
        assert_eq!(lock(&upstream.inner.tags).len(), MOST_TAGS);
        tag(MOST_TAGS);
        assert_eq!(lock(&upstream.inner.tags).len(), 2);
        assert!(Arc::ptr_eq(&kept, &tag(0)));
    }
}
