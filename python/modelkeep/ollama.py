"""The package `ollama` in process: `import modelkeep.ollama as ollama` takes the server away.

`list`, `show`, `copy` and `delete`, `Client` and `AsyncClient` take and return what those of
`ollama` do, and raise the same `ResponseError`; the models are those of the store on this disk, and
nothing listens. There is nothing to connect to, so `host=` and `OLLAMA_HOST` are not looked at,
except to warn where they name another machine. What needs a running model raises a `ResponseError`
of status 501 that says what to use instead. Neither pydantic nor httpx is needed.

>>> import modelkeep.ollama as ollama
>>> ollama.list().models[0].model
'llama3.2:latest'
>>> ollama.show("llama3.2")["details"]["family"]
'llama'
>>> try:
...     ollama.show("nobody")
... except ollama.ResponseError as error:
...     print(error.status_code, error.error)
404 model 'nobody:latest' not found
"""

import json
import os
from collections.abc import Callable
from typing import Any, NoReturn, Self, TypeVar

from . import Error, Store
from ._ollama_types import (
    ChatResponse,
    EmbedResponse,
    EmbeddingsResponse,
    GenerateResponse,
    Image,
    ListResponse,
    Message,
    Options,
    ProcessResponse,
    ProgressResponse,
    ShowResponse,
    StatusResponse,
    Tool,
    WebFetchResponse,
    WebSearchResponse,
)

__all__ = [
    "AsyncClient",
    "ChatResponse",
    "Client",
    "EmbedResponse",
    "EmbeddingsResponse",
    "GenerateResponse",
    "Image",
    "ListResponse",
    "Message",
    "Options",
    "ProcessResponse",
    "ProgressResponse",
    "RequestError",
    "ResponseError",
    "ShowResponse",
    "StatusResponse",
    "Tool",
    "WebFetchResponse",
    "WebSearchResponse",
    "chat",
    "copy",
    "create",
    "delete",
    "embed",
    "embeddings",
    "generate",
    "list",
    "ps",
    "pull",
    "push",
    "show",
    "systemone",
    "web_fetch",
    "web_search",
]


_T = TypeVar("_T")


