//! Writing files.

use std::io::{self, Write};

use super::cursor::Endian;
use super::owned::{OwnedArray, OwnedValue};
use super::tensor::TensorType;

#[derive(Clone, Debug)]
struct NewTensor {
    name: String,
    dims: Vec<u64>,
    tensor_type: TensorType,
    /// `None` where they come when the file is written.
    data: Option<Vec<u8>>,
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
#[derive(Clone, Debug)]
pub struct Writer {
    version: u32,
    endian: Endian,
    alignment: u32,
    pairs: Vec<(String, OwnedValue)>,
    tensors: Vec<NewTensor>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// Returns a writer of little-endian files of version 3.
    pub fn new() -> Self {
        Writer {
            version: 3,
            endian: Endian::Little,
            alignment: 32,
            pairs: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// Sets the version of the format, 2 or 3.
    pub fn version(&mut self, version: u32) -> &mut Self {
        self.version = version;
        self
    }

    /// Sets the byte order.
    pub fn endian(&mut self, endian: Endian) -> &mut Self {
        self.endian = endian;
        self
    }

    /// Sets the alignment of the data in bytes, a power of two; states it in the metadata, too.
    pub fn alignment(&mut self, alignment: u32) -> &mut Self {
        self.alignment = alignment;
        self.set("general.alignment", alignment)
    }

    /// Adds a pair of metadata, or replaces the value of a key that is there.
    pub fn set(&mut self, key: &str, value: impl Into<OwnedValue>) -> &mut Self {
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
            data: Some(data),
        });
        self
    }

    /// Adds a tensor whose data come when the file is written, by
    /// [`write_with`](Self::write_with).
    pub fn declare(&mut self, name: &str, dims: &[u64], tensor_type: TensorType) -> &mut Self {
        let (name, dims) = (name.to_owned(), dims.to_vec());
        self.tensors.push(NewTensor {
            name,
            dims,
            tensor_type,
            data: None,
        });
        self
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What `to` returns; [`InvalidInput`](io::ErrorKind::InvalidInput) for an array with an
    /// element of another type, a version that is not written, an alignment that is no power of
    /// two, and a tensor whose data do not have the size of its shape.
    pub fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        self.write_with(to, &mut |_, _| Ok(()))
    }

    /// Writes the file, and has `data` write the data of each tensor that was
    /// [declared](Self::declare), given its number from 0: in their order, one after another, so
    /// that none has to be in memory before.
    ///
    /// ```
    /// use modelkeep::gguf::{TensorType, Writer};
    ///
    /// let mut writer = Writer::new();
    /// writer.declare("a", &[2], TensorType::F32).declare("b", &[1], TensorType::F32);
    /// let mut file = Vec::new();
    /// writer.write_with(&mut file, &mut |tensor, to| match tensor {
    ///     0 => to.write_all(&[1; 8]),
    ///     _ => to.write_all(&[2; 4]),
    /// })?;
    /// assert_eq!((&file[96..104], &file[128..132]), (&[1; 8][..], &[2; 4][..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`write_to`](Self::write_to), and those of `data`.
    pub fn write_with(
        &self,
        to: &mut dyn Write,
        data: &mut dyn FnMut(usize, &mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let sizes = self.sizes()?;
        let header = self.header(&sizes)?;
        to.write_all(&header)?;
        for (at, (tensor, size)) in self.tensors.iter().zip(sizes).enumerate() {
            let mut counted = Counted { to, left: size };
            match &tensor.data {
                Some(bytes) => counted.write_all(bytes)?,
                None => data(at, &mut counted)?,
            }
            if counted.left > 0 {
                let text = format!("{} bytes of {size} are missing", counted.left);
                return Err(invalid(format!("tensor {:?}: {text}", tensor.name)));
            }
            pad(to, self.padded(size) - size)?;
        }
        Ok(())
    }

    /// Returns the header, padded.
    pub(crate) fn header(&self, sizes: &[u64]) -> io::Result<Vec<u8>> {
        let mut header = HeaderWriter::new(self.endian);
        let (tensors, pairs) = (self.tensors.len() as u64, self.pairs.len() as u64);
        header.begin(self.version, tensors, pairs);
        for (key, value) in &self.pairs {
            header.pair(key.as_bytes(), value)?;
        }
        let mut offset = 0;
        for (tensor, size) in self.tensors.iter().zip(sizes) {
            let (name, code) = (tensor.name.as_bytes(), tensor.tensor_type.code());
            header.tensor(name, &tensor.dims, code, offset);
            offset += self.padded(*size);
        }
        let padded = self.padded(header.bytes.len() as u64);
        let padded = usize::try_from(padded).map_err(io::Error::other)?;
        header.bytes.resize(padded, 0);
        Ok(header.bytes)
    }

    /// Returns the bytes of the data, padded, of tensors of these sizes.
    pub(crate) fn data_len(&self, sizes: &[u64]) -> u64 {
        sizes.iter().map(|size| self.padded(*size)).sum()
    }

    /// Returns the bytes of each tensor, once all of them can be written.
    pub(crate) fn sizes(&self) -> io::Result<Vec<u64>> {
        if !(2..=3).contains(&self.version) || !self.alignment.is_power_of_two() {
            return Err(invalid(
                "a version or an alignment that no reader takes".to_owned(),
            ));
        }
        let sizes: io::Result<Vec<u64>> = self.tensors.iter().map(NewTensor::size).collect();
        let sizes = sizes?;
        let ends = sizes.iter().try_fold(0_u64, |end, size| {
            let padded = size.checked_next_multiple_of(self.alignment.into())?;
            end.checked_add(padded).filter(|end| *end < u64::MAX / 2)
        });
        match ends {
            Some(_) => Ok(sizes),
            None => Err(invalid("more data than any file holds".to_owned())),
        }
    }

    fn padded(&self, len: u64) -> u64 {
        len.next_multiple_of(self.alignment.into())
    }
}

impl NewTensor {
    fn size(&self) -> io::Result<u64> {
        let elements = self
            .dims
            .iter()
            .try_fold(1_u64, |all, size| all.checked_mul(*size));
        let kind = self.tensor_type;
        let row = self.dims.first().copied().unwrap_or(1);
        let size = elements
            .zip(kind.block_elements().zip(kind.block_bytes()))
            .filter(|(_, (block, _))| row % block == 0)
            .and_then(|(elements, (block, bytes))| (elements / block).checked_mul(bytes));
        let (name, dims) = (&self.name, &self.dims);
        let len = self.data.as_ref().map(|data| data.len() as u64);
        match size.filter(|_| dims.len() <= 4) {
            None => Err(invalid(format!(
                "tensor {name:?}: there is no {kind} of the shape {dims:?}"
            ))),
            Some(size) if len.is_some_and(|len| len != size) => Err(invalid(format!(
                "tensor {name:?}: {} bytes do not fit its shape",
                len.unwrap_or(0)
            ))),
            Some(size) => Ok(size),
        }
    }
}

/// Takes the data of one tensor, and no more.
struct Counted<'t> {
    to: &'t mut dyn Write,
    left: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(invalid("more data than the shape has".to_owned()));
        }
        let written = self.to.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn pad(to: &mut dyn Write, count: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), count), to).map(drop)
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// The bytes of a header, in one byte order.
pub(super) struct HeaderWriter {
    pub bytes: Vec<u8>,
    endian: Endian,
}

