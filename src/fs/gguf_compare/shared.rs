//! Which tensors several files have in common, byte for byte.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use twox_hash::XxHash64;

use crate::error::Result;
use crate::fs::gguf_data::TensorData;
use crate::fs::gguf_file::GgufFile;
use crate::fs::hash::Progress;
use crate::gguf::{Endian, TensorType};
use crate::name::Digest;
use crate::sync::lock;

use super::streams::{Streams, Wanted};
use super::work;

/// The tensors that some files have in common, and no other file has.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let shared = store.shared_tensors(&[])?;
/// assert_eq!(shared.sets, [], "one file shares nothing with another");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct SharedSet {
    /// The places of the files among those that were compared, in order.
    pub files: Vec<usize>,
    /// The tensors, by name.
    pub tensors: Vec<SharedTensor>,
    /// The bytes of these tensors in one of the files.
    pub bytes: u64,
}

/// A tensor that several files have: by one name, of one type and shape, with the same data.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let shared = store.shared_tensors(&[])?;
/// assert_eq!(shared.sets.iter().flat_map(|set| &set.tensors).count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct SharedTensor {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    #[serde(rename = "type")]
    pub tensor_type: TensorType,
    /// Its dimensions as the files have them.
    pub shape: Vec<u64>,
    /// The bytes of its data.
    pub size: u64,
    /// The SHA-256 of its data.
    pub sha256: Digest,
}

/// What tells tensors apart without a look at their data.
type Kind<'a> = (&'a [u8], u32, &'a [u64], bool);

/// A tensor of a file that another file may have as well.
struct Candidate<'a> {
    file: usize,
    tensor_type: TensorType,
    kind: Kind<'a>,
    data: TensorData<'a>,
}

/// Returns the sets of tensors that files have in common, the largest first. What only one of them has
/// by its name, type and shape is not read, and of the others no more than the beginning where that
/// tells them apart.
pub(crate) fn shared(
    files: &[GgufFile],
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<SharedSet>> {
    let candidates = of_several(candidates(files), |it| it.kind);
    let mut whole = Progress {
        total_bytes: sum(&candidates),
        total_files: files.len(),
        ..Progress::default()
    };
    let begins = beginnings(&candidates, whole, observe)?;
    let begun: Vec<_> = candidates.into_iter().zip(begins).collect();
    let begun = of_several(begun, |(it, begin)| (it.kind, *begin));
    let candidates: Vec<_> = begun.into_iter().map(|(it, _)| it).collect();
    // What the beginnings tell apart need not be read.
    whole.bytes = whole.total_bytes - sum(&candidates);
    let digests = digests(&candidates, whole, observe)?;
    Ok(sets(&candidates, digests))
}

fn sum(candidates: &[Candidate<'_>]) -> u64 {
    candidates.iter().map(|it| it.data.len()).sum()
}

/// Returns the tensors of all files whose data there are.
fn candidates(files: &[GgufFile]) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let gguf = file.view();
        for tensor in gguf.tensors() {
            let is_big = gguf.endian() == Endian::Big;
            if let Ok(data) = file.data_of(&tensor)
                && data.len() > 0
            {
                let code = tensor.tensor_type.code();
                found.push(Candidate {
                    file: at,
                    tensor_type: tensor.tensor_type,
                    kind: (tensor.name.as_bytes(), code, tensor.dims, is_big),
                    data,
                });
            }
        }
    }
    found
}

/// Keeps what more than one file has.
fn of_several<T: InFile, K: Ord>(all: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for one in all {
        groups.entry(key(&one)).or_default().push(one);
    }
    let of_several = |group: &Vec<T>| {
        let first = group.first().map(InFile::file);
        group.iter().any(|one| Some(one.file()) != first)
    };
    let groups = groups.into_values().filter(of_several);
    groups.flatten().collect()
}

trait InFile {
    fn file(&self) -> usize;
}

impl InFile for Candidate<'_> {
    fn file(&self) -> usize {
        self.file
    }
}

impl<B> InFile for (Candidate<'_>, B) {
    fn file(&self) -> usize {
        self.0.file
    }
}

/// As many bytes tell most tensors apart that differ.
const BEGINNING: usize = 4 << 10;

/// Returns the hash of the first bytes of each.
fn beginnings(
    candidates: &[Candidate<'_>],
    whole: Progress,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<u64>> {
    let hashes = Mutex::new(vec![0; candidates.len()]);
    let next = AtomicUsize::new(0);
    let threads = work::threads(0).min(candidates.len());
    work::watched(threads, whole, observe, &|meter| {
        let mut buffer = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(at).filter(|_| meter.advance(0)) else {
                return Ok(());
            };
            let data = &candidate.data;
            let len = usize::try_from(data.len()).map_or(BEGINNING, |len| len.min(BEGINNING));
            let hash = XxHash64::oneshot(0, data.piece(0, len, &mut buffer)?);
            let mut hashes = lock(&hashes);
            if let Some(place) = hashes.get_mut(at) {
                *place = hash;
            }
        }
    })?;
    Ok(hashes.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn digests(
    candidates: &[Candidate<'_>],
    whole: Progress,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<Option<Digest>>> {
    let data: Vec<TensorData<'_>> = candidates.iter().map(|it| it.data).collect();
    let threads = work::threads(0).min(data.len());
    let wanted = Wanted {
        sha256: true,
        xxh64: false,
        whole: false,
        tensors: true,
    };
    let streams = Streams::new(&data, wanted, threads);
    work::watched(threads, whole, observe, &|meter| streams.run(meter))?;
    let hashes = streams.into_done().tensors.into_iter();
    Ok(hashes.map(|hashes| hashes.sha256).collect())
}

/// Puts together what is the same, and then what is in the same files.
fn sets(candidates: &[Candidate<'_>], digests: Vec<Option<Digest>>) -> Vec<SharedSet> {
    let mut same: BTreeMap<(Kind<'_>, Digest), Vec<&Candidate<'_>>> = BTreeMap::new();
    for (candidate, digest) in candidates.iter().zip(digests) {
        if let Some(digest) = digest {
            let key = (candidate.kind, digest);
            same.entry(key).or_default().push(candidate);
        }
    }
    let mut sets: BTreeMap<Vec<usize>, Vec<SharedTensor>> = BTreeMap::new();
    for (((name, _, shape, _), sha256), found) in same {
        let mut files: Vec<usize> = found.iter().map(|it| it.file).collect();
        files.sort_unstable();
        files.dedup();
        if let (Some(first), true) = (found.first(), files.len() > 1) {
            sets.entry(files).or_default().push(SharedTensor {
                name: String::from_utf8_lossy(name).into_owned(),
                tensor_type: first.tensor_type,
                shape: shape.to_vec(),
                size: first.data.len(),
                sha256,
            });
        }
    }
    let sets = sets.into_iter().map(|(files, tensors)| SharedSet {
        files,
        bytes: tensors.iter().map(|tensor| tensor.size).sum(),
        tensors,
    });
    let mut sets: Vec<SharedSet> = sets.collect();
    sets.sort_by_key(|set| std::cmp::Reverse(set.bytes));
    sets
}