class RequestError(Exception):
    """A request that cannot be made, as the package `ollama` raises it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class ResponseError(Exception):
    """A refusal: `error` is its text, `status_code` the status that a server would give."""

    def __init__(self, error: str, status_code: int = -1) -> None:
        try:
            error = json.loads(error).get("error", error)
        except (ValueError, AttributeError):
            pass
        super().__init__(error)
        self.error = error
        self.status_code = status_code

    def __str__(self) -> str:
        return f"{self.error} (status code: {self.status_code})"

    def __reduce__(self) -> tuple[type[Self], tuple[str, int]]:
        return type(self), (self.error, self.status_code)


class _Base:
    def __init__(
        self, host: str | None = None, *, store: Store | None = None, **_ignored: Any
    ) -> None:
        _explain(host or os.getenv("OLLAMA_HOST"))
        self._opened = store

    def _respond(self, method: str, path: str, **request: Any) -> str:
        body = json.dumps(request).encode() if request else b""
        status, _, text = self._store()._respond(method, path, body)
        if status >= 400:
            raise ResponseError(text, status)
        return text

    def _store(self) -> Store:
        if self._opened is None:
            try:
                self._opened = Store()
            except Error as error:
                raise ResponseError(str(error), 500) from error
        return self._opened

    def _list(self) -> ListResponse:
        return ListResponse(**json.loads(self._respond("GET", "/api/tags")))

    def _show(self, model: str) -> ShowResponse:
        text = self._respond("POST", "/api/show", model=_name(model, "model"))
        return ShowResponse(**json.loads(text))

    def _copy(self, source: str, destination: str) -> StatusResponse:
        names = {"source": source, "destination": destination}
        for what, name in names.items():
            _name(name, what, least=0)
        self._respond("POST", "/api/copy", **names)
        return StatusResponse(status="success")

    def _delete(self, model: str) -> StatusResponse:
        self._respond("DELETE", "/api/delete", model=_name(model, "model"))
        return StatusResponse(status="success")

    def _ps(self) -> ProcessResponse:
        return ProcessResponse(**json.loads(self._respond("GET", "/api/ps")))

    def _refuse(self, path: str) -> NoReturn:
        self._respond("POST", path)
        raise ResponseError("modelkeep keeps models and does not run them", 501)


def _name(name: object, what: str, least: int = 1) -> str:
    """Return a name that is a text, as the package `ollama` checks it before it asks."""
    if not isinstance(name, str):
        raise ValueError(f"{what}: a string, not {type(name).__name__}")
    if len(name) < least:
        raise ValueError(f"{what}: at least {least} character")
    return name


_HERE = ("", "localhost", "0.0.0.0", "::", "::1")


def _explain(host: str | None) -> None:
    """Warn of a host that is another machine: its models are not those of this disk."""
    _, _, rest = (host or "").rpartition("://")
    rest = rest.partition("/")[0]
    if rest.startswith("["):
        rest = rest[1:].partition("]")[0]
    elif rest.count(":") == 1:
        rest = rest.partition(":")[0]
    if rest in _HERE or rest.startswith("127."):
        return
    import warnings

    text = f"modelkeep.ollama has the models on this disk, and asks no server: {host!r} is not used"
    warnings.warn(text, stacklevel=4)


class Client(_Base):
    """The calls over the store of this machine, or over a `store` that is given.

    `host` and the options of httpx are accepted, and do nothing.

    >>> client = ollama.Client(store=modelkeep.Store())
    >>> client.copy("llama3.2", "backup").status
    'success'
    """

    def list(self) -> ListResponse:
        """Return the models, newest first."""
        return self._list()

    def show(self, model: str) -> ShowResponse:
        """Return what is known of a model; raise `ResponseError` of 404 where there is none."""
        return self._show(model)

    def copy(self, source: str, destination: str) -> StatusResponse:
        """Give a model one more name."""
        return self._copy(source, destination)

    def delete(self, model: str) -> StatusResponse:
        """Delete a model, and the blobs that no other model uses."""
        return self._delete(model)

    def ps(self) -> ProcessResponse:
        """Return the models that run: none."""
        return self._ps()

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def generate(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/generate")

    def chat(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/chat")

    def embed(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/embed")

    def embeddings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/embeddings")

    def systemone(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/generate")

    def pull(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a registry."""
        self._refuse("/api/pull")

    def push(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a registry."""
        self._refuse("/api/push")

    def create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: `modelkeep.Store.import_gguf` makes models."""
        self._refuse("/api/create")

    def create_blob(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: `modelkeep.Store.import_gguf` makes models."""
        self._refuse("/api/create")

    def web_search(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a cloud."""
        self._refuse("/api/experimental/web_search")

    def web_fetch(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a cloud."""
        self._refuse("/api/experimental/web_fetch")


class AsyncClient(_Base):
    """The same calls for `asyncio`, each on a thread of its own.

    >>> import asyncio
    >>> async def names():
    ...     return [model.model for model in (await ollama.AsyncClient().list()).models]
    >>> asyncio.run(names())
    ['llama3.2:latest']
    """

    async def list(self) -> ListResponse:
        """Return the models, newest first."""
        return await _on_thread(self._list)

    async def show(self, model: str) -> ShowResponse:
        """Return what is known of a model; raise `ResponseError` of 404 where there is none."""
        return await _on_thread(self._show, model)

    async def copy(self, source: str, destination: str) -> StatusResponse:
        """Give a model one more name."""
        return await _on_thread(self._copy, source, destination)

    async def delete(self, model: str) -> StatusResponse:
        """Delete a model, and the blobs that no other model uses."""
        return await _on_thread(self._delete, model)

    async def ps(self) -> ProcessResponse:
        """Return the models that run: none."""
        return await _on_thread(self._ps)

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def generate(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/generate")

    async def chat(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/chat")

    async def embed(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/embed")

    async def embeddings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/embeddings")

    async def systemone(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a running model."""
        self._refuse("/api/generate")

    async def pull(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a registry."""
        self._refuse("/api/pull")

    async def push(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a registry."""
        self._refuse("/api/push")

    async def create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: `modelkeep.Store.import_gguf` makes models."""
        self._refuse("/api/create")

    async def create_blob(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: `modelkeep.Store.import_gguf` makes models."""
        self._refuse("/api/create")

    async def web_search(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a cloud."""
        self._refuse("/api/experimental/web_search")

    async def web_fetch(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `ResponseError`: it needs a cloud."""
        self._refuse("/api/experimental/web_fetch")


async def _on_thread(call: Callable[..., _T], *args: str) -> _T:
    import asyncio

    return await asyncio.to_thread(call, *args)


_client = Client()

list = _client.list
show = _client.show
copy = _client.copy
delete = _client.delete
ps = _client.ps
generate = _client.generate
chat = _client.chat
embed = _client.embed
embeddings = _client.embeddings
systemone = _client.systemone
pull = _client.pull
push = _client.push
create = _client.create
web_search = _client.web_search
web_fetch = _client.web_fetch
