//! A file that comes in parts, and is gone on with after it broke off.
//!
//! ```text
//! 0 .. size               the bytes, each at its place
//! size .. size + 16 n     for each of the n parts how many of its first bytes are there, and their
//!                         xxHash, both as 64 bits, little endian
//! ```
//!
//! The table is a hint: a part counts as far as the bytes that it states have the hash that it states.
//! So neither a kill nor a power cut, after which the two may be of different ages, makes us take
//! bytes that are not there.

use std::fs::File;
use std::hash::Hasher;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use twox_hash::XxHash64;

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::Layout;
use crate::fs::ops;
use crate::fs::staged::Staged;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::name::Digest;

/// The length of each part but the last, in bytes.
pub(crate) const PART: u64 = 32 << 20;

/// So many bytes at most come once more after a kill, for each part under way.
const NOTED_EVERY: u64 = 8 << 20;

const RECORD: usize = 16;

const CHUNK: usize = 256 << 10;

/// A file that is coming.
pub(crate) struct Partial {
    /// `None` once it is finished or thrown away.
    staged: RwLock<Option<Staged>>,
    read: File,
    size: u64,
    /// Whether there is something that the next call can use.
    has_some: AtomicBool,
}

/// A part of it. Whoever has it is the only one that writes there.
pub(crate) struct Part {
    pub index: usize,
    pub start: u64,
    pub end: u64,
    /// How many of its bytes are there.
    pub written: u64,
    /// What the table states, not yet looked at.
    stated: Option<(u64, u64)>,
    hasher: XxHash64,
    noted: u64,
}

impl Part {
    /// Returns the place of the next byte.
    pub(crate) fn next(&self) -> u64 {
        self.start + self.written
    }

    /// Returns how many bytes are missing.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.next()
    }
}

impl Partial {
    /// Claims what is there of a blob of so many bytes, in this process or after another one, and
    /// makes an empty file where nothing is. `None` where somebody else writes it.
    pub(crate) fn claim(
        layout: &Layout,
        digest: &Digest,
        size: u64,
        durability: Durability,
    ) -> Result<Option<Self>> {
        let name = format!("sha256-{}-partial", digest.hex());
        let Some(staged) = Staged::resumable(layout, &name, durability)? else {
            return Ok(None);
        };
        let read = staged.reopened()?;
        let partial = Partial {
            staged: RwLock::new(Some(staged)),
            read,
            size,
            has_some: AtomicBool::new(false),
        };
        partial.with(|staged| staged.resize(partial.whole_len()))?;
        Ok(Some(partial))
    }

