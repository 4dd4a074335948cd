//! Models: a snapshot of a manifest, and what lies under it.

use std::ffi::c_char;

use engine::{Layer, Model, Reference, Store};

use crate::boundary::{borrow, end, enter, fetch, give, look, output, text};
use crate::gguf::mkeep_gguf;
use crate::list::nanoseconds;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, show_options};
use crate::text::{Terminated, mkeep_str, mkeep_text};

/// One model: a snapshot of its manifest. What is stored under its name may change meanwhile; the
/// snapshot does not.
pub struct mkeep_model {
    model: Model,
    name: Terminated,
    digest: Terminated,
    layers: Vec<Kept>,
}

/// A layer of a model, which names a blob. Its texts live as long as the model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_layer {
    /// What the blob holds: `model`, `projector`, `adapter`, `template`, `system`, `params`,
    /// `messages`, `license`, `config` and others, or the whole media type where it is not known.
    pub kind: mkeep_str,
    /// The digest as the manifest spells it.
    pub digest: mkeep_str,
    /// Where the blob lies, or should lie; empty where the digest is none.
    pub path: mkeep_str,
    /// Its size in bytes, as the manifest states it.
    pub size: i64,
}

struct Kept {
    texts: [Terminated; 3],
    size: i64,
}

impl Kept {
    fn new(store: &Store, layer: &Layer) -> Self {
        let path = layer.digest().map(|digest| store.blob_path(&digest));
        let texts = [
            Terminated::new(layer.media().label()),
            Terminated::new(layer.digest_text()),
            Terminated::path(&path.unwrap_or_default()),
        ];
        let size = layer.size;
        Kept { texts, size }
    }

    fn lend(&self) -> mkeep_layer {
        let [kind, digest, path] = self.texts.each_ref().map(Terminated::borrow);
        let size = self.size;
        mkeep_layer {
            kind,
            digest,
            path,
            size,
        }
    }
}

impl mkeep_model {
    fn new(store: &Store, model: Model) -> Self {
        let manifest = model.manifest();
        mkeep_model {
            name: Terminated::new(&model.name().to_string()),
            digest: Terminated::new(manifest.listed_digest()),
            layers: manifest
                .entries()
                .map(|layer| Kept::new(store, layer))
                .collect(),
            model,
        }
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
        enter(error, || {
            let (store, place) = (&borrow(store, "store")?.0, output(model)?);
            let reference: Reference = text(name, "name")?.parse()?;
            give(place, mkeep_model::new(store, store.model(&reference)?));
            Ok(())
        })
    }
}

/// The name under which it is stored, as in `llama3.2:latest`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_name(model: *const mkeep_model) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { look(model, mkeep_str::EMPTY, |model| model.name.borrow()) }
}

/// The digest of the manifest as a list has it: 64 hexadecimal digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_digest(model: *const mkeep_model) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { look(model, mkeep_str::EMPTY, |model| model.digest.borrow()) }
}

/// The bytes of all blobs, as the manifest states them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_size(model: *const mkeep_model) -> i64 {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { look(model, 0, |model| model.model.manifest().size()) }
}

/// The time of the manifest's last change, in nanoseconds since 1970.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_modified(model: *const mkeep_model) -> i64 {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { look(model, 0, |model| nanoseconds(model.model.modified())) }
}

/// How many layers, the config among them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_layer_count(model: *const mkeep_model) -> usize {
    // SAFETY: by the header's contract NULL or a live model.
    unsafe { look(model, 0, |model| model.layers.len()) }
}

/// The layer at a place, in the order of the manifest, the config last; false, and nothing written,
/// beyond it. Opens nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_layer(
    model: *const mkeep_model,
    index: usize,
    layer: *mut mkeep_layer,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        fetch(model, layer, |model| {
            model.layers.get(index).map(Kept::lend)
        })
    }
}

/// The path of the GGUF file with the weights.
///
/// MKEEP_STATUS_NOT_FOUND where the model has none, MKEEP_STATUS_FILE_NOT_FOUND where it is missing,
/// MKEEP_STATUS_CORRUPT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_path(
    model: *const mkeep_model,
    path: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (model, path) = (borrow(model, "model")?, output(path)?);
            give(path, mkeep_text::path(&model.model.gguf_path()?));
            Ok(())
        })
    }
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
    unsafe {
        enter(error, || {
            let (model, gguf) = (borrow(model, "model")?, output(gguf)?);
            give(gguf, mkeep_gguf::from(model.model.gguf()?));
            Ok(())
        })
    }
}

/// Everything about the model, as mkeep_store_show_json answers it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_show_json(
    model: *const mkeep_model,
    verbose: bool,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (model, json) = (borrow(model, "model")?, output(json)?);
            let show = model.model.show(&show_options(verbose))?;
            give(json, mkeep_text::new(&show.to_json()));
            Ok(())
        })
    }
}

/// Ends a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_free(model: *mut mkeep_model) {
    // SAFETY: by the header's contract NULL or a live model that is given up.
    unsafe { end(model) }
}
