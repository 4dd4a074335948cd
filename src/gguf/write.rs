//! Writing files.

use std::io::{self, Write};

use super::cursor::Endian;
use super::tensor::TensorType;
use super::value_type::ValueType;

/// A value to be written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the value type of its name")]
pub enum NewValue {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    U64(u64),
    I64(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    Str(String),
    Array(NewArray),
}

/// An array to be written: elements of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct NewArray {
    element: ValueType,
    items: Vec<NewValue>,
}

impl NewArray {
    /// An array of elements of one type. An element of another type is left out of no file:
    /// writing it fails.
    pub fn new(element: ValueType, items: Vec<NewValue>) -> Self {
        NewArray { element, items }
    }
}

impl NewValue {
    /// The type in the file.
    pub fn value_type(&self) -> ValueType {
        match self {
            NewValue::U8(_) => ValueType::U8,
            NewValue::I8(_) => ValueType::I8,
            NewValue::U16(_) => ValueType::U16,
            NewValue::I16(_) => ValueType::I16,
            NewValue::U32(_) => ValueType::U32,
            NewValue::I32(_) => ValueType::I32,
            NewValue::U64(_) => ValueType::U64,
            NewValue::I64(_) => ValueType::I64,
            NewValue::F32(_) => ValueType::F32,
            NewValue::F64(_) => ValueType::F64,
            NewValue::Bool(_) => ValueType::Bool,
            NewValue::Str(_) => ValueType::Str,
            NewValue::Array(_) => ValueType::Array,
        }
    }
}

macro_rules! from {
    ($($kind:ident: $type:ty),*) => {$(
        impl From<$type> for NewValue {
            fn from(value: $type) -> Self {
                NewValue::$kind(value)
            }
        }

        impl From<Vec<$type>> for NewValue {
            fn from(items: Vec<$type>) -> Self {
                let items = items.into_iter().map(NewValue::$kind).collect();
                NewValue::Array(NewArray::new(ValueType::$kind, items))
            }
        }
    )*};
}

from!(U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32, U64: u64, I64: i64);
from!(F32: f32, F64: f64, Bool: bool, Str: String, Array: NewArray);

impl From<&str> for NewValue {
    fn from(text: &str) -> Self {
        NewValue::Str(text.to_owned())
    }
}

struct NewTensor {
    name: String,
    dims: Vec<u64>,
    tensor_type: TensorType,
    data: Vec<u8>,
}

