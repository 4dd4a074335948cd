//! Which blobs are in use. Delete, garbage collection and all else that removes ask here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Layout;
use crate::fs::read;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;
use crate::store::problem::Problem;
use crate::store::survey::{ManifestFacts, Met, Survey, reading};

/// The digests that the store's manifests name at one moment.
pub(crate) struct LiveBlobs {
    live: HashSet<Digest, foldhash::fast::RandomState>,
    users: HashMap<Digest, Vec<ModelName>>,
    problems: Vec<Problem>,
    manifests: usize,
    staged: Vec<PathBuf>,
}

impl LiveBlobs {
    /// Reads every manifest of the store, and of those whose `blobs/` it shares. Whatever decodes
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
        let is_gone = |name: Option<&ModelName>| name.is_some_and(|name| gone.contains(name));
        let mut survey = store.survey_to_remove(|met| {
            let is_gone = is_gone(met.facts.name());
            Ok((!is_gone).then(|| met.facts.clone()))
        })?;
        survey.problems.retain(|problem| !is_gone(problem.name()));
        LiveBlobs::among(store, survey, wanted)
    }

    /// Returns what a survey of the store says, together with the manifests of those whose `blobs/`
    /// it shares.
    pub(crate) fn among(
        store: &Store,
        mut survey: Survey<Arc<ManifestFacts>>,
        wanted: &HashSet<Digest>,
    ) -> Result<Self> {
        let layout = store.layout();
        let mut blobs = LiveBlobs {
            live: HashSet::default(),
            users: HashMap::new(),
            problems: Vec::new(),
            manifests: 0,
            staged: std::mem::take(&mut survey.staged),
        };
        blobs.add(layout, survey, wanted);
        for root in layout.shared_roots() {
            let root = Layout::new(root);
            let take = |met: Met<'_>| Ok(Some(met.facts.clone()));
            let shared = store.survey_of(&root, take)?;
            blobs.add(&root, shared, wanted);
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

    /// Returns whether no manifest at all is where one belongs. What lies elsewhere keeps its blobs,
    /// and does not say that the models are there.
    pub(crate) fn has_no_manifest(&self) -> bool {
        self.manifests == 0
    }

    fn add(
        &mut self,
        layout: &Layout,
        survey: Survey<Arc<ManifestFacts>>,
        wanted: &HashSet<Digest>,
    ) {
        let in_place = |facts: &&Arc<ManifestFacts>| {
            facts.name().is_some() || layout.is_in_place(&facts.path(layout))
        };
        self.manifests += survey.found.iter().filter(in_place).count();
        self.problems.extend(survey.problems);
        for facts in survey.found {
            if let Some(what) = &facts.unclear {
                let path = facts.path(layout);
                let text = format!("{}: {what}", reading(&path));
                let error = Error::new(ErrorKind::Corrupt, text);
                self.problems.push(Problem::new(&path, facts.name(), error));
            }
            if facts.is_index {
                let digests: Vec<Digest> = facts.live().collect();
                self.follow(layout, &digests);
            }
            self.live.extend(facts.live());
            self.note_user(&facts, wanted);
        }
    }

    fn note_user(&mut self, facts: &ManifestFacts, wanted: &HashSet<Digest>) {
        if wanted.is_empty() {
            return;
        }
        let mut used: Vec<Digest> = facts.live().filter(|it| wanted.contains(it)).collect();
        used.sort_unstable();
        used.dedup();
        for digest in used {
            let users = self.users.entry(digest).or_default();
            users.extend(facts.name().cloned());
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
