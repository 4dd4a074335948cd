//! A file as its reader sees it: the index and the bytes together.

use super::array::{Array, element};
use super::cursor::{Cursor, Endian};
use super::file_type::FileType;
use super::index::{Entry, Index, Span, Tensor};
use super::tensor::TensorInfo;
use super::value::{Text, Value};
use super::value_type::ValueType;
use super::warning::{Warning, WarningCode};

/// A GGUF file: metadata and tensors, borrowed. Cheap to make and to copy.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// for (key, value) in file.view().metadata() {
///     println!("{key}: {}", value.value_type());
/// }
/// for tensor in file.view().tensors() {
///     assert_eq!(tensor.dims[0], 8);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gguf<'a> {
    index: &'a Index,
    bytes: &'a [u8],
}

/// The place of a file among the parts of a model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// assert_eq!(file.view().split(), None, "it is one file");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Split {
    /// The number of this part, from 0.
    pub index: u64,
    /// The number of parts.
    pub count: u64,
    /// The tensors of all parts together, where the file says.
    pub tensors: Option<u64>,
}

impl Index {
    /// Returns the index together with the bytes it was made from.
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> Gguf<'a> {
        Gguf::new(self, bytes)
    }
}

impl<'a> Gguf<'a> {
    pub(super) fn new(index: &'a Index, bytes: &'a [u8]) -> Self {
        Gguf { index, bytes }
    }

