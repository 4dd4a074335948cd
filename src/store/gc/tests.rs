//! A collection of which one thing cannot be removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::*;
use crate::fs::ops::{Change as Act, hook};
use crate::store::options::StoreOptions;

/// A store with a model, and two of each thing that a collection takes, without what they are in.
fn littered(root: &Path) -> (Store, Vec<PathBuf>) {
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
    (Store::open_with(options).unwrap(), litter)
}

#[test]
fn what_cannot_be_removed_is_an_error_and_stops_nothing_else() {
    let all = GcOptions::new().grace(Duration::ZERO).partials(true);
    for at in 0..6 {
        let root = tempfile::tempdir().unwrap();
        let (store, litter) = littered(root.path());
        let stuck = litter[at].clone();
        let refuse = move |act: &Act<'_>| match act {
            Act::Unlink(path) | Act::Rename(path, _) | Act::RenameNew(path, _)
                if **path == stuck =>
            {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            _ => Ok(()),
        };
        let error = hook::with(refuse, || store.gc(&all)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{at}: {error}");
        let name = litter[at].file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().contains(name), "{at}: {error}");
        for path in &litter {
            assert_eq!(path.exists(), *path == litter[at], "{}", path.display());
        }
        store.gc(&all).unwrap();
        assert!(!litter[at].exists() && store.has_blob(&Digest::of(b"used")));
    }
}
