//! A tar archive as it comes in: one entry after another, and never trusted.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::EntryType;

use crate::error::{Error, ErrorKind, Result};
use crate::oci::member::{Member, shown};

/// An entry whose bytes come next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub member: Member,
    /// Its size, as the archive has it.
    pub size: u64,
}

/// What may stand between the bytes of two entries: headers, long names, extended attributes.
/// All of that is kept in memory by who reads it.
const MOST_BETWEEN: u64 = 1 << 20;

/// More entries are in no archive of models, whose largest have some thousand layers.
const MOST_ENTRIES: usize = 1 << 18;

/// Where a tar archive says what it is.
const MAGIC_AT: usize = 257;

/// Returns whether a file begins as a tar archive does.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    head.get(MAGIC_AT..)
        .is_some_and(|rest| rest.starts_with(b"ustar"))
}

/// Hands every file of an archive to `take`, with its bytes, which need not be read to the end.
/// `passed` is told how many bytes went by that belong to no file.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) for what is no tar archive, for entries that are no files, for
/// paths that lead out of it, and for an archive that ends too early; those of `from`, and what
/// `take` fails with.
pub(crate) fn each_entry(
    from: &mut dyn Read,
    mut passed: impl FnMut(u64) -> Result<()>,
    mut take: impl FnMut(Entry, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let meter = Meter::default();
    let metered = Metered {
        from,
        meter: meter.clone(),
    };
    let mut archive = tar::Archive::new(metered);
    let mut entries = archive.entries().map_err(failed)?;
    for number in 0.. {
        meter.allow(MOST_BETWEEN);
        let next = entries.next();
        passed(meter.used(MOST_BETWEEN))?;
        let Some(entry) = next else { return Ok(()) };
        if number == MOST_ENTRIES {
            let text = format!("more than {MOST_ENTRIES} entries");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let mut entry = entry.map_err(failed)?;
        meter.allow(u64::MAX);
        let Some(member) = member(&mut entry)? else {
            continue;
        };
        let size = entry.size();
        let mut whole = Whole {
            from: &mut entry,
            left: size,
        };
        take(Entry { member, size }, &mut whole)?;
        pass(&mut whole, &mut passed)?;
    }
    Ok(())
}

/// Reads what is left of an entry.
fn pass(entry: &mut Whole<'_>, passed: &mut impl FnMut(u64) -> Result<()>) -> Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match entry.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => passed(length as u64)?,
            Err(e) => return Err(failed(e)),
        }
    }
}

/// Returns what an entry is; nothing for a directory, and for what describes the archive itself.
fn member<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Option<Member>> {
    let path = entry.path_bytes().into_owned();
    let refused = |what: &str| {
        let text = format!("the entry {} is {what}", shown(&path));
        Err(Error::new(ErrorKind::Corrupt, text))
    };
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::XGlobalHeader => return Ok(None),
        EntryType::Directory => return Member::of(&path).map(|_| None),
        EntryType::Symlink => return refused("a symbolic link"),
        EntryType::Link => return refused("a hard link"),
        EntryType::Char | EntryType::Block => return refused("a device"),
        EntryType::Fifo => return refused("a FIFO"),
        EntryType::GNUSparse => return refused("a sparse file"),
        _ => return refused("no file"),
    }
    let extensions = entry.pax_extensions().map_err(failed)?;
    for extension in extensions.into_iter().flatten() {
        let extension = extension.map_err(failed)?;
        if extension.key_bytes().starts_with(b"GNU.sparse.") {
            return refused("a sparse file");
        }
    }
    Member::of(&path).map(Some)
}

/// Returns the error of a read: the one that whoever reads put into it, the system's, or else that
/// the archive is none.
pub(crate) fn failed(error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return Error::caused(ErrorKind::Io, "reading", error);
    }
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::caused(ErrorKind::Corrupt, "reading", error),
    }
}

/// An entry that has to be as long as it says.
struct Whole<'e> {
    from: &'e mut dyn Read,
    left: u64,
}

impl Read for Whole<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.left = self.left.saturating_sub(read as u64);
        if read == 0 && self.left > 0 && !into.is_empty() {
            let text = format!("it ends {} bytes too early", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        Ok(read)
    }
}

/// How many bytes may still be read.
#[derive(Clone, Default)]
struct Meter(Rc<Cell<u64>>);

impl Meter {
    fn allow(&self, bytes: u64) {
        self.0.set(bytes);
    }

    fn used(&self, of: u64) -> u64 {
        of.saturating_sub(self.0.get())
    }
}

struct Metered<'r> {
    from: &'r mut dyn Read,
    meter: Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.meter.0.get();
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        if room == 0 && !into.is_empty() {
            return Err(io::Error::other("a header that is too large"));
        }
        let read = self.from.read(into.get_mut(..room).unwrap_or_default())?;
        self.meter.0.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}
