//! Iterating over the models of a store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use modelkeep::{ErrorKind, ModelName, Result};
use pyo3::prelude::*;

use crate::error::OrRaise;
use crate::model::Model;

/// The names of a store's models as they were listed once.
type Names = OnceLock<Vec<ModelName>>;

/// Returns the names of all models, newest first.
fn list(store: &modelkeep::Store) -> Result<Vec<ModelName>> {
    let models = store.list()?.models.into_iter();
    Ok(models.map(|line| line.name).collect())
}

/// The iterator that was made last, as long as it has not begun.
///
/// `list(store)` asks for an iterator and then, as a hint, for the length. So that this does not
/// list a store twice, an iterator lists when it begins, or is given what a length listed before.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Weak<Names>>);

impl Pending {
    fn begin(&self) -> Arc<Names> {
        let names = Arc::new(Names::new());
        *lock(&self.0) = Arc::downgrade(&names);
        names
    }

    /// Returns how many models there are.
    pub(crate) fn count(&self, store: &modelkeep::Store) -> Result<usize> {
        let names = list(store)?;
        let count = names.len();
        if let Some(pending) = std::mem::take(&mut *lock(&self.0)).upgrade() {
            // Filled already: the iterator has begun.
            let _ = pending.set(names);
        }
        Ok(count)
    }
}

/// The models of a store, newest first. They are opened some at a time, so that other threads are
/// asked for the interpreter once for all of these.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Models {
    /// The `Store` that each model names.
    store: Py<PyAny>,
    engine: modelkeep::Store,
    names: Arc<Names>,
    state: Mutex<State>,
}

struct State {
    /// How many names were taken.
    taken: usize,
    /// How many are opened next.
    chunk: usize,
    opened: VecDeque<Result<modelkeep::Model>>,
}

/// How many models are opened at once at most: the first ones singly, for who stops early.
const CHUNK: usize = 64;

impl Models {
    pub(crate) fn new(store: Py<PyAny>, engine: modelkeep::Store, pending: &Pending) -> Self {
        Models {
            store,
            engine,
            names: pending.begin(),
            state: Mutex::new(State {
                taken: 0,
                chunk: 1,
                opened: VecDeque::new(),
            }),
        }
    }

    /// Returns the next model, and opens more where none is left. Must not hold the interpreter:
    /// another thread may have the lock and wait for it.
    fn next_model(&self) -> Result<Option<modelkeep::Model>> {
        let mut state = lock(&self.state);
        while state.opened.is_empty() {
            let names = self.names()?;
            let rest = names.get(state.taken..).unwrap_or_default();
            let next = rest.get(..state.chunk).unwrap_or(rest);
            if next.is_empty() {
                return Ok(None);
            }
            let opened = next.iter().map(|name| self.engine.model(name));
            // What is not found was deleted since the list was made.
            state.opened.extend(opened.filter(
                |model| !matches!(model, Err(error) if error.kind() == ErrorKind::NotFound),
            ));
            state.taken += next.len();
            state.chunk = CHUNK.min(state.chunk * 2);
        }
        state.opened.pop_front().transpose()
    }

    fn names(&self) -> Result<&[ModelName]> {
        if self.names.get().is_none() {
            // A length that was asked for meanwhile may have been first.
            let _ = self.names.set(list(&self.engine)?);
        }
        Ok(self.names.get().map_or(&[], Vec::as_slice))
    }

    fn opened(&self) -> Option<Result<modelkeep::Model>> {
        self.state.try_lock().ok()?.opened.pop_front()
    }
}

#[pymethods]
impl Models {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Model>> {
        let next = match self.opened() {
            Some(model) => model.map(Some),
            None => py.detach(|| self.next_model()),
        };
        let model = next.or_raise(py)?;
        Ok(model.map(|model| Model::new(self.store.clone_ref(py), model)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
