//! What other programs do to a store while an archive comes.

use std::fs;
use std::io::Read;

use modelkeep::{Error, ErrorKind, ImportArchiveOptions, ImportedArchive, VerifyOptions};

use crate::common::Scratch;
use crate::{archive, manifests, staged};

/// The bytes of an archive, and what happens when all of them have come.
struct AtTheEnd<'a, F>(&'a [u8], F);

impl<F: FnMut()> Read for AtTheEnd<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            (self.1)();
        }
        self.0.read(into)
    }
}

/// Imports a model of so many blobs, while somebody does something before it appears.
fn beside(to: &Scratch, blobs: u32, act: impl FnMut() + Send) -> Result<ImportedArchive, Error> {
    let from = Scratch::new();
    from.model_of("m", blobs);
    let bytes = archive(&from.store(), &["m"]);
    let mut stream = AtTheEnd(&bytes, act);
    let options = ImportArchiveOptions::new();
    to.store().import_stream(&mut stream, &options)
}

fn remove_blobs(scratch: &Scratch) {
    for blob in fs::read_dir(scratch.root().join("blobs")).unwrap() {
        fs::remove_file(blob.unwrap().path()).unwrap();
    }
}

#[test]
fn blobs_that_are_collected_before_their_model_is_there_come_back() {
    let to = Scratch::new();
    beside(&to, 10, || remove_blobs(&to)).unwrap();
    let report = to.store().verify(&VerifyOptions::new()).unwrap();
    assert!(report.is_ok() && report.blobs.len() == 11, "{report:?}");
}

/// So many blobs are not held open.
#[test]
fn where_they_cannot_come_back_the_model_does_not_appear() {
    let to = Scratch::new();
    let error = beside(&to, 200, || remove_blobs(&to)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("import again"), "{error}");
    assert!(manifests(&to).is_empty() && staged(&to).is_empty());
    beside(&to, 200, || ()).unwrap();
    assert!(to.is_whole());
}

#[test]
fn a_model_that_somebody_else_made_meanwhile_stays() {
    let to = Scratch::new();
    let make = || to.manifest("m", br#"{"layers":null}"#);
    let error = beside(&to, 3, make).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(manifests(&to)[0].1, br#"{"layers":null}"#);
}
