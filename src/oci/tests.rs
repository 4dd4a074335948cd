//! Indexes, paths and frames.

use std::io::Read;

use super::*;
use crate::name::{Digest, ModelName};

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

#[test]
fn a_name_reads_back_as_the_same_name() {
    for text in [
        "tiny",
        "ns/m:t",
        "hf.co/team/Model:Q4",
        "localhost:5000/ns/m:t",
        "REGISTRY.ollama.AI/Library/m",
        "http:///ns/m",
    ] {
        let mut index = NewIndex::new();
        assert!(index.add(&name(text), Digest::of(b"image"), 5, false));
        let index = Index::parse(&index.to_bytes()).unwrap();
        let [descriptor] = index.manifests.as_slice() else {
            panic!("one model, not {index:?}")
        };
        assert_eq!(descriptor.name().unwrap(), name(text));
        assert_eq!(descriptor.digest().unwrap(), Digest::of(b"image"));
        assert!(descriptor.check_size(5).is_ok() && descriptor.check_size(6).is_err());
    }
}

#[test]
fn of_a_name_there_is_one_model() {
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let mut index = NewIndex::new();
    assert!(index.add(&name("a"), one, 3, false));
    let before = index.to_bytes();
    assert!(index.add(&name("a"), one, 3, false), "the same is no other");
    assert!(!index.add(&name("a"), two, 3, false));
    assert_eq!(index.to_bytes(), before);
    assert!(index.add(&name("a"), two, 3, true));
    let index = Index::parse(&index.to_bytes()).unwrap();
    assert_eq!(index.manifests.len(), 1);
}

/// More than the eleven octal digits of a header can say: 8 GiB.
#[test]
fn a_size_of_any_digits_reads_back() {
    for size in [0, 1, 511, 512, (8 << 30) - 1, 8 << 30, 1 << 50] {
        let path = Member::Blob(Digest::of(b"x")).path();
        let header = header(&path, size);
        let mut found = Vec::new();
        let take = |entry: Entry, _: &mut dyn Read| {
            found.push((entry.member, entry.size));
            Err(Error::new(ErrorKind::Cancelled, "seen"))
        };
        let error = each_entry(&mut &header[..], |_| Ok(()), take).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(found, [(Member::Blob(Digest::of(b"x")), size)]);
        assert_eq!((size + padding(size).len() as u64) % 512, 0);
    }
}

#[test]
fn a_path_is_read_in_every_spelling_that_stays_inside() {
    let blob = Member::Blob(Digest::of(b"x"));
    let hex = Digest::of(b"x").hex();
    for (path, expected) in [
        ("oci-layout", Member::Layout),
        ("./index.json", Member::Index),
        (&format!("./blobs//sha256/./{hex}"), blob),
        (&format!("blobs/sha512/{hex}"), Member::Other),
        (hex.as_str(), Member::Other),
        ("manifest.json", Member::Other),
        ("", Member::Other),
    ] {
        assert_eq!(Member::of(path.as_bytes()).unwrap(), expected, "{path}");
    }
    let error = Member::of(&[b'/'; 5000]).unwrap_err().to_string();
    assert!(error.len() < 200, "{error}");
    assert!(Member::of(b"blobs/sha256/\xff").is_err());
}
