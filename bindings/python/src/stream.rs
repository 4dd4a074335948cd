//! Binary files of Python as readers and writers of the engine.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use modelkeep::ReadAt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A file of Python, and what it raised.
pub(crate) struct PyFile {
    file: Py<PyAny>,
    raised: Mutex<Option<PyErr>>,
}

/// The bytes that are asked of a file at once.
const CHUNK: usize = 1 << 20;

impl PyFile {
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> Self {
        PyFile {
            file: file.clone().unbind(),
            raised: Mutex::new(None),
        }
    }

    /// Returns what the file raised, if it did.
    pub(crate) fn raised(self) -> Option<PyErr> {
        self.raised.into_inner().unwrap_or_default()
    }

    fn take_raised(&self) -> Option<PyErr> {
        self.raised.lock().ok()?.take()
    }

    fn call<T>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        Python::attach(|py| {
            call(self.file.bind(py)).map_err(|raised| {
                let text = format!("the file raised {raised}");
                if let Ok(mut place) = self.raised.lock() {
                    *place = Some(raised);
                }
                io::Error::other(text)
            })
        })
    }

    fn read_some(&self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(CHUNK);
        self.call(|file| {
            let read = file.call_method1("read", (most,))?;
            let read = read.cast::<PyBytes>()?.as_bytes();
            let Some(place) = into.get_mut(..read.len()) else {
                return Err(PyValueError::new_err(
                    "read() gave more than it was asked for",
                ));
            };
            place.copy_from_slice(read);
            Ok(read.len())
        })
    }
}

impl Read for PyFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_some(into)
    }
}

impl Write for PyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = bytes.get(..CHUNK).unwrap_or(bytes);
        self.call(|file| {
            let written = file.call_method1("write", (PyBytes::new(file.py(), chunk),))?;
            match written.is_none() {
                true => Ok(chunk.len()),
                false => Ok(written.extract::<usize>()?.min(chunk.len())),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call(|file| match file.hasattr("flush")? {
            true => file.call_method0("flush").map(drop),
            false => Ok(()),
        })
    }
}

/// A seekable file of Python, from its position on. Each clone reads the same file.
#[derive(Clone)]
pub(crate) struct PyFileAt {
    file: Arc<PyFile>,
    base: u64,
}

impl PyFileAt {
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> PyResult<Self> {
        let base = file.call_method0("tell")?.extract()?;
        let file = Arc::new(PyFile::new(file));
        Ok(PyFileAt { file, base })
    }

    /// Puts the position back, and returns what the file raised, if it did.
    pub(crate) fn finish(&self) -> Option<PyErr> {
        if let Some(raised) = self.file.take_raised() {
            return Some(raised);
        }
        let _ = self.seek(self.base, 0);
        self.file.take_raised()
    }

    fn seek(&self, to: u64, whence: u8) -> io::Result<u64> {
        let seek = |file: &Bound<'_, PyAny>| {
            file.call_method1("seek", (to, whence))?;
            file.call_method0("tell")?.extract()
        };
        self.file.call(seek)
    }
}

impl ReadAt for PyFileAt {
    fn size(&mut self) -> io::Result<u64> {
        const FROM_THE_END: u8 = 2;
        let end = self.seek(0, FROM_THE_END)?;
        Ok(end.saturating_sub(self.base))
    }

    fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.seek(self.base.saturating_add(at), 0)?;
        self.file.read_some(into)
    }
}
