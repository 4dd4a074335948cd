//! The HTTP binding: the four endpoints of the published API over a store, and what their clients
//! probe for besides. [`Server`] binds addresses and serves until it is told to end.

mod address;
mod auth;
mod budget;
mod connection;
mod gate;
mod host;
mod in_process;
mod limits;
mod listener;
mod log;
mod origin;
mod payload;
mod registry;
mod reply;
mod respond;
mod router;
mod server;
mod system;
mod target;

pub use address::Address;
pub use auth::Credentials;
pub use in_process::reply_to;
pub use limits::Limits;
pub use log::Log;
pub use origin::{OriginPattern, Origins};
pub use server::Server;
