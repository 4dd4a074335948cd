//! Models that come from registries and go there: from good ones, and from those that lie, stall, cut
//! off, refuse and redirect.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "registry/behind.rs"]
mod behind_it;
mod common;
#[path = "registry/forms.rs"]
mod forms;
#[path = "registry/resumed.rs"]
mod resumed;
#[path = "registry/secrets.rs"]
mod secrets;
#[path = "registry/server.rs"]
mod server;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use common::Scratch;
use modelkeep::http_api::{RegistryBody, registry_through};
use modelkeep::{
    Digest, Error, ErrorKind, GcOptions, Progress, PullOptions, Pulled, PushOptions,
    RegistryOptions, Store, Upstream, VerifyOptions, ls_remote,
};
use server::{Reply, Request, Server, Shelf};

/// More than one part of a transfer.
const LARGE: usize = (32 << 20) + 300_000;

fn bytes(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let words = (0..len.div_ceil(8)).flat_map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_le_bytes()
    });
    words.take(len).collect()
}

fn pull(store: &Store, server: &Server) -> Result<Pulled, Error> {
    pull_by(store, server, RegistryOptions::new())
}

fn pull_by(store: &Store, server: &Server, options: RegistryOptions) -> Result<Pulled, Error> {
    let options = PullOptions::new().name("m").registry(options);
    store.pull(server.reference("t"), &options)
}

fn pull_by_one(store: &Store, server: &Server) -> Result<Pulled, Error> {
    pull_by(store, server, RegistryOptions::new().connections(1))
}

/// Watches a call to its end; what it returns, and how far it was told to be at last.
fn watched<T: Send>(
    store: &Store,
    call: impl FnOnce(&Store) -> Result<T, Error> + Send,
) -> (T, Progress) {
    let mut last = None;
    let mut observe = |progress: &Progress| {
        last = Some(*progress);
        ControlFlow::Continue(())
    };
    let done = store.watch(&mut observe, call).unwrap();
    (done, last.unwrap())
}

/// What a failed pull must leave: no model, and no blob with other bytes than its name's.
fn nothing_visible(scratch: &Scratch) {
    let store = scratch.store();
    assert!(store.list().unwrap().models.is_empty());
    for entry in fs::read_dir(scratch.root().join("blobs"))
        .into_iter()
        .flatten()
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let digest = Digest::of(&fs::read(&path).unwrap());
        assert_eq!(name, format!("sha256-{}", digest.hex()));
    }
}

/// What is left of a transfer that broke off.
fn partials(scratch: &Scratch) -> Vec<PathBuf> {
    let staging = scratch.root().join(".modelkeep/tmp");
    let entries = fs::read_dir(staging).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_str().unwrap().ends_with("-partial"))
        .collect()
}

#[test]
fn a_model_comes_as_it_is_and_once() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let large = bytes(LARGE);
    let manifest = server.model("t", &[&large, b"", b"GGUF small", b"GGUF small"]);
    let store = scratch.store();
    let pulled = store
        .pull(server.reference("t"), &PullOptions::new())
        .unwrap();
    assert_eq!(pulled.name.to_string(), server.reference("t"));
    assert_eq!((pulled.new_blobs, pulled.shared_blobs), (4, 0));
    assert_eq!(pulled.digest, Digest::of(&manifest));
    let stored = fs::read(scratch.manifest_path(&server.reference("t"))).unwrap();
    assert_eq!(stored, manifest);
    assert_eq!(
        fs::read(scratch.blob_path(&Digest::of(&large))).unwrap(),
        large
    );
    let report = store.verify(&VerifyOptions::new()).unwrap();
    assert!(report.is_ok(), "{report:?}");

    let fetched = server.shelf.count(Request::is_blob);
    let again = pull(&store, &server).unwrap();
    assert_eq!(
        (again.new_blobs, again.shared_blobs, again.new_bytes),
        (0, 4, 0)
    );
    assert_eq!(server.shelf.count(Request::is_blob), fetched);
    assert_eq!(partials(&scratch), Vec::<PathBuf>::new());
}

#[test]
fn of_more_blobs_than_may_be_on_their_way_at_once_all_come() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let layers: Vec<Vec<u8>> = (0..20).map(|number| vec![b'a' + number; 100]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    server.model("t", &layers);
    let pulled = pull_by_one(&scratch.store(), &server).unwrap();
    assert_eq!(pulled.new_blobs, 21);
    assert!(scratch.is_whole());
}

