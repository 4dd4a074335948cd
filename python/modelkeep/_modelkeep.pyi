import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import (
    Any,
    Literal,
    Protocol,
    Self,
    TypedDict,
    final,
    overload,
    type_check_only,
)

import numpy
import numpy.typing
from typing_extensions import Buffer, disjoint_base

from .errors import Error

__all__ = [
    "_run",
    "edit_gguf",
    "ls_remote",
    "merge_gguf",
    "split_gguf",
    "Alias",
    "ArchivedModel",
    "Array",
    "BrokenModel",
    "Cached",
    "Collected",
    "Copied",
    "Deleted",
    "Details",
    "Diagnosis",
    "Edited",
    "Exported",
    "Files",
    "FileWarning",
    "Finding",
    "Gguf",
    "GgufDiff",
    "GgufFinding",
    "GgufHash",
    "GgufParts",
    "GgufWarning",
    "GgufWriter",
    "Imported",
    "ImportedArchive",
    "IncompleteBlob",
    "Issue",
    "JsonBase",
    "KeyDiff",
    "Listing",
    "Location",
    "Maintained",
    "Message",
    "Model",
    "ModelUsage",
    "MovedBlob",
    "ParseError",
    "Problem",
    "Progress",
    "Pulled",
    "Pushed",
    "Repaired",
    "Report",
    "SharedBlob",
    "SharedSet",
    "SharedTensor",
    "SharedTensors",
    "Show",
    "ShownTensor",
    "Store",
    "Summary",
    "Tensor",
    "TensorDiff",
    "TensorHash",
    "TensorShape",
    "TensorType",
    "TypeDiff",
    "Usage",
    "Use",
    "Uses",
    "WeightSize",
    "WeightsFile",
    "CheckedLink",
    "DeletedFrom",
    "Link",
    "LinkReport",
    "Linked",
    "__version__",
]

__version__: str

_Path = str | bytes | PathLike[str] | PathLike[bytes]
# The types of values in a GGUF file.
_ValueType = Literal[
    "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "bool", "str", "arr"
]

@type_check_only
class _Writer(Protocol):
    def write(self, data: builtins.bytes, /) -> object: ...

@type_check_only
class _Readable(Protocol):
    def read(self, size: int, /) -> builtins.bytes: ...

@type_check_only
class _SeekableFile(Protocol):
    def tell(self) -> int: ...
    def seek(self, to: int, whence: int = ..., /) -> object: ...
    def read(self, size: int, /) -> builtins.bytes: ...

@type_check_only
class _NewMessage(TypedDict):
    role: str
    content: str

@disjoint_base
class JsonBase:
    """A result of the store or of a file. Its attributes are its fields; `to_json` and `to_dict` give
    it whole.

    >>> modelkeep.Store().list().to_dict()["models"][0]["name"]
    'llama3.2:latest'
    """
    def to_json(self) -> str:
        """Returns the result as JSON, as the engine and the command's `--json` print it; that of a
        list and of a show is the body of the HTTP call.

        Raises `UnsupportedError` for a path that is not UTF-8, which JSON cannot carry.

        >>> modelkeep.Store().list().to_json()[:35]
        '{"models":[{"name":"llama3.2:latest'
        """
    def to_dict(self) -> dict[str, Any]:
        """Returns the same as dictionaries, lists, strings and numbers.

        >>> modelkeep.Store().show("llama3.2").to_dict()["details"]["family"]
        'llama'
        """

