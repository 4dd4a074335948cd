//! Which thread advances which files next.
//!
//! All threads share one pool of files. In each step a thread takes the files that are to go
//! together, advances them by as many bytes each, and gives them back, so that a file may change
//! its company and its thread. Those with the longest way to go are taken first: all then end
//! together. The longest of all goes alone while it is critical: in company it would be slower,
//! and everybody would wait for it in the end.

use crate::sha256::{Kernels, MOST};

use super::Job;
use super::lane::Lane;

/// The files that nobody advances at the moment.
pub(super) struct Pool<'j> {
    jobs: &'j [Job],
    /// Places of jobs that were not begun, the largest last.
    waiting: Vec<usize>,
    open: Vec<Lane<'j>>,
    kernels: Kernels,
    threads: u64,
    /// Bytes that are left of all files, those under way included.
    left: u64,
}

impl<'j> Pool<'j> {
    pub(super) fn new(jobs: &'j [Job], threads: usize, kernels: Kernels) -> Self {
        let mut waiting: Vec<usize> = (0..jobs.len()).collect();
        waiting.sort_by_key(|index| jobs.get(*index).map_or(0, |job| job.size));
        Pool {
            jobs,
            waiting,
            open: Vec::new(),
            kernels,
            threads: threads as u64,
            left: jobs.iter().map(|job| job.size).sum(),
        }
    }

    /// The files of the next step; none where there is nothing left to take.
    pub(super) fn take(&mut self) -> Vec<Lane<'j>> {
        let threads = usize::try_from(self.threads).unwrap_or(1);
        let available = self.open.len() + self.waiting.len();
        // A fair share: the other threads need company, too.
        let share = available.div_ceil(threads).min(MOST);
        let width = self.kernels.width(share);
        // Towards the end all are open, and the longest go first whether begun or not.
        let is_end = self.waiting.len() <= MOST * threads;
        let wanted = if is_end { available } else { width };
        while self.open.len() < wanted
            && let Some(index) = self.waiting.pop()
        {
            let job = self.jobs.get(index);
            self.open.extend(job.map(|job| Lane::new(index, job)));
        }
        self.longest(width)
    }

    /// The files with the longest way to go, as many as may go together.
    fn longest(&mut self, width: usize) -> Vec<Lane<'j>> {
        self.open.sort_by_key(Lane::left);
        let longest = self.open.last().map_or(0, Lane::left);
        let mut together = width;
        while together > 1 && !self.has_time(longest, together, width) {
            together = Kernels::fewer(together);
        }
        let rest = self.open.len().saturating_sub(together);
        self.open.split_off(rest)
    }

    /// Whether a file among so many ends no later than everything does if all threads go on with
    /// as many as are best.
    fn has_time(&self, longest: u64, together: usize, best: usize) -> bool {
        let all = self.left.saturating_mul(Kernels::pace(best));
        let one = longest.saturating_mul(Kernels::pace(together));
        one.saturating_mul(self.threads * best as u64) <= all
    }

    /// Gives back those of the files that go on, after a step before which `left` bytes were left
    /// of all that were taken.
    pub(super) fn give_back(&mut self, lanes: Vec<Lane<'j>>, left: u64) {
        let still: u64 = lanes.iter().map(Lane::left).sum();
        self.left = self.left.saturating_sub(left).saturating_add(still);
        self.open.extend(lanes);
    }

    pub(super) fn kernels(&self) -> Kernels {
        self.kernels
    }
}
