//! The engine: a models directory and what can be done with it.

mod alias;
mod blobs;
mod copy;
mod copy_mode;
#[cfg(test)]
#[cfg(unix)]
mod crash;
mod delete;
mod diagnosis;
mod doctor;
mod edit;
mod export;
mod form;
mod gc;
mod gguf_files;
mod handle;
mod import;
mod import_archive;
mod incomplete;
mod index_cache;
mod inventory;
mod items;
mod link;
mod list;
mod live;
mod locations;
mod maintain;
mod misnamed;
mod model;
mod names;
#[cfg(feature = "registry")]
mod network;
mod options;
mod outgoing;
mod pool;
mod problem;
mod provisional;
#[cfg(feature = "registry")]
mod pull;
#[cfg(feature = "registry")]
mod push;
mod repair;
mod resolve;
mod several;
mod shared;
mod show;
mod stored;
mod suggest;
mod survey;
#[cfg(feature = "registry")]
mod upstream;
mod usage;
mod verify;
mod watch;
mod which;

pub use alias::Alias;
pub use blobs::Blob;
pub use copy::{Copied, CopyOptions};
pub use copy_mode::CopyMode;
pub use delete::{DeleteOptions, Deleted, SharedBlob};
pub use diagnosis::{Diagnosis, Issue};
pub use edit::{EditOptions, Edited, SplitOptions};
pub use export::{ExportOptions, Exported};
pub use form::ManifestForm;
pub use gc::{Collected, GcOptions};
pub use handle::Store;
pub use import::{FileWarning, ImportOptions, Imported};
pub use import_archive::{ArchivedModel, ImportArchiveOptions, ImportedArchive};
pub use incomplete::IncompleteBlob;
pub use link::{
    CheckedLink, Link, LinkLayout, LinkMode, LinkOptions, LinkReport, LinkState, Linked,
};
pub use list::{ListOptions, ListedDetails, Listing, Summary};
pub use locations::{Location, LocationState};
pub use maintain::Maintained;
pub use model::Model;
pub use names::Names;
#[cfg(feature = "registry")]
pub use network::ls_remote_with;
pub use options::StoreOptions;
pub use problem::Problem;
#[cfg(feature = "registry")]
pub use pull::{PullOptions, Pulled};
#[cfg(feature = "registry")]
pub use push::{PushOptions, Pushed};
pub use repair::{MovedBlob, Repaired};
pub use several::DeletedFrom;
pub use shared::{SharedTensors, WeightsFile};
pub use show::{InfoValue, Message, ModelInfo, Show, ShowOptions, ShownDetails, ShownTensor};
#[cfg(feature = "registry")]
pub(crate) use upstream::Arrival;
#[cfg(feature = "registry")]
pub use upstream::Upstream;
pub use usage::{Files, ModelUsage, Usage};
pub use verify::{
    BlobStatus, BrokenModel, Cached, Finding, GgufFinding, Progress, Report, VerifyOptions,
};
pub use which::{Use, Uses};