    /// Returns the version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.index.version
    }

    /// Returns the byte order.
    pub fn endian(&self) -> Endian {
        self.index.endian
    }

    /// Returns the alignment of the data, in bytes.
    pub fn alignment(&self) -> u64 {
        self.index.alignment
    }

    /// Returns where the header ends, in bytes.
    pub fn header_len(&self) -> u64 {
        self.index.header_len
    }

    /// Returns where the data of the tensors begin, in bytes; may be beyond a file without
    /// tensors.
    pub fn data_offset(&self) -> u64 {
        self.index.data_offset
    }

    /// Returns the sum of the elements of all tensors.
    pub fn parameter_count(&self) -> u64 {
        self.index.parameter_count
    }

    /// Returns what is unusual.
    pub fn warnings(&self) -> &'a [Warning] {
        &self.index.warnings
    }

    /// Returns the number of pairs of metadata, duplicates included.
    pub fn len(&self) -> usize {
        self.index.entries.len()
    }

    /// Returns whether there is no metadata.
    pub fn is_empty(&self) -> bool {
        self.index.entries.is_empty()
    }

    /// Returns the value of a key; of duplicates the last. Compares the keys one by one.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// let length = file.view().get("llama.context_length").and_then(|value| value.as_u64());
    /// assert_eq!(length, Some(128));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let mut entries = self.index.entries.iter().rev();
        let entry = entries.find(|entry| self.slice(entry.key) == key.as_bytes())?;
        self.value(entry)
    }

    /// Returns `general.architecture`, as in `llama`; `None` where it is missing or no UTF-8 string.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// assert_eq!(file.view().architecture(), Some("llama"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn architecture(&self) -> Option<&'a str> {
        self.get("general.architecture")?.as_str()
    }

    /// Returns `general.file_type`, the mixture of tensor types; `None` where it is missing or no
    /// 32-bit number.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// assert_eq!(file.view().file_type().and_then(|mixture| mixture.name()), Some("F16"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file_type(&self) -> Option<FileType> {
        let code = self.get("general.file_type")?.as_u64()?;
        u32::try_from(code).ok().map(FileType::from_code)
    }

    /// Returns `tokenizer.chat_template`, in Jinja; `None` where it is missing or no UTF-8 string.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// assert_eq!(file.view().chat_template(), Some("{{ messages[0].content }}"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn chat_template(&self) -> Option<&'a str> {
        self.get("tokenizer.chat_template")?.as_str()
    }

    /// Returns the pair at a place in the order of the file. Costs nothing.
    pub fn entry(&self, index: usize) -> Option<(Text<'a>, Value<'a>)> {
        let entry = self.index.entries.get(index)?;
        Some((Text::new(self.slice(entry.key)), self.value(entry)?))
    }

    /// Keys and values in the order of the file.
    pub fn metadata(self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> {
        (0..self.len()).filter_map(move |index| self.entry(index))
    }

    /// Returns the number of tensors.
    pub fn tensor_count(&self) -> usize {
        self.index.tensors.len()
    }

    /// Returns the tensor at a place in the order of the file. Costs nothing.
    pub fn tensor(&self, index: usize) -> Option<TensorInfo<'a>> {
        self.index
            .tensors
            .get(index)
            .map(|tensor| self.tensor_info(tensor))
    }

    /// Returns the tensors in the order of the file.
    pub fn tensors(self) -> impl Iterator<Item = TensorInfo<'a>> {
        self.index
            .tensors
            .iter()
            .map(move |tensor| self.tensor_info(tensor))
    }

    /// Returns the data of a tensor, where they are at hand and the size is known.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// let gguf = file.view();
    /// let tensor = gguf.tensor(0).expect("it has two");
    /// assert_eq!(gguf.tensor_data(&tensor).map(<[u8]>::len), Some(64));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tensor_data(&self, tensor: &TensorInfo<'_>) -> Option<&'a [u8]> {
        let start = usize::try_from(tensor.offset).ok()?;
        let len = usize::try_from(tensor.size?).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    /// Returns the data of a tensor, or else why they are not at hand, and what to do.
    pub(crate) fn data_at_hand(&self, tensor: &TensorInfo<'_>) -> Result<&'a [u8], &'static str> {
        let absent = || {
            let has_data = self.bytes.len() as u64 > self.index.header_len;
            let mut warnings = self.index.warnings.iter();
            let is_cut = warnings.any(|warning| warning.code() == WarningCode::DataOutOfBounds);
            match (tensor.size, has_data, is_cut) {
                (None, ..) => "the size of its type is not known",
                (Some(_), true, _) => "the file ends before them",
                (Some(_), false, true) => "the file is incomplete, or only its header was read",
                (Some(_), false, false) => {
                    "of the file only the header was read; open it by its path"
                }
            }
        };
        self.tensor_data(tensor).ok_or_else(absent)
    }

    /// Returns the place of the file among the parts of a model; `None` for a file that is whole.
    pub fn split(&self) -> Option<Split> {
        let number = |key| self.get(key)?.as_u64();
        Some(Split {
            index: number("split.no")?,
            count: number("split.count")?,
            tensors: number("split.tensors.count"),
        })
    }

    /// Keys, types and the bytes of values, as they are in the file.
    pub(super) fn raw_pairs(self) -> impl Iterator<Item = (&'a [u8], ValueType, &'a [u8])> {
        let entries = self.index.entries.iter();
        entries.map(move |entry| {
            let (key, value) = (self.slice(entry.key), self.slice(entry.value));
            (key, entry.value_type, value)
        })
    }

    /// Returns the bytes of the table of tensors.
    pub(super) fn raw_tensors(self) -> &'a [u8] {
        self.slice(self.index.tensor_table())
    }

    fn slice(&self, span: Span) -> &'a [u8] {
        let range = usize::try_from(span.start)
            .ok()
            .zip(usize::try_from(span.end()).ok());
        range
            .and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }

    fn value(&self, entry: &Entry) -> Option<Value<'a>> {
        let bytes = self.slice(entry.value);
        let mut cursor = Cursor::new(bytes, bytes.len() as u64, self.index.endian);
        match entry.value_type {
            ValueType::Array => {
                let (kind, len) = super::walk::array_head(&mut cursor).ok()?;
                Some(Value::Array(Array::new(
                    kind,
                    len,
                    cursor.rest(),
                    self.index.endian,
                )))
            }
            kind => element(&mut cursor, kind).ok(),
        }
    }

    fn tensor_info(&self, tensor: &'a Tensor) -> TensorInfo<'a> {
        TensorInfo {
            name: Text::new(self.slice(tensor.name)),
            dims: tensor.dims.as_slice(),
            tensor_type: tensor.tensor_type,
            offset: self.index.data_offset.saturating_add(tensor.offset),
            size: tensor.size,
        }
    }
}
