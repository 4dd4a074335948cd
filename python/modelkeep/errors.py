"""The exceptions: one class for each kind of failure, all of them an `Error`.

Each is also what Python itself would raise in its place, so `except KeyError` around
`store["missing"]` works.
"""

# What type checkers take for true: the module `typing` would be most of the time of an import.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Self

    from ._modelkeep import Deleted, ParseError


class Error(Exception):
    """What was being done, to what, and why it failed."""

    status: int = 500
    """The HTTP status of this failure."""

    deleted: "Deleted | None" = None
    """What `Store.delete` deleted before it raised this."""

    parse_error: "ParseError | None" = None
    """What is wrong with a GGUF file, and at which byte."""

    suggestions: "list[str]" = []
    """The stored names that may have been meant, the nearest first, at most three."""

    # KeyError would show its text quoted, and OSError after its number.
    def __str__(self) -> str:
        return str(self.args[-1]) if self.args else ""

    # An exception crosses to another process without the objects it carries.
    def __reduce__(self) -> "tuple[type[Self], tuple[object, ...], dict[str, object]]":
        filename = getattr(self, "filename", None)
        args = self.args if filename is None else (*self.args, filename)
        return type(self), args, {"suggestions": self.suggestions}


class NotFoundError(Error, KeyError):
    """A model, blob or layer is absent."""

    status = 404


class InvalidNameError(Error, ValueError):
    """A text does not follow the grammar of model names."""

    status = 400


class InvalidDigestError(Error, ValueError):
    """A digest that the caller passed in is malformed."""

    status = 400


class ArgumentError(Error, ValueError):
    """Options contradict each other or the store."""

    status = 400


class ExistsError(Error, FileExistsError):
    """The target exists and was not to be replaced."""

    status = 409


class CorruptError(Error):
    """What the disk holds is not what its name or its neighbours promise."""

    status = 500


class GgufError(Error, ValueError):
    """A hostile or broken GGUF file."""

    status = 500


class UnsupportedError(Error, NotImplementedError):
    """A format or a version that is known and not supported."""

    status = 500


class BusyError(Error, TimeoutError):
    """Another process holds the lock, or has a file open that was to be replaced or removed."""

    status = 503


class CancelledError(Error):
    """The caller asked to stop."""

    status = 499


class PermissionDeniedError(Error, PermissionError):
    """The operating system denies access to a file or a directory."""

    status = 500


class MissingFileError(Error, FileNotFoundError):
    """A file or a directory is absent: the store itself, a blob, a file of the caller's."""

    status = 404


class ReadOnlyError(Error, PermissionError):
    """A change of a store that was opened read-only, or on a read-only file system."""

    status = 403


class NetworkError(Error, ConnectionError):
    """A registry cannot be reached, or does not answer as one."""

    status = 502


class StoreIOError(Error, OSError):
    """The operating system refused; `errno` says why."""

    status = 500


class TemplateError(Error, ValueError):
    """A Go template that does not parse."""

    status = 500


# Users meet them as `modelkeep.NotFoundError`, in tracebacks too.
Error.__module__ = "modelkeep"
for _class in Error.__subclasses__():
    _class.__module__ = "modelkeep"
