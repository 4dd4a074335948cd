//! A client of registries, by the distribution specification of OCI 1.1 and that of Docker before
//! it: manifests, blobs by ranges, uploads, lists, and who may have them.
//!
//! It knows nothing of a store. Every call blocks; [`Registry::stop`] ends those under way.

mod address;
mod agent;
mod auth;
mod client;
mod credentials;
mod download;
mod list;
mod options;
mod response;
mod retry;
mod upload;

pub use address::RegistryReference;
pub(crate) use client::{Access, Registry, RemoteManifest};
pub(crate) use download::Download;
pub(crate) use list::RemoteList;
pub use list::ls_remote;
pub use options::RegistryOptions;
pub(crate) use retry::Fault;
pub(crate) use upload::Placed;
