//! Models: a snapshot of a manifest, and the layers that it names.

use std::ffi::c_char;

use engine::{Layer, Model, Reference, Store};

use crate::boundary::{borrow, free, out, output, text, with};
use crate::gguf::mkeep_gguf;
use crate::growing::{get_sized, growing};
use crate::list::nanoseconds;
use crate::show::{mkeep_show, mkeep_show_options, show_options};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::mkeep_string;

/// One model: a snapshot of its manifest. What is stored under its name may change meanwhile; the
/// snapshot does not.
pub struct mkeep_model {
    model: Model,
    name: mkeep_str,
    digest: mkeep_str,
    layers: Vec<mkeep_layer>,
    _strings: Strings,
}

/// A layer of a model, which names a blob.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_layer {
    /// `sizeof(mkeep_layer)`.
    pub size: usize,
    /// What the blob holds: `model`, `projector`, `adapter`, `template`, `system`, `params`,
    /// `messages`, `license`, `config` and others, or the whole media type where it is not known.
    pub kind: mkeep_str,
    /// The digest as the manifest spells it.
    pub digest: mkeep_str,
    /// Where the blob is, or should be; empty where the digest is malformed.
    pub path: mkeep_str,
    /// Its size in bytes, as the manifest states it.
    pub n_bytes: i64,
}

growing!(mkeep_layer: n_bytes);

impl mkeep_layer {
    fn new(strings: &mut Strings, store: &Store, layer: &Layer) -> Self {
        let path = layer.digest().map(|digest| store.blob_path(&digest));
        mkeep_layer {
            size: size_of::<Self>(),
            kind: strings.add(layer.media().label()),
            digest: strings.add(layer.digest_text()),
            path: strings.path(&path.unwrap_or_default()),
            n_bytes: layer.size,
        }
    }
}

impl mkeep_model {
    fn new(store: &Store, model: Model) -> Self {
        let mut strings = Strings::default();
        let manifest = model.manifest();
        let layers = manifest.entries();
        mkeep_model {
            name: strings.display(model.name()),
            digest: strings.add(manifest.id()),
            layers: layers
                .map(|layer| mkeep_layer::new(&mut strings, store, layer))
                .collect(),
            model,
            _strings: strings,
        }
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}

/// Takes a snapshot of a model. Opens one file.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_model(
    store: *const mkeep_store,
    name: *const c_char,
    model: *mut *mut mkeep_model,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, model, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(mkeep_model::new(store, store.model(&reference)?))
        })
    }
}

/// Returns the name under which it is stored, as in `llama3.2:latest`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_name(model: *const mkeep_model) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { with(model, mkeep_str::EMPTY, |model| model.name) }
}

/// Returns the digest of the manifest as a list has it: 64 hexadecimal digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_digest(model: *const mkeep_model) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { with(model, mkeep_str::EMPTY, |model| model.digest) }
}

/// Returns the bytes of all blobs, as the manifest states them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_size(model: *const mkeep_model) -> i64 {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { with(model, 0, |model| model.model.manifest().size()) }
}

/// Returns the time of the manifest's last change, in nanoseconds since 1970.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_modified(model: *const mkeep_model) -> i64 {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { with(model, 0, |model| nanoseconds(model.model.modified())) }
}

/// Returns how many layers there are, the config among them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_layer_count(model: *const mkeep_model) -> usize {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { with(model, 0, |model| model.layers.len()) }
}

/// Gets a layer, in the order of the manifest, the config last; false beyond it. Opens nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_layer(
    model: *const mkeep_model,
    index: usize,
    layer: *mut mkeep_layer,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(model, layer, |model| model.layers.get(index).copied()) }
}

/// Makes a result of a model's.
///
/// # Safety
/// As the header says of every pointer.
unsafe fn made<T: Send + Sync>(
    model: *const mkeep_model,
    result: *mut *mut T,
    error: *mut *mut mkeep_error,
    body: impl FnOnce(&Model) -> engine::Result<T>,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (model, result) = (borrow(model, "model")?, output(result)?);
            out(result, body(&model.model)?);
            Ok(())
        })
    }
}

/// Finds the path of the GGUF file with the weights.
///
/// MKEEP_STATUS_NOT_FOUND where the model has none, MKEEP_STATUS_FILE_NOT_FOUND where it is
/// missing, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_UNSUPPORTED where the weights are in several files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_path(
    model: *const mkeep_model,
    path: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let found = |model: &Model| Ok(mkeep_string::path(&model.gguf_path()?));
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { made(model, path, error, found) }
}

/// Opens the GGUF file with the weights, leniently.
///
/// As mkeep_model_path and mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_gguf(
    model: *const mkeep_model,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { made(model, gguf, error, |model| Ok(model.gguf()?.into())) }
}

/// Shows the model, as mkeep_store_show does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_show(
    model: *const mkeep_model,
    options: *const mkeep_show_options,
    show: *mut *mut mkeep_show,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (model, show) = (borrow(model, "model")?, output(show)?);
            let shown = model.model.show(&show_options(options)?)?;
            out(show, mkeep_show::from(shown));
            Ok(())
        })
    }
}

/// Frees a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_free(model: *mut mkeep_model) {
    // SAFETY: by the header's contract NULL or a live model that is given up.
    unsafe { free(model) }
}
