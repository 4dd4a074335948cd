//! Moving damaged blobs out of the way.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{ErrorKind, Result};
use crate::fs::layout::Room;
use crate::fs::private::{self, Expected};
use crate::go::json;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::verify::{BlobStatus, Finding, Report};

/// What a repair moved aside.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let report = store.verify(&VerifyOptions::new())?;
/// assert_eq!(store.repair(&report)?, modelkeep::Repaired::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Repaired {
    /// The blobs that were damaged and where they are now.
    pub quarantined: Vec<MovedBlob>,
    /// The blobs that were there under another name, and what they are called now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<MovedBlob>,
    /// The blobs that have changed since they were verified, and were left alone: verify again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Digest>,
    /// The blobs in use that an interrupted removal had left in the trash, and which were put back:
    /// what the verification found missing is there again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<Digest>,
}

/// A blob that was moved: a damaged one aside, a misnamed one into its place.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let weights = store.model("tiny")?.gguf_path()?;
/// std::fs::write(&weights, "damaged")?;
/// let repaired = store.repair(&store.verify(&VerifyOptions::new())?)?;
/// assert_eq!(store.blob_path(&repaired.quarantined[0].digest), weights);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct MovedBlob {
    /// The digest by which it is known.
    pub digest: Digest,
    /// Where its bytes are now.
    #[serde(serialize_with = "json::path")]
    pub to: PathBuf,
}

impl Repaired {
    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl Store {
    /// Moves every blob that a verification found to have a wrong digest into
    /// `.modelkeep/quarantine/`, so that a pull or an import can put the right one in its place:
    /// Ollama never writes a blob whose name exists. Nothing is deleted;
    /// [`GcOptions::quarantine`](crate::GcOptions::quarantine) does that later.
    ///
    /// A blob that a model lacks and that is in `blobs/` under another name gets its own, after a
    /// look at every byte: by the digits in the name, or by the size that a manifest states.
    ///
    /// As every change, it begins with what an interrupted removal left in the trash.
    ///
    /// A blob that is no longer the file that was verified stays, and is named in the result: what
    /// is there now may be good. One that changed so shortly before it was verified that its time
    /// cannot tell is hashed once more.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::VerifyOptions;
    ///
    /// std::fs::write(store.model("tiny")?.gguf_path()?, "damaged")?;
    /// let report = store.verify(&VerifyOptions::new())?;
    /// let repaired = store.repair(&report)?;
    /// assert_eq!(std::fs::read(&repaired.quarantined[0].to)?, b"damaged");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where a blob cannot be moved. The others were.
    pub fn repair(&self, report: &Report) -> Result<Repaired> {
        let damaged = report.blobs.iter().filter(|finding| {
            use BlobStatus::{WrongDigest, WrongSize};
            matches!(finding.status, WrongDigest | WrongSize)
        });
        let change = self.lock()?;
        self.blobs_place()?;
        let mut repaired = Repaired {
            restored: change.recovered.restored.clone(),
            ..Repaired::default()
        };
        let mut failed = None;
        for finding in damaged {
            self.advance(0)?;
            match self.quarantine(finding) {
                Ok(Some(to)) => repaired.quarantined.push(MovedBlob {
                    digest: finding.digest,
                    to,
                }),
                Ok(None) => repaired.changed.push(finding.digest),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for (digest, to) in self.rename_misnamed()? {
            repaired.renamed.push(MovedBlob { digest, to });
        }
        failed.map_or(Ok(repaired), Err)
    }

    /// Moves a damaged blob aside; `None` where it is not the one that was verified.
    fn quarantine(&self, finding: &Finding) -> Result<Option<PathBuf>> {
        let Some(stamp) = &finding.stamp else {
            return Ok(None);
        };
        let is_certain = finding
            .verified_at
            .is_some_and(|moment| stamp.is_settled(moment));
        if !is_certain {
            match self.hash_watched(&finding.path) {
                Ok(found) if found == finding.digest => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                _ => {}
            }
        }
        let durability = self.options().durability;
        private::move_out(
            self.layout(),
            &finding.path,
            Expected::Untouched(stamp),
            Room::Quarantine,
            durability,
        )
    }
}