macro_rules! put {
    ($($name:ident: $type:ty),*) => {$(
        pub(super) fn $name(&mut self, value: $type) {
            self.bytes.extend(match self.endian {
                Endian::Little => value.to_le_bytes(),
                Endian::Big => value.to_be_bytes(),
            });
        }
    )*};
}

impl HeaderWriter {
    put!(u16: u16, u32: u32, u64: u64);

    pub(super) fn new(endian: Endian) -> Self {
        let bytes = Vec::new();
        HeaderWriter { bytes, endian }
    }

    /// Writes what comes before the first pair.
    pub(super) fn begin(&mut self, version: u32, tensors: u64, pairs: u64) {
        self.bytes.extend(b"GGUF");
        self.u32(version);
        self.u64(tensors);
        self.u64(pairs);
    }

    pub(super) fn pair(&mut self, key: &[u8], value: &OwnedValue) -> io::Result<()> {
        self.string(key);
        self.u32(value.value_type().code());
        self.value(value)
    }

    /// Writes a row of the table of tensors; `offset` is relative to the data.
    pub(super) fn tensor(&mut self, name: &[u8], dims: &[u64], code: u32, offset: u64) {
        self.string(name);
        self.u32(dims.len() as u32);
        dims.iter().for_each(|size| self.u64(*size));
        self.u32(code);
        self.u64(offset);
    }

    pub(super) fn string(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    fn value(&mut self, value: &OwnedValue) -> io::Result<()> {
        match value {
            OwnedValue::U8(v) => self.bytes.push(*v),
            OwnedValue::I8(v) => self.bytes.push(v.cast_unsigned()),
            OwnedValue::Bool(v) => self.bytes.push(u8::from(*v)),
            OwnedValue::U16(v) => self.u16(*v),
            OwnedValue::I16(v) => self.u16(v.cast_unsigned()),
            OwnedValue::U32(v) => self.u32(*v),
            OwnedValue::I32(v) => self.u32(v.cast_unsigned()),
            OwnedValue::F32(v) => self.u32(v.to_bits()),
            OwnedValue::U64(v) => self.u64(*v),
            OwnedValue::I64(v) => self.u64(v.cast_unsigned()),
            OwnedValue::F64(v) => self.u64(v.to_bits()),
            OwnedValue::Str(text) => self.string(text.as_bytes()),
            OwnedValue::Array(array) => return self.array(array),
        }
        Ok(())
    }

    fn array(&mut self, array: &OwnedArray) -> io::Result<()> {
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
