"""The transport of `modelkeep.transport`: requests of httpx, answered from a store."""

import functools

import anyio.to_thread
import httpx

from . import Store

# An answer of the cloud is none of a store, whatever its path.
_CLOUD = "ollama.com"
_NOT_SERVED = "/api/experimental/web_search"


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers the requests of an httpx client, and of an asynchronous one, from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request as the server would, in this process."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request on a thread, so that the event loop goes on."""
        body = await request.aread()
        return await anyio.to_thread.run_sync(functools.partial(self._answer, request, body))

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        url, method = request.url, request.method
        if url.host == _CLOUD:
            method, target = "POST", _NOT_SERVED
        else:
            target = url.raw_path.decode("ascii")
        agent = request.headers.get("user-agent", "")
        status, headers, text = self._store._respond(method, target, body, agent)
        content = b"" if request.method == "HEAD" else text.encode()
        return httpx.Response(status, headers=headers, content=content, request=request)
