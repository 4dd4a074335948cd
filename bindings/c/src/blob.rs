//! Blobs by their digests.

use std::ffi::{c_char, c_void};

use engine::Digest;

use crate::boundary::{Fault, borrow, output, text};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out, result_out};
use crate::stream::{Source, mkeep_read};
use crate::string::mkeep_string;

/// # Safety
/// `digest` is NULL or a string.
unsafe fn parse(digest: *const c_char) -> Result<Digest, Fault> {
    // SAFETY: by the contract.
    Ok(unsafe { text(digest, "digest") }?.parse()?)
}

/// Finds where the blob of a digest is, or would be. `digest` is as in `sha256:...`.
///
/// MKEEP_STATUS_INVALID_DIGEST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_blob_path(
    store: *const mkeep_store,
    digest: *const c_char,
    path: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, path, error, |store| {
            Ok(mkeep_string::path(&store.blob_path(&parse(digest)?)))
        })
    }
}

/// Tells whether the blob of a digest is there.
///
/// MKEEP_STATUS_INVALID_DIGEST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_has_blob(
    store: *const mkeep_store,
    digest: *const c_char,
    found: *mut bool,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (store, found) = (&borrow(store, "store")?.0, output(found)?);
            found.write(store.has_blob(&parse(digest)?));
            Ok(())
        })
    }
}

/// Adds a blob from a stream, and puts it in its place when it is whole; a damaged one of that name
/// is healed. `expected` may be NULL; `digest`, which may be NULL, is what the bytes have.
///
/// `read` is called on the calling thread until it returns 0.
///
/// MKEEP_STATUS_CORRUPT where the bytes have another digest than `expected`,
/// MKEEP_STATUS_INVALID_DIGEST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_add_blob(
    store: *const mkeep_store,
    read: mkeep_read,
    user: *mut c_void,
    expected: *const c_char,
    digest: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, digest, error, |store| {
            let mut from = Source::new(read, user)?;
            let expected = match expected.is_null() {
                true => None,
                false => Some(parse(expected)?),
            };
            let blob = store.add_blob(&mut from, expected.as_ref())?;
            Ok(mkeep_string::new(&blob.digest.to_string()))
        })
    }
}
