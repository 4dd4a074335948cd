//! Streams of the caller's: what is read from one, and written to one.

use std::ffi::c_void;
use std::io::{self, Read, Write};

use engine::ReadAt;

use crate::boundary::Fault;

/// Fills `buffer` with at most `len` bytes, and returns how many: 0 at the end, less than 0 where
/// they cannot be read. `user` is what the caller gave. It must return: neither longjmp nor an
/// exception may leave it.
pub type mkeep_read =
    Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut u8, len: usize) -> isize>;

/// Takes at most `len` bytes, at least one, and returns how many; less than 0 where it takes no more.
/// `user` is what the caller gave. It must return: neither longjmp nor an exception may leave it.
pub type mkeep_write =
    Option<unsafe extern "C" fn(user: *mut c_void, bytes: *const u8, len: usize) -> isize>;

/// Fills `buffer` with at most `len` bytes from the offset `at` on, and returns how many; 0 or less where
/// they cannot be read. `user` is what the caller gave. It must return: neither longjmp nor an
/// exception may leave it.
pub type mkeep_read_at =
    Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut u8, len: usize, at: u64) -> isize>;

/// What the caller gave for one of its functions.
struct User(*mut c_void);

// SAFETY: nothing here uses the pointer; it is handed to the caller's function, of which the header
// says on which thread it is called.
unsafe impl Send for User {}

/// A stream to read from.
pub(crate) struct Source {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> isize,
    user: User,
}

/// A stream to write to.
pub(crate) struct Sink {
    write: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> isize,
    user: User,
}

impl Source {
    /// # Safety
    /// `read` is NULL or a function that can be called with `user`, as long as the stream lives.
    pub(crate) unsafe fn new(read: mkeep_read, user: *mut c_void) -> Result<Self, Fault> {
        let read = read.ok_or(Fault::Null("read"))?;
        let user = User(user);
        Ok(Source { read, user })
    }
}

impl Sink {
    /// # Safety
    /// `write` is NULL or a function that can be called with `user`, as long as the stream lives.
    pub(crate) unsafe fn new(write: mkeep_write, user: *mut c_void) -> Result<Self, Fault> {
        let write = write.ok_or(Fault::Null("write"))?;
        let user = User(user);
        Ok(Sink { write, user })
    }
}

/// What is read at any offset.
pub(crate) struct SourceAt {
    size: u64,
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize, u64) -> isize,
    user: User,
}

impl SourceAt {
    /// # Safety
    /// `read` is NULL or a function that can be called with `user`, as long as this lives.
    pub(crate) unsafe fn new(
        size: u64,
        read: mkeep_read_at,
        user: *mut c_void,
    ) -> Result<Self, Fault> {
        let read = read.ok_or(Fault::Null("read"))?;
        let user = User(user);
        Ok(SourceAt { size, read, user })
    }
}

impl ReadAt for SourceAt {
    fn size(&mut self) -> io::Result<u64> {
        Ok(self.size)
    }

    fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
        // SAFETY: by the contract of `new` it can be called, here with a buffer of that size.
        let read = unsafe { (self.read)(self.user.0, into.as_mut_ptr(), into.len(), at) };
        moved(read, into.len())
    }
}

/// Returns how many bytes a function of the caller's says that it moved; it cannot be more than
/// there were.
fn moved(count: isize, most: usize) -> io::Result<usize> {
    let count = usize::try_from(count).ok().filter(|count| *count <= most);
    count.ok_or_else(|| io::Error::other("the caller's stream failed"))
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: by the contract of `new` it can be called, here with a buffer of that size.
        let read = unsafe { (self.read)(self.user.0, buffer.as_mut_ptr(), buffer.len()) };
        moved(read, buffer.len())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: by the contract of `new` it can be called, here with that many bytes.
        let written = unsafe { (self.write)(self.user.0, bytes.as_ptr(), bytes.len()) };
        moved(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
