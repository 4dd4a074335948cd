//! Pulls that break off, and what the next one makes of what is there.

use super::*;

#[test]
fn what_is_cut_off_or_stalls_goes_on_where_it_was() {
    // Good transfers are not taken for stalled ones on a busy machine either.
    let patience = Duration::from_secs(3);
    for (stalls, cut) in [(Duration::ZERO, 400_000), (2 * patience, 1_200_000)] {
        let scratch = Scratch::new();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let server = Server::new(move |shelf, request| {
            let mut reply = shelf.answer(request);
            // The size of the whole may be left out.
            if let Some((_, range)) = reply.headers.iter_mut().find(|it| it.0 == "content-range")
                && !stalls.is_zero()
            {
                *range = format!("{}/*", range.split_once('/').unwrap().0);
            }
            if request.is_blob() && reply.body.len() > 1000 {
                reply = reply.ends_after(cut);
                reply.stalls = stalls;
                count.fetch_add(cut.min(reply.body.len()), Ordering::Relaxed);
            }
            reply
        });
        let large = bytes(3_000_000);
        server.model("t", &[&large]);
        let options = RegistryOptions::new().stall_timeout(patience);
        pull_by(&scratch.store(), &server, options).unwrap();
        assert_eq!(
            fs::read(scratch.blob_path(&Digest::of(&large))).unwrap(),
            large
        );
        assert_eq!(sent.load(Ordering::Relaxed), large.len());
    }
}

#[test]
fn what_came_before_a_failure_is_not_fetched_again() {
    let scratch = Scratch::new();
    let is_broken = Arc::new(AtomicUsize::new(1));
    let breaks = is_broken.clone();
    let server = Server::new(move |shelf, request| {
        let reply = shelf.answer(request);
        match (request.is_blob(), breaks.load(Ordering::Relaxed)) {
            (true, 1) if reply.body.len() > 1000 => {
                breaks.store(2, Ordering::Relaxed);
                reply.ends_after(1_000_000)
            }
            (true, 2) if reply.body.len() > 1000 => Reply::new(403, ""),
            _ => reply,
        }
    });
    let weights = bytes(3_000_000);
    let digest = Digest::of(&weights);
    server.model("t", &[&weights]);
    let store = scratch.store();
    assert_eq!(
        pull_by_one(&store, &server).unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert_eq!(partials(&scratch).len(), 1);
    nothing_visible(&scratch);

    is_broken.store(0, Ordering::Relaxed);
    server.shelf.asked.lock().unwrap().clear();
    let pulled = pull_by_one(&store, &server).unwrap();
    assert_eq!(
        (pulled.new_bytes > 3_000_000, pulled.resumed_bytes),
        (true, 1_000_000)
    );
    assert_eq!(
        server
            .shelf
            .count(|it| it.header("range") == Some("bytes=1000000-2999999")),
        1
    );
    assert_eq!(fs::read(scratch.blob_path(&digest)).unwrap(), weights);
    assert_eq!(partials(&scratch), Vec::<PathBuf>::new());
}

#[test]
fn what_was_changed_since_is_fetched_again() {
    let scratch = Scratch::new();
    let weights = bytes(100_000);
    let server = Server::good();
    server.model("t", &[&weights]);
    let store = scratch.store();
    // As an earlier pull would have left it, but for its bytes.
    let staging = scratch.root().join(".modelkeep/tmp");
    fs::create_dir_all(&staging).unwrap();
    let name = format!(".modelkeep-sha256-{}-partial", Digest::of(&weights).hex());
    for planted in [vec![0xff; 100_016], vec![7; 10], bytes(200_000), Vec::new()] {
        fs::write(staging.join(&name), planted).unwrap();
        let pulled = pull(&store, &server).unwrap();
        assert_eq!(pulled.resumed_bytes, 0);
        store.delete("m").unwrap();
    }
}

/// A registry that cuts off, and then refuses, whatever asks for this part of a large blob, while it
/// is told to.
fn that_breaks(
    is_broken: &Arc<AtomicUsize>,
    from: usize,
    lies: bool,
) -> impl Fn(&Shelf, &Request) -> Reply + Send + Sync + 'static {
    let breaks = is_broken.clone();
    move |shelf, request| {
        let mut reply = shelf.answer(request);
        let is_large = request.is_blob() && reply.body.len() > 1000;
        let first = request.range(LARGE).map_or(0, |(first, _)| first);
        match (is_large && first >= from, breaks.load(Ordering::Relaxed)) {
            (true, 1) => {
                breaks.store(2, Ordering::Relaxed);
                reply.body[7] ^= u8::from(lies);
                reply.ends_after(100_000)
            }
            (true, 2) => Reply::new(403, ""),
            _ => reply,
        }
    }
}

