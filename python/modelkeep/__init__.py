"""The model store that Ollama writes to disk, as an embedded library.

>>> import modelkeep
>>> store = modelkeep.Store()
>>> for model in store:
...     print(model.name, model.size)
>>> print(store.path("llama3.2"))
"""

from collections.abc import Mapping, Sequence

from ._modelkeep import (
    Answer,
    Array,
    BrokenModel,
    Collected,
    Complaint,
    Copied,
    Deleted,
    Details,
    Diagnosis,
    Fault,
    Files,
    Finding,
    Gguf,
    GgufFinding,
    Imported,
    Listing,
    Maintained,
    Message,
    Model,
    ModelUsage,
    Moved,
    Problem,
    Progress,
    Repaired,
    Report,
    Root,
    Show,
    ShownTensor,
    Store,
    Summary,
    Tensor,
    Usage,
    Warning,
)
from .errors import (
    ArgumentError,
    BusyError,
    CancelledError,
    CorruptError,
    Error,
    ExistsError,
    GgufError,
    InvalidDigestError,
    InvalidNameError,
    NotFoundError,
    StoreIOError,
    TemplateError,
    UnsupportedError,
)

Mapping.register(Gguf)
Sequence.register(Array)
del Mapping, Sequence

__all__ = [
    "Answer",
    "ArgumentError",
    "Array",
    "BrokenModel",
    "BusyError",
    "CancelledError",
    "Collected",
    "Complaint",
    "Copied",
    "CorruptError",
    "Deleted",
    "Details",
    "Diagnosis",
    "Error",
    "ExistsError",
    "Fault",
    "Files",
    "Finding",
    "Gguf",
    "GgufError",
    "GgufFinding",
    "Imported",
    "InvalidDigestError",
    "InvalidNameError",
    "Listing",
    "Maintained",
    "Message",
    "Model",
    "ModelUsage",
    "Moved",
    "NotFoundError",
    "Problem",
    "Progress",
    "Repaired",
    "Report",
    "Root",
    "Show",
    "ShownTensor",
    "Store",
    "StoreIOError",
    "Summary",
    "TemplateError",
    "Tensor",
    "UnsupportedError",
    "Usage",
    "Warning",
]
