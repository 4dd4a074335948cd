//! Values of Python on their way into a GGUF file.

use modelkeep::gguf::{OwnedArray, OwnedValue, ValueType};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};

/// Returns a value, and whether its type is one of the file: that of an array of numpy is.
pub(crate) fn new_value(key: &str, value: &Bound<'_, PyAny>) -> PyResult<(OwnedValue, bool)> {
    let typed = dtype(value)?;
    let plain = match value.hasattr("tolist")? {
        true => value.call_method0("tolist")?,
        false => value.clone(),
    };
    let made = owned(key, &plain)?;
    match typed {
        Some(value_type) => Ok((made.clone().converted(value_type).unwrap_or(made), true)),
        None => Ok((made, false)),
    }
}

/// Returns the type of the elements of an array of numpy, or of one of its numbers.
fn dtype(value: &Bound<'_, PyAny>) -> PyResult<Option<ValueType>> {
    let Some(dtype) = value.getattr_opt("dtype")? else {
        return Ok(None);
    };
    let Some(name) = dtype.getattr_opt("name")? else {
        return Ok(None);
    };
    Ok(Some(match name.extract::<String>()?.as_str() {
        "uint8" => ValueType::U8,
        "int8" => ValueType::I8,
        "uint16" => ValueType::U16,
        "int16" => ValueType::I16,
        "uint32" => ValueType::U32,
        "int32" => ValueType::I32,
        "uint64" => ValueType::U64,
        "int64" => ValueType::I64,
        "float32" => ValueType::F32,
        "float64" => ValueType::F64,
        "bool" => ValueType::Bool,
        _ => return Ok(None),
    }))
}

fn owned(key: &str, value: &Bound<'_, PyAny>) -> PyResult<OwnedValue> {
    match scalar(value)? {
        Some(scalar) => Ok(scalar),
        None if value.is_instance_of::<PyBytes>() => Err(refused(key, value)),
        None => {
            let items = value.try_iter().map_err(|_| refused(key, value))?;
            let items = items.map(|item| {
                let item = item?;
                scalar(&item)?.ok_or_else(|| refused(key, &item))
            });
            array(key, items.collect::<PyResult<Vec<_>>>()?)
        }
    }
}

fn scalar(value: &Bound<'_, PyAny>) -> PyResult<Option<OwnedValue>> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Some(value.extract::<bool>()?.into()));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Some(value.extract::<String>()?.into()));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Some(value.extract::<f64>()?.into()));
    }
    if value.is_instance_of::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(number) => Ok(Some(number.into())),
            Err(_) => Ok(Some(value.extract::<u64>()?.into())),
        };
    }
    Ok(None)
}

/// Makes an array of elements of one type; integers among floats are floats.
fn array(key: &str, items: Vec<OwnedValue>) -> PyResult<OwnedValue> {
    let Some(first) = items.first() else {
        return Ok(OwnedArray::new(ValueType::I32, items).into());
    };
    let is_number = |item: &OwnedValue| {
        matches!(
            item,
            OwnedValue::I64(_) | OwnedValue::U64(_) | OwnedValue::F64(_)
        )
    };
    let first_type = first.value_type();
    let element = if items.iter().all(|item| item.value_type() == first_type) {
        first_type
    } else if items.iter().any(|item| item.value_type() == ValueType::F64) {
        ValueType::F64
    } else {
        ValueType::U64
    };
    let is_one =
        items.iter().all(is_number) || items.iter().all(|it| it.value_type() == first_type);
    if !is_one {
        let text = format!("{key}: the elements of an array are of one type");
        return Err(PyTypeError::new_err(text));
    }
    let made = OwnedValue::from(OwnedArray::new(element, items));
    made.converted(element)
        .map_err(|error| PyTypeError::new_err(format!("{key}: {error}")))
}

fn refused(key: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = value.get_type().name();
    let class = class.map_or_else(|_| "this".to_owned(), |name| name.to_string());
    let text = format!("{key}: a bool, an int, a float, a str or a list of them, not {class}");
    PyTypeError::new_err(text)
}