/// How many requests were for a blob.
fn asked_for(server: &Server, blob: &[u8]) -> usize {
    let digest = Digest::of(blob).to_string();
    let is_one = |it: &Request| it.is_blob() && it.target.contains(&digest);
    server.shelf.count(is_one)
}

#[test]
fn what_came_wrong_before_a_failure_is_fetched_once_more_and_not_for_ever() {
    for lies_again in [false, true] {
        let (scratch, is_broken) = (Scratch::new(), Arc::new(AtomicUsize::new(1)));
        let behavior = that_breaks(&is_broken, 0, true);
        let server = Server::new(move |shelf, request| {
            let mut reply = behavior(shelf, request);
            if lies_again && request.is_blob() && reply.body.len() > 1000 {
                *reply.body.last_mut().unwrap() ^= 1;
            }
            reply
        });
        let weights = bytes(200_000);
        server.model("t", &[&weights]);
        let store = scratch.store();
        pull_by_one(&store, &server).unwrap_err();
        assert_eq!(partials(&scratch).len(), 1);
        is_broken.store(0, Ordering::Relaxed);
        let pulled = pull_by_one(&store, &server);
        match lies_again {
            // None of what is stored now was there.
            false => assert_eq!(pulled.unwrap().resumed_bytes, 0),
            true => assert_eq!(pulled.unwrap_err().kind(), ErrorKind::Corrupt),
        }
        assert_eq!(partials(&scratch), Vec::<PathBuf>::new());
        assert_eq!(store.list().unwrap().models.len(), usize::from(!lies_again));
        assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
    }
}

#[test]
fn a_part_that_is_whole_is_not_fetched_again_and_one_that_is_not_goes_by_where_all_is_sent() {
    for has_ranges in [true, false] {
        let (scratch, is_broken) = (Scratch::new(), Arc::new(AtomicUsize::new(1)));
        let behavior = that_breaks(&is_broken, 32 << 20, false);
        let breaks = is_broken.clone();
        let server = Server::new(move |shelf, request| {
            let mut request = request.clone();
            if !has_ranges && breaks.load(Ordering::Relaxed) == 0 {
                request.headers.remove("range");
            }
            behavior(shelf, &request)
        });
        let weights = bytes(LARGE);
        server.model("t", &[&weights]);
        let store = scratch.store();
        pull_by_one(&store, &server).unwrap_err();
        is_broken.store(0, Ordering::Relaxed);
        server.shelf.asked.lock().unwrap().clear();
        let pulled = pull_by_one(&store, &server).unwrap();
        assert_eq!(pulled.resumed_bytes, (32 << 20) + 100_000);
        assert_eq!(asked_for(&server, &weights), 1, "the rest");
        let path = scratch.blob_path(&Digest::of(&weights));
        assert!(fs::read(path).unwrap() == weights);
    }
}

#[test]
fn what_is_there_of_each_part_goes_by_where_all_is_sent() {
    let (scratch, waiting) = (Scratch::new(), AtomicUsize::new(0));
    let is_broken = Arc::new(AtomicUsize::new(1));
    let breaks = is_broken.clone();
    let server = Server::new(move |shelf, request| {
        let mut request = request.clone();
        let is_broken = breaks.load(Ordering::Relaxed) == 1;
        if !is_broken {
            request.headers.remove("range");
        }
        let reply = shelf.answer(&request);
        if !is_broken || !request.is_blob() || reply.body.len() < 1000 {
            return reply;
        }
        let (first, _) = request.range(LARGE).unwrap();
        if first.is_multiple_of(32 << 20) {
            return reply.ends_after(100_000);
        }
        waiting.fetch_add(1, Ordering::Relaxed);
        while waiting.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        Reply::new(403, "")
    });
    let weights = bytes(LARGE);
    server.model("t", &[&weights]);
    let store = scratch.store();
    let two = RegistryOptions::new().connections(2);
    pull_by(&store, &server, two).unwrap_err();
    is_broken.store(0, Ordering::Relaxed);
    server.shelf.asked.lock().unwrap().clear();
    let pulled = pull_by_one(&store, &server).unwrap();
    assert_eq!(pulled.resumed_bytes, 200_000);
    assert_eq!(asked_for(&server, &weights), 1);
    let path = scratch.blob_path(&Digest::of(&weights));
    assert!(fs::read(path).unwrap() == weights);
}