    /// Returns how much of the disk it has by now, in bytes.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        self.with(|staged| {
            let stat = Stat::of(staged.file());
            let stat = stat.map_err(|e| Error::io("looking at", staged.path(), e))?;
            Ok(stat.disk_bytes())
        })
    }

    /// Returns the parts, with what is stated of each. One that states something has to be
    /// [checked](Self::check) before it is gone on with.
    pub(crate) fn parts(&self) -> Result<Vec<Part>> {
        let count = usize::try_from(self.size.div_ceil(PART)).unwrap_or(usize::MAX);
        let mut parts = Vec::with_capacity(count);
        for index in 0..count {
            let start = index as u64 * PART;
            let end = self.size.min(start + PART);
            let mut record = [0; RECORD];
            self.read_at(&mut record, self.record_at(index))?;
            let (written, hash) = record.split_at(RECORD / 2);
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            let stated = (number(written), number(hash));
            parts.push(Part {
                index,
                start,
                end,
                written: 0,
                stated: Some(stated).filter(|(written, _)| (1..=end - start).contains(written)),
                hasher: XxHash64::with_seed(0),
                noted: 0,
            });
        }
        Ok(parts)
    }

    /// Reads what a part is stated to have, and keeps it where the hash is right. Returns how many
    /// bytes are.
    pub(crate) fn check(&self, part: &mut Part, go_on: impl Fn() -> Result<()>) -> Result<u64> {
        let Some((stated, hash)) = part.stated.take() else {
            return Ok(0);
        };
        let mut hasher = XxHash64::with_seed(0);
        let mut buffer = vec![0; CHUNK];
        let mut at = 0;
        while at < stated {
            go_on()?;
            let count = usize::try_from(stated - at).unwrap_or(CHUNK).min(CHUNK);
            let chunk = buffer.get_mut(..count).unwrap_or_default();
            self.read_at(chunk, part.start + at)?;
            hasher.write(chunk);
            at += count as u64;
        }
        if hasher.finish() != hash {
            return Ok(0);
        }
        self.has_some.store(true, Ordering::Relaxed);
        part.hasher = hasher;
        part.written = stated;
        part.noted = stated;
        Ok(stated)
    }

    /// Writes the next bytes of a part; no more than are missing.
    pub(crate) fn write(&self, part: &mut Part, bytes: &[u8]) -> Result<()> {
        let left = usize::try_from(part.left()).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        self.with(|staged| {
            ops::write_at(staged.file(), staged.path(), bytes, part.next())
                .map_err(|e| Error::io("writing", staged.path(), e))
        })?;
        part.hasher.write(bytes);
        part.written += bytes.len() as u64;
        if part.written - part.noted >= NOTED_EVERY || part.left() == 0 {
            self.note(part)?;
        }
        Ok(())
    }

    /// Notes how far a part is, for the next call.
    pub(crate) fn note(&self, part: &mut Part) -> Result<()> {
        if part.noted == part.written {
            return Ok(());
        }
        let mut record = [0; RECORD];
        let (written, hash) = record.split_at_mut(RECORD / 2);
        written.copy_from_slice(&part.written.to_le_bytes());
        hash.copy_from_slice(&part.hasher.finish().to_le_bytes());
        self.with(|staged| {
            ops::write_at(
                staged.file(),
                staged.path(),
                &record,
                self.record_at(part.index),
            )
            .map_err(|e| Error::io("writing", staged.path(), e))?;
            staged.begin_flush();
            Ok(())
        })?;
        part.noted = part.written;
        self.has_some.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Fills a buffer with the bytes from a place on.
    pub(crate) fn read_at(&self, into: &mut [u8], at: u64) -> Result<()> {
        let read = open::read_exact_at(&self.read, into, at);
        read.map_err(|e| Error::io("reading", Path::new("a file that comes in parts"), e))
    }

    /// Returns the file, with the bytes alone, to be placed.
    pub(crate) fn finish(&self) -> Result<Staged> {
        self.with(|staged| staged.resize(self.size))?;
        self.take().ok_or_else(finished)
    }

    /// Throws everything away: the bytes are not those that were hoped for.
    pub(crate) fn discard(&self) {
        drop(self.take());
    }

    fn with<T>(&self, call: impl FnOnce(&Staged) -> Result<T>) -> Result<T> {
        let staged = self.staged.read().unwrap_or_else(PoisonError::into_inner);
        call(staged.as_ref().ok_or_else(finished)?)
    }

    fn take(&self) -> Option<Staged> {
        let mut staged = self.staged.write().unwrap_or_else(PoisonError::into_inner);
        staged.take()
    }

    fn record_at(&self, index: usize) -> u64 {
        self.size + index as u64 * RECORD as u64
    }

    fn whole_len(&self) -> u64 {
        let parts = self.size.div_ceil(PART);
        self.size
            .saturating_add(parts.saturating_mul(RECORD as u64))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let has_some = self.has_some.load(Ordering::Relaxed);
        if let Some(staged) = self.take().filter(|_| has_some) {
            staged.leave();
        }
    }
}

