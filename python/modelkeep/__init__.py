"""The model store that Ollama writes to disk, as an embedded library.

>>> import modelkeep
>>> store = modelkeep.Store()
>>> for model in store:
...     print(model.name, model.size)
>>> print(store.path("llama3.2"))
"""

from ._modelkeep import Copied, Deleted, Store
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

__all__ = [
    "ArgumentError",
    "BusyError",
    "CancelledError",
    "Copied",
    "CorruptError",
    "Deleted",
    "Error",
    "ExistsError",
    "GgufError",
    "InvalidDigestError",
    "InvalidNameError",
    "NotFoundError",
    "Store",
    "StoreIOError",
    "TemplateError",
    "UnsupportedError",
]
