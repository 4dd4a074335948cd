"""The model store that Ollama writes to disk, as an embedded library.

>>> import modelkeep
>>> store = modelkeep.Store()
>>> for model in store:
...     print(model.name, model.details.quantization_level)
llama3.2:latest F16
>>> store.path("llama3.2").exists()
True
"""

from . import _modelkeep
from ._modelkeep import Store, __version__

# What type checkers take for true: the module `typing` would be most of the time of an import.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._modelkeep import (
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
        Files,
        FileWarning,
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
        Linked,
        LinkReport,
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
        WeightsFile,
        edit_gguf,
        ls_remote,
        merge_gguf,
        split_gguf,
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
        MissingFileError,
        NetworkError,
        NotFoundError,
        PermissionDeniedError,
        ReadOnlyError,
        StoreIOError,
        TemplateError,
        UnsupportedError,
    )
    from ._transport import Transport
else:
    # Classes and exceptions are made when they are first asked for.
    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module 'modelkeep' has no attribute {name!r}", name=name)
        if name.endswith("Error") and name != "ParseError":
            from . import errors as module
        else:
            module = _modelkeep
        value = globals()[name] = getattr(module, name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


def transport(store: Store | None = None) -> "Transport":
    """Return a transport of httpx that answers from a store, the default one where none is given.

    With it, clients of Ollama that speak through httpx work in process, synchronous and
    asynchronous ones: the package `ollama`, langchain-ollama, llama-index. Needs httpx, which they
    bring. What the server of the command answers, the transport answers.

    >>> client = httpx.Client(transport=modelkeep.transport(), base_url="http://modelkeep")
    >>> client.get("/api/tags").json()["models"][0]["name"]
    'llama3.2:latest'
    """
    from ._transport import Transport

    return Transport(Store() if store is None else store)

__all__ = [
    "Alias",
    "ArgumentError",
    "ArchivedModel",
    "Array",
    "BrokenModel",
    "BusyError",
    "Cached",
    "CheckedLink",
    "CancelledError",
    "Collected",
    "Copied",
    "CorruptError",
    "Deleted",
    "DeletedFrom",
    "Details",
    "Diagnosis",
    "Edited",
    "Error",
    "ExistsError",
    "Exported",
    "Files",
    "FileWarning",
    "Finding",
    "Gguf",
    "GgufError",
    "GgufDiff",
    "GgufFinding",
    "GgufHash",
    "GgufParts",
    "GgufWarning",
    "GgufWriter",
    "Imported",
    "ImportedArchive",
    "IncompleteBlob",
    "InvalidDigestError",
    "InvalidNameError",
    "Issue",
    "JsonBase",
    "KeyDiff",
    "Link",
    "LinkReport",
    "Linked",
    "Listing",
    "Location",
    "Maintained",
    "Message",
    "MissingFileError",
    "Model",
    "ModelUsage",
    "MovedBlob",
    "NetworkError",
    "NotFoundError",
    "ParseError",
    "PermissionDeniedError",
    "Problem",
    "Progress",
    "Pulled",
    "Pushed",
    "ReadOnlyError",
    "Repaired",
    "Report",
    "SharedBlob",
    "SharedSet",
    "SharedTensor",
    "SharedTensors",
    "Show",
    "ShownTensor",
    "Store",
    "StoreIOError",
    "Summary",
    "TemplateError",
    "Tensor",
    "TensorDiff",
    "TensorHash",
    "TensorShape",
    "TensorType",
    "TypeDiff",
    "UnsupportedError",
    "Usage",
    "Use",
    "Uses",
    "WeightSize",
    "WeightsFile",
    "__version__",
    "edit_gguf",
    "ls_remote",
    "merge_gguf",
    "split_gguf",
    "transport",
]