@final
class Store:
    """A models directory, opened. Opening and reading write nothing.

    `path` is the directory; without one it is `$OLLAMA_MODELS`, or else the first place where Ollama
    keeps models, as `~/.ollama/models`. Of the options,

    - `read_only=True` refuses every call that would change the store.
    - `create=True` makes the directory where it is missing, which is a `MissingFileError` otherwise.
    - `mmap=False` reads files in place of mapping them: on network file systems, and where somebody may
      truncate a file, which ends a process that has it mapped.
    - `threads` is how many threads verify and list; 0, the default, is one for each processor.
    - `durability="full"` makes a change survive a power cut before the call returns; `"none"` leaves
      that to the system, for callers who can do their work again.
    - `delete_delay` is how long removed blobs wait for a server that is just about to use them, in
      seconds or as a `timedelta`; 0 is for who knows that no server writes here.
    - `foreign_owner=True` lets an import into a store of another user who could not read what is made.
    - `go_template` is whether a Go template counts before the chat template of a GGUF file, as
      `$OLLAMA_GO_TEMPLATE` says; `None`, the default, leaves it to that.
    - `cache_size` is how many bytes of memory the store may take to remember its manifests and the GGUF
      files that were opened, 16 MiB by default; 0 remembers nothing. A call looks whether anything
      changed, and reads what did.

    A store reads like a mapping of names to `Model`, and iterates over its models, newest first. Every
    call that touches a file lets other threads run; a store may be shared by threads, used after a fork,
    and pickled, which keeps its options. Between calls it holds nothing open, so `with` only bounds it.

    >>> with modelkeep.Store() as store:
    ...     for model in store:
    ...         print(model.name, model.size)
    llama3.2:latest 1002
    >>> "llama3.2" in store, len(store), sorted(store)[0].name
    (True, 1, 'llama3.2:latest')
    """
    def __new__(
        cls,
        path: _Path | Iterable[_Path] | None = None,
        *,
        read_only: bool = False,
        create: bool = False,
        mmap: bool = True,
        threads: int = 0,
        durability: Literal["full", "none"] = "full",
        delete_delay: float | timedelta = 0.05,
        foreign_owner: bool = False,
        go_template: bool | None = None,
        cache_size: int = 16777216,
    ) -> Self: ...
    @property
    def roots(self) -> builtins.list[Path]:
        """The directories of all stores that this is a view of, in the order in which they are looked
        into; of one store its own.

        >>> store.roots == [store.root]
        True
        """
    @property
    def root(self) -> Path:
        """The store's directory, an absolute `Path`; in a view of several that of the first.

        >>> store.root.is_absolute()
        True
        """
    @staticmethod
    def diagnose(path: _Path | None = None) -> Diagnosis:
        """Returns what is wrong with a store that need not open, as `Diagnosis`; without a path, with the
        default one.

        >>> modelkeep.Store.diagnose("nowhere").ok
        False
        """
    def list(self, *, check_blobs: bool = False) -> Listing:
        """Returns all models as a `Listing`, newest first, and in its `problems` what had to be left out.

        `check_blobs` looks at each blob, at the cost of a `stat`, so that an incomplete model is known as
        such. Opens each manifest and config, and the header of each GGUF file.

        >>> [(model.name, model.details.family) for model in store.list()]
        [('llama3.2:latest', 'llama')]
        """
    def show(
        self,
        name: str,
        verbose: bool = False,
        *,
        system: str = "",
        options: dict[str, Any] | None = None,
    ) -> Show:
        """Returns everything about one model as `Show`.

        `verbose` gives arrays such as the vocabulary in full. `system` is a system prompt to show in place
        of the model's, and `options` are parameters to lay over the model's in the Modelfile; a slip among
        them is an `ArgumentError`. Raises `NotFoundError` where there is no such model, with the near names
        as its `suggestions`.

        >>> store.show("llama3.2").details.quantization_level
        'F16'
        >>> try:
        ...     store.show("lama3.2")
        ... except modelkeep.NotFoundError as error:
        ...     print(error)
        model 'lama3.2:latest' not found; did you mean llama3.2:latest?
        """
    def path(self, name: str) -> Path:
        """Returns the absolute path of a model's GGUF file, for a runtime to open. Opens one manifest.

        Raises `NotFoundError` where there is no such model, or it has no weights, and `UnsupportedError`
        where its weights are several files: `Model.paths` has those.

        >>> open(store.path("llama3.2"), "rb").read(4)
        b'GGUF'
        """
    def identify(self, name: str) -> str:
        """Returns the stored name of a model, given by its name or by its ID, 12 digits or more.

        >>> store.identify("LLAMA3.2")
        'llama3.2:latest'
        """
    def which(self, what: str | PathLike[str]) -> Uses:
        """Returns the models that a digest, an ID (12 digits or more) or a file belongs to, as `Uses`. A file
        that is none of the store's is hashed.

        >>> store.which("llama3.2.gguf")[0].name
        'llama3.2:latest'
        """
    def link(
        self,
        name: str,
        path: _Path,
        *,
        mode: Literal["auto", "reflink", "hardlink", "symlink"] = "auto",
        layout: Literal["flat", "lmstudio"] = "flat",
        replace: bool = False,
        dry_run: bool = False,
    ) -> Linked:
        """Gives the GGUF files of a model readable names for other programs: the weights, each part of
        split weights, and the projectors. Never copies.

        `path` is a directory, which is made where it is missing, or the path of one file that ends in
        `.gguf`. `mode` is `auto`, `reflink`, `hardlink` or `symlink`, and `layout` is `flat` or
        `lmstudio`. Replaces nothing but older links of the same model, unless `replace` is true:
        `ExistsError` where something else is there.

        >>> store.link("llama3.2", "links", mode="symlink")[0].path.name
        'llama3.2.gguf'
        """
    def check_links(self, *paths: _Path) -> LinkReport:
        """Says which links still show what their models hold now: those at these paths and below these
        directories, or else all that the store remembers. Raises `MissingFileError` for a path at which
        nothing is and of which nothing is remembered.

        >>> _ = store.link("llama3.2", "links")
        >>> [(link.name, link.state) for link in store.check_links()]
        [('llama3.2:latest', 'current')]
        """
    def forget_links(self, *paths: _Path) -> builtins.list[Path]:
        """Forgets links at these paths and below these directories; the files stay. Returns the paths of
        those that the store remembered.

        >>> _ = store.link("llama3.2", "links")
        >>> [path.name for path in store.forget_links("links")]
        ['llama3.2.gguf']
        """
    def copy(self, src: str, dst: str, *, replace: bool = True) -> Copied:
        """Copies a model: one more name for the same blobs, at the cost of one small file.

        A model of the new name is replaced, or, where `replace` is false, an `ExistsError`.

        >>> store.copy("llama3.2", "team/backup:v1").dst
        'team/backup:v1'
        """
    def rename(self, src: str, dst: str) -> Copied:
        """Gives a model another name, of which there must be none yet: `ExistsError`.

        >>> store.rename("llama3.2", "mine").dst, "llama3.2" in store
        ('mine:latest', False)
        """
    def delete(self, *names: str, dry_run: bool = False) -> Deleted:
        """Deletes models, and the blobs that no other model uses; with `dry_run` only returns what would go.

        Where some cannot be deleted, the others are gone nevertheless, and the first failure is raised with
        what was deleted as its attribute `deleted`.

        >>> store.delete("llama3.2", dry_run=True).models, len(store)
        (['llama3.2:latest'], 1)
        >>> del store["llama3.2"]
        >>> len(store)
        0
        """
    def verify(
        self,
        *names: str,
        gguf: bool = False,
        use_cache: bool = False,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Report:
        """Recomputes the SHA-256 of every blob of the store, or of the named models, in parallel, and returns a
        `Report`. What is damaged is a finding in it, not an exception.

        - `gguf=True` lets the strict reader check the GGUF files as well.
        - `use_cache=True` trusts what an earlier run found good and nothing touched since, and notes what
          this one finds good in the store's `.modelkeep`. A write through a shared mapping may not move the
          times by which that is told.
        - `progress` is as in `import_gguf`.

        >>> report = store.verify(use_cache=True)
        >>> report.ok, report.hashed_bytes, report.cached.blobs
        (True, 1002, 0)
        """
    def import_gguf(
        self,
        path: _Path,
        name: str,
        *,
        replace: bool = False,
        copy_mode: Literal["auto", "reflink", "hardlink", "copy"] = "auto",
        projectors: Sequence[_Path] = (),
        adapters: Sequence[_Path] = (),
        template: str | None = None,
        system: str | None = None,
        licenses: Sequence[str] = (),
        parameters: dict[str, Any] | None = None,
        messages: Sequence[_NewMessage] = (),
        renderer: str | None = None,
        parser: str | None = None,
        requires: str | None = None,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Imported:
        """Makes a model `name` of the GGUF file at `path`. Each byte is read once, and hashed while it comes
        in; the model is there as a whole, or not at all. Of the options,

        - `replace=True` lets a model of that name be replaced, which is an `ExistsError` otherwise.
        - `copy_mode` is how the bytes come in: `"reflink"` shares them on file systems that can, `"hardlink"`
          makes the file itself a blob, `"copy"` copies, and `"auto"` shares where that can be, else copies.
        - `projectors` and `adapters` are paths of GGUF files that belong to the model.
        - `template` is the Go template of prompts; none is guessed.
        - `system` is the system prompt.
        - `licenses` are the texts of licenses.
        - `parameters` are those of Ollama by name, as `{"temperature": 0.5, "stop": ["</s>"]}`. An unknown
          name and a value of another type are an `ArgumentError` that names what is near; of `stop`, a
          single text is a list of one.
        - `messages` belong to the model: dictionaries of a `role`, which is `system`, `user` or `assistant`,
          and a `content`.
        - `renderer` and `parser` name what Ollama renders prompts and parses answers with, in place of a
          template.
        - `requires` is the oldest release of Ollama that can run the model.
        - `progress` is a callable that is given a `Progress`, in this thread, at most 20 times a second. It
          cancels by returning `False` (`CancelledError`); what it raises is raised here, as is a Ctrl-C, and
          nothing is left behind. `True` shows a bar of tqdm, or of rich, where one is installed, and else a
          line on standard error.

        Raises `GgufError` for a file that the strict reader refuses, before anything is written.

        >>> imported = store.import_gguf(
        ...     "llama3.2.gguf", "brief", system="Be brief.", parameters={"temperature": 0.5}
        ... )
        >>> imported.name, store["brief"].system
        ('brief:latest', 'Be brief.')
        >>> store.import_gguf("llama3.2.gguf", "hot", parameters={"temprature": 2})
        Traceback (most recent call last):
            ...
        modelkeep.ArgumentError: unknown parameter 'temprature'; did you mean temperature?
        """
    def import_modelfile(
        self,
        path: _Path,
        name: str,
        *,
        replace: bool = False,
        copy_mode: Literal["auto", "reflink", "hardlink", "copy"] = "auto",
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Imported:
        """Makes a model `name` as the Modelfile at `path` says, which is read as Ollama reads it: from GGUF
        files or directories of them, whose paths begin where the Modelfile is, or from a model of this store.

        `replace`, `copy_mode` and `progress` are as in `import_gguf`. A Modelfile that cannot be read so is
        an `ArgumentError` that names the line.

        >>> _ = open("Modelfile", "w").write("FROM llama3.2\\nPARAMETER temperature 0.1\\n")
        >>> store.import_modelfile("Modelfile", "cool").name, store["cool"].parameters["temperature"]
        ('cool:latest', 0.1)
        """
    def edit(
        self,
        model: str,
        to: str,
        *,
        set: Mapping[str, Any] | None = None,
        remove: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        types: Mapping[str, _ValueType] | None = None,
        replace: bool = False,
        padding: bool = True,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Imported:
        """Makes a model `to` of `model` with edited metadata: its GGUF file is written anew and hashed, and the
        template, the parameters, the licenses and all else are those of `model`, which stays as it is. A
        model can be edited under its own name, with `replace=True`.

        `set`, `remove`, `rename`, `types` and `padding` are as in `edit_gguf`, and `progress` is as in
        `import_gguf`. `replace=True` lets a model of that name be replaced, which is an `ExistsError`
        otherwise. How much it has to survive is what the store was opened with.

        >>> edited = store.edit("llama3.2", "mine", set={"general.name": "Mine"})
        >>> edited.name, store["mine"].gguf["general.name"], store["llama3.2"].gguf["general.name"]
        ('mine:latest', 'Mine', 'Tiny')
        """
    def export(
        self,
        names: str | Iterable[str],
        path: _Path | _Writer,
        *,
        replace: bool = False,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Exported:
        """Writes models to `path` in the image layout of OCI: to one archive where it ends in `.tar` or is a
        binary file, otherwise to a directory. Every blob is hashed while it is written.

        `names` is one name or several. `replace` writes over an archive that is there, and in a directory
        over the models of these names. `progress` is as in `import_gguf`.

        >>> store.export(["llama3.2"], "models.tar").models
        ['llama3.2:latest']
        """
    def import_archive(
        self,
        path: _Path | _Readable,
        name: str | None = None,
        *,
        replace: bool = False,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> ImportedArchive:
        """Takes in the models of an archive or a directory that `export` wrote, or of a binary file. Every blob
        is hashed while it comes in, what is stored is not written again, and no model is visible before all
        are complete.

        `name` is that of an archive's one model, in place of its own. `replace` lets other models of these
        names be replaced, which is an `ExistsError` otherwise. `progress` is as in `import_gguf`.

        >>> _ = store.export("llama3.2", "models.tar")
        >>> store.import_archive("models.tar", "copy").models[0].name
        'copy:latest'
        """
    def pull(
        self,
        reference: str,
        name: str | None = None,
        *,
        replace: bool = True,
        progress: Callable[[Progress], object] | bool | None = None,
        plain_http: bool = False,
        ca_file: _Path | None = None,
        client_certificate: tuple[_Path, _Path] | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        connections: int = 4,
    ) -> Pulled:
        """Fetches a model from a registry: `reference` is `REGISTRY/REPOSITORY`, with `:TAG` or `@DIGEST`. Blobs
        that the store has are not fetched, each is hashed while it comes, and the model is visible when all
        are there. A pull that broke off, however it did, is gone on with by the next one.

        `name` is the model's name here, by default that of the registry, of a repository of two parts. A
        model of that name is replaced, or, with `replace=False`, an `ExistsError`. `progress` is as in
        `import_gguf`. How the registry is reached:

        - `username` and `password`, or `token`, are sent in place of what `docker login` or `podman login`
          stored.
        - `ca_file` is a file of certificates, as PEM, that the registry's is checked against, in place of the
          system's.
        - `client_certificate` is a pair of files, as PEM: the certificate that the registry asks for, and its
          key.
        - `plain_http=True` does without TLS, so that everybody on the way can read and change what is sent. A
          registry on this machine needs no such leave.
        - `connections` is how many transfers run at a time, 64 at most.

        Raises `NetworkError` where the registry cannot be reached or does not answer as one, `NotFoundError`
        where it has no such model, `PermissionDeniedError` where it wants to know who asks or does not let
        them, `CorruptError` for bytes of another digest, and `UnsupportedError` for what is no model.

        >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2")
        >>> del store["llama3.2"]
        >>> pulled = store.pull(f"{registry}/team/llama3.2", "llama3.2")
        >>> pulled.name, pulled.new_bytes, store["llama3.2"].system
        ('llama3.2:latest', 1002, 'Be brief.')
        """
    def push(
        self,
        name: str,
        to: str | None = None,
        *,
        progress: Callable[[Progress], object] | bool | None = None,
        plain_http: bool = False,
        ca_file: _Path | None = None,
        client_certificate: tuple[_Path, _Path] | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        connections: int = 4,
    ) -> Pushed:
        """Sends the model `name` to a registry: `to` is `REGISTRY/REPOSITORY:TAG`, by default what its name
        says. Blobs that the registry has are not sent, and the manifest is sent as it is stored, so its digest
        is the same there. A push that was killed finds the whole blobs there.

        `progress` is as in `import_gguf`, and how the registry is reached as in `pull`.

        Raises as `pull`; `ArgumentError` where the model's name says no registry that takes models this way.

        >>> store.push("llama3.2", f"{registry}/team/llama3.2").sent_blobs
        7
        >>> store.push("llama3.2", f"{registry}/team/llama3.2:again").shared_blobs
        7
        """
    def gc(
        self,
        *,
        grace: float | timedelta = 3600.0,
        dry_run: bool = False,
        partials: bool = False,
        quarantine: bool = False,
        all: bool = False,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Collected:
        """Removes the blobs that no model uses and that have not changed for the grace period, and what
        interrupted imports left; returns what went as `Collected`.

        - `grace` is that period, in seconds or as a `timedelta`: an hour, as Ollama has it.
        - `dry_run=True` changes nothing, and returns what would go.
        - `partials=True` takes interrupted downloads as well.
        - `quarantine=True` takes the damaged blobs that a repair set aside.
        - `all=True` says that a store without any model is meant to lose every blob, which is an
          `ArgumentError` otherwise.
        - `progress` is as in `import_gguf`.

        Raises `CorruptError` while a manifest cannot be read: it may use any blob.

        >>> store.gc(dry_run=True).blobs
        []
        """
    def usage(self) -> Usage:
        """Returns the disk usage as `Usage`: what each model alone holds, what it shares, what nobody uses.

        >>> usage = store.usage()
        >>> usage.total == usage.used + usage.orphans.bytes + usage.other.bytes
        True
        """
    def shared_tensors(
        self, *names: str, progress: Callable[[Progress], object] | bool | None = None
    ) -> SharedTensors:
        """Returns which tensors the named models share, or all models of the store, as `SharedTensors`: those of
        one name, type and shape whose data are the same, in files that are not the same. Reads of each
        tensor that may be shared no more than tells it apart, and hashes the rest on several threads while
        others run. `progress` is as in `import_gguf`.

        Raises `NotFoundError` for a named model that is missing or has no GGUF file.

        >>> store.shared_tensors("llama3.2").sets
        []
        """
    def doctor(self) -> Diagnosis:
        """Looks for what makes models invisible or broken, and returns it as `Diagnosis`. Hashes nothing.

        >>> store.doctor().issues
        []
        """
    def repair(
        self, report: Report, *, progress: Callable[[Progress], object] | bool | None = None
    ) -> Repaired:
        """Moves the damaged blobs of a report aside, as far as they still are what was verified, and renames
        those that are there under another name. Deletes nothing. `progress` is as in `import_gguf`.

        >>> store.repair(store.verify()).quarantined
        []
        """
    def maintain(
        self,
        *,
        grace: float | timedelta = 3600.0,
        partials: bool = False,
        quarantine: bool = False,
        all: bool = False,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Maintained:
        """Does what Ollama does to a store when it starts: renames old blobs, and collects as `gc`, whose
        options it takes.

        >>> store.maintain(grace=7200).renamed
        []
        """
    def add_blob(self, stream: _Readable, expected: str | None = None) -> str:
        """Adds a blob from a binary stream, and returns its digest. With `expected`, bytes of another digest
        are a `CorruptError`, and nothing is kept.

        A blob that no model uses goes with the next collection after its grace period.

        >>> import io
        >>> store.add_blob(io.BytesIO(b"hello"))[:15]
        'sha256:2cf24dba'
        """
    def blob_path(self, digest: str) -> Path:
        """Returns where the blob of a digest is, or would be. Opens nothing.

        >>> store.blob_path("sha256:" + "0" * 64).exists()
        False
        """
    def has_blob(self, digest: str) -> bool:
        """Returns whether the blob of a digest is there.

        Raises `InvalidDigestError` for what is no digest.

        >>> store.has_blob("sha256:" + "0" * 64)
        False
        """
    def handle_request(
        self,
        endpoint: Literal["tags", "show", "copy", "delete"],
        body: bytes = b"",
        /,
    ) -> tuple[int, str]:
        """Handles a request to an endpoint of the published API, `tags`, `show`, `copy` or `delete`, given its
        body, and returns the HTTP status and the body of the response. A refusal is one, too. `transport`
        has the whole API, for clients that speak through httpx.

        >>> store.handle_request("show", b'{"model": "nobody"}')
        (404, '{"error":"model \\'nobody:latest\\' not found"}')
        """
    def _respond(
        self, method: str, target: str, body: bytes = b"", agent: str = ""
    ) -> tuple[int, builtins.list[tuple[str, str]], str]: ...
    def __iter__(self) -> Iterator[Model]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, name: str, /) -> Model: ...
    def __contains__(self, name: str, /) -> bool: ...
    def __delitem__(self, name: str, /) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _ipython_key_completions_(self) -> builtins.list[str]: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Path], dict[str, Any]]: ...

@final
class Model:
    """A snapshot of one manifest: what `store[name]` gives. Its blobs are read when they are asked
    for, at most once; each attribute says what it reads.

    Two models are equal where name and digest are; a list of them sorts by name. A pickle has the
    store and the name, and the model is looked up again.

    >>> model = store["llama3.2"]
    >>> model.name, model.details.family, model.context_length, model.parameters["stop"]
    ('llama3.2:latest', 'llama', 128, ['</s>'])
    """
    @property
    def name(self) -> str:
        """The name under which the model is stored, with its tag, as in `llama3.2:latest`."""
    @property
    def size(self) -> int:
        """The bytes of all layers and the config as the manifest states them."""
    @property
    def digest(self) -> str:
        """The digest of the manifest, 64 hexadecimal digits: the model's ID."""
    @property
    def modified_at(self) -> datetime:
        """The time of the manifest's last change, an aware `datetime`."""
    @property
    def path(self) -> Path:
        """The absolute path of the GGUF file with the weights, for a runtime to open. So is
        `os.fspath(model)`: a model can be given wherever a path can. Opens nothing.

        Raises `NotFoundError` for a model without weights, `UnsupportedError` for one whose weights
        are several files: `paths` has those.

        >>> model = store["llama3.2"]
        >>> model.path.name[:7], open(model, "rb").read(4)
        ('sha256-', b'GGUF')
        """
    @property
    def paths(self) -> list[Path]:
        """The absolute paths of the GGUF files with the weights: one, or all parts of a split model
        in their order.
        """
    @property
    def projectors(self) -> list[Path]:
        """The absolute paths of the projectors, by which a model sees or hears. Opens nothing."""
    @property
    def adapters(self) -> list[Path]:
        """The absolute paths of the adapters. Opens nothing."""
    @property
    def blobs(self) -> list[Path]:
        """The absolute paths of all blobs, the config's last, each once. Opens nothing."""
    @property
    def gguf(self) -> Gguf:
        """The GGUF file with the weights, opened leniently when it is first asked for: its metadata as
        a mapping, and its tensors.

        >>> store["llama3.2"].gguf["general.architecture"]
        'llama'
        """
    @property
    def template(self) -> str:
        """The template that renders prompts, as `Store.show` has it. Reads the header of the weights.

        >>> store["llama3.2"].template
        '{{ .System }}{{ .Prompt }}'
        """
    @property
    def system(self) -> str:
        """The system prompt; empty where there is none. Reads one small blob.

        >>> store["llama3.2"].system
        'Be brief.'
        """
    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by key: numbers, strings, booleans, and a list for `stop`. Reads one small
        blob.

        >>> store["llama3.2"].parameters
        {'stop': ['</s>'], 'temperature': 0.5}
        """
    @property
    def licenses(self) -> list[str]:
        """The texts of the licenses. Reads a blob for each.

        >>> store["llama3.2"].licenses
        ['MIT']
        """
    @property
    def messages(self) -> list[Message]:
        """The messages that belong to the model, as a list of `Message`. Reads one small blob.

        >>> store["llama3.2"].messages[0].role
        'user'
        """
    @property
    def capabilities(self) -> list[str]:
        """What the model can do, as in `["completion", "tools"]`. Reads the header of the weights.

        >>> store["llama3.2"].capabilities
        ['completion']
        """
    @property
    def details(self) -> Details:
        """The facts: family, parameter size, quantization. Reads the header of the weights.

        >>> store["llama3.2"].details.quantization_level
        'F16'
        """
    @property
    def context_length(self) -> int | None:
        """The tokens of context that the model was made for; `None` where nothing states them. Reads
        the header of the weights.

        >>> store["llama3.2"].context_length
        128
        """
    def __fspath__(self) -> str: ...
    def show(
        self,
        verbose: bool = False,
        *,
        system: str = "",
        options: dict[str, Any] | None = None,
    ) -> Show:
        """Returns everything about this model, as `Store.show` does.

        `verbose` gives arrays in full, `system` a system prompt in place of the model's, and
        `options` parameters to lay over the model's in the Modelfile.

        >>> print(store["llama3.2"].show().modelfile.splitlines()[0])
        # Modelfile generated by "ollama show"
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Listing(JsonBase):
    """All models of a store, newest first, and what had to be left out. Reads like a list of
    `Summary`.

    >>> listing = store.list()
    >>> [model.name for model in listing], len(listing), listing.problems
    (['llama3.2:latest'], 1, [])
    """
    __match_args__ = ("models", "problems")
    @property
    def models(self) -> list[Summary]:
        """The models as a list of `Summary`, newest first, those of one nanosecond by name.

        >>> store.list().models[0].size
        1002
        """
    @property
    def problems(self) -> list[Problem]:
        """Why entries are not among the models, as a list of `Problem`; empty where all is well.

        >>> for problem in store.list().problems:
        ...     print(problem)
        """
    def __len__(self) -> int: ...
    def _repr_html_(self) -> str: ...
    def __iter__(self) -> Iterator[Summary]: ...
    @overload
    def __getitem__(self, index: int, /) -> Summary: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Summary]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Summary(JsonBase):
    """A model as `Store.list` names it. Lists of them sort by name.

    >>> model = store.list()[0]
    >>> model.name, model.details.quantization_level, model.capabilities
    ('llama3.2:latest', 'F16', ['completion'])
    """
    __match_args__ = (
        "name",
        "modified_at",
        "size",
        "digest",
        "details",
        "capabilities",
        "remote_model",
        "remote_host",
        "alias_of",
        "form",
        "incomplete",
        "store",
    )
    @property
    def name(self) -> str:
        """The name under which the model is stored, with its tag, as in `llama3.2:latest`."""
    @property
    def modified_at(self) -> datetime:
        """The time of the manifest's last change, an aware `datetime`."""
    @property
    def size(self) -> int:
        """The bytes of all layers and the config as the manifest states them; a blob that models
        share counts for each.
        """
    @property
    def digest(self) -> str:
        """The digest of the manifest, 64 hexadecimal digits: the model's ID."""
    @property
    def details(self) -> Details:
        """The facts: family, parameter size, quantization."""
    @property
    def capabilities(self) -> list[str]:
        """What the model can do, as in `["completion", "tools"]`."""
    @property
    def remote_model(self) -> str:
        """The model's name at the host that serves it; empty for a local one."""
    @property
    def remote_host(self) -> str:
        """The host that serves the model; empty for a local one."""
    @property
    def alias_of(self) -> str | None:
        """The model whose manifest this is as well, where the name is an alias; else `None`."""
    @property
    def form(self) -> str:
        """The form of its manifest: `model`, `index`, `artifact` or `schema1`."""
    @property
    def incomplete(self) -> list[IncompleteBlob]:
        """What the model lacks, where `check_blobs` was asked for, as a list of `IncompleteBlob`."""
    @property
    def store(self) -> Path | None:
        """The directory of its store, in a view of several; else `None`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class IncompleteBlob:
    """A blob of a model that is not there as its manifest states it.

    >>> for model in store.list(check_blobs=True):
    ...     for blob in model.incomplete:
    ...         print(model.name, blob.path, blob.found, "of", blob.stated, "bytes")
    """
    __match_args__ = ("digest", "path", "stated", "found")
    @property
    def digest(self) -> str:
        """The blob's digest, `sha256:` and 64 hexadecimal digits."""
    @property
    def path(self) -> Path:
        """Where it is, or should be."""
    @property
    def stated(self) -> int:
        """The bytes that the manifest states."""
    @property
    def found(self) -> int | None:
        """The bytes that are there; `None` where no file is."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Linked(JsonBase):
    """The links of a model that were made, or were there. Reads like a list of `Link`.

    >>> linked = store.link("llama3.2", "links")
    >>> [link.path.name for link in linked], linked.not_remembered
    (['llama3.2.gguf'], '')
    """
    __match_args__ = ("name", "links", "left_out", "not_remembered")
    @property
    def name(self) -> str:
        """The model."""
    @property
    def links(self) -> list[Link]:
        """Its links, those of the weights first and then those of projectors, as a list of `Link`."""
    @property
    def left_out(self) -> list[str]:
        """The kinds of its other GGUF files, which have no link: `adapter`, `draft`."""
    @property
    def not_remembered(self) -> str:
        """Why the store does not remember the links; empty where it does."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Link]: ...
    @overload
    def __getitem__(self, index: int, /) -> Link: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Link]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Link:
    """A link.

    >>> link = store.link("llama3.2", "links", mode="symlink")[0]
    >>> link.mode, link.replaced, link.unchanged
    ('symlink', False, False)
    """
    __match_args__ = ("path", "digest", "size", "mode", "replaced", "unchanged")
    @property
    def path(self) -> Path:
        """Where it is."""
    @property
    def digest(self) -> str:
        """The digest of the blob that it shows."""
    @property
    def size(self) -> int:
        """The size of that in bytes."""
    @property
    def mode(self) -> Literal["auto", "reflink", "hardlink", "symlink"]:
        """How it shows it: `reflink`, `hardlink` or `symlink`; of a dry run also `auto`."""
    @property
    def replaced(self) -> bool:
        """Whether something was replaced."""
    @property
    def unchanged(self) -> bool:
        """Whether it was there already, and stays as it is."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class LinkReport(JsonBase):
    """What a check of links found. Reads like a list of `CheckedLink`.

    >>> _ = store.link("llama3.2", "links")
    >>> store.check_links().ok
    True
    """
    __match_args__ = ("links", "ok")
    @property
    def links(self) -> list[CheckedLink]:
        """The links, by path, as a list of `CheckedLink`."""
    @property
    def ok(self) -> bool:
        """Whether every link shows what its model holds."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[CheckedLink]: ...
    @overload
    def __getitem__(self, index: int, /) -> CheckedLink: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[CheckedLink]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class CheckedLink:
    """A link, and what it shows now.

    >>> _ = store.link("llama3.2", "links")
    >>> store.check_links("links")[0].state
    'current'
    """
    __match_args__ = ("path", "name", "digest", "mode", "state", "what", "advice")
    @property
    def path(self) -> Path:
        """Where it is."""
    @property
    def name(self) -> str | None:
        """The model, where it is known."""
    @property
    def digest(self) -> str | None:
        """The digest of the blob that it shows, or showed when it was made, where it is known."""
    @property
    def mode(self) -> Literal["auto", "reflink", "hardlink", "symlink"] | None:
        """How it shows it, where it is known."""
    @property
    def state(self) -> str:
        """`current`, `outdated`, `changed`, `dangling`, `missing`, `orphaned`, `unreadable` or
        `foreign`.
        """
    @property
    def what(self) -> str:
        """The same in words."""
    @property
    def advice(self) -> str:
        """What to do; empty where nothing needs to be done."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Uses(JsonBase):
    """The models that a digest, an ID or a file belongs to. Reads like a list of `Use`.

    >>> [(use.name, use.kind) for use in store.which(store.path("llama3.2"))]
    [('llama3.2:latest', 'model')]
    """
    __match_args__ = ("uses", "problems")
    @property
    def uses(self) -> list[Use]:
        """What of which model it is, by name and then in the manifest's order, as a list of `Use`."""
    @property
    def problems(self) -> list[Problem]:
        """Manifests that cannot be read, and may name it, as a list of `Problem`."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Use]: ...
    @overload
    def __getitem__(self, index: int, /) -> Use: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Use]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Use:
    """A part of a model.

    >>> store.which(store["llama3.2"].digest[:12])[0].kind
    'manifest'
    """
    __match_args__ = ("name", "kind", "digest")
    @property
    def name(self) -> str:
        """The model."""
    @property
    def kind(self) -> str:
        """`manifest`, or what the layer holds: `model`, `projector`, `template`, `config`, ..."""
    @property
    def digest(self) -> str:
        """The digest: of the layer's blob, or of the manifest as a list has it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Details:
    """The facts of a model.

    >>> details = store.show("llama3.2").details
    >>> details.format, details.family, details.parameter_size, details.context_length
    ('gguf', 'llama', '40', 128)
    """
    __match_args__ = (
        "parent_model",
        "format",
        "family",
        "families",
        "parameter_size",
        "quantization_level",
        "context_length",
        "embedding_length",
    )
    @property
    def parent_model(self) -> str:
        """The model that this one was made from; mostly empty."""
    @property
    def format(self) -> str:
        """`gguf`, `safetensors`, or empty."""
    @property
    def family(self) -> str:
        """The architecture's family, as in `llama`."""
    @property
    def families(self) -> list[str] | None:
        """All families; `None` where there is none."""
    @property
    def parameter_size(self) -> str:
        """The number of parameters for people, as in `3.2B`."""
    @property
    def quantization_level(self) -> str:
        """The quantization's name, as in `Q4_K_M`."""
    @property
    def context_length(self) -> int:
        """Tokens of context that the model was made for; zero where nothing states them."""
    @property
    def embedding_length(self) -> int:
        """The width of an embedding; zero where nothing states it."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Problem:
    """A file or a model that a call had to pass over.

    >>> for problem in store.list().problems:
    ...     print(problem.path, type(problem.error).__name__, problem)
    """
    __match_args__ = ("path", "name", "error")
    @property
    def path(self) -> Path:
        """The file or directory."""
    @property
    def name(self) -> str | None:
        """The model, where the path is a model's; else `None`."""
    @property
    def error(self) -> Error:
        """What is wrong: an exception that was not raised."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Show(JsonBase):
    """Everything about one model.

    >>> show = store.show("llama3.2")
    >>> show.system, show.parameters, show.licenses, show.capabilities
    ('Be brief.', {'stop': ['</s>'], 'temperature': 0.5}, ['MIT'], ['completion'])
    """
    __match_args__ = (
        "license",
        "licenses",
        "modelfile",
        "parameters",
        "parameters_text",
        "context_length",
        "embedding_length",
        "template",
        "system",
        "details",
        "messages",
        "remote_model",
        "remote_host",
        "model_info",
        "projector_info",
        "tensors",
        "capabilities",
        "modified_at",
        "requires",
    )
    @property
    def license(self) -> str:
        """The license texts, a newline between them."""
    @property
    def licenses(self) -> list[str]:
        """The license texts one by one."""
    @property
    def modelfile(self) -> str:
        """A Modelfile that makes the model again."""
    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by key: numbers, strings, booleans, and a list for `stop`.

        >>> store.show("llama3.2").parameters["temperature"]
        0.5
        """
    @property
    def parameters_text(self) -> str:
        """The parameters as the HTTP API has them, a line for each value."""
    @property
    def context_length(self) -> int | None:
        """The tokens of context that the model was made for; `None` where nothing states them."""
    @property
    def embedding_length(self) -> int | None:
        """The width of an embedding; `None` where nothing states it."""
    @property
    def template(self) -> str:
        """The template that renders prompts: of Go, or of Jinja where the model has no other."""
    @property
    def system(self) -> str:
        """The system prompt; empty where there is none."""
    @property
    def details(self) -> Details:
        """The facts: family, parameter size, quantization."""
    @property
    def messages(self) -> list[Message]:
        """The messages that belong to the model, as a list of `Message`."""
    @property
    def remote_model(self) -> str:
        """The name at the host that serves a remote model; empty for a local one."""
    @property
    def remote_host(self) -> str:
        """The host that serves a remote model; empty for a local one."""
    @property
    def model_info(self) -> dict[str, Any]:
        """The metadata of the GGUF file as the JSON has it; arrays are empty unless `verbose` was
        asked for.

        >>> store.show("llama3.2").model_info["general.architecture"]
        'llama'
        """
    @property
    def projector_info(self) -> dict[str, Any] | None:
        """The metadata of the first projector; `None` where there is none."""
    @property
    def tensors(self) -> list[ShownTensor]:
        """The tensors in the order of the file, as a list of `ShownTensor`."""
    @property
    def capabilities(self) -> list[str]:
        """What the model can do, as in `["completion", "tools"]`."""
    @property
    def modified_at(self) -> datetime:
        """The time of the manifest's last change, an aware `datetime`."""
    @property
    def requires(self) -> str:
        """The oldest release of Ollama that can run the model; empty where any can."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Message:
    """A message that belongs to a model.

    >>> store.show("llama3.2").messages
    [Message(role='user', content='Hello')]
    """
    __match_args__ = ("role", "content")
    @property
    def role(self) -> str:
        """`system`, `user`, `assistant`, or what the file has."""
    @property
    def content(self) -> str:
        """The text."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class ShownTensor:
    """A tensor of a shown model, without its data; `Model.gguf` has those.

    >>> store.show("llama3.2").tensors[0]
    ShownTensor(name='token_embd.weight', type='F32', shape=[8, 4])
    """
    __match_args__ = ("name", "type", "shape")
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def type(self) -> str:
        """The name of its type, as in `Q4_K`."""
    @property
    def shape(self) -> list[int]:
        """Its dimensions in the order of the file."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Copied(JsonBase):
    """What a copy or a rename did.

    >>> copied = store.copy("llama3.2", "backup")
    >>> copied.src, copied.dst, copied.replaced
    ('llama3.2:latest', 'backup:latest', False)
    """
    __match_args__ = ("src", "dst", "replaced")
    @property
    def src(self) -> str:
        """The stored name of the source."""
    @property
    def dst(self) -> str:
        """The stored name of the destination."""
    @property
    def replaced(self) -> bool:
        """Whether a model of that name was replaced. Its blobs stay until they are collected."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Deleted(JsonBase):
    """What a delete did.

    >>> deleted = store.delete("llama3.2")
    >>> deleted.models, len(deleted.blobs), deleted.shared
    (['llama3.2:latest'], 7, [])
    """
    __match_args__ = (
        "models",
        "blobs",
        "bytes",
        "restored",
        "shared",
        "aliases",
        "kept",
        "stores",
    )
    @property
    def models(self) -> list[str]:
        """The models that are gone, or, with `dry_run`, would be."""
    @property
    def blobs(self) -> list[str]:
        """The digests of the blobs that went with them."""
    @property
    def bytes(self) -> int:
        """The bytes on the disk that became free."""
    @property
    def restored(self) -> list[str]:
        """The digests of blobs that somebody began to use meanwhile, and which were put back."""
    @property
    def kept(self) -> list[Problem]:
        """Why blobs were kept: manifests that cannot be read may use any of them, or another
        program has one open.
        """
    @property
    def shared(self) -> list[SharedBlob]:
        """Blobs of the models that other models use: why less became free than the models took."""
    @property
    def aliases(self) -> list[Alias]:
        """Names that were aliases: only the link went, and the model stays."""
    @property
    def stores(self) -> list[DeletedFrom]:
        """From which store each model is gone, in a view of several, as a list of `DeletedFrom`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class DeletedFrom:
    """From which of several stores a model was deleted.

    >>> view = modelkeep.Store([store.root, "/usr/share"])
    >>> view.delete("llama3.2", dry_run=True).stores[0].store == store.root
    True
    """
    __match_args__ = ("name", "store", "shown_from")
    @property
    def name(self) -> str:
        """The model."""
    @property
    def store(self) -> Path:
        """The directory of its store."""
    @property
    def shown_from(self) -> Path | None:
        """The directory of the store whose model has that name now; `None` where there is none."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class SharedBlob:
    """A blob that stays because other models use it.

    >>> _ = store.copy("llama3.2", "backup")
    >>> [blob.models for blob in store.delete("backup").shared][0]
    ['llama3.2:latest']
    """
    __match_args__ = ("digest", "bytes", "models")
    @property
    def digest(self) -> str:
        """The blob's digest."""
    @property
    def bytes(self) -> int:
        """Its bytes on the disk."""
    @property
    def models(self) -> list[str]:
        """The models that use it."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Alias:
    """A name behind a link to a directory, where the same manifests have another name as well.

    >>> for alias in store.delete("llama3.2", dry_run=True).aliases:
    ...     print(alias.name, "is", alias.model)
    """
    __match_args__ = ("name", "link", "model")
    @property
    def name(self) -> str:
        """The name."""
    @property
    def link(self) -> Path:
        """The link."""
    @property
    def model(self) -> str:
        """The model that the name leads to."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Exported(JsonBase):
    """What an export wrote.

    >>> exported = store.export("llama3.2", "models.tar")
    >>> exported.models, exported.blobs
    (['llama3.2:latest'], 7)
    """
    __match_args__ = ("models", "blobs", "bytes")
    @property
    def models(self) -> list[str]:
        """The models, by name."""
    @property
    def blobs(self) -> int:
        """How many blobs they have together."""
    @property
    def bytes(self) -> int:
        """The bytes of these blobs."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class ArchivedModel:
    """A model that came out of an archive.

    >>> _ = store.export("llama3.2", "models.tar")
    >>> store.import_archive("models.tar").models[0]
    ArchivedModel(name='llama3.2:latest', replaced=False)
    """
    __match_args__ = ("name", "replaced")
    @property
    def name(self) -> str:
        """The name under which the model is stored."""
    @property
    def replaced(self) -> bool:
        """Whether another model of that name was replaced."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class ImportedArchive(JsonBase):
    """What the import of an archive made.

    >>> _ = store.export("llama3.2", "models.tar")
    >>> imported = store.import_archive("models.tar", "copy")
    >>> imported.models[0].name, imported.new_blobs, imported.shared_blobs
    ('copy:latest', 0, 7)
    """
    __match_args__ = ("models", "new_blobs", "new_bytes", "shared_blobs")
    @property
    def models(self) -> list[ArchivedModel]:
        """The models, in the order of the archive, as a list of `ArchivedModel`."""
    @property
    def new_blobs(self) -> int:
        """How many blobs were written."""
    @property
    def new_bytes(self) -> int:
        """The bytes of the blobs that were written."""
    @property
    def shared_blobs(self) -> int:
        """How many blobs were there already, undamaged, and were not written again."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Pulled(JsonBase):
    """What a pull did.

    >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2")
    >>> pulled = store.pull(f"{registry}/team/llama3.2", "mine")
    >>> pulled.name, pulled.new_blobs, pulled.shared_blobs
    ('mine:latest', 0, 7)
    """
    __match_args__ = ("reference", "name", "digest", "replaced", "new_blobs", "new_bytes", "resumed_bytes", "shared_blobs")
    @property
    def reference(self) -> str:
        """What was asked for."""
    @property
    def name(self) -> str:
        """The model's name here."""
    @property
    def digest(self) -> str:
        """The digest of the registry's manifest."""
    @property
    def replaced(self) -> bool:
        """Whether another model of that name was replaced."""
    @property
    def new_blobs(self) -> int:
        """How many blobs came."""
    @property
    def new_bytes(self) -> int:
        """The bytes of the blobs that came."""
    @property
    def resumed_bytes(self) -> int:
        """How many of these bytes an earlier pull had fetched, before it broke off."""
    @property
    def shared_blobs(self) -> int:
        """How many blobs were there already."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Pushed(JsonBase):
    """What a push did.

    >>> pushed = store.push("llama3.2", f"{registry}/team/llama3.2")
    >>> pushed.sent_blobs, pushed.sent_bytes
    (7, 1002)
    """
    __match_args__ = ("name", "reference", "digest", "sent_blobs", "sent_bytes", "mounted_blobs", "shared_blobs")
    @property
    def name(self) -> str:
        """The model's name here."""
    @property
    def reference(self) -> str:
        """Where it is."""
    @property
    def digest(self) -> str:
        """The digest of its manifest."""
    @property
    def sent_blobs(self) -> int:
        """How many blobs were sent."""
    @property
    def sent_bytes(self) -> int:
        """The bytes of the blobs that were sent."""
    @property
    def mounted_blobs(self) -> int:
        """How many blobs the registry had in another repository."""
    @property
    def shared_blobs(self) -> int:
        """How many blobs were there already."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Edited(JsonBase):
    """What an edit made.

    >>> edited = modelkeep.edit_gguf("llama3.2.gguf", "mine.gguf", set={"general.name": "Mine"})
    >>> edited.size == edited.file.stat().st_size, edited.shared_bytes, edited.replaced
    (True, 0, False)
    """
    __match_args__ = ("file", "size", "shared_bytes", "padding", "replaced", "warnings")
    @property
    def file(self) -> Path:
        """The edited file, as it was named."""
    @property
    def size(self) -> int:
        """Its size in bytes."""
    @property
    def shared_bytes(self) -> int:
        """How many of these it shares with the file that was edited, by a reflink."""
    @property
    def padding(self) -> int:
        """The bytes of the key `modelkeep.padding`, without which less could be shared, or the header
        could not stay in its place; 0 where there is none.
        """
    @property
    def replaced(self) -> bool:
        """Whether a file of that name was replaced, or its header was, in place."""
    @property
    def warnings(self) -> list[GgufWarning]:
        """What is unusual in it, and may be refused elsewhere, as a list of `GgufWarning`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Imported(JsonBase):
    """What an import made.

    >>> imported = store.import_gguf("llama3.2.gguf", "other")
    >>> imported.name, imported.bytes, imported.ignored, imported.warnings
    ('other:latest', 736, [], [])
    """
    __match_args__ = ("name", "digest", "bytes", "replaced", "ignored", "warnings")
    @property
    def name(self) -> str:
        """The name under which the model is stored."""
    @property
    def digest(self) -> str:
        """The digest of the weights."""
    @property
    def bytes(self) -> int:
        """The bytes of the weights."""
    @property
    def replaced(self) -> bool:
        """Whether a model of that name was replaced."""
    @property
    def ignored(self) -> list[str]:
        """The parameters that say nothing any more, and were left out."""
    @property
    def warnings(self) -> list[FileWarning]:
        """What is unusual in the files, and may be refused elsewhere, as a list of `FileWarning`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Progress:
    """How far a long call is.

    >>> seen = []
    >>> _ = store.verify(progress=seen.append)
    >>> seen[-1].bytes, seen[-1].total_bytes
    (1002, 1002)
    """
    __match_args__ = ("bytes", "total_bytes", "files", "total_files")
    @property
    def bytes(self) -> int:
        """The bytes done so far."""
    @property
    def total_bytes(self) -> int:
        """The bytes to do."""
    @property
    def files(self) -> int:
        """The files done so far."""
    @property
    def total_files(self) -> int:
        """The files to do."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Report(JsonBase):
    """What a verification found. Iterates over its findings.

    >>> report = store.verify()
    >>> report.ok, {finding.status for finding in report}
    (True, {'ok'})
    """
    __match_args__ = ("ok", "blobs", "models", "problems", "hashed_bytes", "cached", "cache_error")
    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
    @property
    def blobs(self) -> list[Finding]:
        """A `Finding` for each distinct digest, in the order of digests."""
    @property
    def models(self) -> list[BrokenModel]:
        """The models that lack something, in the order of names, as a list of `BrokenModel`."""
    @property
    def problems(self) -> list[Problem]:
        """Manifests that could not be read, as a list of `Problem`."""
    @property
    def hashed_bytes(self) -> int:
        """The bytes that were hashed."""
    @property
    def cached(self) -> Cached:
        """What was not hashed, because an earlier run found it good and nothing touched it since."""
    @property
    def cache_error(self) -> str | None:
        """Why what was found good could not be noted for later runs, where that was asked for, and
        `None` elsewhere.
        """
    def _repr_html_(self) -> str: ...
    def __iter__(self) -> Iterator[Finding]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Cached:
    """How much a verification took an earlier one's word for.

    >>> store.verify().cached
    Cached(blobs=0, bytes=0)
    """
    __match_args__ = ("blobs", "bytes")
    @property
    def blobs(self) -> int:
        """How many blobs."""
    @property
    def bytes(self) -> int:
        """Their bytes."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Finding:
    """What was found out about one blob.

    >>> finding = store.verify().blobs[0]
    >>> finding.status, finding.models
    ('ok', ['llama3.2:latest'])
    """
    __match_args__ = ("digest", "path", "status", "size", "detail", "models", "gguf")
    @property
    def digest(self) -> str:
        """The digest that names the blob."""
    @property
    def path(self) -> Path:
        """Where it lies, or should lie."""
    @property
    def status(self) -> Literal["ok", "missing", "wrong_size", "wrong_digest", "unreadable"]:
        """`ok`, `missing`, `wrong_size`, `wrong_digest` or `unreadable`."""
    @property
    def size(self) -> int:
        """Its size on disk in bytes; zero where it is missing."""
    @property
    def detail(self) -> str:
        """The reason in words; empty where nothing is wrong."""
    @property
    def models(self) -> list[str]:
        """The models that use it."""
    @property
    def gguf(self) -> GgufFinding | None:
        """What the strict GGUF reader says, where it was asked and the blob is a GGUF file; else
        `None`.
        """
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class GgufFinding:
    """What the strict reader says of a GGUF file.

    >>> report = store.verify("llama3.2", gguf=True)
    >>> [finding.gguf for finding in report if finding.gguf]
    [GgufFinding(error=None, warnings=[])]
    """
    __match_args__ = ("error", "warnings")
    @property
    def error(self) -> ParseError | None:
        """Why it is refused; `None` where it is not."""
    @property
    def warnings(self) -> list[GgufWarning]:
        """What is unusual, or would be refused elsewhere, as a list of `GgufWarning`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class BrokenModel:
    """A model that cannot be whole.

    >>> for model in store.verify().models:
    ...     print(model.name, model.reasons)
    """
    __match_args__ = ("name", "reasons")
    @property
    def name(self) -> str:
        """The model."""
    @property
    def reasons(self) -> list[str]:
        """What it lacks, a line for each layer."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Collected(JsonBase):
    """What a collection removed, or would remove.

    >>> planned = store.gc(dry_run=True)
    >>> planned.blobs, planned.bytes, planned.young
    ([], 0, 0)
    """
    __match_args__ = (
        "dry_run",
        "blobs",
        "partials",
        "leftovers",
        "bytes",
        "young",
        "restored",
        "kept",
    )
    @property
    def dry_run(self) -> bool:
        """Whether nothing was changed."""
    @property
    def blobs(self) -> list[str]:
        """The digests of blobs that no manifest names."""
    @property
    def partials(self) -> list[Path]:
        """Leftovers of interrupted downloads, and what else was no blob."""
    @property
    def bytes(self) -> int:
        """The bytes on the disk that became free, or would."""
    @property
    def young(self) -> int:
        """How many unused blobs and leftovers are still within the grace period."""
    @property
    def restored(self) -> list[str]:
        """The digests of blobs that somebody began to use meanwhile, and which were put back."""
    @property
    def leftovers(self) -> list[Path]:
        """Files of our own that interrupted imports staged, and quarantined blobs where asked for."""
    @property
    def kept(self) -> list[str]:
        """Why blobs were kept: a manifest became unreadable, or another program has one open."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Maintained:
    """What maintenance did.

    >>> maintained = store.maintain()
    >>> maintained.renamed, maintained.collected.blobs
    ([], [])
    """
    __match_args__ = ("renamed", "collected")
    @property
    def renamed(self) -> list[Path]:
        """The blobs that had an old name, under their new one."""
    @property
    def collected(self) -> Collected:
        """What was collected, as of `Store.gc`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Usage(JsonBase):
    """The disk usage of a store, in real blocks on disk; each digest counts once. Iterates over
    its models.

    >>> usage = store.usage()
    >>> [(model.name, model.shared) for model in usage], usage.orphans.files
    ([('llama3.2:latest', 0)], 0)
    """
    __match_args__ = (
        "models",
        "used",
        "orphans",
        "partials",
        "unknown",
        "staged",
        "trash",
        "quarantine",
        "other",
        "total",
        "held_outside",
        "problems",
    )
    @property
    def models(self) -> list[ModelUsage]:
        """The models, by name, as a list of `ModelUsage`."""
    @property
    def used(self) -> int:
        """The bytes of all blobs that models use."""
    @property
    def orphans(self) -> Files:
        """Blobs that no model uses."""
    @property
    def partials(self) -> Files:
        """Leftovers of interrupted downloads."""
    @property
    def unknown(self) -> Files:
        """Files in `blobs/` that are neither."""
    @property
    def staged(self) -> Files:
        """Files of ours that are being written, or that interrupted runs left."""
    @property
    def trash(self) -> Files:
        """Blobs in the trash of an interrupted removal."""
    @property
    def quarantine(self) -> Files:
        """Damaged blobs that a repair set aside."""
    @property
    def other(self) -> Files:
        """Everything else below the store's root, its manifests included."""
    @property
    def held_outside(self) -> int:
        """Those of these bytes that files elsewhere hold as well, so that nothing here frees them."""
    @property
    def total(self) -> int:
        """All of these bytes together."""
    @property
    def problems(self) -> list[Problem]:
        """What could not be read: what it uses counts as orphaned."""
    def _repr_html_(self) -> str: ...
    def __iter__(self) -> Iterator[ModelUsage]: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class ModelUsage:
    """The disk usage of one model. Lists of them sort by name.

    >>> model = store.usage().models[0]
    >>> model.name, model.exclusive > 0, model.shared, model.missing
    ('llama3.2:latest', True, 0, 0)
    """
    __match_args__ = ("name", "exclusive", "shared", "missing", "store")
    @property
    def name(self) -> str:
        """The model."""
    @property
    def exclusive(self) -> int:
        """The bytes that it alone holds: what deleting it frees."""
    @property
    def shared(self) -> int:
        """The bytes that it shares with other models."""
    @property
    def missing(self) -> int:
        """How many of its blobs are missing."""
    @property
    def store(self) -> Path | None:
        """The directory of its store, in a view of several; else `None`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Files:
    """Some files together.

    >>> store.usage().orphans
    Files(files=0, bytes=0)
    """
    __match_args__ = ("files", "bytes")
    @property
    def files(self) -> int:
        """How many."""
    @property
    def bytes(self) -> int:
        """Their bytes on disk."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Diagnosis(JsonBase):
    """What a look at a store found.

    >>> diagnosis = store.doctor()
    >>> diagnosis.ok, diagnosis.blobs
    (True, 7)
    """
    __match_args__ = ("ok", "locations", "issues", "notes", "blobs", "verified")
    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
    @property
    def locations(self) -> list[Location]:
        """The places where a store may be, the opened one first, as a list of `Location`."""
    @property
    def issues(self) -> list[Issue]:
        """What is wrong, by path, as a list of `Issue`."""
    @property
    def notes(self) -> list[Issue]:
        """What is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files."""
    @property
    def blobs(self) -> int:
        """How many blobs the models use."""
    @property
    def verified(self) -> int:
        """Those that an earlier verification found good, and nothing has touched since."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Location:
    """A place where a store may be.

    >>> store.doctor().locations[0].state
    'store'
    """
    __match_args__ = ("path", "exists", "manifests", "opened", "state", "what")
    @property
    def path(self) -> Path:
        """The directory."""
    @property
    def exists(self) -> bool:
        """Whether it exists."""
    @property
    def manifests(self) -> int:
        """How many manifests lie in it."""
    @property
    def opened(self) -> bool:
        """Whether it is the store that was opened."""
    @property
    def state(self) -> Literal["store", "no_store", "missing", "dangling", "closed"]:
        """What is there: `store`, `no_store`, `missing`, `dangling` or `closed`."""
    @property
    def what(self) -> str:
        """Why no models can be seen there, and what to do; empty where some can."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Issue:
    """Something that is wrong, and what to do.

    >>> for issue in store.doctor().issues:
    ...     print(issue.path, issue.what, issue.advice)
    """
    __match_args__ = ("path", "name", "what", "advice")
    @property
    def path(self) -> Path:
        """The file."""
    @property
    def name(self) -> str | None:
        """The model, where the file is a model's; else `None`."""
    @property
    def what(self) -> str:
        """What is wrong."""
    @property
    def advice(self) -> str:
        """What to do."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Repaired(JsonBase):
    """What a repair moved aside.

    >>> store.repair(store.verify()).quarantined
    []
    """
    __match_args__ = ("quarantined", "renamed", "changed", "restored")
    @property
    def quarantined(self) -> list[MovedBlob]:
        """The blobs that were damaged and where they lie now, as a list of `MovedBlob`."""
    @property
    def renamed(self) -> list[MovedBlob]:
        """The blobs that were there under another name, and what they are called now."""
    @property
    def changed(self) -> list[str]:
        """The digests of blobs that have changed since they were verified, and were left alone."""
    @property
    def restored(self) -> list[str]:
        """The digests of blobs that were put back from the trash of an interrupted removal."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class MovedBlob:
    """A blob that a repair moved.

    >>> for blob in store.repair(store.verify()).quarantined:
    ...     print(blob.digest, "is now", blob.to)
    """
    __match_args__ = ("digest", "to")
    @property
    def digest(self) -> str:
        """The digest that its bytes do not have."""
    @property
    def to(self) -> Path:
        """Where the bytes lie now."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class Gguf(JsonBase, Mapping[str, Any]):
    """A GGUF file: its metadata by key, read when they are asked for, and its tensors.

    Opening reads the header once, never the data of the tensors. `Gguf(path)` is strict:

    - `lenient=True` accepts what does no harm and names it in `warnings`: duplicates, tensor types
      whose size is not known, up to eight dimensions. `Model.gguf` is lenient.
    - `mmap=False` reads the header into memory in place of mapping the file, and leaves the data of
      tensors alone: for network file systems, and for files that somebody may truncate.
    - `header_only=True` accepts a file whose data are not all there yet, as in a download.

    Raises `GgufError`, whose `parse_error` says what is wrong and at which byte. `with` closes the
    file at its end; memory that was handed out keeps it mapped. Its JSON is lossless: the bits of
    floats, the bytes of texts that are not UTF-8, and a digest in place of long arrays.

    >>> with modelkeep.Gguf("llama3.2.gguf") as gguf:
    ...     print(gguf["general.architecture"], len(gguf), gguf.version)
    llama 9 3
    """
    def __new__(
        cls,
        path: _Path,
        *,
        lenient: bool = False,
        mmap: bool = True,
        header_only: bool = False,
    ) -> Self: ...
    @staticmethod
    def from_buffer(data: Buffer, *, lenient: bool = False, header_only: bool = False) -> Gguf:
        """Reads a GGUF file that is in memory: bytes, or anything else that lends a buffer, such as
        `mmap`. Nothing is copied: the buffer is exported until the file is closed and what it handed
        out is gone, so that a `bytearray` keeps its length as long. One that can be written to has to
        stay as it is until then.

        >>> data = open("llama3.2.gguf", "rb").read()
        >>> modelkeep.Gguf.from_buffer(data)["general.architecture"]
        'llama'
        """
    @staticmethod
    def from_file(
        file: _SeekableFile, *, lenient: bool = False, header_only: bool = False
    ) -> Gguf:
        """Reads the header of a GGUF file through a seekable binary file, from its position on, to which
        it is put back. Only the header is read: it may lie in an archive, an object store or at a URL.
        What the file raises comes through. The data of the tensors are read through the file as long as
        it is open, by `hash`, `diff` and `to_numpy`, which leave its position anywhere.

        >>> with open("llama3.2.gguf", "rb") as file:
        ...     gguf = modelkeep.Gguf.from_file(file)
        >>> gguf["general.architecture"]
        'llama'
        """
    def hash(
        self,
        *,
        sha256: bool = True,
        xxh64: bool = True,
        tensors: bool = True,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> GgufHash:
        """Hashes the data of all tensors, each and all together, on several threads while others run.
        `progress` is as in `Store.import_gguf`.

        Raises `NotFoundError` where the data are not at hand: only the header was read, or the file is
        incomplete.

        >>> modelkeep.Gguf("llama3.2.gguf").hash(sha256=False, tensors=False).sha256 is None
        True
        """
    def diff(
        self, other: Gguf, *, progress: Callable[[Progress], object] | bool | None = None
    ) -> GgufDiff:
        """Compares the file with another one: keys and values in any order, and the tensors of one name
        byte by byte, on several threads while others run. `progress` is as in `Store.import_gguf`.

        Raises `NotFoundError` where the data are not at hand.

        >>> gguf = modelkeep.Gguf("llama3.2.gguf")
        >>> bool(gguf.diff(modelkeep.Gguf("llama3.2.gguf")))
        False
        """
    def close(self) -> None:
        """Closes the file; every further look at it is an `ArgumentError`. Arrays, tensors and memory
        that were handed out stay good, and keep the file mapped until they are gone.

        >>> gguf = modelkeep.Gguf("llama3.2.gguf")
        >>> gguf.close()
        >>> gguf.closed
        True
        """
    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _ipython_key_completions_(self) -> list[str]: ...
    @property
    def version(self) -> int:
        """The version of the format, 2 or 3."""
    @property
    def byteorder(self) -> Literal["little", "big"]:
        """The byte order, `little` or `big`."""
    @property
    def alignment(self) -> int:
        """The alignment of the data, in bytes."""
    @property
    def data_offset(self) -> int:
        """Where the data of the tensors begin, in bytes from the beginning of the file."""
    @property
    def parameter_count(self) -> int:
        """The sum of the elements of all tensors."""
    @property
    def size(self) -> int:
        """The size of the file in bytes."""
    @property
    def split(self) -> tuple[int, int] | None:
        """The number of this file among the parts of a model, from 0, and the number of parts;
        `None` for a file that is whole.
        """
    @property
    def warnings(self) -> list[GgufWarning]:
        """What is unusual, as a list of `GgufWarning`."""
    @property
    def tensors(self) -> MappingProxyType[str, Tensor]:
        """The tensors by name, in the order of the file, each a `Tensor`; made when they are first
        asked for.

        >>> modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"].shape
        (4, 8)
        """
    def value_type(self, key: str) -> str:
        """Returns the type of a value in the file, as in `u32`, `str` or `arr`.

        Raises `KeyError` where there is no such key.

        >>> modelkeep.Gguf("llama3.2.gguf").value_type("general.architecture")
        'str'
        """
    def get(self, key: str, default: Any = None, /) -> Any:
        """Returns the value of a key: a number, a string, a boolean, or an `Array`; `default` where
        there is no such key.

        >>> modelkeep.Gguf("llama3.2.gguf").get("llama.context_length")
        128
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: object, /) -> bool: ...

@final
class GgufParts(Mapping[str, Any]):
    """The parts of a split model, open and in order, given the path of any of them; the others lie beside
    it. A file that is whole is a model of one part. The options are those of `Gguf`.

    It is a mapping of the model's metadata, which are those of the first part, as `Gguf` is one of a
    file's; `tensors` are those of all parts. Raises `MissingFileError` for the first part that is
    missing, and `GgufError` for one that belongs to another model; both name it. `with` closes all.

    >>> with modelkeep.GgufParts("llama3.2.gguf") as parts:
    ...     print(parts["general.architecture"], len(parts.paths), parts.parameter_count)
    llama 1 40
    >>> modelkeep.GgufParts("llama3.2.gguf").tensors["output_norm.weight"].shape
    (8,)
    """
    def __new__(
        cls,
        path: _Path,
        *,
        lenient: bool = False,
        mmap: bool = True,
        header_only: bool = False,
    ) -> Self: ...
    @property
    def parts(self) -> list[Gguf]:
        """The parts in order, as a list of `Gguf`; the first holds the metadata of the model."""
    @property
    def paths(self) -> list[Path]:
        """The paths of the parts in order, as a list of `pathlib.Path`.

        >>> [path.name for path in modelkeep.GgufParts("llama3.2.gguf").paths]
        ['llama3.2.gguf']
        """
    @property
    def tensors(self) -> MappingProxyType[str, Tensor]:
        """The tensors of all parts by name, in their order; made when they are first asked for."""
    @property
    def parameter_count(self) -> int:
        """The sum of the elements of all tensors."""
    def close(self) -> None:
        """Closes all parts; see `Gguf.close`."""
    @property
    def closed(self) -> bool:
        """Whether a part was closed."""
    def value_type(self, key: str) -> str:
        """Returns the type of a value in the file, as `Gguf.value_type` does.

        >>> modelkeep.GgufParts("llama3.2.gguf").value_type("general.architecture")
        'str'
        """
    def get(self, key: str, default: Any = None, /) -> Any:
        """Returns the value of a key, as `Gguf.get` does; `default` where there is no such key.

        >>> modelkeep.GgufParts("llama3.2.gguf").get("llama.context_length")
        128
        """
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _ipython_key_completions_(self) -> list[str]: ...
    def __getitem__(self, key: str, /) -> Any: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __contains__(self, key: object, /) -> bool: ...

@final
class Array(Sequence[Any]):
    """An array of a GGUF file: a sequence whose elements are read when they are asked for, and, of numbers,
    memory without a copy. It is equal to a sequence of the same elements.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> tokens = gguf["tokenizer.ggml.tokens"]
    >>> len(tokens), tokens[0], tokens[-2:], list(tokens) == tokens
    (4, '<s>', ['hello', 'world'], True)
    >>> memoryview(gguf["tokenizer.ggml.scores"]).format
    'f'
    """
    @property
    def element_type(self) -> str:
        """The type of every element, as in `u32` or `str`."""
    def tolist(self) -> list[Any]:
        """Returns all elements as a list, in one pass.

        >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].tolist()[2]
        'hello'
        """
    def index(self, value: object, *range: int) -> int:
        """Returns the first place of a value, from a place on and up to another one where they are given.

        Raises `ValueError` where there is none.

        >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].index("world")
        3
        """
    def count(self, value: object) -> int:
        """Returns how often a value occurs.

        >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].count("hello")
        1
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    @overload
    def __getitem__(self, place: int, /) -> Any: ...
    @overload
    def __getitem__(self, place: slice, /) -> list[Any]: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Tensor:
    """A tensor of a GGUF file. `memoryview(tensor)` and `numpy.asarray(tensor)` are its data without a
    copy, read-only: of its shape for plain numbers, and rows of bytes for types of blocks, and for those
    that Python has no number for.

    >>> tensor = modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"]
    >>> tensor.type, tensor.shape, tensor.nbytes, memoryview(tensor).format
    ('F32', (4, 8), 128, 'f')
    """
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def type(self) -> str:
        """The name of its type, as in `F32` or `Q4_K`; `unknown` for a type whose size is not known."""
    @property
    def type_code(self) -> int:
        """The number of its type in the file."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions in numpy's order: the length of a row last."""
    @property
    def size(self) -> int:
        """The number of its elements."""
    @property
    def offset(self) -> int:
        """Where its data begin, in bytes from the beginning of the file."""
    @property
    def nbytes(self) -> int | None:
        """The bytes of its data; `None` for a type that is not known."""
    def to_numpy(self, rows: slice | range | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """Returns its numbers as an array of numpy of float32, whatever they are packed in: dequantized as
        GGML does, bit for bit as gguf-py. `rows` is a slice or a range of the first dimension, and no
        more than that is read: `to_numpy(rows=slice(0, 8))` is `to_numpy()[0:8]`.

        Other threads run meanwhile. Raises `UnsupportedError` for a type that is not dequantized, such as
        integers: `numpy.asarray(tensor)` has them as they are.

        >>> tensor = modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"]
        >>> tensor.to_numpy().shape, tensor.to_numpy(rows=range(1, 3)).shape
        ((4, 8), (2, 8))
        """
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class GgufHash(JsonBase):
    """The hashes of the data of a file's tensors, as `llama-gguf-hash` defines them; the metadata are not in
    them.

    >>> modelkeep.Gguf("llama3.2.gguf").hash().xxh64
    '0cba93bdbc54cec2'
    """
    __match_args__ = ("sha256", "xxh64", "tensors")
    @property
    def sha256(self) -> str | None:
        """The SHA-256 of all tensors together, in hexadecimal; `None` where it was not wanted."""
    @property
    def xxh64(self) -> str | None:
        """The XXH64 of the same."""
    @property
    def tensors(self) -> list[TensorHash]:
        """Those of each tensor, in the file's order, as a list of `TensorHash`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class TensorHash:
    """The hashes of a tensor.

    >>> [tensor.name for tensor in modelkeep.Gguf("llama3.2.gguf").hash().tensors]
    ['token_embd.weight', 'output_norm.weight']
    """
    __match_args__ = ("name", "type", "shape", "nbytes", "sha256", "xxh64")
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def type(self) -> str:
        """The name of its type."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions in numpy's order: the length of a row last."""
    @property
    def nbytes(self) -> int:
        """The bytes of its data."""
    @property
    def sha256(self) -> str | None:
        """The SHA-256 of its data, in hexadecimal; `None` where it was not wanted."""
    @property
    def xxh64(self) -> str | None:
        """The XXH64 of its data."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class GgufDiff(JsonBase):
    """What two files differ in; true where they do.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> gguf.diff(gguf)
    GgufDiff(equal_tensors=2, all_tensors=2)
    """
    __match_args__ = (
        "keys",
        "tensors",
        "equal_keys",
        "all_keys",
        "equal_tensors",
        "all_tensors",
        "types",
        "size_before",
        "size_after",
    )
    @property
    def keys(self) -> list[KeyDiff]:
        """The keys that differ, as a list of `KeyDiff`."""
    @property
    def tensors(self) -> list[TensorDiff]:
        """The tensors that differ, as a list of `TensorDiff`."""
    @property
    def equal_keys(self) -> int:
        """How many keys have the same value in both."""
    @property
    def all_keys(self) -> int:
        """How many keys there are in the one or the other."""
    @property
    def equal_tensors(self) -> int:
        """How many tensors are the same in both: shape, type and data."""
    @property
    def all_tensors(self) -> int:
        """How many tensors there are in the one or the other."""
    @property
    def types(self) -> list[TypeDiff]:
        """The tensors by their types in both files, those that take most first, as a list of `TypeDiff`:
        what another quantization has changed.
        """
    @property
    def size_before(self) -> WeightSize:
        """What the tensors of the first file take, a `WeightSize`."""
    @property
    def size_after(self) -> WeightSize:
        """What those of the second file take."""
    def __bool__(self) -> bool: ...
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class TypeDiff:
    """The tensors that have one type in the one file, and one in the other.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> [(kind.before, kind.after, kind.tensors) for kind in gguf.diff(gguf).types]
    [('F32', 'F32', 2)]
    """
    __match_args__ = ("before", "after", "tensors", "size_before", "size_after")
    @property
    def before(self) -> str | None:
        """The name of their type in the first file; `None` where that does not have them."""
    @property
    def after(self) -> str | None:
        """The name of their type in the second file."""
    @property
    def tensors(self) -> int:
        """How many tensors these are."""
    @property
    def size_before(self) -> WeightSize:
        """What they take in the first file, a `WeightSize`."""
    @property
    def size_after(self) -> WeightSize:
        """What they take in the second file."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class WeightSize:
    """The weights of some tensors, and the bytes that they take.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> gguf.diff(gguf).size_after.bits_per_weight
    32.0
    """
    __match_args__ = ("elements", "bytes", "bits_per_weight")
    @property
    def elements(self) -> int:
        """How many weights: the elements of the tensors."""
    @property
    def bytes(self) -> int:
        """The bytes of their data."""
    @property
    def bits_per_weight(self) -> float:
        """The bits that a weight takes on average."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class SharedTensors(JsonBase):
    """Which tensors the models of a store share, although they are in different files.

    >>> store.shared_tensors()
    SharedTensors(repeated=0)
    """
    __match_args__ = ("files", "sets", "repeated", "problems")
    @property
    def files(self) -> list[WeightsFile]:
        """The files of weights that were compared, as a list of `WeightsFile`."""
    @property
    def sets(self) -> list[SharedSet]:
        """The tensors that are the same in several of them, those with the most bytes first, as a list of
        `SharedSet`.
        """
    @property
    def repeated(self) -> int:
        """The bytes of tensors that files name again: all but the first of each. Blocks that the file
        system shares count as well.
        """
    @property
    def problems(self) -> list[Problem]:
        """The models whose weights could not be read, where none were named, as a list of `Problem`."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class WeightsFile:
    """A file of weights, of one model or of several.

    >>> [(file.models, file.tensors) for file in store.shared_tensors().files]
    [(['llama3.2:latest'], 2)]
    """
    __match_args__ = ("digest", "models", "tensors", "size")
    @property
    def digest(self) -> str:
        """The digest of the file."""
    @property
    def models(self) -> list[str]:
        """The models that use it, by name."""
    @property
    def tensors(self) -> int:
        """How many tensors it has."""
    @property
    def size(self) -> int:
        """Its bytes."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class SharedSet:
    """The tensors that some files have in common, and no other file has.

    >>> [set.bytes for set in store.shared_tensors().sets]
    []
    """
    __match_args__ = ("files", "tensors", "bytes")
    @property
    def files(self) -> list[int]:
        """The places of the files in `SharedTensors.files`."""
    @property
    def tensors(self) -> list[SharedTensor]:
        """The tensors, by name, as a list of `SharedTensor`."""
    @property
    def bytes(self) -> int:
        """The bytes of these tensors in one of the files."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class SharedTensor:
    """A tensor that several files have: by one name, of one type and shape, with the same data.

    >>> [tensor.name for set in store.shared_tensors().sets for tensor in set.tensors]
    []
    """
    __match_args__ = ("name", "type", "shape", "nbytes", "sha256")
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def type(self) -> str:
        """The name of its type."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions in numpy's order: the length of a row last."""
    @property
    def nbytes(self) -> int:
        """The bytes of its data."""
    @property
    def sha256(self) -> str:
        """The SHA-256 of its data, in hexadecimal."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class KeyDiff:
    """A key that differs.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> [(key.key, key.before, key.after) for key in gguf.diff(gguf).keys]
    []
    """
    __match_args__ = ("key", "before", "after")
    @property
    def key(self) -> str:
        """The key."""
    @property
    def before(self) -> Any:
        """Its value in the first file, an array as a list; `None` where it has none."""
    @property
    def after(self) -> Any:
        """Its value in the second file."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class TensorDiff:
    """A tensor that differs; its data where both files have it with one type and one shape.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> [tensor.name for tensor in gguf.diff(gguf).tensors]
    []
    """
    __match_args__ = ("name", "before", "after")
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def before(self) -> TensorShape | None:
        """What it is in the first file, a `TensorShape`; `None` where that has none."""
    @property
    def after(self) -> TensorShape | None:
        """What it is in the second file."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class TensorShape:
    """What a file says of a tensor.

    >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    >>> [tensor.before.type for tensor in gguf.diff(gguf).tensors]
    []
    """
    __match_args__ = ("type", "shape", "nbytes")
    @property
    def type(self) -> str:
        """The name of its type."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions in numpy's order: the length of a row last."""
    @property
    def nbytes(self) -> int | None:
        """The bytes of its data; `None` for a type that is not known."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class TensorType:
    """A type of tensors: blocks of some elements in some bytes.

    >>> types = {kind.name: kind for kind in modelkeep.TensorType.all()}
    >>> types["Q4_K"].block_elements, types["Q4_K"].block_bytes
    (256, 144)
    """
    __match_args__ = ("name", "code", "block_elements", "block_bytes", "is_dequantizable")
    @property
    def name(self) -> str:
        """Its name, as in `Q4_K`."""
    @property
    def code(self) -> int:
        """Its number in a file."""
    @property
    def block_elements(self) -> int:
        """Elements of one block."""
    @property
    def block_bytes(self) -> int:
        """Bytes of one block."""
    @property
    def is_dequantizable(self) -> bool:
        """Whether `Tensor.to_numpy` gives the numbers of such tensors."""
    @staticmethod
    def all() -> list[TensorType]:
        """Returns the types that are known, by number.

        >>> modelkeep.TensorType.all()[0]
        TensorType(name='F32', block_elements=1, block_bytes=4)
        """
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class ParseError:
    """Why a GGUF file is refused: what is wrong, where in its structure, and at which byte.

    >>> _ = open("cut.gguf", "wb").write(b"GGUF")
    >>> try:
    ...     modelkeep.Gguf("cut.gguf")
    ... except modelkeep.GgufError as error:
    ...     print(error.parse_error.kind, error.parse_error.offset)
    truncated 4
    """
    __match_args__ = ("kind", "offset", "path", "message")
    @property
    def kind(self) -> str:
        """The class of the fault, a word that never changes, as in `bad_magic`."""
    @property
    def offset(self) -> int:
        """The offset in the file, in bytes, of the item that is wrong."""
    @property
    def path(self) -> str:
        """The place in the structure."""
    @property
    def message(self) -> str:
        """What is wrong, in words."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class GgufWriter:
    """Writes a GGUF file: metadata that are set as in a dictionary, and tensors. `with` writes it at its end,
    unless there was an exception; the file appears whole, or not at all.

    - `alignment` is that of the data, a power of two, and `byteorder` is `"little"` or `"big"`.
    - `version` is that of the format, 2 or 3.
    - `replace=True` lets a file at `path` be replaced, which is an `ExistsError` otherwise.
    - `durability="none"` leaves it to the system when the file is on the disk.

    >>> with modelkeep.GgufWriter("new.gguf") as writer:
    ...     writer["general.architecture"] = "llama"
    ...     writer["tokenizer.ggml.tokens"] = ["hello", "world"]
    ...     writer.add("token_embd.weight", numpy.zeros((2, 8), dtype="float32"))
    >>> modelkeep.Gguf("new.gguf").tensors["token_embd.weight"].shape
    (2, 8)
    """
    def __new__(
        cls,
        path: _Path,
        *,
        alignment: int = 32,
        byteorder: Literal["little", "big"] = "little",
        version: Literal[2, 3] = 3,
        replace: bool = False,
        durability: Literal["full", "none"] = "full",
    ) -> Self: ...
    def set(self, key: str, value: Any, *, type: _ValueType | None = None) -> None:
        """Sets a key: to a `bool`, an `int`, a `float`, a `str`, or a list or an array of them. `type` is its
        type in the file, as `"u64"`, and of an array that of its elements; without it a number is `u32` or
        another integer in which it fits, or `f32`, and an array of numpy has its own.

        >>> writer = modelkeep.GgufWriter("new.gguf")
        >>> writer.set("llama.context_length", 8192, type="u64")
        """
    def __setitem__(self, key: str, value: Any, /) -> None: ...
    def add(
        self,
        name: str,
        data: Any,
        *,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
    ) -> None:
        """Adds a tensor: an array of numpy, or anything else that lends a buffer, such as the data of another
        file's tensor; nothing is copied before the file is written. `data` may be a function without
        arguments that returns it: it is called when its turn has come, so that no more than one has to be in
        memory.

        `shape` is in numpy's order, the row last, and `dtype` is the name of a type such as `"Q4_0"`, whose
        blocks the bytes of `data` are then; both are those of `data` by default, and a function needs them.
        Numbers are written in the byte order of the file; the bytes of blocks are as they are.

        >>> with modelkeep.GgufWriter("new.gguf", replace=True) as writer:
        ...     writer["general.architecture"] = "llama"
        ...     writer.add("a", bytes(18), shape=(32,), dtype="Q4_0")
        ...     writer.add("b", lambda: numpy.ones(4, "float32"), shape=(4,), dtype="F32")
        >>> modelkeep.Gguf("new.gguf").parameter_count
        36
        """
    def write(self) -> Edited:
        """Writes the file, and returns what was made, an `Edited`. `with` does it at its end.

        >>> writer = modelkeep.GgufWriter("new.gguf", replace=True)
        >>> writer["general.architecture"] = "llama"
        >>> writer.write().size
        96
        """
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

@final
class GgufWarning:
    """Something that the reader accepts and others may not.

    >>> for warning in modelkeep.Gguf("llama3.2.gguf", lenient=True).warnings:
    ...     print(warning.code, warning.path, warning.message)
    """
    __match_args__ = ("code", "path", "message")
    @property
    def code(self) -> str:
        """What is unusual, a word that never changes, as in `nested_array`."""
    @property
    def path(self) -> str:
        """The place in the structure; the first of several."""
    @property
    def message(self) -> str:
        """What is unusual, in words."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

@final
class FileWarning:
    """Something unusual in a file that was imported.

    >>> for warning in store.import_gguf("llama3.2.gguf", "other").warnings:
    ...     print(warning.file, warning.code, warning.message)
    """
    __match_args__ = ("file", "code", "path", "message")
    @property
    def file(self) -> Path:
        """The file, as it was named."""
    @property
    def code(self) -> str:
        """What is unusual, a word that never changes, as in `nested_array`."""
    @property
    def path(self) -> str:
        """The place in the structure; the first of several."""
    @property
    def message(self) -> str:
        """What is unusual, in words."""
    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...
    def __gt__(self, other: Self, /) -> bool: ...
    def __ge__(self, other: Self, /) -> bool: ...

def _run(arguments: Sequence[str]) -> int: ...

def edit_gguf(
    path: _Path,
    to: _Path | None = None,
    *,
    set: Mapping[str, Any] | None = None,
    remove: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    types: Mapping[str, _ValueType] | None = None,
    in_place: bool = False,
    replace: bool = False,
    padding: bool = True,
    durability: Literal["full", "none"] = "full",
    progress: Callable[[Progress], object] | bool | None = None,
) -> Edited:
    """Sets, removes and renames the metadata of the GGUF file at `path`, and writes the result to `to`. The
    data of the tensors stay as they are: their blocks are shared where the file system can, and copied
    by the system elsewhere. The new file appears whole, or not at all.

    - `set` are values by key: `bool`, `int`, `float`, `str`, and lists and arrays of them. A key keeps the
      type that it has, and a value that does not fit is an `ArgumentError`; a new key is `u32` or another
      integer, or `f32`.
    - `types` are the types of keys that are set, as `{"llama.context_length": "u64"}`; of an array that of
      its elements.
    - `remove` are keys to remove, and `rename` are new names by key; a key that is not there is a
      `NotFoundError`. Keys are renamed first, then removed, then set.
    - `in_place=True` writes nothing but the header, into the file itself, where it has the room of the old
      one; the old header is kept beside the file until the new one is durable. Nobody else should have
      the file open.
    - `replace=True` lets a file at `to` be replaced, `path` itself too, which is an `ExistsError` otherwise.
    - `padding=False` does without the key `modelkeep.padding`, by which a large file shares its blocks.
    - `durability="none"` leaves it to the system when the file is on the disk.
    - `progress` is as in `Store.import_gguf`.

    Raises `GgufError` for a file that cannot be read; what only the strict reader refuses, an edit may
    mend.

    >>> _ = modelkeep.edit_gguf(
    ...     "llama3.2.gguf",
    ...     "edited.gguf",
    ...     set={"tokenizer.chat_template": "{{ messages }}", "llama.context_length": 256},
    ...     remove=["general.name"],
    ... )
    >>> gguf = modelkeep.Gguf("edited.gguf")
    >>> gguf["llama.context_length"], gguf.value_type("llama.context_length"), "general.name" in gguf
    (256, 'u32', False)
    """

def ls_remote(
    what: str,
    *,
    plain_http: bool = False,
    ca_file: _Path | None = None,
    client_certificate: tuple[_Path, _Path] | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    connections: int = 4,
) -> list[str]:
    """Lists what a registry has: of `REGISTRY/REPOSITORY` the tags, and of `REGISTRY` alone, where it lets
    that be seen, the repositories; sorted, each as `Store.pull` takes it.

    How the registry is reached is as in `Store.pull`. A Ctrl-C ends the call.

    >>> _ = store.push("llama3.2", f"{registry}/team/llama3.2:tiny")
    >>> [tag.removeprefix(registry) for tag in modelkeep.ls_remote(f"{registry}/team/llama3.2")]
    ['/team/llama3.2:tiny']
    """

def merge_gguf(
    path: _Path,
    to: _Path,
    *,
    replace: bool = False,
    durability: Literal["full", "none"] = "full",
    progress: Callable[[Progress], object] | bool | None = None,
) -> Edited:
    """Writes the parts of a split model as the one file `to`, given the path of any of them; the others lie
    beside it. The layout is that of `llama-gguf-split --merge`: the metadata of the first part,
    with a `split.count` of 0, and the tensors in the order of the parts. The new file appears whole, or
    not at all; the parts stay.

    - `replace=True` lets a file at `to` be replaced, which is an `ExistsError` otherwise.
    - `durability="none"` leaves it to the system when the file is on the disk.
    - `progress` is as in `Store.import_gguf`.

    Raises `MissingFileError` where a part is missing, `GgufError` where parts do not belong together, and
    `ArgumentError` for a file that is whole.

    >>> parts = modelkeep.split_gguf("llama3.2.gguf", "llama", max_tensors=1)
    >>> merged = modelkeep.merge_gguf("llama-00001-of-00002.gguf", "merged.gguf")
    >>> merged.size == merged.file.stat().st_size, list(modelkeep.Gguf("merged.gguf").tensors)
    (True, ['token_embd.weight', 'output_norm.weight'])
    """

def split_gguf(
    path: _Path,
    prefix: _Path,
    *,
    max_size: int | None = None,
    max_tensors: int | None = None,
    replace: bool = False,
    durability: Literal["full", "none"] = "full",
    progress: Callable[[Progress], object] | bool | None = None,
) -> list[Edited]:
    """Splits the GGUF file at `path` into `PREFIX-00001-of-0000N.gguf` and so on, in the layout that
    `llama-gguf-split` writes: the first part has all metadata, the others say which part they are. Returns
    what was made of each, a list of `Edited` in the order of the parts. All parts appear, or none; the
    first one is the last to get its name. The file itself stays.

    - `max_size` is the most bytes of tensors in a part, the header not counted; a tensor that is larger
      has a part of its own.
    - `max_tensors` is the most tensors in a part. One of the two is needed, and both may be given.
    - `replace=True` lets files of the names of the parts be replaced, which is an `ExistsError` otherwise.
    - `durability="none"` leaves it to the system when the files are on the disk.
    - `progress` is as in `Store.import_gguf`.

    Raises `GgufError` for a file that cannot be read, and `ArgumentError` for one that is a part itself.

    >>> parts = modelkeep.split_gguf("llama3.2.gguf", "small", max_size=2_000_000_000)
    >>> [str(part.file) for part in parts]
    ['small-00001-of-00001.gguf']
    """
