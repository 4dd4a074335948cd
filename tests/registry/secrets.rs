//! Who is told who asks: the registry, and whom it names to issue tokens, and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelkeep::{ErrorKind, PushOptions, RegistryOptions};

use super::common::Scratch;
use super::server::{Reply, Request, Server, Shelf};
use super::{pull_by, stocked};

fn me() -> RegistryOptions {
    RegistryOptions::new().username_password("me", "hunter2")
}

/// Asks for a token of the registry itself.
fn who_is_it(request: &Request) -> Reply {
    let realm = format!("http://{}/token", request.header("host").unwrap());
    Reply::new(401, "").header("www-authenticate", format!(r#"Bearer realm="{realm}""#))
}

#[test]
fn a_host_that_a_download_is_sent_on_to_is_not_told_who_asks_even_where_it_asks() {
    let other = Arc::new(Server::new(|_, request| {
        match request.target.starts_with("/token") {
            true => Reply::new(200, r#"{"token":"t"}"#),
            false => who_is_it(request),
        }
    }));
    let elsewhere = other.port();
    let server = Server::new(move |shelf, request| match request.is_blob() {
        true => {
            let place = format!("http://localhost:{elsewhere}{}", request.target);
            Reply::new(307, "").header("location", place)
        }
        false => shelf.answer(request),
    });
    server.model("t", &[b"GGUF weights"]);
    let error = pull_by(&Scratch::new().store(), &server, me()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(other.shelf.count(Request::is_blob) > 0);
    assert_eq!(other.shelf.count(|it| it.target.starts_with("/token")), 0);
    let is_told = |it: &Request| it.header("authorization").is_some();
    assert_eq!(other.shelf.count(is_told), 0);
}

#[test]
fn a_registry_that_takes_no_token_that_it_issues_is_asked_twice() {
    let issued = AtomicUsize::new(0);
    let server = Server::new(move |_, request| {
        if request.target.starts_with("/token") {
            let number = issued.fetch_add(1, Ordering::Relaxed);
            assert!(number < 20, "it asks for ever");
            return Reply::new(200, format!(r#"{{"token":"t{number}"}}"#));
        }
        who_is_it(request)
    });
    let error = pull_by(&Scratch::new().store(), &server, me()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let tokens = |it: &Request| it.target.starts_with("/token");
    assert_eq!(server.shelf.count(tokens), 2);
}

#[test]
fn a_push_says_who_it_is_and_asks_for_what_it_mounts() {
    let server = Server::new(|shelf, request| {
        if request.target.starts_with("/token") {
            return Reply::new(200, r#"{"token":"t"}"#);
        }
        match request.header("authorization") {
            Some("Bearer t") => shelf.answer(request),
            _ => who_is_it(request),
        }
    });
    let (scratch, store) = stocked(b"GGUF weights");
    let beside = format!("127.0.0.1:{}/team/base:x", server.port());
    scratch.model(&beside, &[b"GGUF weights"]);
    let options = PushOptions::new().to(server.reference("t")).registry(me());
    store.push("m", &options).unwrap();
    let asked = server.shelf.asked.lock().unwrap();
    let token = asked
        .iter()
        .find(|it| it.target.starts_with("/token"))
        .unwrap();
    assert_eq!(
        token.header("authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    for scope in ["team%2Fmodel%3Apull%2Cpush", "team%2Fbase%3Apull"] {
        let field = format!("scope=repository%3A{scope}");
        assert!(token.target.contains(&field), "{}", token.target);
    }
}

/// A registry that has no mounts, and says so by a status.
fn without_mounts(status: u16) -> Server {
    Server::new(move |shelf: &Shelf, request: &Request| {
        match (request.target.contains("mount="), status) {
            (false, _) | (true, 202) => shelf.answer(request),
            (true, _) => Reply::new(status, ""),
        }
    })
}

#[test]
fn what_cannot_be_mounted_is_sent_and_only_those_beside_are_asked_for() {
    for status in [202, 400, 401, 403, 404, 405] {
        let server = without_mounts(status);
        let (scratch, store) = stocked(b"GGUF weights");
        let port = server.port();
        for other in [
            format!("127.0.0.1:{port}/team/base:x"),
            format!("127.0.0.1:{port}/team/model:older"),
            format!("localhost:{port}/team/foreign:x"),
        ] {
            scratch.model(&other, &[b"GGUF weights"]);
        }
        let to = PushOptions::new().to(server.reference("t"));
        let pushed = store.push("m", &to).unwrap();
        assert_eq!(
            (pushed.mounted_blobs, pushed.sent_blobs),
            (0, 2),
            "{status}"
        );
        let from = |it: &str| server.shelf.count(|asked| asked.target.contains(it));
        assert!(from("from=team/base") > 0, "{status}");
        assert_eq!(from("from=team/foreign") + from("from=team/model"), 0);
    }
}
