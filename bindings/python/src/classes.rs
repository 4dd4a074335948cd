//! The classes of the module but for `Store`, each made when it is first asked for.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::archive::{ArchivedModel, Exported, ImportedArchive};
use crate::array::Array;
use crate::compare::{
    GgufDiff, GgufHash, KeyDiff, SharedSet, SharedTensor, SharedTensors, TensorDiff, TensorHash,
    TensorShape, TypeDiff, WeightSize, WeightsFile,
};
use crate::gguf::{FileWarning, Gguf, GgufWarning, register};
use crate::gguf_edit::Edited;
use crate::gguf_writer::GgufWriter;
use crate::json_base::JsonBase;
use crate::link::{CheckedLink, Link, LinkReport, Linked};
use crate::listing::{Details, IncompleteBlob, Listing, Problem, Summary};
use crate::maintain::{
    Collected, Diagnosis, Files, Issue, Location, Maintained, ModelUsage, MovedBlob, Repaired,
    Usage,
};
use crate::model::Model;
use crate::numbers::TensorType;
use crate::parse_error::ParseError;
use crate::progress::Progress;
use crate::registry::{Pulled, Pushed};
use crate::results::{Alias, Copied, Deleted, DeletedFrom, Imported, SharedBlob};
use crate::show::{Message, Show, ShownTensor};
use crate::split_gguf::GgufParts;
use crate::tensor::Tensor;
use crate::uses::{Use, Uses};
use crate::verify::{BrokenModel, Cached, Finding, GgufFinding, Report};

/// Names the classes, and finds one by its name.
macro_rules! classes {
    ($($class:ident),+ $(,)?) => {
        /// What the module has.
        pub(crate) const NAMES: &[&str] = &["_run", "edit_gguf", "ls_remote", "merge_gguf", "split_gguf", "Store", "__version__", $(stringify!($class)),+];

        fn class<'py>(py: Python<'py>, name: &str) -> Option<Bound<'py, PyType>> {
            match name {
                $(stringify!($class) => Some(py.get_type::<$class>()),)+
                _ => None,
            }
        }
    };
}

classes!(
    Alias,
    ArchivedModel,
    Array,
    BrokenModel,
    Cached,
    CheckedLink,
    Collected,
    Copied,
    Deleted,
    DeletedFrom,
    Details,
    Diagnosis,
    Edited,
    Exported,
    FileWarning,
    Files,
    Finding,
    Gguf,
    GgufDiff,
    GgufFinding,
    GgufHash,
    GgufParts,
    GgufWarning,
    GgufWriter,
    Imported,
    ImportedArchive,
    IncompleteBlob,
    Issue,
    JsonBase,
    KeyDiff,
    Link,
    LinkReport,
    Linked,
    Listing,
    Location,
    Maintained,
    Message,
    Model,
    ModelUsage,
    MovedBlob,
    ParseError,
    Problem,
    Progress,
    Pulled,
    Pushed,
    Repaired,
    Report,
    SharedBlob,
    SharedSet,
    SharedTensor,
    SharedTensors,
    Show,
    ShownTensor,
    Summary,
    Tensor,
    TensorDiff,
    TensorHash,
    TensorShape,
    TensorType,
    TypeDiff,
    Usage,
    Use,
    Uses,
    WeightSize,
    WeightsFile
);

/// Returns a class by its name.
///
/// # Errors
/// An `AttributeError` where there is none.
pub(crate) fn find<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let class = class(py, name).ok_or_else(|| {
        let text = format!("module 'modelkeep._modelkeep' has no attribute '{name}'");
        PyAttributeError::new_err(text)
    })?;
    register(py)?;
    Ok(class.into_any())
}
