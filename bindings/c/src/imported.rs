//! What an import made.

use engine::{FileWarning, Imported};

use crate::boundary::{free, get, with};
use crate::growing::{get_sized, growing};
use crate::status::{mkeep_error, mkeep_status};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// What an import made.
pub struct mkeep_imported {
    imported: Imported,
    name: mkeep_str,
    digest: mkeep_str,
    ignored: Vec<mkeep_str>,
    warnings: Vec<mkeep_file_warning>,
    _strings: Strings,
}

/// Something unusual in a file that was imported.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_file_warning {
    /// `sizeof(mkeep_file_warning)`.
    pub size: usize,
    /// The file, as it was named.
    pub file: mkeep_str,
    /// What it is: a code that never changes, as in `nested_array`.
    pub code: mkeep_str,
    /// The place in the structure; the first of several.
    pub path: mkeep_str,
    /// What it is, in words.
    pub message: mkeep_str,
}

growing!(mkeep_file_warning: message);

impl mkeep_file_warning {
    fn new(strings: &mut Strings, found: &FileWarning) -> Self {
        let warning = &found.warning;
        mkeep_file_warning {
            size: size_of::<Self>(),
            file: strings.path(&found.file),
            code: strings.add(warning.code().code()),
            path: strings.add(warning.path()),
            message: strings.add(warning.message()),
        }
    }
}

impl From<Imported> for mkeep_imported {
    fn from(imported: Imported) -> Self {
        let mut strings = Strings::default();
        let warnings = imported.warnings.iter();
        mkeep_imported {
            name: strings.display(&imported.name),
            digest: strings.display(&imported.digest),
            ignored: strings.displays(&imported.ignored),
            warnings: warnings
                .map(|warning| mkeep_file_warning::new(&mut strings, warning))
                .collect(),
            imported,
            _strings: strings,
        }
    }
}

/// Returns the model's name, in its stored spelling.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_name(imported: *const mkeep_imported) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, mkeep_str::EMPTY, |imported| imported.name) }
}

/// Returns the digest of the weights, as in `sha256:...`: of the first layer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_digest(imported: *const mkeep_imported) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, mkeep_str::EMPTY, |imported| imported.digest) }
}

/// Returns the bytes of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_bytes(imported: *const mkeep_imported) -> u64 {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, 0, |imported| imported.imported.bytes) }
}

/// Returns whether a model of that name was replaced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_is_replacement(imported: *const mkeep_imported) -> bool {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, false, |imported| imported.imported.replaced) }
}

/// Gets a parameter of the Modelfile that says nothing any more, and was left out; false beyond the
/// last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_ignored(
    imported: *const mkeep_imported,
    index: usize,
    parameter: *mut mkeep_str,
) -> bool {
    let nth = |imported: &mkeep_imported| imported.ignored.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(imported, parameter, nth) }
}

/// Gets what is unusual in the files, and may be refused elsewhere; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_warning(
    imported: *const mkeep_imported,
    index: usize,
    warning: *mut mkeep_file_warning,
) -> bool {
    let nth = |imported: &mkeep_imported| imported.warnings.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(imported, warning, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_json(
    imported: *const mkeep_imported,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |imported: &mkeep_imported| engine::json::try_to_string(&imported.imported);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(imported, json, error, made) }
}

/// Frees the result of an import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_free(imported: *mut mkeep_imported) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(imported) }
}
