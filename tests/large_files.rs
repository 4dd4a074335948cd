//! Files beyond 4 GiB, which a 32-bit system cannot map: there they are read.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/headers.rs"]
#[allow(dead_code, reason = "other tests call the rest of it")]
mod headers;

use std::fs;
use std::ops::ControlFlow;

use common::Scratch;
use modelkeep::{BlobStatus, Digest, ErrorKind, GgufFile, GgufOptions, ShowOptions, VerifyOptions};

const FOUR_GIB: u64 = 1 << 32;

/// A model whose second tensor lies beyond 4 GiB; the file is sparse where the system has such
/// files. Its digest is not that of its bytes, which nobody hashes here.
fn large_model() -> (Scratch, Digest, u64) {
    let scratch = Scratch::new();
    let header = headers::header(&[
        ("token_embd.weight", &[1 << 30], 0, 0),
        ("output_norm.weight", &[8], 0, FOUR_GIB),
    ]);
    let size = header.len() as u64 + FOUR_GIB + 32;
    let digest = scratch.model("large", &[&header])[1];
    let blob = fs::File::options()
        .write(true)
        .open(scratch.blob_path(&digest))
        .unwrap();
    blob.set_len(size).unwrap();
    let manifest = scratch.manifest_path("large");
    let text = fs::read_to_string(&manifest).unwrap();
    let stated = format!("\"size\":{}}}]", header.len());
    assert!(text.contains(&stated));
    let text = text.replace(&stated, &format!("\"size\":{size}}}]"));
    fs::write(manifest, text).unwrap();
    (scratch, digest, size)
}

#[test]
fn a_model_beyond_4_gib_is_listed_shown_and_read() {
    let (scratch, digest, size) = large_model();
    let store = scratch.store();
    let listing = store.list().unwrap();
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    assert!(u64::try_from(listing.models[0].size).unwrap() > size);
    let shown = store.show("large", &ShowOptions::default()).unwrap();
    assert!(
        shown
            .to_json()
            .contains("\"general.architecture\":\"llama\"")
    );
    let path = scratch.blob_path(&digest);
    for options in [GgufOptions::new(), GgufOptions::new().mmap(false)] {
        let file = GgufFile::open(&path, &options).unwrap();
        assert_eq!(file.size(), size);
        let view = file.view();
        let last = view.tensor(1).unwrap();
        assert!(last.offset > FOUR_GIB);
        // What the address space has no room for is not at hand, and nothing else is.
        if let Some(data) = view.tensor_data(&last) {
            assert_eq!((data, usize::BITS), (&[0; 32][..], u64::BITS));
        }
    }
}

#[test]
fn a_verification_counts_beyond_4_gib_and_is_cancelled() {
    let (scratch, _, size) = large_model();
    let mut total = 0;
    let cancelled = scratch
        .store()
        .verify_with(&VerifyOptions::new(), &mut |progress| {
            total = progress.total_bytes;
            ControlFlow::Break(())
        });
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(total > size);
}

#[test]
fn a_size_that_differs_by_4_gib_is_not_the_same() {
    let (scratch, digest, size) = large_model();
    let blob = fs::File::options()
        .write(true)
        .open(scratch.blob_path(&digest))
        .unwrap();
    blob.set_len(size - FOUR_GIB).unwrap();
    let report = scratch.store().verify(&VerifyOptions::new()).unwrap();
    let found = report.blobs.iter().find(|blob| blob.digest == digest);
    assert_eq!(found.unwrap().status, BlobStatus::WrongSize);
}
