//! The four calls as clients of the reference make them.

use engine::wire::{self, Answer, Basename};

use crate::boundary::{borrow, enter, give, output, slice};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::text::mkeep_text;

/// A call of the published API.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_call {
    /// GET /api/tags; takes no body.
    Tags = 0,
    /// POST /api/show.
    Show = 1,
    /// POST /api/copy.
    Copy = 2,
    /// DELETE /api/delete.
    Delete = 3,
}

/// Answers a call from the body of its request: the HTTP status, and the body of the response,
/// which may be empty. `call` is an mkeep_call. With it, any host that speaks HTTP serves the API.
///
/// A refusal is an answer, too; the status of this function fails only for its own arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_answer(
    store: *const mkeep_store,
    call: u32,
    body: *const u8,
    len: usize,
    http_status: *mut u16,
    response: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, body) = (&borrow(store, "store")?.0, slice(body, len, "the body")?);
            let (status, response) = (output(http_status)?, output(response)?);
            let answer = match call {
                0 => wire::tags(store),
                1 => wire::show(store, body, Basename::OfFile),
                2 => wire::copy(store, body),
                3 => wire::delete(store, body),
                _ => Answer::refusal(404, "no such call"),
            };
            status.write(answer.status);
            give(response, mkeep_text::new(&answer.body));
            Ok(())
        })
    }
}
