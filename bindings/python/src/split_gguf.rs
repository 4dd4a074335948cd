//! The class `GgufParts`: a model that was split into several GGUF files.

use modelkeep::GgufFile;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyMappingProxy;

use crate::error::OrRaise;
use crate::gguf::Gguf;
use crate::options::gguf_options;
use crate::path::FilePath;
use crate::tensor::Tensor;

/// The parts of a split model, open and in order, given the path of any of them; the others lie beside
/// it. A file that is whole is a model of one part. The options are those of `Gguf`.
///
/// >>> parts = modelkeep.GgufParts("llama3.2.gguf")
/// >>> len(parts.parts), parts.parameter_count, parts.tensors["output_norm.weight"].shape
/// (1, 40, (8,))
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct GgufParts {
    inner: modelkeep::GgufParts,
    tensors: PyOnceLock<Py<PyMappingProxy>>,
}

#[pymethods]
impl GgufParts {
    /// Opens all parts, given the path of any of them; the others lie beside it.
    #[new]
    #[pyo3(signature = (path, *, lenient=false, mmap=true, header_only=false))]
    fn new(
        py: Python<'_>,
        path: FilePath,
        lenient: bool,
        mmap: bool,
        header_only: bool,
    ) -> PyResult<Self> {
        let options = gguf_options(lenient, mmap, header_only);
        let inner = py.detach(|| modelkeep::GgufParts::open(path.0, &options));
        Ok(GgufParts {
            inner: inner.or_raise(py)?,
            tensors: PyOnceLock::new(),
        })
    }

    /// The parts in order, as a list of `Gguf`; the first holds the metadata of the model.
    #[getter]
    fn parts(&self, py: Python<'_>) -> PyResult<Vec<Py<Gguf>>> {
        let parts = self.inner.parts().iter().cloned();
        parts.map(|part| Gguf::of(py, part)).collect()
    }

    /// The tensors of all parts by name; made when they are first asked for.
    #[getter]
    fn tensors(&self, py: Python<'_>) -> PyResult<Py<PyMappingProxy>> {
        let collect = || Tensor::by_name(py, self.inner.parts());
        let tensors = self.tensors.get_or_try_init(py, collect)?;
        Ok(tensors.clone_ref(py))
    }

    /// The sum of the elements of all tensors.
    #[getter]
    fn parameter_count(&self) -> u64 {
        self.inner.parameter_count()
    }

    fn __repr__(&self) -> String {
        let sizes = self.inner.parts().iter().map(GgufFile::size);
        let size = sizes.fold(0, u64::saturating_add);
        format!(
            "<GgufParts: {} files, {size} bytes>",
            self.inner.parts().len()
        )
    }
}