#[test]
#[cfg(unix)]
fn a_view_of_several_stores_pulls_no_model_that_it_would_not_show() {
    use std::os::unix::fs::PermissionsExt;
    let (site, own, server) = (Scratch::new(), Scratch::new(), Server::good());
    site.model("m", &[b"GGUF of the site"]);
    server.model("t", &[b"GGUF weights"]);
    let view = || Store::open_with(own.options().paths([site.root(), own.root()])).unwrap();
    // What the first store has is replaced there: nothing hides it.
    assert!(pull(&view(), &server).unwrap().replaced);
    fs::set_permissions(site.root(), PermissionsExt::from_mode(0o555)).unwrap();
    let taken = pull(&view(), &server);
    fs::set_permissions(site.root(), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
    nothing_visible(&own);
}

#[test]
fn by_its_digest_it_needs_a_name_and_by_its_name_it_replaces() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let store = scratch.store();
    let manifest = server.model("t", &[b"GGUF one"]);
    let by_digest = format!(
        "127.0.0.1:{}/team/model@{}",
        server.port(),
        Digest::of(&manifest)
    );
    let unnamed = store.pull(&by_digest, &PullOptions::new()).unwrap_err();
    assert_eq!(unnamed.kind(), ErrorKind::InvalidName);
    let named = PullOptions::new().name("m");
    assert!(!store.pull(&by_digest, &named).unwrap().replaced);
    server.model("t", &[b"GGUF two"]);
    let kept = store.pull(server.reference("t"), &named.clone().replace(false));
    assert_eq!(kept.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(store.pull(server.reference("t"), &named).unwrap().replaced);
    let missing = store.pull(server.reference("none"), &named).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(
        missing.to_string().contains("manifest unknown"),
        "{missing}"
    );
}

#[test]
fn nothing_is_asked_of_a_registry_where_nothing_may_be_stored() {
    let (site, own, server) = (Scratch::new(), Scratch::new(), Server::good());
    server.model("t", &[b"GGUF weights"]);
    site.model("m", &[b"GGUF of the site"]);
    own.model("other", &[b"GGUF of my own"]);
    let read_only = Store::open_with(own.options().read_only(true)).unwrap();
    let refused = pull(&read_only, &server).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnly, "{refused}");
    assert_eq!(server.shelf.count(|_| true), 0);
    // Of a view, the first store that may be written to has what is new.
    let view = own.options().paths([own.root(), site.root()]);
    let view = Store::open_with(view).unwrap();
    assert_eq!(pull(&view, &server).unwrap().name.to_string(), "m:latest");
    assert_eq!(own.store().list().unwrap().models.len(), 2);
    assert_eq!(site.store().list().unwrap().models.len(), 1);
}

#[test]
fn a_registry_without_ranges_sends_all_of_it_once() {
    let scratch = Scratch::new();
    let server = Server::new(|shelf, request| {
        let mut request = request.clone();
        request.headers.remove("range");
        shelf.answer(&request)
    });
    let large = bytes(LARGE);
    server.model("t", &[&large]);
    let store = scratch.store();
    pull_by_one(&store, &server).unwrap();
    assert_eq!(
        fs::read(scratch.blob_path(&Digest::of(&large))).unwrap(),
        large
    );
    // The config, and the weights in one go.
    assert_eq!(server.shelf.count(Request::is_blob), 2);
}

