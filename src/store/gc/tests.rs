//! A collection of which one thing cannot be removed, and one that is stopped.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::fs::hash::Progress;
use crate::fs::ops::{Change as Act, hook};
use crate::store::options::StoreOptions;

/// A store with a model, and two of each thing that [`all`] takes.
fn littered() -> (tempfile::TempDir, Store, Vec<PathBuf>) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let used = Digest::of(b"used");
    let model = root.join("manifests/registry.ollama.ai/library/m");
    for directory in [&model, &root.join("blobs"), &root.join(".modelkeep/tmp")] {
        fs::create_dir_all(directory).unwrap();
    }
    let manifest = format!(r#"{{"layers":[{{"digest":"{used}"}}]}}"#);
    fs::write(model.join("latest"), manifest).unwrap();
    fs::write(root.join(format!("blobs/sha256-{}", used.hex())), "used").unwrap();
    let mut litter = Vec::new();
    for text in ["one", "two"] {
        let hex = Digest::of(text.as_bytes()).hex();
        for path in [
            format!("blobs/sha256-{hex}"),
            format!("blobs/sha256-{hex}-partial"),
            format!(".modelkeep/tmp/{text}"),
        ] {
            fs::write(root.join(&path), text).unwrap();
            litter.push(root.join(path));
        }
    }
    let options = StoreOptions::new(root).delete_delay(Duration::ZERO);
    let store = Store::open_with(options).unwrap();
    (scratch, store, litter)
}

fn all() -> GcOptions {
    GcOptions::new().grace(Duration::ZERO).partials(true)
}

#[test]
fn what_cannot_be_removed_is_an_error_and_stops_nothing_else() {
    for at in 0..6 {
        let (_root, store, litter) = littered();
        let stuck = litter[at].clone();
        let refuse = move |act: &Act<'_>| match act {
            Act::Unlink(path) | Act::Rename(path, _) | Act::RenameNew(path, _)
                if **path == stuck =>
            {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            _ => Ok(()),
        };
        let error = hook::with(refuse, || store.gc(&all())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{at}: {error}");
        let name = litter[at].file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().contains(name), "{at}: {error}");
        for path in &litter {
            assert_eq!(path.exists(), *path == litter[at], "{}", path.display());
        }
        store.gc(&all()).unwrap();
        assert!(!litter[at].exists() && store.has_blob(&Digest::of(b"used")));
    }
}

/// What has left its place by then goes its way, and the rest stays.
#[test]
fn a_collection_stops_between_two_files() {
    for stop in 1..5 {
        let (root, store, litter) = littered();
        let (looks, is_stopped) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (seen, is_told) = (looks.clone(), is_stopped.clone());
        let mut observe = |progress: &Progress| {
            looks.fetch_add(1, Ordering::SeqCst);
            if progress.files < stop {
                return ControlFlow::Continue(());
            }
            is_stopped.store(true, Ordering::SeqCst);
            ControlFlow::Break(())
        };
        // Every change waits until whoever watches has looked at what is done before it.
        let wait = move |_: &Act<'_>| {
            let begun = seen.load(Ordering::SeqCst);
            while seen.load(Ordering::SeqCst) < begun + 2 && !is_told.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        };
        let collect = |store: &Store| hook::with(wait, || store.gc(&all()));
        let error = store.watch(&mut observe, collect).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{stop}");
        // The file at which it was told goes as well.
        let gone = litter.iter().filter(|path| !path.exists()).count();
        assert!(gone == stop || gone == stop + 1, "{stop}: {gone}");
        let trash = fs::read_dir(root.path().join(".modelkeep/trash")).unwrap();
        assert_eq!(trash.count(), 0);
    }
}
