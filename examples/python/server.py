"""A server of asyncio that answers GET /models and GET /models/NAME; the store works on threads.

    python server.py [PORT] [DIRECTORY]
"""

import asyncio
import json
import sys
import urllib.parse

import modelkeep


async def answer(store: modelkeep.Store, path: str) -> tuple[int, object]:
    try:
        if path == "/models":
            listing = await asyncio.to_thread(store.list)
            return 200, [model.name for model in listing]
        if path.startswith("/models/"):
            name = urllib.parse.unquote(path.removeprefix("/models/"))
            return 200, (await asyncio.to_thread(store.show, name)).to_dict()
        return 404, {"error": "no such page"}
    except modelkeep.Error as error:
        return error.status, {"error": str(error), "suggestions": error.suggestions}


async def main(port: int, *directory: str) -> None:
    store = modelkeep.Store(*directory)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, _ = (await reader.readline()).decode().split()
        while (await reader.readline()).strip():
            pass
        status, body = await answer(store, path) if method == "GET" else (405, None)
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
        writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int((sys.argv[1:] or ["8000"])[0]), *sys.argv[2:]))
