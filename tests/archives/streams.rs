//! Streams that an archive goes to and comes from: those that take a little, nothing, or never end.

use std::io::{self, Read, Write};

use modelkeep::{ErrorKind, ImportArchiveOptions};

use crate::common::Scratch;
use crate::{NAMES, archive, store};

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
