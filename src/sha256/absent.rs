//! Where there are no kernels of our own: types of which there is no value.

use super::State;

/// There is no such kernel on this architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {}

impl Absent {
    pub(super) fn detect() -> Option<Self> {
        None
    }

    pub(super) fn advance(self, _states: &mut [State], _inputs: &[&[u8]]) {
        match self {}
    }
}
