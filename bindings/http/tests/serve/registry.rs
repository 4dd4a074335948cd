//! The models as a registry: what clients of the OCI distribution API are told, and Ollama.

use std::time::Duration;

use modelkeep::{Digest, ImportOptions, RegistryOptions, Store};

use crate::common::{Running, Written, status};
use modelkeep_http::Limits;

/// A registry with one model, and the digest of its weights.
fn registry() -> (Running, Digest) {
    let server = Running::start_registry();
    let store = Store::open(server.directory.path()).unwrap();
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/tiny.gguf");
    store
        .import(tiny, "tiny", &ImportOptions::default())
        .unwrap();
    let digest = store.model("tiny").unwrap().manifest().layers()[0]
        .digest()
        .unwrap();
    (server, digest)
}

fn get(server: &Running, path: &str, headers: &str) -> (String, String) {
    asked(
        server,
        &format!("GET {path} HTTP/1.1\r\nhost: localhost{headers}"),
    )
}

fn asked(server: &Running, head: &str) -> (String, String) {
    let answer = String::from_utf8_lossy(&server.send_for_bytes(head)).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn a_registry_is_served_only_where_that_is_asked_for() {
    let server = Running::start(Limits::default());
    assert!(get(&server, "/v2/", "").1.contains("404 page not found"));
    let (server, _) = registry();
    for path in ["/v2/", "/v2"] {
        let (head, body) = get(&server, path, "");
        assert!(
            head.contains("docker-distribution-api-version: registry/2.0"),
            "{head}"
        );
        assert_eq!((status(&head).as_str(), body.as_str()), ("200", "{}"));
    }
}

#[test]
fn a_manifest_is_had_by_tag_and_by_digest_byte_for_byte() {
    let (server, _) = registry();
    let path = "manifests/registry.ollama.ai/library/tiny/latest";
    let bytes = std::fs::read(server.directory.path().join(path)).unwrap();
    let digest = Digest::of(&bytes);
    for path in [
        "/v2/library/tiny/manifests/latest".to_owned(),
        "/v2/tiny/manifests/latest".to_owned(),
        "/v2/registry.ollama.ai/library/tiny/manifests/latest".to_owned(),
        format!("/v2/library/tiny/manifests/{digest}"),
    ] {
        let (head, body) = get(&server, &path, "");
        assert_eq!(body.as_bytes(), bytes, "{path}");
        assert!(
            head.contains(&format!("docker-content-digest: {digest}")),
            "{head}"
        );
        let media = "content-type: application/vnd.docker.distribution.manifest.v2+json";
        assert!(head.contains(media), "{head}");
    }
    let head = "HEAD /v2/library/tiny/manifests/latest HTTP/1.1\r\nhost: localhost";
    let (head, body) = asked(&server, head);
    assert!(
        head.contains(&format!("content-length: {}", bytes.len())) && body.is_empty(),
        "{head}"
    );
}

#[test]
fn a_blob_is_had_whole_and_in_parts() {
    let (server, digest) = registry();
    let path = format!("/v2/library/tiny/blobs/{digest}");
    let parts = [
        ("", "200", 736, "content-length: 736"),
        (
            "\r\nrange: bytes=0-99",
            "206",
            100,
            "content-range: bytes 0-99/736",
        ),
        (
            "\r\nrange: bytes=700-",
            "206",
            36,
            "content-range: bytes 700-735/736",
        ),
        (
            "\r\nrange: bytes=-6",
            "206",
            6,
            "content-range: bytes 730-735/736",
        ),
        (
            "\r\nrange: bytes=736-",
            "416",
            0,
            "content-range: bytes */736",
        ),
        (
            "\r\nrange: bytes=0-1,5-6",
            "200",
            736,
            "accept-ranges: bytes",
        ),
        ("\r\nrange: lines=1-2", "200", 736, "accept-ranges: bytes"),
        (
            "\r\nrange: bytes=0-9\r\nif-range: \"other\"",
            "200",
            736,
            "etag: \"sha256:",
        ),
    ];
    for (range, expected, length, told) in parts {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost{range}");
        let answer = server.send_for_bytes(&head);
        let end = answer
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        assert_eq!(
            (status(&head).as_str(), answer.len() - end - 4),
            (expected, length),
            "{range}"
        );
        assert!(head.contains(told), "{range}: {head}");
    }
    let known = format!("\r\nrange: bytes=0-9\r\nif-range: \"{digest}\"");
    assert_eq!(status(&get(&server, &path, &known).0), "206");
}

#[test]
fn ollama_is_sent_to_the_same_host_under_another_name_once() {
    let (server, digest) = registry();
    let path = format!("/v2/library/tiny/blobs/{digest}");
    let agent = "\r\nuser-agent: ollama/0.32.7 (amd64 linux) Go/go1.26.0";
    let (head, _) = get(&server, &path, agent);
    let to = format!("location: //Localhost{path}?direct");
    assert!(status(&head) == "307" && head.contains(&to), "{head}");
    assert_eq!(
        status(&get(&server, &format!("{path}?direct"), agent).0),
        "200"
    );
    assert_eq!(
        status(&get(&server, &path, &format!("{agent}\r\nrange: bytes=0-1")).0),
        "206"
    );
    let head = format!("HEAD {path} HTTP/1.1\r\nhost: localhost{agent}");
    assert_eq!(status(&asked(&server, &head).0), "200");
}

#[test]
fn what_is_not_there_is_refused_in_the_form_of_the_specification() {
    let (server, _) = registry();
    let absent = Digest::of(b"absent");
    let refusals = [
        (
            "/v2/library/tiny/manifests/none".to_owned(),
            "404",
            "MANIFEST_UNKNOWN",
        ),
        (
            format!("/v2/library/tiny/manifests/{absent}"),
            "404",
            "MANIFEST_UNKNOWN",
        ),
        (
            format!("/v2/library/tiny/blobs/{absent}"),
            "404",
            "BLOB_UNKNOWN",
        ),
        (
            "/v2/library/tiny/blobs/sha256:12".to_owned(),
            "400",
            "DIGEST_INVALID",
        ),
        (
            "/v2/library/none/tags/list".to_owned(),
            "404",
            "NAME_UNKNOWN",
        ),
        (
            "/v2/library/..%2f..%2fx/tags/list".to_owned(),
            "400",
            "NAME_INVALID",
        ),
        (
            "/v2/a/b/c/d/manifests/latest".to_owned(),
            "400",
            "NAME_INVALID",
        ),
        ("/v2/library/tiny".to_owned(), "404", "NAME_UNKNOWN"),
        (
            "/v2/_catalog?n=x".to_owned(),
            "400",
            "PAGINATION_NUMBER_INVALID",
        ),
    ];
    for (path, expected, code) in refusals {
        let (head, body) = get(&server, &path, "");
        assert_eq!(status(&head), expected, "{path}: {body}");
        assert!(
            body.starts_with(&format!(r#"{{"errors":[{{"code":"{code}","message":""#)),
            "{body}"
        );
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let head = format!("{method} /v2/library/tiny/blobs/uploads/ HTTP/1.1\r\nhost: localhost");
        let (head, body) = asked(&server, &head);
        assert!(
            status(&head) == "405" && head.contains("allow: GET, HEAD"),
            "{head}"
        );
        assert!(body.contains("UNSUPPORTED"), "{body}");
    }
}

#[test]
fn lists_come_in_pages() {
    let (server, _) = registry();
    let store = Store::open(server.directory.path()).unwrap();
    for name in ["tiny:b", "tiny:a", "hf.co/team/tiny:q4"] {
        store.copy("tiny", name).unwrap();
    }
    let (_, body) = get(&server, "/v2/_catalog", "");
    assert_eq!(
        body,
        r#"{"repositories":["hf.co/team/tiny","library/tiny"]}"#
    );
    let (head, body) = get(&server, "/v2/library/tiny/tags/list?n=2", "");
    assert_eq!(body, r#"{"name":"library/tiny","tags":["a","b"]}"#);
    let next = "link: </v2/library/tiny/tags/list?n=2&last=b>; rel=\"next\"";
    assert!(head.contains(next), "{head}");
    let (head, body) = get(&server, "/v2/library/tiny/tags/list?n=2&last=b", "");
    assert_eq!(body, r#"{"name":"library/tiny","tags":["latest"]}"#);
    assert!(!head.contains("link:"), "{head}");
}

#[test]
fn a_blob_that_shrinks_while_it_is_sent_ends_the_connection() {
    let server = Running::start_registry();
    let store = Store::open(server.directory.path()).unwrap();
    let blob = store
        .add_blob(&mut std::io::Read::take(std::io::repeat(7), 8 << 20), None)
        .unwrap();
    let path = store.blob_path(&blob.digest);
    let mut client = server.connect();
    client.write(&format!(
        "GET /v2/a/b/blobs/{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        blob.digest
    ));
    assert!(client.head().contains("content-length: 8388608"));
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    assert!(client.count() < 8 << 20);
}

#[test]
fn a_blob_of_many_pieces_comes_whole() {
    let server = Running::start_registry();
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|at| (at % 251) as u8).collect();
    let digest = Digest::of(&bytes);
    let blobs = server.directory.path().join("blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(format!("sha256-{}", digest.hex())), &bytes).unwrap();
    let manifest = server.model("large");
    let layer = format!(
        r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":{}}}"#,
        bytes.len()
    );
    std::fs::write(manifest, format!(r#"{{"layers":[{layer}]}}"#)).unwrap();
    let head = format!("GET /v2/library/large/blobs/{digest} HTTP/1.1\r\nhost: localhost");
    let answer = server.send_for_bytes(&head);
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert!(answer.ends_with(&bytes), "{} bytes", answer.len());
}

#[test]
fn a_client_that_takes_nothing_does_not_hold_the_end_up() {
    let limits = Limits::default().grace(Duration::from_millis(50));
    let mut server = Running::start_server(limits, std::io::sink(), |server| server.registry(true));
    let digest = Digest::of(b"whatever: who does not read it does not see");
    let blobs = server.directory.path().join("blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    // More than the system takes for a client.
    let large = std::fs::File::create(blobs.join(format!("sha256-{}", digest.hex())));
    large.unwrap().set_len(1 << 30).unwrap();
    let mut client = server.connect();
    client.write(&format!(
        "GET /v2/library/large/blobs/{digest} HTTP/1.1\r\nhost: localhost\r\n\r\n"
    ));
    assert_eq!(status(&client.head()), "200");
    server.tell_to_end();
    server.wait();
}

#[test]
fn what_a_registry_behind_has_is_handed_on_and_told_of() {
    let (behind, digest) = registry();
    let written = Written::default();
    let options = RegistryOptions::new().plain_http(true);
    let place = behind.address.to_string();
    let mut server = Running::start_server(Limits::default(), written.clone(), |server| {
        let server = server.registry(true);
        server.upstream(&place, options).unwrap()
    });
    let (head, manifest) = get(&server, "/v2/library/tiny/manifests/latest", "");
    assert_eq!(status(&head), "200", "{head}");
    assert!(manifest.contains(&digest.to_string()), "{manifest}");
    let blob = format!("GET /v2/library/tiny/blobs/{digest} HTTP/1.1\r\nhost: localhost");
    let answer = server.send_for_bytes(&blob);
    let end = answer.len() - 736;
    assert_eq!(Digest::of(&answer[end..]), digest);
    // The server does not wait for what it fetches.
    let is_told = || written.text().contains("modelkeep: fetched tiny");
    for _ in 0..1000 {
        if is_told() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(is_told(), "{}", written.text());
    server.tell_to_end();
    server.wait();
}