fn finished() -> Error {
    Error::new(crate::error::ErrorKind::Io, "the file is finished already")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;
    use std::path::Path;

    use super::*;

    const SIZE: u64 = 2 * PART + 1000;

    fn claim(root: &Path) -> Option<Partial> {
        let layout = Layout::new(root.to_owned());
        Partial::claim(&layout, &Digest::of(b"x"), SIZE, Durability::None).unwrap()
    }

    fn written(partial: &Partial) -> Vec<u64> {
        let parts = partial.parts().unwrap().into_iter();
        let checked = parts.map(|mut part| partial.check(&mut part, || Ok(())).unwrap());
        checked.collect()
    }

    #[test]
    fn what_was_noted_is_gone_on_with_and_what_changed_since_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let partial = claim(scratch.path()).unwrap();
        assert!(claim(scratch.path()).is_none(), "one writer at a time");
        let mut parts = partial.parts().unwrap();
        for part in &mut parts {
            partial.write(part, &[7; 3000]).unwrap();
            partial.note(part).unwrap();
            // Not noted: lost for the next one.
            partial.write(part, &[8; 10]).unwrap();
        }
        let path = partial.with(|staged| Ok(staged.path().to_owned())).unwrap();
        drop(partial);
        let partial = claim(scratch.path()).unwrap();
        assert_eq!(written(&partial), [3000, 3000, 1000]);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[9], PART + 2999).unwrap();
        assert_eq!(written(&partial), [3000, 0, 1000]);
        // A table that states more than a part has, or nothing.
        file.write_all_at(&[0xff; 16], SIZE).unwrap();
        assert_eq!(written(&partial), [0, 0, 1000]);
        partial.discard();
        assert!(!path.exists());
    }

    #[test]
    fn what_goes_on_is_noted_from_its_beginning() {
        let scratch = tempfile::tempdir().unwrap();
        let partial = claim(scratch.path()).unwrap();
        let path = partial.with(|staged| Ok(staged.path().to_owned())).unwrap();
        drop(partial);
        assert!(!path.exists(), "of nothing, nothing is left");
        let mut expected = 0;
        for bytes in [3000, 10, 0, 20] {
            let partial = claim(scratch.path()).unwrap();
            let mut part = partial.parts().unwrap().remove(1);
            assert_eq!(partial.check(&mut part, || Ok(())).unwrap(), expected);
            partial.write(&mut part, &vec![7; bytes]).unwrap();
            partial.note(&mut part).unwrap();
            expected += bytes as u64;
            let flushed = partial.with(|staged| Ok(staged.file().sync_all())).unwrap();
            flushed.unwrap();
            assert!(partial.disk_bytes().unwrap() >= expected);
        }
        let partial = claim(scratch.path()).unwrap();
        let mut part = partial.parts().unwrap().remove(1);
        let stop = || Err(Error::new(crate::error::ErrorKind::Cancelled, "stopped"));
        assert!(partial.check(&mut part, stop).is_err());
    }

    #[test]
    fn a_part_has_no_bytes_of_the_next_one() {
        let scratch = tempfile::tempdir().unwrap();
        let partial = claim(scratch.path()).unwrap();
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(&vec![0; PART as usize + 5]);
        let record = [(PART + 5).to_le_bytes(), hasher.finish().to_le_bytes()].concat();
        let path = partial.with(|staged| Ok(staged.path().to_owned())).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&record, SIZE + RECORD as u64).unwrap();
        assert_eq!(written(&partial), [0, 0, 0]);
    }

    #[test]
    fn a_finished_file_has_the_bytes_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let partial = claim(scratch.path()).unwrap();
        for mut part in partial.parts().unwrap() {
            while part.left() > 0 {
                partial.write(&mut part, &[3; 1 << 20]).unwrap();
            }
        }
        let staged = partial.finish().unwrap();
        let bytes = fs::read(staged.path()).unwrap();
        assert_eq!(bytes.len() as u64, SIZE);
        assert!(bytes.iter().all(|byte| *byte == 3));
    }
}
