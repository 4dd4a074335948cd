//! Which thread advances which files next.
//!
//! All threads share one queue of files. In each step a thread takes the files that are to go
//! together, advances them by as many bytes each, and gives them back, so that a file may change
//! its batch and its thread. Those with the longest way to go are taken first: all then end
//! together. The longest of all goes alone while it is on the critical path: in a batch it would be
//! slower, and everybody would wait for it in the end.

use crate::sha256::{Kernels, MOST};

use super::Job;
use super::stream::Stream;

/// The files that nobody advances at the moment.
pub(super) struct Queue<'j> {
    jobs: &'j [Job<'j>],
    /// Places of jobs that were not begun, the largest last.
    waiting: Vec<usize>,
    open: Vec<Stream<'j>>,
    kernels: Kernels,
    threads: usize,
    /// The threads that are about to take files, having none.
    taking: usize,
    /// The threads that were not called yet, or found no files.
    idle: usize,
    /// The files that are not done, and the bytes that are left of them; those that a thread
    /// advances at the moment included.
    files: usize,
    left: u64,
}

impl<'j> Queue<'j> {
    /// All of the threads are idle until they are called.
    pub(super) fn new(jobs: &'j [Job<'j>], threads: usize, kernels: Kernels) -> Self {
        let mut waiting: Vec<usize> = (0..jobs.len()).collect();
        waiting.sort_by_key(|index| jobs.get(*index).map_or(0, |job| job.size));
        Queue {
            jobs,
            waiting,
            open: Vec::new(),
            kernels,
            threads: threads.min(jobs.len()).max(1),
            taking: 0,
            idle: threads,
            files: jobs.len(),
            left: jobs.iter().map(|job| job.size).sum(),
        }
    }

    /// Returns the files of a thread's next step. Where there are none, the thread is idle from now
    /// on.
    pub(super) fn take(&mut self) -> Vec<Stream<'j>> {
        let available = self.available();
        // A fair share: the others that have none need files, too.
        let share = available.div_ceil(self.taking.max(1));
        self.taking = self.taking.saturating_sub(1);
        if available == 0 {
            self.idle += 1;
            return Vec::new();
        }
        let batch_size = self.kernels.batch_size(share);
        // Towards the end all are open, and the longest go first whether begun or not.
        let is_end = self.waiting.len() <= MOST * self.threads;
        let wanted = if is_end { available } else { batch_size };
        while self.open.len() < wanted
            && let Some(index) = self.waiting.pop()
        {
            let job = self.jobs.get(index);
            self.open.extend(job.map(|job| Stream::new(index, *job)));
        }
        self.longest(batch_size)
    }

    /// Returns the files that nobody advances.
    fn available(&self) -> usize {
        self.open.len() + self.waiting.len()
    }

    /// Returns the files with the longest way to go, as many as may go together.
    fn longest(&mut self, batch_size: usize) -> Vec<Stream<'j>> {
        self.open.sort_by_key(Stream::left);
        let longest = self.open.last().map_or(0, Stream::left);
        let mut together = batch_size;
        while together > 1 && !self.has_time(longest, together) {
            together = self.kernels.batch_size(together - 1);
        }
        let rest = self.open.len().saturating_sub(together);
        self.open.split_off(rest)
    }

    /// Returns whether a file among so many ends no later than everything does if all threads go
    /// on, each with its share of the files.
    fn has_time(&self, longest: u64, together: usize) -> bool {
        let share = self.kernels.batch_size(self.files.div_ceil(self.threads));
        let all = self.left.saturating_mul(self.kernels.cost(share));
        let one = longest.saturating_mul(self.kernels.cost(together));
        one.saturating_mul((self.threads * share) as u64) <= all
    }

    /// Gives back those of `taken` files that go on, after a step before which `left` bytes were
    /// left of all of them.
    pub(super) fn give_back(&mut self, streams: Vec<Stream<'j>>, taken: usize, left: u64) {
        let still: u64 = streams.iter().map(Stream::left).sum();
        self.left = self.left.saturating_sub(left).saturating_add(still);
        self.files = (self.files + streams.len()).saturating_sub(taken);
        self.open.extend(streams);
        self.taking += 1;
    }

    /// Returns how many idle threads there are files for; these are about to take some.
    pub(super) fn call_idle(&mut self) -> usize {
        let called = self.idle.min(self.available().saturating_sub(self.taking));
        self.idle -= called;
        self.taking += called;
        called
    }

    pub(super) fn has_idle(&self) -> bool {
        self.idle > 0
    }

    pub(super) fn kernels(&self) -> Kernels {
        self.kernels
    }
}
