//! Which blobs are in use. Delete, garbage collection and all else that removes ask here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Layout;
use crate::fs::read;
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;
use crate::store::problem::Problem;
use crate::store::survey::{Stored, Survey};

/// The digests that the store's manifests name at one moment.
pub(crate) struct LiveBlobs {
    live: HashSet<Digest>,
    users: HashMap<Digest, Vec<ModelName>>,
    problems: Vec<Problem>,
    manifests: usize,
    staged: Vec<PathBuf>,
}

/// What one manifest keeps.
struct Uses {
    name: Option<ModelName>,
    digests: Vec<Digest>,
    /// Whether a blob that it names may be a manifest itself.
    is_index: bool,
    problem: Option<Problem>,
}

impl LiveBlobs {
    /// Reads every manifest of the store, and of the one whose `blobs/` it shares. Whatever decodes
    /// as a manifest keeps what it names, under whatever name it is stored and of whatever kind it
    /// is.
    ///
    /// # Errors
    /// Where the store is gone, or the process lacks the means to look.
    pub(crate) fn scan(store: &Store) -> Result<Self> {
        LiveBlobs::scan_for(store, &HashSet::new())
    }

    /// As [`scan`](Self::scan), and notes which models use the blobs that are `wanted`.
    pub(crate) fn scan_for(store: &Store, wanted: &HashSet<Digest>) -> Result<Self> {
        LiveBlobs::scan_besides(store, &[], wanted)
    }

    /// As [`scan_for`](Self::scan_for), as if some models were not there.
    pub(crate) fn scan_besides(
        store: &Store,
        gone: &[ModelName],
        wanted: &HashSet<Digest>,
    ) -> Result<Self> {
        let mut blobs = LiveBlobs {
            live: HashSet::new(),
            users: HashMap::new(),
            problems: Vec::new(),
            manifests: 0,
            staged: Vec::new(),
        };
        let layout = store.layout();
        let is_gone = |stored: &Stored| {
            let name = stored.file.name.as_ref();
            name.is_some_and(|name| gone.contains(name))
        };
        let mut survey = store.survey(|stored| match is_gone(&stored) {
            true => None,
            false => uses(stored),
        })?;
        let is_gone = |problem: &Problem| problem.name().is_some_and(|name| gone.contains(name));
        survey.problems.retain(|problem| !is_gone(problem));
        blobs.staged.append(&mut survey.staged);
        blobs.add(layout, survey, wanted);
        if let Some(root) = layout.shared_root() {
            let shared = store.survey_of(&Layout::new(root), uses)?;
            blobs.add(layout, shared, wanted);
        }
        Ok(blobs)
    }

    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.live.contains(digest)
    }

    /// Returns the models that use a blob that was wanted, in byte order of paths.
    pub(crate) fn users(&self, digest: &Digest) -> &[ModelName] {
        self.users.get(digest).map_or(&[], Vec::as_slice)
    }

    /// Returns what could not be read. While there is one, nobody knows what it uses, and no blob
    /// may be removed.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Returns the files of ours among the store's manifests that never became visible.
    pub(crate) fn staged(&self) -> &[PathBuf] {
        &self.staged
    }

    /// Returns whether there is no manifest at all.
    pub(crate) fn has_no_manifest(&self) -> bool {
        self.manifests == 0
    }

    fn add(&mut self, layout: &Layout, survey: Survey<Uses>, wanted: &HashSet<Digest>) {
        self.manifests += survey.found.len();
        self.problems.extend(survey.problems);
        for uses in survey.found {
            self.problems.extend(uses.problem);
            if uses.is_index {
                self.follow(layout, &uses.digests);
            }
            for digest in uses.digests {
                self.live.insert(digest);
                if wanted.contains(&digest) {
                    self.users
                        .entry(digest)
                        .or_default()
                        .extend(uses.name.clone());
                }
            }
        }
    }

    /// Takes what the manifests name that are blobs themselves, and are here.
    fn follow(&mut self, layout: &Layout, digests: &[Digest]) {
        let mut left = digests.to_vec();
        let mut known: HashSet<Digest> = left.iter().copied().collect();
        while let Some(digest) = left.pop() {
            let path = layout.blob(&digest);
            match nested(&digest, &path) {
                Ok(named) => left.extend(named.into_iter().filter(|digest| known.insert(*digest))),
                Err(error) => self.problems.push(Problem::new(&path, None, error)),
            }
        }
        self.live.extend(known);
    }
}

fn uses(stored: Stored) -> Option<Uses> {
    let text = &stored.text.bytes;
    let mut problem = None;
    let mut digests = Digest::all_in(text).unwrap_or_else(|| {
        problem = Some("a row of hexadecimal digits that is too long for a digest".to_owned());
        Vec::new()
    });
    for layer in stored.manifest.entries() {
        match layer.digest() {
            Ok(digest) => digests.push(digest),
            Err(_) if layer.digest_text().is_empty() => {}
            Err(error) => problem = Some(error.to_string()),
        }
    }
    digests.sort_unstable();
    digests.dedup();
    let problem = problem.map(|what| {
        let text = format!("reading manifest {}: {what}", stored.file.path.display());
        let error = Error::new(ErrorKind::Corrupt, text);
        Problem::new(&stored.file.path, stored.file.name.as_ref(), error)
    });
    Some(Uses {
        name: stored.file.name,
        digests,
        is_index: is_index(text),
        problem,
    })
}

/// Returns whether a manifest may name other manifests: an index of OCI or Docker names them under
/// `manifests`, and a manifest of OCI the one that it belongs to under `subject`.
fn is_index(text: &[u8]) -> bool {
    json::mentions(text, b"\"manifests\"") || json::mentions(text, b"\"subject\"")
}

/// Returns the digests in a blob that is a manifest; none in one that is missing, or is none.
///
/// # Errors
/// Where it cannot be read, and where its bytes are not those of its digest: what it named before
/// it was damaged is not known.
fn nested(digest: &Digest, path: &Path) -> Result<Vec<Digest>> {
    let at = |e| Error::io("reading blob", path, e);
    let head = match read::read_head(path) {
        Err(_) if read::is_gone(path) => return Ok(Vec::new()),
        head => head.map_err(at)?,
    };
    if !head.trim_ascii_start().starts_with(b"{") {
        return Ok(Vec::new());
    }
    let text = read::read_text(path).map_err(at)?;
    if Digest::of(&text.bytes) != *digest {
        let what = format!(
            "reading blob {}: damaged, and a manifest that an index names",
            path.display()
        );
        return Err(Error::new(ErrorKind::Corrupt, what));
    }
    Ok(Digest::all_in(&text.bytes).unwrap_or_default())
}
