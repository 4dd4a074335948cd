//! Values: the results of the engine and their parts. They compare, hash, sort and pickle by their
//! attributes, which are made when they are asked for.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyDict, PyList, PyNotImplemented, PyString, PyTuple};
use serde::Serialize;

use crate::json_base::to_json;

/// What stands behind a value.
pub(crate) enum Held<T> {
    /// A value of the engine.
    Engine(T),
    /// What a pickle brought; boxed, so that a value of the engine takes no more than its own.
    Pickled(Box<Pickled>),
}

/// The attributes of a value that was pickled, and its JSON where it is a result.
pub(crate) struct Pickled {
    fields: Py<PyDict>,
    json: Option<String>,
}

impl<T> Held<T> {
    pub(crate) fn pickled(fields: Py<PyDict>, json: Option<String>) -> Self {
        Held::Pickled(Box::new(Pickled { fields, json }))
    }

    /// Returns an attribute.
    pub(crate) fn field<'py, V: IntoPyObject<'py>>(
        &self,
        py: Python<'py>,
        name: &str,
        convert: impl FnOnce(&T) -> PyResult<V>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Held::Engine(value) => convert(value)?.into_bound_py_any(py),
            Held::Pickled(pickled) => pickled.fields.bind(py).as_any().get_item(plain(name)),
        }
    }

    /// Returns the value of the engine, unless this came from a pickle.
    pub(crate) fn engine(&self) -> Option<&T> {
        match self {
            Held::Engine(value) => Some(value),
            Held::Pickled(_) => None,
        }
    }
}

impl<T: Serialize + Sync> Held<T> {
    /// Returns the JSON of the value; what was pickled without has none.
    pub(crate) fn json(&self, py: Python<'_>) -> PyResult<String> {
        match self {
            Held::Engine(value) => to_json(py, value),
            Held::Pickled(pickled) => Ok(pickled.json.clone().unwrap_or_default()),
        }
    }
}

/// Returns a field's name as Python has it.
pub(crate) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Defines a class of values: its attributes, and what all values can do. `shows` names those
/// attributes that its `repr` shows and its hash is made of: what is quickly made.
///
/// A class that `extends JsonBase` is a result, and holds what can be written as JSON.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $class:ident($py:ident, $it:ident: $held:ty) shows [$($shown:ident),*] {
            $($(#[$doc:meta])* $field:ident => $value:expr;)+
        }
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, module = "modelkeep")]
        pub(crate) struct $class($crate::record::Held<$held>);

        impl From<$held> for $class {
            fn from(value: $held) -> Self {
                $class($crate::record::Held::Engine(value))
            }
        }

        $crate::record::record!(@methods $class, $py, $it, [$($shown),*] {
            $($(#[$doc])* $field => $value;)+
        });

        #[pyo3::pymethods]
        impl $class {
            #[classmethod]
            fn _restore(
                _class: &pyo3::Bound<'_, pyo3::types::PyType>,
                fields: pyo3::Py<pyo3::types::PyDict>,
            ) -> Self {
                $class($crate::record::Held::pickled(fields, None))
            }

            fn __reduce__<'py>(
                slf: &pyo3::Bound<'py, Self>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyTuple>> {
                $crate::record::reduce(slf.as_any(), &[$(stringify!($field)),+], None)
            }
        }
    };
    (
        $(#[$meta:meta])*
        $class:ident($py:ident, $it:ident: $held:ty) extends JsonBase shows [$($shown:ident),*] {
            $($(#[$doc:meta])* $field:ident => $value:expr;)+
        }
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, extends = $crate::json_base::JsonBase, module = "modelkeep")]
        pub(crate) struct $class($crate::record::Held<$held>);

        impl $class {
            /// Returns the object of a value of the engine.
            pub(crate) fn of(py: pyo3::Python<'_>, value: $held) -> pyo3::PyResult<pyo3::Py<Self>> {
                let value = $class($crate::record::Held::Engine(value));
                pyo3::Py::new(py, $crate::json_base::JsonBase::beneath(value))
            }
        }

        impl $crate::json_base::HasJson for $class {
            fn json(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                slf.get().0.json(slf.py())
            }
        }

        $crate::record::record!(@methods $class, $py, $it, [$($shown),*] {
            $($(#[$doc])* $field => $value;)+
        });

        #[pyo3::pymethods]
        impl $class {
            #[classmethod]
            fn _restore(
                class: &pyo3::Bound<'_, pyo3::types::PyType>,
                fields: pyo3::Py<pyo3::types::PyDict>,
                json: String,
            ) -> pyo3::PyResult<pyo3::Py<Self>> {
                let value = $class($crate::record::Held::pickled(fields, Some(json)));
                pyo3::Py::new(class.py(), $crate::json_base::JsonBase::beneath(value))
            }

            fn __reduce__<'py>(
                slf: &pyo3::Bound<'py, Self>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyTuple>> {
                let json = slf.get().0.json(slf.py())?;
                $crate::record::reduce(slf.as_any(), &[$(stringify!($field)),+], Some(json))
            }
        }
    };
    (@methods $class:ident, $py:ident, $it:ident, [$($shown:ident),*] {
        $($(#[$doc:meta])* $field:ident => $value:expr;)+
    }) => {
        #[pyo3::pymethods]
        impl $class {
            $(
                $(#[$doc])*
                #[getter]
                fn $field<'py>(
                    &self,
                    $py: pyo3::Python<'py>,
                ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                    self.0.field($py, stringify!($field), |$it| Ok($value))
                }
            )+

            /// The attributes in their order, for `match`.
            #[classattr]
            fn __match_args__(py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::types::PyTuple>> {
                $crate::record::names(py, &[$(stringify!($field)),+])
            }

            fn __richcmp__<'py>(
                slf: &pyo3::Bound<'py, Self>,
                other: &pyo3::Bound<'py, pyo3::PyAny>,
                op: pyo3::pyclass::CompareOp,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $crate::record::compare(slf.as_any(), other, op, &[$(stringify!($field)),+])
            }

            fn __hash__(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<u64> {
                $crate::record::hash(slf.as_any(), &[$(stringify!($shown)),*])
            }

            fn __repr__(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                $crate::record::shown(slf.as_any(), &[$(stringify!($shown)),*])
            }
        }
    };
}
pub(crate) use record;

/// Lets a value be read like the list that one of its attributes is.
macro_rules! reads_like_its_list {
    ($($class:ident: $list:ident),+) => {$(
        #[pyo3::pymethods]
        impl $class {
            fn __len__(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<usize> {
                use pyo3::prelude::*;
                self.$list(py)?.len()
            }

            fn __getitem__<'py>(
                &self,
                index: &pyo3::Bound<'py, pyo3::PyAny>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                use pyo3::prelude::*;
                self.$list(index.py())?.get_item(index)
            }

            fn __iter__<'py>(
                &self,
                py: pyo3::Python<'py>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyIterator>> {
                use pyo3::prelude::*;
                self.$list(py)?.try_iter()
            }
        }
    )+};
}
pub(crate) use reads_like_its_list;

/// Returns names as Python has them.
pub(crate) fn names(py: Python<'_>, fields: &[&str]) -> PyResult<Py<PyTuple>> {
    let names = fields.iter().map(|name| plain(name));
    Ok(PyTuple::new(py, names.collect::<Vec<_>>())?.unbind())
}

/// Compares two values of one class, attribute by attribute in their order.
pub(crate) fn compare<'py>(
    one: &Bound<'py, PyAny>,
    other: &Bound<'py, PyAny>,
    op: CompareOp,
    fields: &[&str],
) -> PyResult<Bound<'py, PyAny>> {
    let py = one.py();
    if !other.get_type().is(one.get_type()) {
        return Ok(PyNotImplemented::get(py).to_owned().into_any());
    }
    for name in fields.iter().map(|name| plain(name)) {
        let (own, theirs) = (one.getattr(name)?, other.getattr(name)?);
        if !is_same(&own, &theirs)? {
            return match op {
                CompareOp::Eq => false.into_bound_py_any(py),
                CompareOp::Ne => true.into_bound_py_any(py),
                op => own.rich_compare(theirs, op),
            };
        }
    }
    matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge).into_bound_py_any(py)
}

