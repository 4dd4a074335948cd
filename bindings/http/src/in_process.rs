//! Requests of a client in this process, which has no connection and is no page of a browser.

use hyper::http::{Request, Response};
use hyper::{Method, StatusCode};
use modelkeep::Store;

use crate::gate::{basename, served};
use crate::reply::{empty, json, malformed, redirect};
use crate::router::{Routed, route};

/// Returns the reply to a request, as [`Server`](crate::Server) would give it to a client on this
/// machine; that to `HEAD` has no body.
pub fn reply_to(store: &Store, request: Request<&[u8]>) -> Response<String> {
    let (head, body) = request.into_parts();
    let reply = match route(&head.method, &head.uri, false) {
        Routed::Server => empty(StatusCode::BAD_REQUEST),
        Routed::Malformed => malformed("malformed path"),
        Routed::Redirect(status, to) => redirect(&head.method, status, &to),
        routed => match served(routed) {
            Ok((endpoint, segment)) => {
                json(endpoint.respond(store, &segment, body, basename(&head)))
            }
            Err(reply) => *reply,
        },
    };
    match head.method {
        Method::HEAD => reply.map(|_| String::new()),
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    fn replied(store: &Store, method: &str, target: &str, body: &[u8]) -> Reply {
        let request = Request::builder().method(method).uri(target);
        reply_to(store, request.body(body).unwrap())
    }

    #[test]
    fn a_client_in_this_process_has_the_replies_of_a_server() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let status = |method, target, body| replied(&store, method, target, body).status().as_u16();
        assert_eq!(replied(&store, "GET", "/", b"").body(), "Ollama is running");
        assert_eq!(replied(&store, "HEAD", "/", b"").body(), "");
        assert_eq!(
            replied(&store, "GET", "/api/tags", b"").body(),
            "{\"models\":[]}"
        );
        assert_eq!(status("POST", "/api/show", br#"{"model": "a"}"#), 404);
        assert_eq!(status("POST", "/api/generate", b"{}"), 501);
        assert_eq!(status("PUT", "/api/tags", b""), 405);
        assert_eq!(status("GET", "/nothing", b""), 404);
        assert_eq!(status("GET", "/v2/", b""), 404);
        assert_eq!(status("OPTIONS", "*", b""), 400);
        assert_eq!(status("GET", "/%zz", b""), 400);
        let moved = replied(&store, "GET", "//api/tags", b"");
        assert_eq!(moved.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(
            moved.body(),
            "<a href=\"/api/tags\">Temporary Redirect</a>.\n\n"
        );
        assert_eq!(replied(&store, "POST", "//api/tags", b"").body(), "");
    }
}
