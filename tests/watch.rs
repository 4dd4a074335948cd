//! Long work can be watched and stopped, and leaves nothing behind.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use common::{Scratch, fixture, name};
use modelkeep::{CopyMode, ErrorKind, GcOptions, ImportOptions, Progress, Store, VerifyOptions};

/// A file of the fixture's tensors and much else.
fn large(scratch: &Scratch, bytes: u64) -> PathBuf {
    let path = scratch.root().join("large.gguf");
    fs::copy(fixture(), &path).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(bytes)
        .unwrap();
    path
}

fn copying() -> ImportOptions {
    ImportOptions::new().copy_mode(CopyMode::Copy)
}

fn is_empty(scratch: &Scratch, directory: &str) -> bool {
    let entries = fs::read_dir(scratch.root().join(directory));
    entries.map_or(true, |mut entries| entries.next().is_none())
}

/// Stops a call as soon as a byte is done, which must be before the last one; returns how far it was.
fn stopped<T: Send>(
    store: &Store,
    call: impl FnOnce(&Store) -> modelkeep::Result<T> + Send,
) -> Progress {
    let mut last = Progress::default();
    let mut stop = |progress: &Progress| {
        last = *progress;
        match progress.bytes {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    };
    let error = store.watch(&mut stop, call).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(last.bytes < last.total_bytes, "{last:?}");
    last
}

#[test]
fn an_import_that_is_stopped_leaves_nothing() {
    let scratch = Scratch::new();
    let file = large(&scratch, 256 << 20);
    let store = scratch.store();
    let last = stopped(&store, |store| store.import(&file, name("a"), &copying()));
    assert_eq!(last.total_bytes, 256 << 20);
    assert!(store.find(name("a")).unwrap().is_none());
    assert!(is_empty(&scratch, ".modelkeep/tmp") && is_empty(&scratch, "blobs"));
}

#[test]
fn an_import_tells_how_far_it_is_to_the_end() {
    let scratch = Scratch::new();
    let file = large(&scratch, 32 << 20);
    let mut seen = Vec::new();
    let mut observe = |progress: &Progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    let import = |store: &Store| store.import(&file, name("a"), &copying());
    scratch.store().watch(&mut observe, import).unwrap();
    let last = seen.last().unwrap();
    // The file, and the config that is made of it.
    assert!(last.bytes > 32 << 20 && last.files == 2, "{last:?}");
    assert_eq!(
        (last.bytes, last.files),
        (last.total_bytes, last.total_files)
    );
    assert!(seen.is_sorted_by_key(|progress| progress.bytes));
}

#[test]
fn a_stream_without_end_is_stopped() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut stop = |progress: &Progress| match progress.bytes {
        0..10_000_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let add = |store: &Store| store.add_blob(&mut std::io::repeat(7), None);
    let error = store.watch(&mut stop, add).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(is_empty(&scratch, ".modelkeep/tmp") && is_empty(&scratch, "blobs"));
}

#[test]
fn who_waits_for_the_lock_can_stop_waiting() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    scratch.store().copy(&name("a"), &name("b")).unwrap();
    let lock = fs::File::open(scratch.root().join(".modelkeep/lock")).unwrap();
    lock.lock().unwrap();
    let mut calls = 0;
    let mut stop = |_: &Progress| {
        calls += 1;
        match calls {
            1 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    };
    let copy = |store: &Store| store.copy(&name("a"), &name("c"));
    let error = scratch.store().watch(&mut stop, copy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_collection_that_is_stopped_loses_nothing_that_is_used() {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    for number in 0..200 {
        scratch.blob(format!("orphan {number}").as_bytes());
    }
    let gc = GcOptions::default().grace(Duration::ZERO);
    let store = scratch.store();
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let error = store.watch(&mut stop, |store| store.gc(&gc)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(is_empty(&scratch, ".modelkeep/trash"));
    assert!(used.iter().all(|digest| scratch.blob_path(digest).exists()));
}

#[test]
fn a_collection_counts_what_it_removes() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphans: Vec<String> = (0..20).map(|number| format!("orphan {number}")).collect();
    let bytes: usize = orphans.iter().map(String::len).sum();
    for orphan in &orphans {
        scratch.blob(orphan.as_bytes());
    }
    scratch.write("blobs/sha256-partial-of-none", b"x");
    let gc = GcOptions::default().grace(Duration::ZERO);
    let mut last = Progress::default();
    let mut observe = |progress: &Progress| {
        last = *progress;
        ControlFlow::Continue(())
    };
    let store = scratch.store();
    let collected = store.watch(&mut observe, |store| store.gc(&gc)).unwrap();
    assert_eq!(collected.blobs.len(), 20);
    assert_eq!((last.files, last.total_files), (20, 20));
    let bytes = bytes as u64;
    assert_eq!((last.bytes, last.total_bytes), (bytes, bytes));
}

/// What is named like a blob that a model lacks may be that blob: only all of its bytes tell.
#[test]
fn a_repair_that_is_stopped_while_it_reads_changes_nothing() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let home = scratch.blob_path(&digests[0]);
    let away = home.with_file_name(format!("{}.bak", digests[0].hex()));
    fs::rename(&home, &away).unwrap();
    let file = fs::File::options().write(true).open(&away).unwrap();
    let size = file.metadata().unwrap().len();
    file.set_len(2 << 30).unwrap();
    let store = scratch.store();
    let report = store.verify(&VerifyOptions::default()).unwrap();
    stopped(&store, |store| store.repair(&report));
    assert!(away.exists() && !home.exists());
    file.set_len(size).unwrap();
    let repaired = store.repair(&report).unwrap();
    assert_eq!(repaired.renamed.len(), 1);
    assert!(home.exists() && !away.exists());
}

#[test]
fn an_observer_that_panics_stops_the_work() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let watched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut observe = |progress: &Progress| {
            assert_eq!(progress.bytes, 0, "as it should");
            ControlFlow::Continue(())
        };
        let endless = |store: &Store| {
            let mut stream = std::io::repeat(7).take(u64::MAX);
            store.add_blob(&mut stream, None)
        };
        store.watch(&mut observe, endless)
    }));
    assert!(watched.is_err());
    assert!(is_empty(&scratch, ".modelkeep/tmp"));
}
