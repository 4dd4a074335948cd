//! Comparing files: the hashes of their tensors, and what two of them differ in.

use modelkeep::GgufHashOptions;
use modelkeep::gguf::OwnedValue;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::gguf::Gguf;
use crate::json_base::{each, loads};
use crate::progress::watched;
use crate::record::record;

record! {
    /// The hashes of the data of a file's tensors, as `llama-gguf-hash` defines them; the metadata are not in
    /// them.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf").hash().xxh64
    /// '0cba93bdbc54cec2'
    GgufHash(py, it: modelkeep::GgufHash) extends JsonBase shows [sha256, xxh64] {
        /// The SHA-256 of all tensors together, in hexadecimal; `None` where it was not wanted.
        sha256 => it.sha256.map(|hash| hash.hex());
        /// The XXH64 of the same.
        xxh64 => it.xxh64.map(|hash| format!("{hash:016x}"));
        /// Those of each tensor, in the file's order, as a list of `TensorHash`.
        tensors => each(py, &it.tensors, |tensor| TensorHash::from(tensor.clone()))?;
    }
}

record! {
    /// The hashes of a tensor.
    ///
    /// >>> [tensor.name for tensor in modelkeep.Gguf("llama3.2.gguf").hash().tensors]
    /// ['token_embd.weight', 'output_norm.weight']
    TensorHash(py, it: modelkeep::TensorHash) shows [name, sha256, xxh64] {
        /// Its name.
        name => it.name.clone();
        /// The name of its type.
        r#type => it.tensor_type.name();
        /// Its dimensions in numpy's order: the length of a row last.
        shape => shape(py, &it.shape)?;
        /// The bytes of its data.
        nbytes => it.size;
        /// The SHA-256 of its data, in hexadecimal; `None` where it was not wanted.
        sha256 => it.sha256.map(|hash| hash.hex());
        /// The XXH64 of its data.
        xxh64 => it.xxh64.map(|hash| format!("{hash:016x}"));
    }
}

record! {
    /// What two files differ in; true where they do.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> gguf.diff(gguf)
    /// GgufDiff(equal_tensors=2, all_tensors=2)
    GgufDiff(py, it: modelkeep::GgufDiff) extends JsonBase shows [equal_tensors, all_tensors] {
        /// The keys that differ, as a list of `KeyDiff`.
        keys => each(py, &it.keys, |key| KeyDiff::from(key.clone()))?;
        /// The tensors that differ, as a list of `TensorDiff`.
        tensors => each(py, &it.tensors, |tensor| TensorDiff::from(tensor.clone()))?;
        /// How many keys have the same value in both.
        equal_keys => it.equal_keys;
        /// How many keys there are in the one or the other.
        all_keys => it.all_keys;
        /// How many tensors are the same in both: shape, type and data.
        equal_tensors => it.equal_tensors;
        /// How many tensors there are in the one or the other.
        all_tensors => it.all_tensors;
    }
}

#[pymethods]
impl GgufDiff {
    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.keys(py)?.is_truthy()? || self.tensors(py)?.is_truthy()?)
    }
}

record! {
    /// A key that differs.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> [(key.key, key.before, key.after) for key in gguf.diff(gguf).keys]
    /// []
    KeyDiff(py, it: modelkeep::KeyDiff) shows [key] {
        /// The key.
        key => it.key.clone();
        /// Its value in the first file, an array as a list; `None` where it has none.
        before => value(py, it.before.as_ref())?;
        /// Its value in the second file.
        after => value(py, it.after.as_ref())?;
    }
}

record! {
    /// A tensor that differs; its data where both files have it with one type and one shape.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> [tensor.name for tensor in gguf.diff(gguf).tensors]
    /// []
    TensorDiff(py, it: modelkeep::TensorDiff) shows [name] {
        /// Its name.
        name => it.name.clone();
        /// What it is in the first file, a `TensorShape`; `None` where that has none.
        before => it.before.clone().map(TensorShape::from);
        /// What it is in the second file.
        after => it.after.clone().map(TensorShape::from);
    }
}

record! {
    /// What a file says of a tensor.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> [tensor.before.type for tensor in gguf.diff(gguf).tensors]
    /// []
    TensorShape(py, it: modelkeep::TensorShape) shows [r#type, shape, nbytes] {
        /// The name of its type.
        r#type => it.tensor_type.name();
        /// Its dimensions in numpy's order: the length of a row last.
        shape => shape(py, &it.shape)?;
        /// The bytes of its data; `None` for a type that is not known.
        nbytes => it.size;
    }
}

fn shape<'py>(py: Python<'py>, dims: &[u64]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, dims.iter().rev().collect::<Vec<_>>())
}

fn value<'py>(py: Python<'py>, value: Option<&OwnedValue>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let json = value.map(modelkeep::json::to_string);
    json.map(|json| loads(py, &json)).transpose()
}

#[pymethods]
impl Gguf {
    /// Hashes the data of all tensors, each and all together, on several threads while others run.
    /// `progress` is as in `Store.import_gguf`.
    ///
    /// Raises `NotFoundError` where the data are not at hand: the file is not mapped, or incomplete.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf").hash(sha256=False, tensors=False).sha256 is None
    /// True
    #[pyo3(signature = (*, sha256=true, xxh64=true, tensors=true, progress=None))]
    fn hash(
        &self,
        py: Python<'_>,
        sha256: bool,
        xxh64: bool,
        tensors: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<GgufHash>> {
        let file = self.file(py)?;
        let options = GgufHashOptions::new().sha256(sha256).xxh64(xxh64);
        let options = options.tensors(tensors);
        let hash = watched(py, progress, "hashing", |observe| {
            file.hash_with(&options, observe)
        });
        GgufHash::of(py, hash?)
    }

    /// Compares the file with another one: keys and values in any order, and the tensors of one name
    /// byte by byte, on several threads while others run. `progress` is as in `Store.import_gguf`.
    ///
    /// Raises `NotFoundError` where the data are not at hand.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> bool(gguf.diff(modelkeep.Gguf("llama3.2.gguf")))
    /// False
    #[pyo3(signature = (other, *, progress=None))]
    fn diff(
        &self,
        py: Python<'_>,
        other: &Gguf,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<GgufDiff>> {
        let (before, after) = (self.file(py)?, other.file(py)?);
        let diff = watched(py, progress, "comparing", |observe| {
            before.diff_with(&after, observe)
        });
        GgufDiff::of(py, diff?)
    }
}
