//! What an endpoint responds, whoever brings the request.

use modelkeep::Store;
use modelkeep::http_api::{self, Basename, Response};

use crate::router::Endpoint;

impl Endpoint {
    /// Asks the store. `segment` stands for the `*` of the endpoint's path.
    pub(crate) fn respond(
        self,
        store: &Store,
        segment: &str,
        body: &[u8],
        basename: Basename,
    ) -> Response {
        match self {
            Endpoint::Root => http_api::root(),
            Endpoint::Version => http_api::version(),
            Endpoint::Tags => http_api::tags(store),
            Endpoint::Show => http_api::show(store, body, basename),
            Endpoint::Copy => http_api::copy(store, body),
            Endpoint::Delete => http_api::delete(store, body),
            Endpoint::Blob => http_api::has_blob(store, segment),
            Endpoint::Running => http_api::running(),
            Endpoint::Models => http_api::models(store),
            Endpoint::Model => http_api::model(store, segment),
            Endpoint::NotServed(api, instead) => {
                let text = format!("modelkeep keeps models and does not run them{instead}");
                Response::refusal_of(api, 501, &text)
            }
        }
    }
}
