//! The endpoints as clients of Ollama call them.

use engine::http_api::{self, Basename, Response};

use crate::boundary::{Fault, borrow, out, output, slice};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::string::mkeep_string;

/// An endpoint of the published API.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_endpoint {
    /// GET /api/tags; takes no body.
    Tags = 0,
    /// POST /api/show.
    Show = 1,
    /// POST /api/copy.
    Copy = 2,
    /// DELETE /api/delete.
    Delete = 3,
    /// GET /api/version; takes no body.
    Version = 4,
    /// GET /api/ps; takes no body. No model runs here.
    Ps = 5,
    /// GET /v1/models; takes no body.
    Models = 6,
    /// GET /v1/models/NAME; takes the name as its body.
    Model = 7,
}

/// Handles a request to an endpoint, given its body: the results are the HTTP status and the body
/// of the response, which may be empty. `endpoint` is an mkeep_endpoint. With it, any host that
/// speaks HTTP serves the API.
///
/// A refusal is a response, too; the status of this function fails only for its own arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_handle_request(
    store: *const mkeep_store,
    endpoint: u32,
    body: *const u8,
    len: usize,
    http_status: *mut u16,
    response: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (store, body) = (&borrow(store, "store")?.0, slice(body, len, "the body")?);
            let (status, response) = (output(http_status)?, output(response)?);
            let made = match endpoint {
                0 => http_api::tags(store),
                1 => http_api::show(store, body, Basename::OfFile),
                2 => http_api::copy(store, body),
                3 => http_api::delete(store, body),
                4 => http_api::version(),
                5 => http_api::running(),
                6 => http_api::models(store),
                7 => {
                    let name = std::str::from_utf8(body).map_err(|_| Fault::Utf8("the body"))?;
                    http_api::model(store, name)
                }
                _ => Response::refusal(404, "no such call"),
            };
            status.write(made.status);
            out(response, mkeep_string::new(&made.body));
            Ok(())
        })
    }
}
