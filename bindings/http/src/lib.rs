//! The HTTP door: the four calls of the published API over a store, and what their clients probe
//! for besides. [`answer()`] is the whole of it without a network, [`serve()`] adds one.

mod answer;
mod guard;
mod serve;

pub use answer::{Reply, Request, answer};
pub use guard::Guard;
pub use serve::serve;