#[test]
fn what_is_cut_off_by_a_registry_without_ranges_goes_on_where_it_was() {
    let (scratch, times) = (Scratch::new(), AtomicUsize::new(0));
    let server = Server::new(move |shelf, request| {
        let mut request = request.clone();
        request.headers.remove("range");
        let reply = shelf.answer(&request);
        let is_large = request.is_blob() && reply.body.len() > 1000;
        match is_large.then(|| times.fetch_add(1, Ordering::Relaxed)) {
            Some(0) => reply.ends_after(1_000_000),
            Some(1) => reply.ends_after(LARGE - 1000),
            _ => reply,
        }
    });
    let weights = bytes(LARGE);
    server.model("t", &[&weights]);
    pull_by_one(&scratch.store(), &server).unwrap();
    let path = scratch.blob_path(&Digest::of(&weights));
    assert!(fs::read(path).unwrap() == weights);
}

#[test]
fn a_blob_of_another_size_is_fetched_and_one_that_is_collected_meanwhile_comes_back() {
    let scratch = Scratch::new();
    let weights = bytes(100_000);
    let path = scratch.blob_path(&Digest::of(&weights));
    let (placed, is_taken) = (path.clone(), AtomicUsize::new(0));
    let server = Server::new(move |shelf, request| {
        let reply = shelf.answer(request);
        if request.is_blob() && reply.body.len() < 1000 {
            // The largest comes first, and is in its place before the model is.
            while fs::metadata(&placed).map_or(0, |it| it.len()) != 100_000
                && is_taken.load(Ordering::Relaxed) == 0
            {
                thread::yield_now();
            }
            if is_taken.swap(1, Ordering::Relaxed) == 0 {
                fs::remove_file(&placed).unwrap();
            }
        }
        reply
    });
    server.model("t", &[&weights]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "damaged").unwrap();
    let store = scratch.store();
    pull_by_one(&store, &server).unwrap();
    assert!(fs::read(&path).unwrap() == weights);
    assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
}

#[test]
fn without_room_for_a_blob_nothing_of_it_is_fetched() {
    let (scratch, server) = (Scratch::new(), Server::good());
    server.model("t", &[b"GGUF weights"]);
    let manifest = server.shelf.manifests.lock().unwrap()["t"].clone();
    let text = String::from_utf8(manifest).unwrap();
    // More than is free anywhere, and less than a file may have.
    let text = text.replace("\"size\":12", &format!("\"size\":{}", 1_u64 << 43));
    server.manifest("t", text.as_bytes());
    let error = pull_by_one(&scratch.store(), &server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains(" free"), "{error}");
    assert_eq!(asked_for(&server, b"GGUF weights"), 0);
    nothing_visible(&scratch);
}

#[test]
fn the_first_failure_ends_what_stands_still() {
    let (scratch, stands) = (Scratch::new(), Arc::new(AtomicUsize::new(0)));
    let server = Server::new(move |shelf, request| {
        let reply = shelf.answer(request);
        match (request.is_blob(), reply.body.len() > 1000) {
            (true, true) => {
                stands.store(1, Ordering::Relaxed);
                Reply {
                    stalls: Duration::from_secs(3600),
                    ..reply.ends_after(2000)
                }
            }
            (true, false) => {
                while stands.load(Ordering::Relaxed) == 0 {
                    thread::yield_now();
                }
                Reply::new(403, "")
            }
            _ => reply,
        }
    });
    server.model("t", &[&bytes(100_000)]);
    let two = RegistryOptions::new().connections(2);
    let error = pull_by(&scratch.store(), &server, two).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

#[test]
fn a_pull_tells_how_far_it_is_to_the_end() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let store = scratch.store();
    server.model("t", &[b"GGUF shared"]);
    pull(&store, &server).unwrap();
    server.model("t", &[b"GGUF shared", &bytes(300_000)]);
    let (pulled, last) = watched(&store, |store| pull(store, &server));
    assert_eq!((pulled.new_blobs, pulled.shared_blobs), (1, 2));
    assert_eq!(
        (last.files, last.bytes),
        (last.total_files, last.total_bytes)
    );
}
