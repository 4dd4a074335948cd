//! A binary stream of Python's as a reader of the engine.

use std::io::{Error, Read, Result};

use pyo3::prelude::*;

/// A binary stream, and what it raised.
pub(crate) struct Stream {
    stream: Py<PyAny>,
    pub raised: Option<PyErr>,
}

impl Stream {
    pub(crate) fn new(stream: Py<PyAny>) -> Self {
        let raised = None;
        Stream { stream, raised }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = Python::attach(|py| {
            let bytes = self.stream.call_method1(py, "read", (buffer.len(),))?;
            let bytes: &[u8] = bytes.extract(py)?;
            // A stream that gives more than it was asked for is refused, not cut.
            let place = buffer.get_mut(..bytes.len());
            Ok(place
                .map(|place| place.copy_from_slice(bytes))
                .map(|()| bytes.len()))
        });
        match read {
            Ok(Some(count)) => Ok(count),
            Ok(None) => Err(Error::other("the stream gave more than it was asked for")),
            Err(raised) => {
                self.raised = Some(raised);
                Err(Error::other("the stream raised an exception"))
            }
        }
    }
}
