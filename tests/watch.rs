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
use modelkeep::{
    CopyMode, ErrorKind, ExportOptions, GcOptions, ImportArchiveOptions, ImportOptions, Progress,
    Store, VerifyOptions,
};

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

/// Returns an observer that stops a call when it is asked for the second time.
fn second() -> impl FnMut(&Progress) -> ControlFlow<()> {
    let mut calls = 0;
    move |_| {
        calls += 1;
        match calls {
            1 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
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

/// The digest of 256 MiB of zeros.
const LARGE: &str = "a6d72ac7690f53be6ae46ba88506bd97302a093f7108472bd9efc3cefda06484";

/// A store with one model, whose blob is large and costs nothing to make.
fn with_large(scratch: &Scratch) -> Store {
    let path = format!("blobs/sha256-{LARGE}");
    scratch.write(&path, b"");
    let file = fs::File::options()
        .write(true)
        .open(scratch.root().join(path));
    file.unwrap().set_len(256 << 20).unwrap();
    let manifest = format!(r#"{{"layers":[{{"digest":"sha256:{LARGE}"}}]}}"#);
    scratch.manifest("a", manifest.as_bytes());
    scratch.store()
}

#[test]
fn an_export_that_is_stopped_leaves_nothing() {
    let scratch = Scratch::new();
    let store = with_large(&scratch);
    for to in ["a.tar", "above/layout"] {
        let to = scratch.root().join(to);
        let options = ExportOptions::new();
        let last = stopped(&store, |store| store.export(["a"], &to, &options));
        assert_eq!(last.total_bytes, 256 << 20);
        let left = fs::read_dir(scratch.root()).unwrap();
        assert_eq!(left.count(), 2, "blobs and manifests");
    }
    stopped(&store, |store| store.export_to(["a"], &mut std::io::sink()));
}

#[test]
fn an_export_tells_how_far_it_is_to_the_end() {
    let scratch = Scratch::new();
    scratch.model("a", &[&vec![7; 8 << 20]]);
    let store = scratch.store();
    let mut seen = Vec::new();
    let mut observe = |progress: &Progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    let to = scratch.root().join("a.tar");
    let export = |store: &Store| store.export(["a"], &to, &ExportOptions::new());
    let exported = store.watch(&mut observe, export).unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.bytes, last.files), (last.total_bytes, 2), "{last:?}");
    assert_eq!((exported.bytes, exported.blobs), (last.bytes, 2));
    assert!(seen.is_sorted_by_key(|progress| progress.bytes));
}

/// The beginning of an archive: its headers are told first, then 256 MiB of zeros.
fn large_archive(scratch: &Scratch) -> PathBuf {
    let mut head = Vec::new();
    let mut stop = |progress: &Progress| match progress.bytes {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let store = with_large(scratch);
    let export = |store: &Store| store.export_to(["a"], &mut head).map(drop);
    store.watch(&mut stop, export).unwrap_err();
    // The zeros of the blob and of the end need not be written.
    let end = head.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let path = scratch.root().join("a.tar");
    fs::write(&path, &head[..end]).unwrap();
    let size = end.next_multiple_of(512) as u64 + (256 << 20) + 1024;
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(size).unwrap();
    path
}

#[test]
fn an_import_of_an_archive_that_is_stopped_leaves_nothing() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let archive = large_archive(&from);
    let options = ImportArchiveOptions::new();
    let mut last = Progress::default();
    let mut stop = |progress: &Progress| {
        last = *progress;
        match progress.bytes {
            // Until the weights come.
            0..1_000_000 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    };
    let import = |store: &Store| store.import_archive(&archive, &options);
    let error = to.store().watch(&mut stop, import).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(last.total_bytes, archive.metadata().unwrap().len());
    assert!(last.bytes < last.total_bytes);
    assert!(to.store().find(name("a")).unwrap().is_none());
    assert!(is_empty(&to, ".modelkeep/tmp") && is_empty(&to, "blobs"));
}

#[test]
fn an_import_of_an_archive_tells_how_far_it_is_to_the_end() {
    let (from, to) = (Scratch::new(), Scratch::new());
    from.model("a", &[&vec![7; 8 << 20], b"more"]);
    for form in ["a.tar", "layout"] {
        let archive = from.root().join(form);
        let options = ExportOptions::new();
        from.store().export(["a"], &archive, &options).unwrap();
        let mut last = Progress::default();
        let mut observe = |progress: &Progress| {
            last = *progress;
            ControlFlow::Continue(())
        };
        let options = ImportArchiveOptions::new();
        let import = |store: &Store| store.import_archive(&archive, &options);
        to.store().watch(&mut observe, import).unwrap();
        assert_eq!(last.bytes, last.total_bytes, "{last:?}");
        assert_eq!(last.files, last.total_files, "{last:?}");
    }
    assert!(to.store().find(name("a")).unwrap().is_some());
}

/// A stream that stands still, after a while.
struct Still<'b>(&'b [u8]);

impl Read for Still<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::WouldBlock.into()),
            false => self.0.read(into),
        }
    }
}

impl std::io::Write for Still<'_> {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_waits_for_a_stream_that_stands_still_can_stop_waiting() {
    let (from, to) = (Scratch::new(), Scratch::new());
    from.model("a", &[&vec![7; 1 << 20]]);
    let store = from.store();
    let mut archive = Vec::new();
    store.export_to(["a"], &mut archive).unwrap();
    let export = |store: &Store| store.export_to(["a"], &mut Still(b"")).map(drop);
    let error = store.watch(&mut second(), export).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let mut still = Still(&archive[..archive.len() / 2]);
    let options = ImportArchiveOptions::new();
    let import = |store: &Store| store.import_stream(&mut still, &options);
    let error = to.store().watch(&mut second(), import).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(is_empty(&to, ".modelkeep/tmp") && is_empty(&to, "manifests"));
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
    let copy = |store: &Store| store.copy(&name("a"), &name("c"));
    let error = scratch.store().watch(&mut second(), copy).unwrap_err();
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