/// Returns whether two attributes are equal; exceptions are where class and text are.
fn is_same(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    if one.is_instance_of::<PyBaseException>() {
        let same = one.get_type().is(other.get_type());
        return Ok(same && one.str()?.as_any().eq(other.str()?)?);
    }
    one.eq(other)
}

/// Returns the hash of some attributes; of lists that of their elements.
pub(crate) fn hash(value: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<u64> {
    let mut hasher = DefaultHasher::new();
    for name in fields {
        add(&value.getattr(plain(name))?, &mut hasher)?;
    }
    Ok(hasher.finish())
}

fn add(value: &Bound<'_, PyAny>, hasher: &mut DefaultHasher) -> PyResult<()> {
    if let Ok(list) = value.cast::<PyList>() {
        return list.iter().try_for_each(|element| add(&element, hasher));
    }
    match value.is_instance_of::<PyBaseException>() {
        true => value.str()?.to_string().hash(hasher),
        false => value.hash()?.hash(hasher),
    }
    Ok(())
}

/// How many elements of a list a `repr` shows.
const SHOWN: usize = 3;

/// Returns how a value shows itself: `Class(field=value, ...)`.
pub(crate) fn shown(value: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<String> {
    let fields: Vec<String> = fields
        .iter()
        .map(|name| {
            Ok(format!(
                "{}={}",
                plain(name),
                short(&value.getattr(plain(name))?)?
            ))
        })
        .collect::<PyResult<_>>()?;
    Ok(format!(
        "{}({})",
        value.get_type().name()?,
        fields.join(", ")
    ))
}

/// Returns how an attribute shows itself; a long list its first elements.
fn short(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let Some(list) = value
        .cast::<PyList>()
        .ok()
        .filter(|list| list.len() > SHOWN)
    else {
        return Ok(value.repr()?.to_string());
    };
    let first: Vec<String> = list
        .iter()
        .take(SHOWN)
        .map(|element| Ok(element.repr()?.to_string()))
        .collect::<PyResult<_>>()?;
    Ok(format!("[{}, ... {} in all]", first.join(", "), list.len()))
}

/// Returns what a pickle keeps: how to restore the value, its attributes, and its JSON.
pub(crate) fn reduce<'py>(
    value: &Bound<'py, PyAny>,
    fields: &[&str],
    json: Option<String>,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = value.py();
    let kept = PyDict::new(py);
    for name in fields.iter().map(|name| plain(name)) {
        kept.set_item(PyString::intern(py, name), value.getattr(name)?)?;
    }
    let arguments = match json {
        Some(json) => PyTuple::new(py, [kept.into_any(), json.into_bound_py_any(py)?])?,
        None => PyTuple::new(py, [kept])?,
    };
    let restore = value.get_type().getattr("_restore")?;
    PyTuple::new(py, [restore, arguments.into_any()])
}
