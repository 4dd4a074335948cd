//! The server on a network: who is refused, what is bounded, and how it ends.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "serve/auth.rs"]
mod auth;
mod common;
#[path = "serve/log.rs"]
mod log;
#[path = "serve/registry.rs"]
mod registry;
#[path = "serve/turns.rs"]
mod turns;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use common::{Running, SHOW, status};
use modelkeep::{ImportOptions, Store};
use modelkeep_http::Limits;

const TAGS: &str = "GET /api/tags HTTP/1.1\r\nhost: localhost";
const DELETE: &str = "DELETE /api/delete HTTP/1.1\r\nhost: localhost";

#[test]
fn pages_and_names_of_elsewhere_are_refused_by_name() {
    let server = Running::start(Limits::default());
    assert_eq!(server.status(TAGS, ""), "200");
    let answer = server.send("GET /api/tags HTTP/1.1\r\nhost: evil.example", "");
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.ends_with("address\"}"),
        "{answer}"
    );
    assert!(answer.contains("evil.example"), "{answer}");
    let from = |origin| format!("{TAGS}\r\norigin: {origin}");
    let answer = server.send(&from("http://evil.example"), "");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("http://evil.example"), "{answer}");
    let answer = server.send(&from("http://localhost:3000"), "");
    let allowed = "access-control-allow-origin: http://localhost:3000";
    assert!(answer.contains(allowed), "{answer}");
    assert!(answer.ends_with("{\"models\":[]}"), "{answer}");
    let wrong = "PUT /api/tags HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example";
    let answer = server.send(wrong, "");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("allow: "), "{answer}");
}

#[test]
fn one_client_is_shown_a_model_under_the_name_that_it_asked_for() {
    let server = Running::start(Limits::default());
    let store = Store::open(server.directory.path()).unwrap();
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/tiny.gguf");
    let options = ImportOptions::default();
    store.import(tiny, "a-name", &options).unwrap();
    let shown = |agent| {
        let head = format!("{SHOW}\r\nuser-agent: {agent}");
        server.send(&head, r#"{"model":"a-name"}"#)
    };
    let basename = r#""general.basename":"a-name""#;
    assert!(shown("GitHubCopilotChat/0.30").contains(basename));
    let others = shown("curl/8.0 GitHubCopilotChat/0.30");
    assert!(others.starts_with("HTTP/1.1 200") && !others.contains(basename));
}

#[test]
fn a_preflight_is_told_the_headers_that_ollama_admits() {
    let server = Running::start(Limits::default());
    let head = "OPTIONS /api/show HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:3000";
    let answer = server.send(head, "");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    for told in [
        "Openai-Beta",
        "X-Stainless-Timeout",
        "access-control-max-age: 43200",
    ] {
        assert!(answer.contains(told), "{told} in {answer}");
    }
}

#[test]
fn a_host_is_named_once() {
    let server = Running::start(Limits::default());
    assert_eq!(server.status("GET / HTTP/1.1", ""), "400");
    assert_eq!(
        server.status("GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost", ""),
        "400"
    );
    assert_eq!(server.status("GET / HTTP/1.0", ""), "200");
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nhost: localhost";
    assert_eq!(server.status(absolute, ""), "403");
    for (codings, expected) in [
        ("gzip", "400"),
        ("gzip, chunked", "501"),
        ("chunked\r\ntransfer-encoding: chunked", "501"),
    ] {
        let mut client = server.connect();
        client.write(&format!("{SHOW}\r\ntransfer-encoding: {codings}\r\n\r\n"));
        assert_eq!(status(&client.rest()), expected, "{codings}");
    }
}

/// What every refusal of what is not served says first.
const KEEPS: &str = "modelkeep keeps models and does not run them";

#[test]
fn what_is_not_served_is_named_with_what_to_use_instead() {
    let server = Running::start(Limits::default());
    let error = r#"{"error":""#;
    let openai = r#"{"error":{"message":""#;
    let anthropic = r#"{"type":"error","error":{"type":"api_error","message":""#;
    let cases = [
        ("POST /api/generate", error, "llama-server"),
        ("POST /api/chat", error, "llama-server"),
        ("POST /api/embed", error, "llama-server"),
        ("POST /api/embeddings", error, "llama-server"),
        ("POST /api/create", error, "modelkeep import"),
        ("POST /api/blobs/sha256:0", error, "modelkeep import"),
        ("POST /api/pull", error, "modelkeep export"),
        ("POST /api/push", error, "modelkeep export"),
        ("GET /api/status", error, "Ollama itself"),
        ("POST /api/me", error, "Ollama itself"),
        ("POST /api/signout", error, "Ollama itself"),
        ("DELETE /api/user/keys/a", error, "Ollama itself"),
        ("POST /v1/chat/completions", openai, "llama-server"),
        ("POST /v1/completions", openai, "llama-server"),
        ("POST /v1/embeddings", openai, "llama-server"),
        ("POST /v1/responses", openai, "llama-server"),
        ("POST /v1/audio/transcriptions", openai, "llama-server"),
        ("POST /v1/messages", anthropic, "llama-server"),
    ];
    for (call, form, instead) in cases {
        let answer = server.send(&format!("{call} HTTP/1.1\r\nhost: localhost"), "{}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 501"), "{call}: {head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let said = body.strip_prefix(form).expect(body);
        assert!(said.starts_with(KEEPS) && said.contains(instead), "{body}");
    }
    for (call, right) in [
        ("GET /api/create", "POST"),
        ("DELETE /api/tags", "HEAD, GET"),
    ] {
        let answer = server.send(&format!("{call} HTTP/1.1\r\nhost: localhost"), "");
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
        assert!(
            answer.contains(&format!("\r\nallow: {right}\r\n")),
            "{answer}"
        );
    }
    for (method, expected) in [("OPTIONS", "200"), ("GET", "400")] {
        let head = format!("{method} * HTTP/1.1\r\nhost: localhost");
        assert_eq!(server.status(&head, ""), expected, "{method}");
    }
}

#[test]
fn the_models_are_listed_as_openai_has_them() {
    let server = Running::start(Limits::default());
    let get = |path: &str| server.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost"), "");
    let answer = get("/v1/models");
    assert!(
        answer.ends_with("\r\n\r\n{\"object\":\"list\",\"data\":null}\n"),
        "{answer}"
    );
    assert!(
        answer.contains("content-type: application/json\r\n"),
        "{answer}"
    );
    let store = Store::open(server.directory.path()).unwrap();
    let gguf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tiny.gguf");
    store.import_file(gguf, "a", &ImportOptions::new()).unwrap();
    let manifest = store
        .path()
        .join("manifests/registry.ollama.ai/library/a/latest");
    let file = File::options().write(true).open(manifest).unwrap();
    let second = std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_999);
    file.set_modified(second).unwrap();
    let card = |id: &str| {
        let rest = r#""object":"model","created":1700000000,"owned_by":"library"}"#;
        format!(r#"{{"id":"{id}",{rest}"#)
    };
    let list = format!("{{\"object\":\"list\",\"data\":[{}]}}\n", card("a:latest"));
    assert!(get("/v1/models").ends_with(&list), "{}", get("/v1/models"));
    assert!(
        get("/v1/models/A").ends_with(&format!("\r\n\r\n{}\n", card("A"))),
        "{}",
        get("/v1/models/A")
    );
    let refusals = [
        (
            "/v1/models/b",
            "404",
            r#"{"message":"model 'b:latest' not found","type":"not_found_error","param":null,"code":null}"#,
        ),
        (
            "/v1/models/a%20b",
            "400",
            r#"{"message":"invalid model name","type":"invalid_request_error","param":null,"code":null}"#,
        ),
    ];
    for (path, expected, error) in refusals {
        let answer = get(path);
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(
            answer.ends_with(&format!("{{\"error\":{error}}}\n")),
            "{answer}"
        );
    }
    assert_eq!(status(&get("/v1/models/a/b")), "404");
    assert!(get("/v1/models/").starts_with("HTTP/1.1 301"));
}

#[test]
fn nothing_runs() {
    let server = Running::start(Limits::default());
    let answer = server.send("GET /api/ps HTTP/1.1\r\nhost: localhost", "");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"models\":[]}"),
        "{answer}"
    );
    let answer = server.send("HEAD /api/ps HTTP/1.1\r\nhost: localhost", "");
    assert!(
        answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET\r\n"),
        "{answer}"
    );
}

