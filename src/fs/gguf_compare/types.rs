//! What another quantization costs: the tensors of two files by their types.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::gguf::{TensorInfo, TensorType};

/// The weights of some tensors, and the bytes that they take.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let size = file.diff(&file)?.size_before;
/// assert_eq!((size.elements, size.bytes), (40, 96));
/// assert_eq!(size.bits_per_weight(), 19.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct WeightSize {
    /// How many weights: the elements of the tensors.
    pub elements: u64,
    /// The bytes of their data.
    pub bytes: u64,
}

impl WeightSize {
    /// Returns the bits that a weight takes on average; 0 where there is none.
    pub fn bits_per_weight(&self) -> f64 {
        match self.elements {
            0 => 0.0,
            elements => self.bytes as f64 * 8.0 / elements as f64,
        }
    }

    /// Counts a tensor, where the size of its type is known.
    fn add(&mut self, tensor: &TensorInfo<'_>) {
        if let Some(bytes) = tensor.size {
            self.elements = self.elements.saturating_add(tensor.elements());
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }
}

impl Serialize for WeightSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("WeightSize", 3)?;
        fields.serialize_field("elements", &self.elements)?;
        fields.serialize_field("bytes", &self.bytes)?;
        fields.serialize_field("bits_per_weight", &self.bits_per_weight())?;
        fields.end()
    }
}

/// The tensors that have one type in the one file, and one in the other.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let types = file.diff(&file)?.types;
/// assert_eq!((types.len(), types[0].tensors), (2, 1));
/// assert_eq!(types[0].before, types[0].after);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct TypeDiff {
    /// Their type in the first file; `None` where that does not have them.
    pub before: Option<TensorType>,
    /// Their type in the second.
    pub after: Option<TensorType>,
    /// How many tensors these are.
    pub tensors: usize,
    /// What they take in the first file.
    pub size_before: WeightSize,
    /// What they take in the second.
    pub size_after: WeightSize,
}

/// A tensor of the first file, and that of its name in the second.
type Pair<'p, 'a> = &'p (Option<TensorInfo<'a>>, Option<TensorInfo<'a>>);

/// Returns the tensors by their types, those that take most in either file first.
pub(super) fn types<'p, 'a: 'p>(pairs: impl Iterator<Item = Pair<'p, 'a>>) -> Vec<TypeDiff> {
    let mut found: BTreeMap<[Option<u32>; 2], TypeDiff> = BTreeMap::new();
    for (before, after) in pairs {
        let type_of = |tensor: &Option<TensorInfo<'_>>| tensor.map(|tensor| tensor.tensor_type);
        let [one, other] = [type_of(before), type_of(after)];
        let key = [one, other].map(|kind| kind.map(TensorType::code));
        let diff = found.entry(key).or_insert(TypeDiff {
            before: one,
            after: other,
            tensors: 0,
            size_before: WeightSize::default(),
            size_after: WeightSize::default(),
        });
        diff.tensors += 1;
        before.iter().for_each(|it| diff.size_before.add(it));
        after.iter().for_each(|it| diff.size_after.add(it));
    }
    let mut types: Vec<TypeDiff> = found.into_values().collect();
    types.sort_by_key(|diff| {
        let bytes = diff.size_before.bytes.max(diff.size_after.bytes);
        std::cmp::Reverse(bytes)
    });
    types
}

/// Returns what all tensors take in the first file, and in the second.
pub(super) fn sizes(types: &[TypeDiff]) -> [WeightSize; 2] {
    let sum = |sizes: &mut dyn Iterator<Item = WeightSize>| {
        sizes.fold(WeightSize::default(), |all, one| WeightSize {
            elements: all.elements.saturating_add(one.elements),
            bytes: all.bytes.saturating_add(one.bytes),
        })
    };
    [
        sum(&mut types.iter().map(|diff| diff.size_before)),
        sum(&mut types.iter().map(|diff| diff.size_after)),
    ]
}
