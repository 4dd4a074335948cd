"""Prints the metadata of a GGUF file at a URL, of which no more than the header is fetched.

    python remote.py URL

The client is urllib; any other that can send the header Range will do.
"""

import io
import sys
import urllib.request

import modelkeep


class Remote(io.RawIOBase):
    """A file at a URL, read by ranges."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.at = 0
        self.fetched = 0
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as answer:
            self.size = int(answer.headers["Content-Length"])

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, to: int, whence: int = io.SEEK_SET, /) -> int:
        self.at = to + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def read(self, size: int = -1, /) -> bytes:
        end = self.size if size < 0 else min(self.at + size, self.size)
        if end <= self.at:
            return b""
        headers = {"Range": f"bytes={self.at}-{end - 1}"}
        with urllib.request.urlopen(urllib.request.Request(self.url, headers=headers)) as answer:
            if answer.status != 206:
                raise OSError(f"{self.url}: the server does not serve ranges")
            data: bytes = answer.read(end - self.at)
        self.at += len(data)
        self.fetched += len(data)
        return data


def main(url: str) -> None:
    remote = Remote(url)
    gguf = modelkeep.Gguf.from_file(remote)
    for key, value in gguf.items():
        shown = f"{len(value)} elements" if isinstance(value, modelkeep.Array) else value
        print(f"{key:40} {shown}")
    print(f"{len(gguf.tensors)} tensors; {remote.fetched} of {remote.size} bytes fetched")


if __name__ == "__main__":
    main(*sys.argv[1:])
