//! What is there already is not written again.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use modelkeep::{ErrorKind, GcOptions};

use crate::common::Scratch;
use crate::entries::{archive as packed, entries};
use crate::{NAMES, archive, import, manifests, staged, store};

/// What changes when a file is written again.
fn identities(directory: &Path) -> Vec<(std::ffi::OsString, u64, i64)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let entries = entries.map(|entry| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        (entry.file_name(), metadata.ino(), metadata.mtime_nsec())
    });
    let mut found: Vec<_> = entries.collect();
    found.sort();
    found
}

#[test]
fn an_import_that_broke_off_is_gone_on_with() {
    let from = Scratch::new();
    let bytes = archive(&store(&from), &NAMES);
    let mut entries = entries(&bytes);
    entries.reverse();
    for bytes in [bytes, packed(&entries)] {
        let to = Scratch::new();
        let blobs = to.root().join("blobs");
        let mut kept = Vec::new();
        for length in (0..bytes.len() - 1024).step_by(512) {
            import(&to.store(), &bytes[..length]).unwrap_err();
            let now = identities(&blobs);
            assert!(kept.iter().all(|blob| now.contains(blob)), "written again");
            kept = now;
            assert!(manifests(&to).is_empty() && staged(&to).is_empty());
        }
        let imported = import(&to.store(), &bytes).unwrap();
        let now = identities(&blobs);
        assert!(kept.iter().all(|blob| now.contains(blob)));
        assert_eq!(imported.shared_blobs + imported.new_blobs, now.len());
        assert_eq!(imported.shared_blobs, kept.len());
        assert_eq!(manifests(&from), manifests(&to));
        assert!(to.is_whole());
    }
}

#[test]
fn blobs_of_other_models_are_shared() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let source = store(&from);
    import(&to.store(), &archive(&source, &["tiny"])).unwrap();
    let before = identities(&to.root().join("blobs"));
    let imported = import(&to.store(), &archive(&source, &["kind"])).unwrap();
    let after = identities(&to.root().join("blobs"));
    assert!(before.iter().all(|blob| after.contains(blob)));
    assert_eq!(imported.new_blobs, after.len() - before.len());
}

/// Damage at the beginning, in the midst and at the end of a blob of the same size, of another
/// size, and a file that nobody may read.
#[test]
fn a_damaged_blob_in_the_store_is_healed() {
    let from = Scratch::new();
    let weights: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digests = from.model("big", &[&weights]);
    let bytes = archive(&from.store(), &["big"]);
    for place in [0, 1_500_000, weights.len() - 1, usize::MAX] {
        let to = Scratch::new();
        let mut damaged = weights.clone();
        match damaged.get_mut(place) {
            Some(byte) => *byte ^= 1,
            None => damaged.push(1),
        }
        let path = to.blob_path(&digests[1]);
        to.write("blobs/x", b"");
        fs::write(&path, damaged).unwrap();
        let imported = import(&to.store(), &bytes).unwrap();
        assert_eq!(imported.new_blobs, 2);
        assert!(fs::read(&path).unwrap() == weights);
        // And in an archive whose own copy is damaged, nothing becomes of it.
        let mut spoiled = entries(&bytes);
        spoiled
            .iter_mut()
            .find(|entry| entry.bytes == weights)
            .unwrap()
            .bytes[place % 1000] ^= 4;
        let error = import(&to.store(), &packed(&spoiled)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(fs::read(&path).unwrap() == weights);
        assert!(staged(&to).is_empty());
    }
}

#[test]
fn what_is_left_of_an_import_is_collected() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let bytes = archive(&store(&from), &NAMES);
    let mut turned = entries(&bytes);
    turned.reverse();
    turned.pop();
    import(&to.store(), &packed(&turned)).unwrap_err();
    let left = identities(&to.root().join("blobs")).len();
    assert!(left > 0);
    let gc = GcOptions::new().grace(std::time::Duration::ZERO).all(true);
    assert_eq!(to.store().gc(&gc).unwrap().blobs.len(), left);
}
