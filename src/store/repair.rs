//! Moving damaged blobs out of the way.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::fs::{ops, staged};
use crate::json;
use crate::store::Store;
use crate::store::verify::{BlobStatus, Report};

/// What a repair moved aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repaired {
    /// The blobs that were damaged and where they lie now.
    pub moved: Vec<Moved>,
}

/// A damaged blob that was moved aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Moved {
    /// The digest that its bytes do not have.
    pub digest: Digest,
    /// Where the bytes lie now.
    #[serde(serialize_with = "json::path")]
    pub to: PathBuf,
}

impl Repaired {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Moves every blob that a verification found to have a wrong digest into
    /// `.modelkeep/damaged/`, so that a pull or an import can put the right one in its place: the
    /// reference never writes a blob whose name exists. Nothing is deleted.
    ///
    /// A blob that has changed since the verification is verified by nobody: run it on a fresh
    /// report.
    ///
    /// # Errors
    /// Where a blob cannot be moved.
    pub fn repair(&self, report: &Report) -> Result<Repaired> {
        let damaged = report.blobs.iter().filter(|finding| {
            use BlobStatus::{WrongDigest, WrongSize};
            matches!(finding.status, WrongDigest | WrongSize) && !finding.is_intact
        });
        let _lock = self.lock()?;
        let mut repaired = Repaired::default();
        for finding in damaged {
            let directory = self.layout().damaged();
            if let Some(own) = directory.parent() {
                staged::make_own_directory(own)?;
            }
            staged::make_own_directory(&directory)?;
            let to = self
                .layout()
                .aside(&directory, &finding.path)
                .with_extension(staged::unique_name());
            match ops::rename(&finding.path, &to) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                moved => moved.map_err(|e| Error::io("moving blob", &finding.path, e))?,
            }
            repaired.moved.push(Moved {
                digest: finding.digest,
                to,
            });
        }
        Ok(repaired)
    }
}
