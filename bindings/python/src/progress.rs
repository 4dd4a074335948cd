//! How far a long call is: the way from the engine to a callback, or to a bar.

use std::ops::ControlFlow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::error::OrRaise;
use crate::record::record;

record! {
    /// How far a long call is.
    ///
    /// >>> seen = []
    /// >>> _ = store.verify(progress=seen.append)
    /// >>> seen[-1].bytes, seen[-1].total_bytes
    /// (1002, 1002)
    Progress(py, it: modelkeep::Progress) shows [bytes, total_bytes, files, total_files] {
        /// The bytes done so far.
        bytes => it.bytes;
        /// The bytes to do.
        total_bytes => it.total_bytes;
        /// The files done so far.
        files => it.files;
        /// The files to do.
        total_files => it.total_files;
    }
}

/// Makes a call of the engine without the GIL, which tells what it is given how far it is, and returns
/// what the call gave, or raises what a signal or a callback raised meanwhile. `progress` and `what` are
/// as [`Observer::new`] takes them.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    what: &str,
    call: impl FnOnce(&mut Observe<'_>) -> modelkeep::Result<T> + Send,
) -> PyResult<T> {
    let mut observer = Observer::new(py, progress, what)?;
    let answer = py.detach(|| call(&mut |progress| observer.observe(progress)));
    observer.end(py, answer)
}

/// What the engine tells how far it is.
pub(crate) type Observe<'o> = dyn FnMut(&modelkeep::Progress) -> ControlFlow<()> + 'o;

/// Looks for signals and tells a callback, as often as the engine says how far it is.
struct Observer {
    callback: Option<Py<PyAny>>,
    /// The bar that the callback is, where it is one of ours.
    bar: Option<Py<PyAny>>,
    /// What the callback or a signal raised.
    raised: Option<PyErr>,
}

impl Observer {
    /// Takes what a caller gave as `progress`: a callback, `True` for a bar, or nothing. `what` is
    /// the work, as a bar names it.
    fn new(py: Python<'_>, progress: Option<Py<PyAny>>, what: &str) -> PyResult<Self> {
        let progress = progress.filter(|it| !it.is(&*PyBool::new(py, false)));
        let bar = match &progress {
            Some(it) if it.is(&*PyBool::new(py, true)) => {
                let module = py.import("modelkeep._progress")?;
                Some(module.call_method1("bar", (what,))?.unbind())
            }
            Some(it) if !it.bind(py).is_callable() => {
                let class = it.bind(py).get_type().name()?.to_string();
                let text = format!("progress: a callable, True or None, not {class}");
                return Err(PyTypeError::new_err(text));
            }
            _ => None,
        };
        Ok(Observer {
            callback: bar.as_ref().map(|bar| bar.clone_ref(py)).or(progress),
            bar,
            raised: None,
        })
    }

    fn observe(&mut self, progress: &modelkeep::Progress) -> ControlFlow<()> {
        match Python::attach(|py| self.tell(py, progress)) {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// Returns whether to go on: only `False` itself says no, so that `None` need not be thought
    /// of.
    fn tell(&self, py: Python<'_>, progress: &modelkeep::Progress) -> PyResult<bool> {
        py.check_signals()?;
        let Some(callback) = &self.callback else {
            return Ok(true);
        };
        let progress = Progress::from(*progress);
        let answer = callback.bind(py).call1((progress,))?;
        Ok(!answer.is(&*PyBool::new(py, false)))
    }

    /// Takes a bar away, and returns what the call gave, or raises what was raised meanwhile.
    fn end<T>(self, py: Python<'_>, answer: modelkeep::Result<T>) -> PyResult<T> {
        let closed = self.bar.map(|bar| bar.call_method0(py, "close"));
        match (self.raised, closed) {
            (Some(raised), _) => Err(raised),
            (None, Some(Err(raised))) => Err(raised),
            (None, _) => answer.or_raise(py),
        }
    }
}
