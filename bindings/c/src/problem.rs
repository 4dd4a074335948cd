//! What a call had to pass over.

use std::path::Path;

use engine::Problem;

use crate::growing::growing;
use crate::status::mkeep_status;
use crate::str::{Strings, mkeep_str};

/// A file, a directory or a model that a call had to pass over.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_problem {
    /// `sizeof(mkeep_problem)`.
    pub size: usize,
    /// Why: the status that a call for it alone would have.
    pub status: mkeep_status,
    /// The file or directory.
    pub path: mkeep_str,
    /// The model, where the path is a model's; otherwise empty.
    pub name: mkeep_str,
    /// Why, in words.
    pub message: mkeep_str,
}

growing!(mkeep_problem: message);

impl mkeep_problem {
    pub(crate) fn all(strings: &mut Strings, problems: &[Problem]) -> Vec<Self> {
        let problems = problems.iter();
        problems
            .map(|problem| mkeep_problem::new(strings, problem))
            .collect()
    }

    fn new(strings: &mut Strings, problem: &Problem) -> Self {
        let path: &Path = problem.path();
        mkeep_problem {
            size: size_of::<Self>(),
            status: mkeep_status::of(problem.error().kind()),
            path: strings.path(path),
            name: problem
                .name()
                .map_or(mkeep_str::EMPTY, |name| strings.display(name)),
            message: strings.display(problem.error()),
        }
    }
}
