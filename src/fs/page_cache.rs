//! Leaving the system's cache as it was.

use std::fs::File;

use crate::fs::system::pages;

/// How many bytes are looked at, and given back, at once.
const WINDOW: u64 = 4 << 20;

/// How many windows are looked at before they are read: more than any system reads ahead, lest
/// what it brought in for us looks like somebody else's. Less than the bits of the mask.
const AHEAD: u64 = 16;

/// What reading a file from its beginning to its end leaves in the system's cache.
///
/// A window of which nothing was cached before is given back when it was read: nobody but us wanted
/// it. What somebody had cached stays, also a part of a window, and all where the system does not
/// say what it has (Linux does since 6.5). Reading ahead is left to the system: it does it in
/// larger pieces of memory than it does when it is asked to.
#[derive(Debug)]
pub(crate) struct PageCache {
    size: u64,
    /// The first window that was not looked at.
    next: u64,
    /// The first window that was not read to its end.
    first: u64,
    /// A bit for each window between: whether we brought it in.
    ours: u64,
}

impl PageCache {
    pub(crate) fn new(size: u64) -> Self {
        PageCache {
            size,
            next: 0,
            first: 0,
            ours: 0,
        }
    }

    /// Before the bytes at `at` are read. Costs a call of the system for each window.
    pub(crate) fn before(&mut self, file: &File, at: u64) {
        let window = at / WINDOW;
        while self.first < window.min(self.next) {
            self.leave(file);
        }
        while self.next <= window + AHEAD && self.next * WINDOW < self.size {
            let is_ours = pages::is_cold(file, self.next * WINDOW, WINDOW);
            self.ours |= u64::from(is_ours) << (self.next % 64);
            self.next += 1;
        }
    }

    fn leave(&mut self, file: &File) {
        let bit = 1 << (self.first % 64);
        if self.ours & bit != 0 {
            self.ours &= !bit;
            let (at, len) = (self.first * WINDOW, WINDOW);
            // A file system over another does not see the other's cache: it says still that nothing
            // is there, and knew nothing before.
            if !pages::is_cold(file, at, len) {
                pages::drop_cached(file, at, len);
            }
        }
        self.first += 1;
    }

    /// After the last byte that will be read.
    pub(crate) fn end(&mut self, file: &File) {
        while self.first < self.next {
            self.leave(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::fs::system::open;
    use crate::fs::system::pages::{drop_cached, is_cold};
    use crate::skip::not_here;

    /// Beside the program, which lies on a disk more often than the temporary directory does.
    fn scratch() -> tempfile::TempDir {
        let program = std::env::current_exe().unwrap();
        tempfile::tempdir_in(program.parent().unwrap()).unwrap()
    }

    /// Returns a file of five windows on a disk, no page of which is cached; `None` where the
    /// system does not say, or keeps all.
    fn cold_file(directory: &std::path::Path) -> Option<File> {
        let path = directory.join("cold");
        let mut new = File::create(&path).unwrap();
        new.write_all(&vec![7; 5 * WINDOW as usize]).unwrap();
        new.sync_all().unwrap();
        let file = File::open(path).unwrap();
        drop_cached(&file, 0, 0);
        let is_cold = is_cold(&file, 0, 0);
        if !is_cold {
            let why = "the system does not say what it caches, or keeps all";
            not_here("cold files", why);
        }
        is_cold.then_some(file)
    }

    fn read_all(mut file: &File, size: u64) {
        let mut pages = PageCache::new(size);
        let (mut buffer, mut at) = (vec![0; 1 << 20], 0);
        while at < size {
            pages.before(file, at);
            at += file.read(&mut buffer).unwrap() as u64;
        }
        pages.end(file);
    }

    #[test]
    fn what_was_not_cached_is_not_cached_afterwards() {
        let scratch = scratch();
        let Some(file) = cold_file(scratch.path()) else {
            return;
        };
        read_all(&file, 5 * WINDOW);
        assert!(is_cold(&file, 0, 0));
    }

    #[test]
    fn what_somebody_had_cached_stays() {
        let scratch = scratch();
        let Some(file) = cold_file(scratch.path()) else {
            return;
        };
        let mut page = [0; 4096];
        open::read_exact_at(&file, &mut page, 3 * WINDOW).unwrap();
        read_all(&file, 5 * WINDOW);
        assert!(!is_cold(&file, 3 * WINDOW, WINDOW));
        assert!(is_cold(&file, 0, WINDOW));
    }
}
