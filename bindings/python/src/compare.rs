//! Comparing files: the hashes of their tensors, and what two of them differ in.

use modelkeep::gguf::OwnedValue;
use modelkeep::{GgufHashOptions, Reference};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::OrRaise;
use crate::gguf::Gguf;
use crate::json_base::{each, loads};
use crate::listing::Problem;
use crate::progress::watched;
use crate::record::record;
use crate::store::Store;

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
        /// The tensors by their types in both files, those that take most first, as a list of `TypeDiff`:
        /// what another quantization has changed.
        types => each(py, &it.types, |kind| TypeDiff::from(*kind))?;
        /// What the tensors of the first file take, a `WeightSize`.
        size_before => WeightSize::from(it.size_before);
        /// What those of the second file take.
        size_after => WeightSize::from(it.size_after);
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

record! {
    /// The tensors that have one type in the one file, and one in the other.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> [(kind.before, kind.after, kind.tensors) for kind in gguf.diff(gguf).types]
    /// [('F32', 'F32', 2)]
    TypeDiff(py, it: modelkeep::TypeDiff) shows [before, after, tensors] {
        /// The name of their type in the first file; `None` where that does not have them.
        before => it.before.map(|kind| kind.name());
        /// The name of their type in the second file.
        after => it.after.map(|kind| kind.name());
        /// How many tensors these are.
        tensors => it.tensors;
        /// What they take in the first file, a `WeightSize`.
        size_before => WeightSize::from(it.size_before);
        /// What they take in the second file.
        size_after => WeightSize::from(it.size_after);
    }
}

record! {
    /// The weights of some tensors, and the bytes that they take.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> gguf.diff(gguf).size_after.bits_per_weight
    /// 32.0
    WeightSize(py, it: modelkeep::WeightSize) shows [elements, bytes] {
        /// How many weights: the elements of the tensors.
        elements => it.elements;
        /// The bytes of their data.
        bytes => it.bytes;
        /// The bits that a weight takes on average.
        bits_per_weight => it.bits_per_weight();
    }
}

record! {
    /// Which tensors the models of a store share, although they are in different files.
    ///
    /// >>> store.shared_tensors()
    /// SharedTensors(repeated=0)
    SharedTensors(py, it: modelkeep::SharedTensors) extends JsonBase shows [repeated] {
        /// The files of weights that were compared, as a list of `WeightsFile`.
        files => each(py, &it.files, |file| WeightsFile::from(file.clone()))?;
        /// The tensors that are the same in several of them, those with the most bytes first, as a list of
        /// `SharedSet`.
        sets => each(py, &it.sets, |set| SharedSet::from(set.clone()))?;
        /// The bytes of tensors that files name again: all but the first of each. Blocks that the file
        /// system shares count as well.
        repeated => it.repeated;
        /// The models whose weights could not be read, where none were named, as a list of `Problem`.
        problems => each(py, &it.problems, |problem| Problem::from(problem.clone()))?;
    }
}

record! {
    /// A file of weights, of one model or of several.
    ///
    /// >>> [(file.models, file.tensors) for file in store.shared_tensors().files]
    /// [(['llama3.2:latest'], 2)]
    WeightsFile(py, it: modelkeep::WeightsFile) shows [models, tensors, size] {
        /// The digest of the file.
        digest => it.digest.to_string();
        /// The models that use it, by name.
        models => it.models.iter().map(ToString::to_string).collect::<Vec<_>>();
        /// How many tensors it has.
        tensors => it.tensors;
        /// Its bytes.
        size => it.size;
    }
}

record! {
    /// The tensors that some files have in common, and no other file has.
    ///
    /// >>> [set.bytes for set in store.shared_tensors().sets]
    /// []
    SharedSet(py, it: modelkeep::SharedSet) shows [files, bytes] {
        /// The places of the files in `SharedTensors.files`.
        files => it.files.clone();
        /// The tensors, by name, as a list of `SharedTensor`.
        tensors => each(py, &it.tensors, |tensor| SharedTensor::from(tensor.clone()))?;
        /// The bytes of these tensors in one of the files.
        bytes => it.bytes;
    }
}

record! {
    /// A tensor that several files have: by one name, of one type and shape, with the same data.
    ///
    /// >>> [tensor.name for set in store.shared_tensors().sets for tensor in set.tensors]
    /// []
    SharedTensor(py, it: modelkeep::SharedTensor) shows [name, r#type, shape, nbytes] {
        /// Its name.
        name => it.name.clone();
        /// The name of its type.
        r#type => it.tensor_type.name();
        /// Its dimensions in numpy's order: the length of a row last.
        shape => shape(py, &it.shape)?;
        /// The bytes of its data.
        nbytes => it.size;
        /// The SHA-256 of its data, in hexadecimal.
        sha256 => it.sha256.hex();
    }
}

#[pymethods]
impl Store {
    /// Returns which tensors the named models share, or all models of the store, as `SharedTensors`: those of
    /// one name, type and shape whose data are the same, in files that are not the same. Reads of each
    /// tensor that may be shared no more than tells it apart, and hashes the rest on several threads while
    /// others run. `progress` is as in `import_gguf`.
    ///
    /// Raises `NotFoundError` for a named model that is missing or has no GGUF file.
    ///
    /// >>> store.shared_tensors("llama3.2").sets
    /// []
    #[pyo3(signature = (*names, progress=None))]
    fn shared_tensors(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<SharedTensors>> {
        let models = names.iter().map(|name| name.parse());
        let models = models.collect::<Result<Vec<Reference>, _>>().or_raise(py)?;
        let shared = watched(py, progress, "comparing", |observe| {
            self.inner.shared_tensors_with(&models, observe)
        });
        SharedTensors::of(py, shared?)
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
    /// Raises `NotFoundError` where the data are not at hand: only the header was read, or the file is
    /// incomplete.
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
