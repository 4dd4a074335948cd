//! What the holder of the lock has under way, in the file of the lock, for whoever holds it next.
//!
//! It is what a process that was killed leaves behind. The file begins with the length of the lines
//! that follow, in hexadecimal digits, and what lies behind these means nothing. Nothing is flushed:
//! a power cut may take it.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::system::open;
use crate::fs::{ops, read};

/// The digits of a length, and the end of their line.
const HEADER: usize = 9;

/// The most that is read: what is longer is none of ours.
const MOST: usize = 1 << 20;

/// The journal of a lock that is held, with as many bytes as were left in it.
pub(crate) struct Journal<'l> {
    file: &'l File,
    path: &'l Path,
    /// The bytes that were left.
    left: usize,
    len: usize,
}

impl<'l> Journal<'l> {
    /// Returns the journal and what it says. Costs one read where it says nothing.
    pub(super) fn read(file: &'l File, path: &'l Path) -> (Self, String) {
        let text = read_lines(file).unwrap_or_default();
        let (left, len) = (text.len(), text.len());
        let journal = Journal {
            file,
            path,
            left,
            len,
        };
        (journal, text)
    }

    /// Adds a line. It is there as a whole or not at all when a process is killed.
    pub(crate) fn add(&mut self, line: &str) -> Result<()> {
        if self.len == 0 {
            return self.set(&format!("{line}\n"));
        }
        let len = self.len + line.len() + 1;
        self.write(&format!("{line}\n"), HEADER + self.len)?;
        self.write(&header(len), 0)?;
        self.len = len;
        Ok(())
    }

    /// Has it say no more than was left in it.
    pub(crate) fn take_back(self) -> Result<()> {
        match self.len == self.left {
            true => Ok(()),
            false => self.write(&header(self.left), 0),
        }
    }

    /// Has it say this and nothing else.
    pub(crate) fn set(&mut self, text: &str) -> Result<()> {
        self.write(&format!("{}{text}", header(text.len())), 0)?;
        self.len = text.len();
        Ok(())
    }

    fn write(&self, text: &str, at: usize) -> Result<()> {
        ops::write_at(self.file, self.path, text.as_bytes(), at as u64)
            .map_err(|e| Error::io("writing", self.path, e))
    }
}

fn header(len: usize) -> String {
    format!("{len:08x}\n")
}

/// Returns what the journal of a lock says that somebody else may hold, and so may be about to change.
/// Nothing where it cannot be read, as on Windows while it is held.
pub(crate) fn peek(path: &Path) -> String {
    let text = read::read_own(path).and_then(|(bytes, _)| {
        let (header, lines) = bytes.split_at_checked(HEADER)?;
        let lines = lines.get(..length(header)?)?;
        Some(std::str::from_utf8(lines).ok()?.to_owned())
    });
    text.unwrap_or_default()
}

/// Returns the lines; `None` where there are none, or no such file.
fn read_lines(file: &File) -> Option<String> {
    let mut header = [0; HEADER];
    open::read_exact_at(file, &mut header, 0).ok()?;
    let mut lines = vec![0; length(&header)?];
    open::read_exact_at(file, &mut lines, HEADER as u64).ok()?;
    String::from_utf8(lines).ok()
}

/// Returns how many bytes a header announces, where there are any.
fn length(header: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(header).ok()?.strip_suffix('\n')?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let len = usize::from_str_radix(digits, 16)
        .ok()
        .filter(|_| is_number)?;
    (1..=MOST).contains(&len).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &File) -> String {
        Journal::read(file, Path::new("lock")).1
    }

    #[test]
    fn it_says_what_was_added_until_something_else_is_set() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let file = named.as_file();
        assert_eq!(said(file), "");
        let (mut journal, _) = Journal::read(file, Path::new("lock"));
        journal.add("a long first line").unwrap();
        journal.add("two").unwrap();
        assert_eq!(said(file), "a long first line\ntwo\n");
        let (mut next, left) = Journal::read(file, Path::new("lock"));
        assert_eq!(left, said(file));
        next.add("three").unwrap();
        assert_eq!(said(file), "a long first line\ntwo\nthree\n");
        assert_eq!(peek(named.path()), said(file));
        next.take_back().unwrap();
        assert_eq!(said(file), left);
        let (mut next, _) = Journal::read(file, Path::new("lock"));
        next.set("").unwrap();
        assert_eq!(said(file), "");
        next.add("x").unwrap();
        assert_eq!(said(file), "x\n");
    }

    #[test]
    fn what_is_torn_or_somebody_elses_says_nothing() {
        let texts: [&[u8]; 7] = [
            b"00000005\nabc",
            b"0000000",
            b"+0000001\na",
            b"ffffffff\na",
            b"00000002 ab",
            b"00000001\n\xff",
            b"\0\0\0\0\0\0\0\0\n",
        ];
        for text in texts {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, text).unwrap();
            assert_eq!(said(file.as_file()), "", "{text:?}");
            assert_eq!(peek(file.path()), "", "{text:?}");
        }
    }
}
