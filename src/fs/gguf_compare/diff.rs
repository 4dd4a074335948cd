//! What two files differ in: keys, values, tensors, types, data.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;

use crate::error::Result;
use crate::fs::gguf_data::TensorData;
use crate::fs::gguf_file::GgufFile;
use crate::fs::hash::Progress;
use crate::gguf::{Array, Gguf, OwnedValue, TensorInfo, TensorType, Value};

use super::types::{self, TypeDiff, WeightSize};
use super::work::{self, Meter};

/// What two GGUF files differ in.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let diff = file.diff(&file)?;
/// assert!(diff.is_empty());
/// assert_eq!((diff.equal_tensors, diff.all_tensors), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GgufDiff {
    /// The keys that differ, in the order of the alphabet.
    pub keys: Vec<KeyDiff>,
    /// The tensors that differ, in the order of the alphabet.
    pub tensors: Vec<TensorDiff>,
    /// How many keys have the same value, of the same type, in both.
    pub equal_keys: usize,
    /// How many keys there are in the one or the other.
    pub all_keys: usize,
    /// How many tensors are the same in both: shape, type and data.
    pub equal_tensors: usize,
    /// How many tensors there are in the one or the other.
    pub all_tensors: usize,
    /// The tensors by their types in both files, those that take most first: what another quantization
    /// has changed, and what it has left.
    pub types: Vec<TypeDiff>,
    /// What the tensors of the first file take, of the types whose size is known.
    pub size_before: WeightSize,
    /// What those of the second take.
    pub size_after: WeightSize,
}

/// A key that differs.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// assert_eq!(file.diff(&file)?.keys, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KeyDiff {
    /// The key.
    pub key: String,
    /// Its value in the first file; `None` where it has none.
    pub before: Option<OwnedValue>,
    /// Its value in the second.
    pub after: Option<OwnedValue>,
}

/// A tensor that differs. Where both files have it with one shape and one type, its data do.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// assert_eq!(file.diff(&file)?.tensors, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TensorDiff {
    /// Its name.
    pub name: String,
    /// What it is in the first file; `None` where that has none.
    pub before: Option<TensorShape>,
    /// What it is in the second.
    pub after: Option<TensorShape>,
}

/// What a file says of a tensor.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let found = file.diff(&file)?;
/// assert!(found.tensors.iter().all(|tensor| tensor.before.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TensorShape {
    /// The type of its elements.
    #[serde(rename = "type")]
    pub tensor_type: TensorType,
    /// Its dimensions as the file has them.
    pub shape: Vec<u64>,
    /// The bytes of its data; `None` for a type whose size is not known.
    pub size: Option<u64>,
}

impl TensorShape {
    fn of(tensor: &TensorInfo<'_>) -> Self {
        TensorShape {
            tensor_type: tensor.tensor_type,
            shape: tensor.dims.to_vec(),
            size: tensor.size,
        }
    }
}

impl GgufDiff {
    /// Returns whether the two files have the same metadata and the same tensors.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tensors.is_empty()
    }

    /// Returns the differences as JSON; values are plain ones.
    pub fn to_json(&self) -> String {
        crate::go::json::to_string(self)
    }
}

impl GgufFile {
    /// Compares this file with another one: keys and values in any order, and the tensors of one
    /// name byte by byte, on several threads. The layout of a file is no difference.
    ///
    /// # Errors
    /// As [`diff_with`](Self::diff_with).
    pub fn diff(&self, other: &GgufFile) -> Result<GgufDiff> {
        self.diff_with(other, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`diff`](Self::diff), with `observe` told how far it is, 20 times a second; it may break to
    /// stop.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the data of a tensor that may be the same are
    /// not at hand; [`Cancelled`](crate::ErrorKind::Cancelled) where `observe` broke.
    pub fn diff_with(
        &self,
        other: &GgufFile,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<GgufDiff> {
        let (before, after) = (self.view(), other.view());
        let (keys, all_keys) = keys(before, after);
        let tensors = pairs(before, after);
        let candidates = candidates(self, other, &tensors)?;
        compare(&candidates, observe)?;
        let equal: Vec<&[u8]> = candidates
            .iter()
            .filter(|it| !it.differs.load(Ordering::Relaxed))
            .map(|it| it.name)
            .collect();
        let all_tensors = tensors.len();
        let types = types::types(tensors.values());
        let [size_before, size_after] = types::sizes(&types);
        let found: Vec<TensorDiff> = tensors
            .into_iter()
            .filter(|(name, _)| equal.binary_search(name).is_err())
            .map(|(name, (before, after))| TensorDiff {
                name: String::from_utf8_lossy(name).into_owned(),
                before: before.as_ref().map(TensorShape::of),
                after: after.as_ref().map(TensorShape::of),
            })
            .collect();
        Ok(GgufDiff {
            equal_keys: all_keys - keys.len(),
            all_keys,
            keys,
            equal_tensors: equal.len(),
            all_tensors,
            tensors: found,
            types,
            size_before,
            size_after,
        })
    }
}

/// Returns the keys that differ, and how many there are.
fn keys(before: Gguf<'_>, after: Gguf<'_>) -> (Vec<KeyDiff>, usize) {
    let mut pairs: BTreeMap<&[u8], (Option<Value<'_>>, Option<Value<'_>>)> = BTreeMap::new();
    for (key, value) in before.metadata() {
        pairs.entry(key.as_bytes()).or_default().0 = Some(value);
    }
    for (key, value) in after.metadata() {
        pairs.entry(key.as_bytes()).or_default().1 = Some(value);
    }
    let all = pairs.len();
    let differing = pairs.into_iter().filter(|(_, pair)| match pair {
        (Some(before), Some(after)) => !is_same(before, after),
        _ => true,
    });
    let found = differing.map(|(key, (before, after))| KeyDiff {
        key: String::from_utf8_lossy(key).into_owned(),
        before: before.map(OwnedValue::from),
        after: after.map(OwnedValue::from),
    });
    (found.collect(), all)
}

/// Returns whether two values are one: type and bits, NaN included, in whatever byte order.
fn is_same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::Array(a), Value::Array(b)) => is_same_array(a, b),
        (a, b) => a == b,
    }
}