/// Collects metadata and tensors, and writes them as one file.
///
/// ```
/// use modelkeep::gguf::{TensorType, Writer};
///
/// let mut writer = Writer::new();
/// writer.set("general.architecture", "llama").set("llama.block_count", 2_u32);
/// let f32 = TensorType::from_code(0).expect("F32 is type 0");
/// writer.tensor("token_embd.weight", &[4, 2], f32, vec![0; 32]);
/// let mut file = Vec::new();
/// writer.write_to(&mut file).expect("a vector takes all");
/// assert!(file.starts_with(b"GGUF"));
/// ```
pub struct Writer {
    version: u32,
    endian: Endian,
    alignment: u32,
    pairs: Vec<(String, NewValue)>,
    tensors: Vec<NewTensor>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// A writer of little-endian files of version 3.
    pub fn new() -> Self {
        Writer {
            version: 3,
            endian: Endian::Little,
            alignment: 32,
            pairs: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// The version of the format, 2 or 3.
    pub fn version(&mut self, version: u32) -> &mut Self {
        self.version = version;
        self
    }

    /// The byte order.
    pub fn endian(&mut self, endian: Endian) -> &mut Self {
        self.endian = endian;
        self
    }

    /// The alignment of the data in bytes, a power of two; states it in the metadata, too.
    pub fn alignment(&mut self, alignment: u32) -> &mut Self {
        self.alignment = alignment;
        self.set("general.alignment", alignment)
    }

    /// Adds a pair of metadata, or replaces the value of a key that is there.
    pub fn set(&mut self, key: &str, value: impl Into<NewValue>) -> &mut Self {
        let value = value.into();
        match self.pairs.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((key.to_owned(), value)),
        }
        self
    }

    /// Adds a tensor. `dims` are in the order of the file, the fastest-varying first.
    pub fn tensor(
        &mut self,
        name: &str,
        dims: &[u64],
        tensor_type: TensorType,
        data: Vec<u8>,
    ) -> &mut Self {
        let (name, dims) = (name.to_owned(), dims.to_vec());
        self.tensors.push(NewTensor {
            name,
            dims,
            tensor_type,
            data,
        });
        self
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What `to` answers; [`InvalidInput`](io::ErrorKind::InvalidInput) for an array with an
    /// element of another type, a version that is not written, an alignment that is no power of
    /// two, and a tensor whose data do not have the size of its shape.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        self.check()?;
        let mut head = Head {
            bytes: b"GGUF".to_vec(),
            endian: self.endian,
        };
        head.u32(self.version);
        head.u64(self.tensors.len() as u64);
        head.u64(self.pairs.len() as u64);
        for (key, value) in &self.pairs {
            head.text(key);
            head.u32(value.value_type().code());
            head.value(value)?;
        }
        let mut offset = 0;
        for tensor in &self.tensors {
            head.text(&tensor.name);
            head.u32(tensor.dims.len() as u32);
            tensor.dims.iter().for_each(|size| head.u64(*size));
            head.u32(tensor.tensor_type.code());
            head.u64(offset);
            offset += self.padded(tensor.data.len());
        }
        let padded = self.padded(head.bytes.len());
        to.write_all(&head.bytes)?;
        self.pad(to, padded - head.bytes.len() as u64)?;
        for tensor in &self.tensors {
            to.write_all(&tensor.data)?;
            self.pad(
                to,
                self.padded(tensor.data.len()) - tensor.data.len() as u64,
            )?;
        }
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if !(2..=3).contains(&self.version) || !self.alignment.is_power_of_two() {
            return Err(invalid(
                "a version or an alignment that no reader takes".to_owned(),
            ));
        }
        for tensor in &self.tensors {
            let elements = tensor
                .dims
                .iter()
                .try_fold(1_u64, |all, size| all.checked_mul(*size));
            let kind = tensor.tensor_type;
            let row = tensor.dims.first().copied().unwrap_or(1);
            let size = elements
                .zip(kind.block_elements().zip(kind.block_bytes()))
                .filter(|(_, (block, _))| row % block == 0)
                .and_then(|(elements, (block, bytes))| (elements / block).checked_mul(bytes));
            if size != Some(tensor.data.len() as u64) || tensor.dims.len() > 4 {
                let (name, len) = (&tensor.name, tensor.data.len());
                return Err(invalid(format!(
                    "tensor {name:?}: {len} bytes do not fit its shape"
                )));
            }
        }
        Ok(())
    }

    fn padded(&self, len: usize) -> u64 {
        (len as u64).next_multiple_of(u64::from(self.alignment))
    }

    fn pad(&self, to: &mut dyn Write, count: u64) -> io::Result<()> {
        io::copy(&mut io::Read::take(io::repeat(0), count), to).map(drop)
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

struct Head {
    bytes: Vec<u8>,
    endian: Endian,
}

macro_rules! put {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(&mut self, value: $type) {
            self.bytes.extend(match self.endian {
                Endian::Little => value.to_le_bytes(),
                Endian::Big => value.to_be_bytes(),
            });
        }
    )*};
}

impl Head {
    put!(u16: u16, u32: u32, u64: u64);

    fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    fn value(&mut self, value: &NewValue) -> io::Result<()> {
        match value {
            NewValue::U8(v) => self.bytes.push(*v),
            NewValue::I8(v) => self.bytes.push(v.cast_unsigned()),
            NewValue::Bool(v) => self.bytes.push(u8::from(*v)),
            NewValue::U16(v) => self.u16(*v),
            NewValue::I16(v) => self.u16(v.cast_unsigned()),
            NewValue::U32(v) => self.u32(*v),
            NewValue::I32(v) => self.u32(v.cast_unsigned()),
            NewValue::F32(v) => self.u32(v.to_bits()),
            NewValue::U64(v) => self.u64(*v),
            NewValue::I64(v) => self.u64(v.cast_unsigned()),
            NewValue::F64(v) => self.u64(v.to_bits()),
            NewValue::Str(text) => self.text(text),
            NewValue::Array(array) => return self.array(array),
        }
        Ok(())
    }

    fn array(&mut self, array: &NewArray) -> io::Result<()> {
        self.u32(array.element.code());
        self.u64(array.items.len() as u64);
        for item in &array.items {
            if item.value_type() != array.element {
                let (got, all) = (item.value_type().name(), array.element.name());
                return Err(invalid(format!(
                    "an element of type {got} in an array of {all}"
                )));
            }
            self.value(item)?;
        }
        Ok(())
    }
}