#[test]
fn lies_are_refused_and_leave_nothing() {
    type Lie = fn(&Shelf, &Request) -> Reply;
    let lies: [(&str, ErrorKind, Lie); 9] = [
        (
            "other bytes of a blob",
            ErrorKind::Corrupt,
            |shelf, request| {
                let mut reply = shelf.answer(request);
                if request.is_blob() {
                    reply.body[0] ^= 1;
                }
                reply
            },
        ),
        ("a longer blob", ErrorKind::Corrupt, |shelf, request| {
            let mut reply = shelf.answer(request);
            if request.is_blob() {
                reply.body.extend([0; 100]);
            }
            reply
        }),
        ("a shorter blob", ErrorKind::Corrupt, |shelf, request| {
            let mut reply = shelf.answer(request);
            if request.is_blob() {
                reply.body.truncate(3);
            }
            reply
        }),
        ("another range", ErrorKind::Network, |shelf, request| {
            let reply = shelf.answer(request);
            match request.is_blob() {
                true => Reply::new(206, reply.body).header("content-range", "bytes 5-9/10"),
                false => reply,
            }
        }),
        ("packed bytes", ErrorKind::Network, |shelf, request| {
            let reply = shelf.answer(request);
            match request.is_blob() {
                true => reply.header("content-encoding", "gzip"),
                false => reply,
            }
        }),
        ("another manifest", ErrorKind::Corrupt, |shelf, request| {
            let digest = Digest::of(b"something else").to_string();
            shelf
                .answer(request)
                .header("docker-content-digest", digest)
        }),
        (
            "an endless manifest",
            ErrorKind::Corrupt,
            |shelf, request| match request.is_manifest() {
                true => Reply::new(200, vec![b' '; 5 << 20]),
                false => shelf.answer(request),
            },
        ),
        (
            "a page in place of a manifest",
            ErrorKind::Corrupt,
            |shelf, request| match request.is_manifest() {
                true => Reply::new(200, "<html>log in</html>"),
                false => shelf.answer(request),
            },
        ),
        (
            "a bomb of layers",
            ErrorKind::Corrupt,
            |shelf, request| match request.is_manifest() {
                true => Reply::new(
                    200,
                    format!(r#"{{"layers":[{}{{}}]}}"#, "{},".repeat(60_000)),
                ),
                false => shelf.answer(request),
            },
        ),
    ];
    for (what, kind, lie) in lies {
        let (scratch, server) = (Scratch::new(), Server::new(lie));
        server.model("t", &[b"GGUF weights"]);
        let error = pull(&scratch.store(), &server).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(
            error.to_string().starts_with("pulling 127.0.0.1:"),
            "{error}"
        );
        nothing_visible(&scratch);
    }
}

#[test]
fn manifests_that_lie_about_blobs_are_refused() {
    let digest = Digest::of(b"GGUF weights");
    let layer = |size: &str| {
        format!(
            r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":{size}}}"#
        )
    };
    for layers in [
        layer("-1"),
        layer("9223372036854775807"),
        format!("{},{}", layer("12"), layer("11")),
        r#"{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../x","size":1}"#
            .to_owned(),
        r#"{"mediaType":"application/vnd.ollama.image.model","digest":"md5:00","size":1}"#
            .to_owned(),
    ] {
        let (scratch, server) = (Scratch::new(), Server::good());
        server.model("t", &[b"GGUF weights"]);
        server.manifest(
            "t",
            format!(r#"{{"config":{},"layers":[{layers}]}}"#, layer("12")).as_bytes(),
        );
        let error = pull(&scratch.store(), &server).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Corrupt | ErrorKind::Io | ErrorKind::InvalidDigest
            ),
            "{layers}: {error:?}"
        );
        nothing_visible(&scratch);
    }
}

#[test]
fn a_busy_registry_is_asked_again_and_a_broken_one_is_told_of() {
    for (status, times, works) in [
        (429, 2, true),
        (503, 3, true),
        (500, 100, false),
        (403, 1, false),
    ] {
        let left = AtomicUsize::new(times);
        let (scratch, server) = (
            Scratch::new(),
            Server::new(move |shelf, request| {
                let refuses = request.is_blob()
                    && left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                        .is_ok();
                match refuses {
                    true => Reply::new(status, "").header("retry-after", "0"),
                    false => shelf.answer(request),
                }
            }),
        );
        server.model("t", &[b"GGUF weights"]);
        match pull(&scratch.store(), &server) {
            Ok(_) => assert!(works, "{status}"),
            Err(error) => {
                assert!(
                    !works && error.to_string().contains(&format!("status {status}")),
                    "{error}"
                );
                nothing_visible(&scratch);
            }
        }
    }
}

#[test]
fn a_longer_pause_than_anybody_waits_is_an_error_at_once() {
    let server = Server::new(|_, _| Reply::new(429, "").header("retry-after", "86400"));
    let error = pull(&Scratch::new().store(), &server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("a pause of 86400 s"), "{error}");
}

#[test]
fn a_redirect_is_followed_without_who_asks() {
    let other = Arc::new(Server::good());
    let elsewhere = other.clone();
    let server = Server::new(move |shelf, request| {
        if request.header("authorization") != Some("Basic bWU6aHVudGVyMg==") {
            return Reply::new(401, "").header("www-authenticate", "Basic realm=\"x\"");
        }
        match request.is_blob() {
            true => {
                let port = elsewhere.port();
                let place = format!("http://localhost:{port}{}", request.target);
                Reply::new(307, "").header("location", place)
            }
            false => shelf.answer(request),
        }
    });
    server.model("t", &[b"GGUF weights"]);
    other.model("t", &[b"GGUF weights"]);
    let scratch = Scratch::new();
    let options = RegistryOptions::new().username_password("me", "hunter2");
    pull_by(&scratch.store(), &server, options).unwrap();
    assert!(other.shelf.count(Request::is_blob) > 0);
    assert_eq!(
        other
            .shelf
            .count(|request| request.header("authorization").is_some()),
        0
    );

    let wrong = RegistryOptions::new().username_password("me", "hunter3");
    let error = pull_by(&scratch.store(), &server, wrong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!format!("{error} {error:?}").contains("hunter3"), "{error}");
}

