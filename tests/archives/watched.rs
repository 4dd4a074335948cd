//! What whoever watches an archive come and go is told, and how it is stopped.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use modelkeep::{Error, ErrorKind, ImportArchiveOptions, Progress, Store};

use crate::common::Scratch;
use crate::{NAMES, archive, export, store};

/// How far a call is when it ends.
fn last<T: Send>(store: &Store, call: impl FnOnce(&Store) -> Result<T, Error> + Send) -> Progress {
    let mut last = Progress::default();
    let mut observe = |progress: &Progress| {
        last = *progress;
        ControlFlow::Continue(())
    };
    store.watch(&mut observe, call).unwrap();
    last
}

#[test]
fn what_was_to_be_done_is_done_at_the_end() {
    let from = Scratch::new();
    let source = store(&from);
    let outside = tempfile::tempdir().unwrap();
    let (file, layout) = (outside.path().join("a.tar"), outside.path().join("layout"));
    let bytes = archive(&source, &NAMES).len() as u64;
    let blobs = source.export_to(NAMES, &mut io::sink()).unwrap();
    for to in [&file, &layout] {
        let told = last(&source, |store| export(store, &NAMES, to));
        assert_eq!((told.bytes, told.total_bytes), (blobs.bytes, blobs.bytes));
        assert_eq!((told.files, told.total_files), (blobs.blobs, blobs.blobs));
    }
    for from in [&file, &layout] {
        let to = Scratch::new();
        let options = ImportArchiveOptions::new();
        let told = last(&to.store(), |store| store.import_archive(from, &options));
        assert_eq!(told.bytes, told.total_bytes, "{told:?}");
        assert_eq!(told.files, told.total_files, "{told:?}");
        assert!(told.bytes >= blobs.bytes && told.bytes <= bytes, "{told:?}");
    }
}

/// A stream that has nothing now, and takes nothing.
struct Stalled;

impl Read for Stalled {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Stalled {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_stands_still_is_waited_for_until_the_call_is_stopped() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let stopped = |call: fn(&Store) -> Result<(), Error>| {
        let mut looks = 0;
        let mut observe = |_: &Progress| {
            looks += 1;
            match looks {
                1..3 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        };
        let error = store.watch(&mut observe, call).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    };
    stopped(|store| {
        let options = ImportArchiveOptions::new();
        store.import_stream(&mut Stalled, &options).map(drop)
    });
    stopped(|store| store.export_to(["tiny"], &mut Stalled).map(drop));
}

/// A stream that is interrupted every other time, and takes a few bytes.
struct Interrupted(Vec<u8>, bool);

impl Write for Interrupted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = bytes.len().min(1000);
        self.0.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that takes no more.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_may_take_a_little_at_a_time_and_one_that_is_full_is_an_error() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let mut stream = Interrupted(Vec::new(), false);
    store.export_to(NAMES, &mut stream).unwrap();
    assert_eq!(stream.0, archive(&store, &NAMES));
    let error = store.export_to(NAMES, &mut Full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    // What is written behind a buffer shows when that is written.
    let mut buffered = io::BufWriter::with_capacity(64 << 20, Full);
    let error = store.export_to(NAMES, &mut buffered).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// Whoever writes an archive to a pipe may go on with zeros, and need not end.
#[test]
fn of_what_follows_the_end_of_an_archive_a_bounded_part_is_read() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let bytes = archive(&store(&from), &NAMES);
    let endless = io::repeat(0).take(1 << 30);
    let mut stream = bytes.chain(endless);
    let options = ImportArchiveOptions::new();
    to.store().import_stream(&mut stream, &options).unwrap();
    assert!(stream.get_ref().1.limit() > 1 << 29);
}
