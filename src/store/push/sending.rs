//! One blob on its way out.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::sync::lock;

/// A blob that is sent. Who watches is told of each byte once, however often it goes.
pub(super) struct Sending {
    pub digest: Digest,
    pub size: u64,
    store: Store,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How far it was ever read.
    reached: AtomicU64,
    /// Why it could not be read.
    failure: Mutex<Option<Error>>,
}

impl Sending {
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where it is not there.
    pub(super) fn open(store: &Store, digest: Digest) -> Result<Self> {
        let Some((_, size)) = store.open_blob(&digest)? else {
            let text =
                format!("its blob {digest} is missing; `modelkeep doctor` shows what else is");
            return Err(Error::new(ErrorKind::FileNotFound, text));
        };
        Ok(Sending {
            digest,
            size,
            store: store.clone(),
            state: Arc::default(),
        })
    }

    /// Returns the bytes from a place on.
    pub(super) fn from(&self, at: u64) -> Result<Box<dyn Read>> {
        self.failure().map_or(Ok(()), Err)?;
        let Some((mut file, _)) = self.store.open_blob(&self.digest)? else {
            let text = format!("its blob {} was removed meanwhile", self.digest);
            return Err(Error::new(ErrorKind::FileNotFound, text));
        };
        file.seek(SeekFrom::Start(at))
            .map_err(|e| Error::io("reading blob", &self.store.blob_path(&self.digest), e))?;
        Ok(Box::new(Bytes {
            file,
            at,
            digest: self.digest,
            store: self.store.clone(),
            state: self.state.clone(),
        }))
    }

    /// Returns how many bytes were read.
    pub(super) fn sent(&self) -> u64 {
        self.state.reached.load(Ordering::Relaxed)
    }

    /// Returns why it could not be read, where that was so.
    pub(super) fn failure(&self) -> Option<Error> {
        lock(&self.state.failure).clone()
    }

    /// Notes that the registry has it.
    pub(super) fn finish(&self) {
        let left = self.size.saturating_sub(self.sent());
        // It is there: there is nothing left to stop.
        let _ = self.store.advance(left);
        self.store.finish_file();
    }
}

struct Bytes {
    file: File,
    at: u64,
    digest: Digest,
    store: Store,
    state: Arc<State>,
}

impl Read for Bytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into).inspect_err(|e| {
            let again = io::Error::from(e.kind());
            let path = self.store.blob_path(&self.digest);
            let error = Error::io("reading blob", &path, again);
            *lock(&self.state.failure) = Some(error);
        })?;
        self.at += count as u64;
        let before = self.state.reached.fetch_max(self.at, Ordering::Relaxed);
        let new = self.at.saturating_sub(before);
        self.store.advance(new).map_err(io::Error::other)?;
        Ok(count)
    }
}
