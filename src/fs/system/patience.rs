//! What somebody else has open, and what is tried again for that.

use std::fmt;
use std::io;
use std::thread;
use std::time::Duration;

/// How often something is tried that fails while somebody has a file open, and how long it waits each
/// time: a scanner that looks at every new file is done sooner.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Does what fails while somebody has a file or a directory open, and waits for them a while.
///
/// # Errors
/// [`ResourceBusy`](io::ErrorKind::ResourceBusy), with the system's own error as its source, where
/// they still have it then. Nothing was done.
pub(crate) fn patiently<T>(
    mut act: impl FnMut() -> io::Result<T>,
    is_in_use: impl Fn(&io::Error) -> bool,
) -> io::Result<T> {
    for _ in 1..TRIES {
        match act() {
            Err(e) if is_in_use(&e) => thread::sleep(BETWEEN_TRIES),
            done => return done,
        }
    }
    act().map_err(|e| match is_in_use(&e) {
        true => io::Error::new(io::ErrorKind::ResourceBusy, InUse(e)),
        false => e,
    })
}

/// Why it could not be done.
#[derive(Debug)]
struct InUse(io::Error);

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another program has it open: {}", self.0)
    }
}

impl std::error::Error for InUse {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_file_in_use_is_waited_for_and_is_busy_in_the_end() {
        let failing = |failures: u32| {
            let mut tries = 0;
            let change = || {
                tries += 1;
                match tries > failures {
                    true => Ok(()),
                    false => Err(io::Error::from_raw_os_error(libc::EIO)),
                }
            };
            let done = patiently(change, |e| e.raw_os_error() == Some(libc::EIO));
            (tries, done)
        };
        for failures in [0, 1, TRIES - 1] {
            let (tries, done) = failing(failures);
            assert!(done.is_ok() && tries == failures + 1, "{failures}");
        }
        let (tries, done) = failing(TRIES);
        let error = crate::Error::io("removing", Path::new("/x"), done.unwrap_err());
        assert_eq!((tries, error.kind()), (TRIES, crate::ErrorKind::Busy));
        assert_eq!(error.os_error(), Some(libc::EIO));
        let other = || Err::<(), _>(io::Error::from_raw_os_error(libc::EACCES));
        let error = patiently(other, |_| false).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EACCES));
    }
}