#[test]
fn a_read_only_store_is_not_changed() {
    let server = Running::start_with(Limits::default(), |options| options.read_only(true));
    let model = server.model("a");
    let copy = "POST /api/copy HTTP/1.1\r\nhost: localhost";
    let answer = server.send(copy, r#"{"source":"a","destination":"b"}"#);
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.contains("read-only"),
        "{answer}"
    );
    assert_eq!(server.status(DELETE, r#"{"model":"a"}"#), "403");
    assert!(model.exists() && !model.parent().unwrap().with_file_name("b").exists());
    assert!(!server.directory.path().join(".modelkeep").exists());
}

#[test]
fn the_head_decides_before_the_body_is_sent() {
    let server = Running::start(Limits::default());
    let cases = [
        ("POST /api/show HTTP/1.1\r\nhost: evil.example", "403"),
        (
            "POST /api/show HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example",
            "403",
        ),
        ("POST /api/create HTTP/1.1\r\nhost: localhost", "501"),
        (
            "POST /api/blobs/sha256-0 HTTP/1.1\r\nhost: localhost",
            "501",
        ),
        ("POST /nope HTTP/1.1\r\nhost: localhost", "404"),
        ("PUT /api/show HTTP/1.1\r\nhost: localhost", "405"),
        ("POST /api/show/ HTTP/1.1\r\nhost: localhost", "307"),
        ("GET /api/tags HTTP/1.1\r\nhost: localhost", "200"),
    ];
    for (head, expected) in cases {
        let mut client = server.connect();
        client.write(&format!("{head}\r\ncontent-length: 1000\r\n\r\n"));
        assert_eq!(status(&client.head()), expected, "{head}");
    }
}

#[test]
fn a_body_has_a_bound() {
    let server = Running::start(Limits::default());
    let padded = |length: usize| r#"{"model":"x"}"#.to_owned() + &" ".repeat(length - 13);
    assert_eq!(server.status(SHOW, &padded(65536)), "404");
    let mut client = server.connect();
    client.write(&format!("{SHOW}\r\ncontent-length: 65537\r\n\r\n"));
    assert_eq!(status(&client.head()), "413");
    let mut client = server.connect();
    let chunk = padded(65537);
    client.write(&format!(
        "{SHOW}\r\ntransfer-encoding: chunked\r\n\r\n10001\r\n{chunk}\r\n"
    ));
    assert_eq!(status(&client.head()), "413");
}

#[test]
fn a_client_that_still_sends_reads_its_refusal() {
    let server = Running::start(Limits::default());
    let upload = "POST /api/blobs/sha256-0 HTTP/1.1\r\nhost: localhost";
    let answer = server.send(upload, &"x".repeat(8 << 20));
    assert!(
        answer.contains("does not run them, nor create them"),
        "{answer}"
    );
}

#[test]
fn the_oldest_silent_connection_makes_room() {
    let server = Running::start(Limits::default().connections(3));
    let mut silent: Vec<_> = (0..3).map(|_| server.connect()).collect();
    // Each is accepted before the next, and so known to be older.
    for client in &mut silent {
        client.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET / HT");
        assert_eq!(status(&client.head()), "200");
    }
    assert_eq!(server.status(SHOW, r#"{"model":"x"}"#), "404");
    assert_eq!(silent[0].rest(), "Ollama is running");
    silent[2].write("TP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(silent[2].rest().contains("HTTP/1.1 200"));
}

#[test]
fn bodies_that_do_not_come_give_their_memory_to_those_that_do() {
    let server = Running::start(Limits::default().memory(1000));
    let mut slow = server.connect();
    slow.write(&format!(
        "{SHOW}\r\ncontent-length: 900\r\nexpect: 100-continue\r\n\r\n"
    ));
    assert_eq!(status(&slow.head()), "100");
    let body = format!("{:<200}", r#"{"model":"x"}"#);
    assert_eq!(server.status(SHOW, &body), "404");
    assert_eq!(slow.rest(), "");
}

#[test]
fn many_silent_and_slow_connections_keep_nobody_out() {
    let server = Running::start(Limits::default().connections(50));
    let mut slow: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for (number, client) in slow.iter_mut().enumerate() {
        let head = [SHOW, "POST /api/show HTTP/1.1\r\nhost: loc", ""][number % 3];
        client.attempt(head);
        if number % 20 == 0 {
            assert_eq!(server.status(SHOW, r#"{"model":"x"}"#), "404");
        }
    }
}

#[test]
fn a_head_that_does_not_end_is_not_waited_for() {
    let server = Running::start(Limits::default().head_patience(Duration::from_millis(50)));
    let mut client = server.connect();
    client.write("GET / HTTP/1.1\r\nhost: loc");
    assert_eq!(client.rest(), "");
    assert_eq!(server.connect().rest(), "");
}

#[test]
fn a_body_that_does_not_end_is_not_waited_for() {
    let server = Running::start(Limits::default().body_patience(Duration::from_millis(50)));
    let mut client = server.connect();
    client.write(&format!("{SHOW}\r\ncontent-length: 10\r\n\r\n{{"));
    assert_eq!(status(&client.head()), "408");
}

#[test]
fn what_is_no_http_is_refused_and_others_are_served() {
    let server = Running::start(Limits::default());
    let mut client = server.connect();
    client.write("\x16\x03\x01\x02\x00\x01\x7f\r\n\r\n");
    let answer = client.rest();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer:?}"
    );
    assert_eq!(
        server.status("GET / HTTP/1.1\r\nhost: localhost", ""),
        "200"
    );
}

#[test]
fn an_idle_connection_does_not_hold_the_end_up() {
    let mut server = Running::start(Limits::default().grace(Duration::from_secs(3600)));
    let mut idle = server.connect();
    idle.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(status(&idle.head()), "200");
    server.tell_to_end();
    assert_eq!(idle.rest(), "Ollama is running");
    drop(idle);
    server.wait();
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn a_body_that_is_still_waited_for_is_answered_at_the_end() {
    let mut server = Running::start(Limits::default().grace(Duration::from_millis(50)));
    let mut client = server.connect();
    client.write(&format!(
        "{SHOW}\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n"
    ));
    assert_eq!(status(&client.head()), "100");
    server.tell_to_end();
    let answer = client.rest();
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("ending"),
        "{answer}"
    );
    server.wait();
}

#[test]
fn clients_that_say_nothing_do_not_hold_the_end_up() {
    let mut server = Running::start(Limits::default().grace(Duration::from_millis(50)));
    let mut clients = [server.connect(), server.connect()];
    clients[0].write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET / HT");
    assert_eq!(status(&clients[0].head()), "200");
    server.tell_to_end();
    server.wait();
}
