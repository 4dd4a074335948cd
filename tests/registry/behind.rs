//! A registry behind a store: what it no longer has, what it has anew, and what breaks off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use modelkeep::http_api::{RegistryBody, registry_through};
use modelkeep::{Digest, ErrorKind, RegistryOptions, Store, Upstream};

use super::common::Scratch;
use super::server::{Reply, Request, Server};
use super::{behind, ended, through};

#[test]
fn a_store_that_may_not_be_written_to_has_no_registry_behind_it() {
    let scratch = Scratch::new();
    scratch.model("m", &[b"GGUF"]);
    let store = Store::open_with(scratch.options().read_only(true)).unwrap();
    let error = Upstream::new(&store, "localhost:1", RegistryOptions::new(), |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
}

#[test]
fn what_is_stored_is_fetched_again_only_where_the_registry_has_another() {
    let (scratch, lines, server) = (Scratch::new(), Arc::default(), Server::good());
    std::fs::create_dir_all(scratch.root()).unwrap();
    server.model("t", &[b"GGUF one"]);
    let upstream = behind(&scratch, &server, &lines);
    through(&upstream, "manifests/t").unwrap();
    assert!(ended(&lines).starts_with("fetched"));
    let before = server.shelf.count(Request::is_blob);

    let upstream = behind(&scratch, &server, &lines);
    through(&upstream, "manifests/t").unwrap();
    let manifest = server.model("t", &[b"GGUF two"]);
    // What was asked a moment ago is not asked again.
    assert_ne!(through(&upstream, "manifests/t").as_ref(), Ok(&manifest));
    let upstream = behind(&scratch, &server, &lines);
    assert_eq!(through(&upstream, "manifests/t").as_ref(), Ok(&manifest));
    assert!(ended(&lines).starts_with("fetched"));
    assert_eq!(server.shelf.count(Request::is_blob), before + 1);
    assert!(lines.lock().unwrap().is_empty());
    for _ in 0..2 {
        assert_eq!(through(&upstream, "manifests/none"), Err(404));
    }
    let none = |it: &Request| it.is_manifest() && it.target.ends_with("/none");
    assert_eq!(server.shelf.count(none), 1);
}

/// A registry whose blobs do not come before they may, and the switch.
fn held_back(status: u16) -> (Server, Arc<AtomicBool>) {
    let may_come = Arc::new(AtomicBool::new(false));
    let switch = may_come.clone();
    let server = Server::new(move |shelf, request| {
        let waits = || !switch.load(Ordering::Relaxed);
        if request.is_blob() && waits() {
            if status != 0 {
                return Reply::new(status, "");
            }
            while waits() {
                thread::sleep(Duration::from_millis(10));
            }
        }
        shelf.answer(request)
    });
    (server, may_come)
}

#[test]
fn a_manifest_whose_blobs_are_coming_is_had_by_its_digest_in_its_repository_alone() {
    let (scratch, lines) = (Scratch::new(), Arc::default());
    std::fs::create_dir_all(scratch.root()).unwrap();
    let (server, may_come) = held_back(0);
    let one = server.model("one", &[b"GGUF one"]);
    let two = server.model("two", &[b"GGUF two"]);
    let upstream = behind(&scratch, &server, &lines);
    for tag in ["one", "two"] {
        through(&upstream, &format!("manifests/{tag}")).unwrap();
    }
    for manifest in [one, two] {
        let path = format!("manifests/{}", Digest::of(&manifest));
        assert_eq!(through(&upstream, &path).as_ref(), Ok(&manifest));
        let elsewhere = registry_through(&upstream, &format!("team/other/{path}"), "");
        assert_eq!(elsewhere.status, 404);
    }
    let nothing = format!("manifests/{}", Digest::of(b"nothing"));
    assert_eq!(through(&upstream, &nothing), Err(404));
    may_come.store(true, Ordering::Relaxed);
    assert!(ended(&lines).starts_with("fetched"));
}

#[test]
fn what_is_under_way_ends_with_it() {
    let (scratch, lines) = (Scratch::new(), Arc::default());
    std::fs::create_dir_all(scratch.root()).unwrap();
    let (server, may_come) = held_back(0);
    server.model("t", &[b"GGUF weights"]);
    let upstream = behind(&scratch, &server, &lines);
    through(&upstream, "manifests/t").unwrap();
    while server.shelf.count(Request::is_blob) == 0 {
        thread::sleep(Duration::from_millis(10));
    }
    drop(upstream);
    let line = ended(&lines);
    assert!(line.starts_with("fetching team/model:t: "), "{line}");
    assert!(line.contains("cancelled"), "{line}");
    may_come.store(true, Ordering::Relaxed);
}

#[test]
fn what_could_not_be_fetched_is_fetched_when_it_is_asked_for_again() {
    let (scratch, lines): (_, Arc<Mutex<Vec<String>>>) = (Scratch::new(), Arc::default());
    std::fs::create_dir_all(scratch.root()).unwrap();
    let (server, may_come) = held_back(403);
    let manifest = server.model("t", &[b"GGUF weights"]);
    let upstream = behind(&scratch, &server, &lines);
    through(&upstream, "manifests/t").unwrap();
    assert!(ended(&lines).starts_with("fetching team/model:t: "));
    may_come.store(true, Ordering::Relaxed);
    // The answer about a tag holds for five seconds, and is asked for again after them.
    let questions = || server.shelf.count(Request::is_manifest);
    while questions() == 1 {
        assert_eq!(through(&upstream, "manifests/t").as_ref(), Ok(&manifest));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(ended(&lines).starts_with("fetched"));
    let path = format!("team/model/blobs/{}", Digest::of(b"GGUF weights"));
    let body = registry_through(&upstream, &path, "").body;
    assert!(matches!(body, RegistryBody::Blob(blob) if blob.size() == 12));
}
