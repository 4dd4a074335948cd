//! Splitting GGUF files, and merging their parts.

use modelkeep::{EditOptions, GgufParts, SplitOptions};
use pyo3::prelude::*;

use crate::error::OrRaise;
use crate::gguf_edit::Edited;
use crate::path::FilePath;
use crate::progress::watched;

/// Writes the parts of a split model as the one file `to`, given the path of any of them; the others lie
/// beside it. The layout is that of `llama-gguf-split --merge`: the metadata of the first part,
/// with a `split.count` of 0, and the tensors in the order of the parts. The new file appears whole, or
/// not at all; the parts stay.
///
/// - `replace=True` lets a file at `to` be replaced, which is an `ExistsError` otherwise.
/// - `durability="none"` leaves it to the system when the file is on the disk.
/// - `progress` is as in `Store.import_gguf`.
///
/// Raises `MissingFileError` where a part is missing, `GgufError` where parts do not belong together, and
/// `ArgumentError` for a file that is whole.
///
/// >>> parts = modelkeep.split_gguf("llama3.2.gguf", "llama", max_tensors=1)
/// >>> merged = modelkeep.merge_gguf("llama-00001-of-00002.gguf", "merged.gguf")
/// >>> merged.size == merged.file.stat().st_size, list(modelkeep.Gguf("merged.gguf").tensors)
/// (True, ['token_embd.weight', 'output_norm.weight'])
#[pyfunction]
#[pyo3(signature = (path, to, *, replace=false, durability="full", progress=None),
    text_signature = "(path, to, *, replace=False, durability='full', progress=None)")]
pub(crate) fn merge_gguf(
    py: Python<'_>,
    path: FilePath,
    to: FilePath,
    replace: bool,
    durability: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<Edited>> {
    let options = EditOptions::new()
        .replace(replace)
        .durability(durability.parse().or_raise(py)?);
    let merged = watched(py, progress, "merging", |observe| {
        GgufParts::merge_file_with(&path.0, &to.0, &options, observe)
    });
    Edited::of(py, merged?)
}

/// Splits the GGUF file at `path` into `PREFIX-00001-of-0000N.gguf` and so on, in the layout that
/// `llama-gguf-split` writes: the first part has all metadata, the others say which part they are. Returns
/// what was made of each, a list of `Edited` in the order of the parts. All parts appear, or none; the
/// first one is the last to get its name. The file itself stays.
///
/// - `max_size` is the most bytes of tensors in a part, the header not counted; a tensor that is larger
///   has a part of its own.
/// - `max_tensors` is the most tensors in a part. One of the two is needed, and both may be given.
/// - `replace=True` lets files of the names of the parts be replaced, which is an `ExistsError` otherwise.
/// - `durability="none"` leaves it to the system when the files are on the disk.
/// - `progress` is as in `Store.import_gguf`.
///
/// Raises `GgufError` for a file that cannot be read, and `ArgumentError` for one that is a part itself.
///
/// >>> parts = modelkeep.split_gguf("llama3.2.gguf", "small", max_size=2_000_000_000)
/// >>> [str(part.file) for part in parts]
/// ['small-00001-of-00001.gguf']
#[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
#[pyfunction]
#[pyo3(signature = (path, prefix, *, max_size=None, max_tensors=None, replace=false,
    durability="full", progress=None),
    text_signature = "(path, prefix, *, max_size=None, max_tensors=None, replace=False, \
    durability='full', progress=None)")]
pub(crate) fn split_gguf(
    py: Python<'_>,
    path: FilePath,
    prefix: FilePath,
    max_size: Option<u64>,
    max_tensors: Option<u64>,
    replace: bool,
    durability: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Py<Edited>>> {
    let mut options = SplitOptions::new()
        .replace(replace)
        .durability(durability.parse().or_raise(py)?);
    if let Some(bytes) = max_size {
        options = options.max_size(bytes);
    }
    if let Some(count) = max_tensors {
        options = options.max_tensors(count);
    }
    let parts = watched(py, progress, "splitting", |observe| {
        GgufParts::split_file_with(&path.0, &prefix.0, &options, observe)
    });
    parts?
        .into_iter()
        .map(|part| Edited::of(py, part))
        .collect()
}
