//! The threads of a store: a pool of its own, made at first need and again after a fork.

use std::sync::{Arc, Mutex};
use std::{mem, process};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};

/// The pool of a store, once it has one. The host's global pool is not ours.
#[derive(Default)]
pub(crate) struct ThreadPools(Mutex<Option<Pool>>);

/// A thread pool and the process that made it: the threads of a parent are not its child's.
struct Pool {
    process: u32,
    threads: Arc<ThreadPool>,
}

impl Pool {
    /// Returns whether its threads run in this process, and not in the one that this was forked
    /// from.
    fn is_ours(&self) -> bool {
        self.process == process::id()
    }
}

impl ThreadPools {
    /// Returns the pool of this process with `count` threads, or one for each processor where that
    /// is zero; makes it where there is none.
    ///
    /// The lock is only tried: one that another thread holds while the process forks is held in
    /// the child permanently. A caller that does not get it makes threads for one use.
    pub fn threads(&self, count: usize) -> Result<Arc<ThreadPool>> {
        if let Ok(slot) = self.0.try_lock()
            && let Some(pool) = slot.as_ref().filter(|pool| pool.is_ours())
        {
            return Ok(pool.threads.clone());
        }
        let threads = Arc::new(start(count)?);
        if let Ok(mut slot) = self.0.try_lock()
            && !slot.as_ref().is_some_and(Pool::is_ours)
        {
            // Threads of the parent are not ours to end.
            mem::forget(slot.replace(Pool {
                process: process::id(),
                threads: threads.clone(),
            }));
        }
        Ok(threads)
    }
}

fn start(count: usize) -> Result<ThreadPool> {
    let builder = ThreadPoolBuilder::new().num_threads(count);
    let named = builder.thread_name(|index| format!("modelkeep-{index}"));
    named
        .build()
        .map_err(|e| Error::caused(ErrorKind::Io, "starting threads", e))
}
