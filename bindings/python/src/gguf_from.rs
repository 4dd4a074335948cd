//! `Gguf` of what has no path: memory, and files of Python.

use modelkeep::GgufFile;
use pyo3::prelude::*;

use crate::buffer::Lent;
use crate::error::OrRaise;
use crate::gguf::Gguf;
use crate::options::gguf_options;
use crate::stream::PyFileAt;

#[pymethods]
impl Gguf {
    /// Reads a GGUF file that is in memory: bytes, or anything else that lends a buffer, such as
    /// `mmap`. Nothing is copied: the buffer is exported until the file is closed and what it handed
    /// out is gone, so that a `bytearray` keeps its length as long. One that can be written to has to
    /// stay as it is until then.
    ///
    /// >>> data = open("llama3.2.gguf", "rb").read()
    /// >>> modelkeep.Gguf.from_buffer(data)["general.architecture"]
    /// 'llama'
    #[staticmethod]
    #[pyo3(signature = (data, *, lenient=false, header_only=false))]
    fn from_buffer(
        data: &Bound<'_, PyAny>,
        lenient: bool,
        header_only: bool,
    ) -> PyResult<Py<Self>> {
        let options = gguf_options(lenient, false, header_only);
        // Attached all the time: no thread of Python writes to the buffer while its texts are checked.
        let file = GgufFile::from_bytes(Lent::of(data)?, &options);
        Gguf::of(data.py(), file.or_raise(data.py())?)
    }

    /// Reads the header of a GGUF file through a seekable binary file, from its position on, to which
    /// it is put back. Only the header is read: it may lie in an archive, an object store or at a URL.
    /// What the file raises comes through. The data of the tensors are read through the file as long as
    /// it is open, by `hash`, `diff` and `to_numpy`, which leave its position anywhere.
    ///
    /// >>> with open("llama3.2.gguf", "rb") as file:
    /// ...     gguf = modelkeep.Gguf.from_file(file)
    /// >>> gguf["general.architecture"]
    /// 'llama'
    #[staticmethod]
    #[pyo3(signature = (file, *, lenient=false, header_only=false))]
    fn from_file(file: &Bound<'_, PyAny>, lenient: bool, header_only: bool) -> PyResult<Py<Self>> {
        let py = file.py();
        let options = gguf_options(lenient, false, header_only);
        let reader = PyFileAt::new(file)?;
        let kept = reader.clone();
        let opened = py.detach(|| GgufFile::keeping_read_at(kept, &options));
        match reader.finish() {
            Some(raised) => Err(raised),
            None => Gguf::of(py, opened.or_raise(py)?),
        }
    }
}