fn is_same_array(a: &Array<'_>, b: &Array<'_>) -> bool {
    if (a.element_type(), a.len()) != (b.element_type(), b.len()) {
        return false;
    }
    if a.endian() == b.endian() {
        return a.as_bytes() == b.as_bytes();
    }
    // Arrays in arrays recurse; how deep they go was bounded when the files were opened.
    a.iter().zip(b.iter()).all(|(a, b)| is_same(&a, &b))
}

/// The tensors of one name, of the first file and of the second.
type Pair<'a> = (Option<TensorInfo<'a>>, Option<TensorInfo<'a>>);

fn pairs<'a>(before: Gguf<'a>, after: Gguf<'a>) -> BTreeMap<&'a [u8], Pair<'a>> {
    let mut pairs: BTreeMap<&[u8], Pair<'_>> = BTreeMap::new();
    for tensor in before.tensors() {
        pairs.entry(tensor.name.as_bytes()).or_default().0 = Some(tensor);
    }
    for tensor in after.tensors() {
        pairs.entry(tensor.name.as_bytes()).or_default().1 = Some(tensor);
    }
    pairs
}

/// Two tensors that are the same where their bytes are.
struct Candidate<'a> {
    name: &'a [u8],
    before: TensorData<'a>,
    after: TensorData<'a>,
    differs: AtomicBool,
}

/// Returns the pairs that only their bytes can decide, in the order of names.
fn candidates<'a>(
    before: &'a GgufFile,
    after: &'a GgufFile,
    pairs: &BTreeMap<&'a [u8], Pair<'a>>,
) -> Result<Vec<Candidate<'a>>> {
    let mut found = Vec::new();
    for (name, pair) in pairs {
        let (Some(one), Some(other)) = pair else {
            continue;
        };
        let is_alike = one.tensor_type == other.tensor_type && one.dims == other.dims;
        if is_alike && before.view().endian() == after.view().endian() {
            found.push(Candidate {
                name,
                before: before.data_of(one)?,
                after: after.data_of(other)?,
                differs: AtomicBool::new(false),
            });
        }
    }
    Ok(found)
}

/// The bytes that are compared at once.
const CHUNK: usize = 1 << 20;

fn compare(
    candidates: &[Candidate<'_>],
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<()> {
    let sizes = candidates.iter().map(|it| it.before.len());
    let whole = Progress {
        total_bytes: sizes.sum(),
        total_files: 2,
        ..Progress::default()
    };
    let next = AtomicUsize::new(0);
    let threads = work::threads(0).min(candidates.len());
    work::watched(threads, whole, observe, &|meter| {
        let mut buffers = [Vec::new(), Vec::new()];
        while let Some(pair) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !pair.compare(&mut buffers, meter)? {
                break;
            }
        }
        Ok(())
    })
}

impl Candidate<'_> {
    /// Compares the bytes as far as they are the same; returns whether to go on with others.
    fn compare(&self, [one, other]: &mut [Vec<u8>; 2], meter: &Meter) -> Result<bool> {
        let (len, mut at) = (self.before.len(), 0);
        while at < len {
            let count = usize::try_from(len - at).map_or(CHUNK, |left| left.min(CHUNK));
            if self.before.piece(at, count, one)? != self.after.piece(at, count, other)? {
                self.differs.store(true, Ordering::Relaxed);
                // What follows a difference need not be looked at.
                return Ok(meter.advance(usize::try_from(len - at).unwrap_or(usize::MAX)));
            }
            at += count as u64;
            if !meter.advance(count) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