#[test]
fn a_redirect_to_nowhere_ends() {
    for location in [
        "/v2/team/model/blobs/x",
        "ftp://127.0.0.1/x",
        "",
        "file:///etc/passwd",
        "http://u:p@localhost/x",
    ] {
        let server = Server::new(move |shelf, request| {
            match request.is_blob() || request.target.ends_with("/x") {
                true => Reply::new(302, "").header("location", location),
                false => shelf.answer(request),
            }
        });
        server.model("t", &[b"GGUF weights"]);
        let scratch = Scratch::new();
        let error = pull(&scratch.store(), &server).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{location}: {error}");
        nothing_visible(&scratch);
    }
}

/// A registry whose tokens are good for so many requests.
fn with_tokens(uses: usize) -> Server {
    let issued = AtomicUsize::new(0);
    let left = AtomicUsize::new(0);
    Server::new(move |shelf, request| {
        let host = request.header("host").unwrap();
        if request.target.starts_with("/token?") {
            let asks = request.header("authorization").is_some();
            let scope = "scope=repository%3Ateam%2Fmodel%3Apull";
            let is_right =
                asks && request.target.contains(scope) && request.target.contains("service=s");
            if !is_right {
                return Reply::new(401, "");
            }
            left.store(uses, Ordering::Relaxed);
            let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
            return Reply::new(200, format!(r#"{{"token":"t{number}"}}"#));
        }
        let token = format!("Bearer t{}", issued.load(Ordering::Relaxed));
        let is_good = request.header("authorization") == Some(&token)
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                .is_ok();
        match is_good {
            true => shelf.answer(request),
            false => Reply::new(401, "").header(
                "www-authenticate",
                format!(r#"Bearer realm="http://{host}/token",service="s",scope="repository:other:pull""#),
            ),
        }
    })
}

#[test]
fn a_token_that_expires_is_made_anew() {
    let server = with_tokens(1);
    server.model("t", &[b"GGUF weights", b"GGUF more", b"GGUF and more"]);
    let scratch = Scratch::new();
    let registry = RegistryOptions::new()
        .username_password("me", "hunter2")
        .connections(1);
    let options = PullOptions::new().name("m").registry(registry);
    scratch
        .store()
        .pull(server.reference("t"), &options)
        .unwrap();
    let tokens = server
        .shelf
        .count(|request| request.target.starts_with("/token"));
    assert_eq!(tokens, 5, "one for each request");

    let anonymous = pull(&Scratch::new().store(), &with_tokens(1)).unwrap_err();
    assert_eq!(anonymous.kind(), ErrorKind::PermissionDenied);
    assert!(
        anonymous.to_string().contains("docker login"),
        "{anonymous}"
    );
}

#[test]
fn a_token_for_a_token_is_not_sent_over_plain_http_to_another_machine() {
    let server = Server::new(|_, _| {
        Reply::new(401, "").header(
            "www-authenticate",
            r#"Bearer realm="http://192.0.2.1/token""#,
        )
    });
    let options = RegistryOptions::new().username_password("me", "hunter2");
    let error = pull_by(&Scratch::new().store(), &server, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("plain HTTP"), "{error}");
}

#[test]
fn pulls_at_the_same_time_fetch_each_blob_once() {
    let (scratch, server) = (
        Scratch::new(),
        Server::new(|shelf, request| {
            if request.is_blob() {
                thread::sleep(Duration::from_millis(30));
            }
            shelf.answer(request)
        }),
    );
    let layers: Vec<Vec<u8>> = (0..6)
        .map(|n| [b"GGUF ".to_vec(), vec![n; 100]].concat())
        .collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    server.model("t", &layers);
    thread::scope(|scope| {
        for n in 0..4 {
            let (scratch, server) = (&scratch, &server);
            scope.spawn(move || {
                let options = PullOptions::new().name(format!("m{n}"));
                let pull = |store: &Store| store.pull(server.reference("t"), &options);
                let (_, last) = watched(&scratch.store(), pull);
                assert_eq!((last.files, last.total_files), (7, 7));
            });
        }
    });
    assert_eq!(server.shelf.count(Request::is_blob), 7);
    assert_eq!(scratch.store().list().unwrap().models.len(), 4);
}

#[test]
fn a_pull_that_waits_is_cancelled_and_a_collection_beside_it_leaves_it_alone() {
    let scratch = Scratch::new();
    let server = Server::new(|shelf, request| {
        let reply = shelf.answer(request);
        match request.is_blob() && reply.body.len() > 1000 {
            true => Reply {
                stalls: Duration::from_secs(60),
                ..reply.ends_after(500_000)
            },
            false => reply,
        }
    });
    let weights = bytes(3_000_000);
    server.model("t", &[&weights]);
    let store = scratch.store();
    let collected = scratch.store();
    let mut observe = |progress: &Progress| {
        if progress.bytes < 500_000 {
            return ControlFlow::Continue(());
        }
        let gc = GcOptions::new().grace(Duration::ZERO).all(true);
        assert_eq!(collected.gc(&gc).unwrap().leftovers, Vec::<PathBuf>::new());
        ControlFlow::Break(())
    };
    // One connection: the config is not on its way, too.
    let cancelled = store.watch(&mut observe, |store| pull_by_one(store, &server));
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(partials(&scratch).len(), 1);
    nothing_visible(&scratch);
    let left = collected
        .gc(&GcOptions::new().grace(Duration::ZERO).all(true))
        .unwrap()
        .leftovers;
    assert_eq!(left.len(), 1, "nobody fetches it any more");
}

/// A store with a model of these weights.
fn stocked(weights: &[u8]) -> (Scratch, Store) {
    let scratch = Scratch::new();
    scratch.model("m", &[weights]);
    let store = scratch.store();
    (scratch, store)
}

fn push(store: &Store, server: &Server) -> Result<modelkeep::Pushed, Error> {
    store.push("m", &PushOptions::new().to(server.reference("t")))
}

#[test]
fn a_model_goes_as_it_is_and_once() {
    let server = Server::good();
    // More than one request sends.
    let weights = bytes((64 << 20) + 5);
    let (scratch, store) = stocked(&weights);
    let (pushed, last) = watched(&store, |store| push(store, &server));
    assert_eq!((pushed.sent_blobs, pushed.shared_blobs), (2, 0));
    assert!(pushed.sent_bytes > weights.len() as u64);
    assert_eq!(
        (last.bytes, last.total_bytes),
        (pushed.sent_bytes, pushed.sent_bytes)
    );
    assert_eq!((last.files, last.total_files), (2, 2));
    let sent = server.shelf.manifests.lock().unwrap()["t"].clone();
    assert_eq!(sent, fs::read(scratch.manifest_path("m")).unwrap());
    assert_eq!(pushed.digest, Digest::of(&sent));
    assert_eq!(
        server.shelf.blobs.lock().unwrap()[&Digest::of(&weights)],
        weights
    );
    assert_eq!(server.shelf.count(|it| it.method == "PATCH"), 1);

    let uploads = |it: &Request| it.target.contains("uploads");
    let before = server.shelf.count(uploads);
    let (again, last) = watched(&store, |store| push(store, &server));
    assert_eq!(server.shelf.count(uploads), before);
    assert_eq!((last.bytes, last.files), (pushed.sent_bytes, 2));
    assert_eq!(
        (again.sent_blobs, again.sent_bytes, again.shared_blobs),
        (0, 0, 2)
    );
}

#[test]
fn who_watches_a_push_is_told_of_the_bytes_that_went_before_the_registry_has_all() {
    let weights = bytes(1 << 20);
    let told = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let seen = told.clone();
    // What the weights are sent with is answered when somebody was told that they went.
    let server = Server::new(move |shelf, request| {
        if request.body.len() == 1 << 20 {
            let (told, changed) = &*seen;
            let hears_nothing = |told: &mut Vec<Progress>| told.iter().all(|it| it.bytes < 1 << 20);
            let patience = Duration::from_secs(20);
            drop(changed.wait_timeout_while(told.lock().unwrap(), patience, hears_nothing));
        }
        shelf.answer(request)
    });
    let (_scratch, store) = stocked(&weights);
    let mut observe = |progress: &Progress| {
        told.0.lock().unwrap().push(*progress);
        told.1.notify_all();
        ControlFlow::Continue(())
    };
    // The larger blob goes first, and nothing beside it.
    let options = PushOptions::new()
        .to(server.reference("t"))
        .registry(RegistryOptions::new().connections(1));
    let pushed = store.watch(&mut observe, |store| store.push("m", &options));
    let all = pushed.unwrap().sent_bytes;
    let told = told.0.lock().unwrap();
    assert!(told.iter().any(|it| it.bytes == 1 << 20 && it.files == 0));
    let mut begun = told.iter().filter(|it| it.bytes > 0);
    assert!(begun.all(|it| it.total_bytes == all));
    assert!(told.is_sorted_by_key(|it| it.bytes));
}

#[test]
fn an_upload_that_is_cut_off_goes_on_where_the_registry_is() {
    let cut = AtomicUsize::new(0);
    let server = Server::cutting(Shelf::answer, move |_, request| {
        let is_first = request.method == "PATCH" && cut.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then_some(10_000_000)
    });
    let weights = bytes((64 << 20) + 5);
    let (_scratch, store) = stocked(&weights);
    let (pushed, last) = watched(&store, |store| push(store, &server));
    assert_eq!(last.bytes, pushed.sent_bytes, "each byte once");
    assert_eq!(
        server.shelf.blobs.lock().unwrap()[&Digest::of(&weights)],
        weights
    );
    let patched = server.shelf.asked.lock().unwrap();
    let last = patched
        .iter()
        .rfind(|it| it.method == "PUT" && it.target.contains("uploads"))
        .unwrap();
    assert_eq!(
        last.body.len(),
        weights.len() - 10_000_000,
        "the rest alone"
    );
}

#[test]
fn an_upload_of_which_nothing_came_is_begun_anew() {
    let cut = AtomicUsize::new(0);
    let server = Server::cutting(Shelf::answer, move |_, request| {
        let is_first = request.body.is_empty()
            && request.target.contains("digest=")
            && cut.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then_some(0)
    });
    let (_scratch, store) = stocked(b"GGUF weights");
    push(&store, &server).unwrap();
    let asks = |it: &Request| it.method == "GET" && it.target.contains("uploads");
    assert_eq!(server.shelf.count(asks), 1);
    assert_eq!(server.shelf.blobs.lock().unwrap().len(), 2);
}

#[test]
fn a_blob_that_is_looked_for_elsewhere_is_there() {
    let other = Arc::new(Server::good());
    let elsewhere = other.port();
    let server = Server::new(move |shelf, request| match request.method.as_str() {
        "HEAD" => {
            let place = format!("http://localhost:{elsewhere}{}", request.target);
            Reply::new(307, "").header("location", place)
        }
        _ => shelf.answer(request),
    });
    let (_scratch, store) = stocked(b"GGUF weights");
    other.blob(b"GGUF weights");
    let pushed = push(&store, &server).unwrap();
    assert_eq!((pushed.shared_blobs, pushed.sent_blobs), (1, 1));
}

#[test]
fn what_another_repository_has_is_mounted() {
    let server = Server::new(|shelf, request| match request.target.contains("mount=") {
        true if request.target.contains("from=team/base") => Reply::new(201, ""),
        true => Reply::new(202, "").header("location", "/v2/team/model/blobs/uploads/0"),
        false => shelf.answer(request),
    });
    let (scratch, store) = stocked(b"GGUF weights");
    for other in ["base", "unrelated"] {
        let layers: &[&[u8]] = if other == "base" {
            &[b"GGUF weights"]
        } else {
            &[b"GGUF else"]
        };
        scratch.model(
            &format!("127.0.0.1:{}/team/{other}:x", server.port()),
            layers,
        );
    }
    let pushed = push(&store, &server).unwrap();
    assert!(
        pushed.mounted_blobs >= 1 && pushed.mounted_blobs + pushed.sent_blobs == 2,
        "{pushed:?}"
    );
    assert_eq!(
        server
            .shelf
            .count(|it| it.target.contains("from=team/unrelated")),
        0
    );
}

#[test]
fn a_damaged_blob_is_refused_by_the_registry_and_a_missing_one_by_us() {
    let server = Server::good();
    let (scratch, store) = stocked(b"GGUF weights");
    let path = scratch.blob_path(&Digest::of(b"GGUF weights"));
    fs::write(&path, "GGUF Weights").unwrap();
    let damaged = push(&store, &server).unwrap_err();
    assert_eq!(damaged.kind(), ErrorKind::Corrupt);
    assert!(
        damaged.to_string().contains("modelkeep verify"),
        "{damaged}"
    );
    assert!(
        server.shelf.manifests.lock().unwrap().is_empty(),
        "no manifest without its blobs"
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(
        push(&store, &server).unwrap_err().kind(),
        ErrorKind::FileNotFound
    );
    let nowhere = store.push("m", &PushOptions::new()).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::InvalidArgument);
    assert!(
        nowhere.to_string().contains("modelkeep push NAME"),
        "{nowhere}"
    );
}

#[test]
fn a_model_that_was_pulled_is_pushed_back_by_its_name() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let manifest = server.model("t", &[b"GGUF weights"]);
    let store = scratch.store();
    let name = store
        .pull(server.reference("t"), &PullOptions::new())
        .unwrap()
        .name;
    *server.shelf.manifests.lock().unwrap() = Default::default();
    store.push(&name, &PushOptions::new()).unwrap();
    assert_eq!(server.shelf.manifests.lock().unwrap()["t"], manifest);
}

#[test]
fn lists_are_read_to_their_end_and_stay_where_they_began() {
    let server = Server::new(|_, request| match request.target.as_str() {
        "/v2/team/model/tags/list" => Reply::new(200, r#"{"tags":["b\u0007","a"]}"#)
            .header("link", r#"</v2/team/model/tags/list?last=b>; rel="next""#),
        "/v2/team/model/tags/list?last=b" => Reply::new(200, r#"{"tags":["c","a"]}"#)
            .header("link", r#"<http://192.0.2.1/v2/>; rel="next""#),
        "/v2/_catalog" => Reply::new(200, r#"{"repositories":["team/model"]}"#),
        "/v2/" => Reply::new(200, "{}"),
        _ => Reply::new(200, r#"{"tags":null}"#),
    });
    let host = format!("127.0.0.1:{}", server.port());
    let list = |what: &str| ls_remote(&format!("{host}{what}"), &RegistryOptions::new()).unwrap();
    let tags = ["a", "b", "c"].map(|tag| format!("{host}/team/model:{tag}"));
    assert_eq!(list("/team/model"), tags);
    assert_eq!(list(""), [format!("{host}/team/model")]);
    assert_eq!(list("/team/empty"), Vec::<String>::new());
}

#[test]
fn nobody_there_is_told_at_once() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for to in ["localhost:1/team/model", "no-such-host.invalid/team/model"] {
        let error = store.pull(to, &PullOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    }
}

/// Reads what a store with a registry behind it answers.
fn through(upstream: &Upstream, path: &str) -> Result<Vec<u8>, u16> {
    let response = registry_through(upstream, &format!("team/model/{path}"), "");
    match response.body {
        RegistryBody::Bytes(bytes) if response.status == 200 => Ok(bytes),
        RegistryBody::Blob(blob) => {
            let mut bytes = vec![0; blob.size().try_into().unwrap()];
            blob.read_exact_at(&mut bytes, 0).map_err(|_| 0_u16)?;
            Ok(bytes)
        }
        _ => Err(response.status),
    }
}

fn behind(scratch: &Scratch, server: &Server, lines: &Arc<Mutex<Vec<String>>>) -> Upstream {
    let lines = lines.clone();
    let told = move |line: &str| lines.lock().unwrap().push(line.to_owned());
    let host = format!("127.0.0.1:{}", server.port());
    Upstream::new(&scratch.store(), &host, RegistryOptions::new(), told).unwrap()
}

/// Waits for what a registry behind says when it is done.
fn ended(lines: &Mutex<Vec<String>>) -> String {
    loop {
        if let Some(line) = lines.lock().unwrap().pop() {
            return line;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_registry_behind_is_asked_once_however_many_ask_and_gone_it_is_not_missed() {
    let (scratch, lines) = (Scratch::new(), Arc::default());
    fs::create_dir_all(scratch.root()).unwrap();
    let server = Server::new(|shelf, request| {
        let reply = shelf.answer(request);
        match request.is_blob() {
            // Slow enough that all clients come before it is there.
            true => Reply {
                stalls: Duration::from_millis(50),
                ..reply
            },
            false => reply,
        }
    });
    let large = bytes(LARGE);
    let manifest = server.model("t", &[&large, b"GGUF small"]);
    let blobs: Vec<Vec<u8>> = vec![large, b"GGUF small".to_vec()];
    let upstream = behind(&scratch, &server, &lines);
    let all_are_here = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                all_are_here.wait();
                assert_eq!(through(&upstream, "manifests/t").as_ref(), Ok(&manifest));
                for blob in &blobs {
                    let path = format!("blobs/{}", Digest::of(blob));
                    assert!(through(&upstream, &path).as_ref() == Ok(blob));
                }
            });
        }
    });
    let digest = Digest::of(&manifest);
    assert_eq!(
        through(&upstream, &format!("manifests/{digest}")).as_ref(),
        Ok(&manifest)
    );
    assert!(ended(&lines).starts_with("fetched team/model:t: "));
    assert_eq!(server.shelf.count(Request::is_manifest), 1);
    // Two parts, a small layer and the config.
    assert_eq!(server.shelf.count(Request::is_blob), 4);
    let store = scratch.store();
    assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
    assert_eq!(
        store.list().unwrap().models[0].name.to_string(),
        "team/model:t"
    );

    drop(server);
    drop(upstream);
    let gone = Server::new(|_, _| Reply::new(503, "").header("retry-after", "86400"));
    let upstream = behind(&scratch, &gone, &lines);
    assert_eq!(through(&upstream, "manifests/t").as_ref(), Ok(&manifest));
    assert!(ended(&lines).contains("what is stored is served"));
    assert_eq!(through(&upstream, "manifests/other"), Err(502));
}

#[test]
fn who_reads_along_has_what_is_there_before_the_rest_has_come() {
    let (scratch, lines) = (Scratch::new(), Arc::default());
    fs::create_dir_all(scratch.root()).unwrap();
    let has_read = Arc::new(AtomicUsize::new(0));
    let read = has_read.clone();
    let server = Server::new(move |shelf, request| {
        let reply = shelf.answer(request);
        match (request.is_blob(), request.header("range")) {
            (true, None) if reply.body.len() > 1000 => reply.ends_after(1_000_000),
            (true, Some(_)) => {
                for _ in 0..2000 {
                    if read.load(Ordering::Relaxed) == 1 {
                        return reply;
                    }
                    thread::sleep(Duration::from_millis(10));
                }
                Reply::new(403, "")
            }
            _ => reply,
        }
    });
    let weights = bytes(3_000_000);
    server.model("t", &[&weights]);
    let upstream = behind(&scratch, &server, &lines);
    through(&upstream, "manifests/t").unwrap();
    let path = format!("team/model/blobs/{}", Digest::of(&weights));
    let RegistryBody::Blob(blob) = registry_through(&upstream, &path, "").body else {
        panic!("it is no blob");
    };
    let mut first = vec![0; 1000];
    blob.read_exact_at(&mut first, 5).unwrap();
    assert!(first == weights[5..1005]);
    has_read.store(1, Ordering::Relaxed);
    let mut all = vec![0; weights.len()];
    blob.read_exact_at(&mut all, 0).unwrap();
    assert!(all == weights);
    assert!(ended(&lines).starts_with("fetched"));
}

#[test]
fn who_reads_along_hears_of_a_failure_and_nothing_bad_is_kept() {
    type Lie = fn(&Shelf, &Request) -> Reply;
    let lies: [Lie; 2] = [
        |shelf, request| match request.is_blob() {
            true => Reply::new(403, ""),
            false => shelf.answer(request),
        },
        |shelf, request| {
            let mut reply = shelf.answer(request);
            if request.is_blob() {
                reply.body[0] ^= 1;
            }
            reply
        },
    ];
    for lie in lies {
        let (scratch, lines) = (Scratch::new(), Arc::default());
        fs::create_dir_all(scratch.root()).unwrap();
        let server = Server::new(lie);
        server.model("t", &[b"GGUF weights"]);
        let upstream = behind(&scratch, &server, &lines);
        through(&upstream, "manifests/t").unwrap();
        let path = format!("blobs/{}", Digest::of(b"GGUF weights"));
        // Who came in time may have had the bytes, which are not those of the digest.
        let read = through(&upstream, &path);
        assert!(read.as_deref() != Ok(b"GGUF weights"), "{read:?}");
        assert!(ended(&lines).starts_with("fetching team/model:t: "));
        nothing_visible(&scratch);
        assert_eq!(through(&upstream, &path), Err(404));
    }
}

#[test]
fn a_push_that_is_broken_at_any_request_shows_nothing_and_the_next_one_ends_whole() {
    let (_scratch, store) = stocked(b"GGUF weights");
    for fails_at in 0.. {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let server = Server::new(move |shelf, request| {
            match count.fetch_add(1, Ordering::Relaxed) == fails_at {
                true => Reply::new(403, ""),
                false => shelf.answer(request),
            }
        });
        let options = PushOptions::new()
            .to(server.reference("t"))
            .registry(RegistryOptions::new().connections(1));
        let broken = store.push("m", &options);
        let is_there = !server.shelf.manifests.lock().unwrap().is_empty();
        let blobs = || server.shelf.blobs.lock().unwrap().len();
        assert_eq!(broken.is_ok(), is_there, "{fails_at}: {broken:?}");
        assert!(!is_there || blobs() == 2, "{fails_at}");
        if asked.load(Ordering::Relaxed) <= fails_at {
            assert!(is_there && fails_at > 5, "{fails_at}: it was over before");
            return;
        }
        store.push("m", &options).unwrap();
        assert_eq!(blobs(), 2);
    }
}
