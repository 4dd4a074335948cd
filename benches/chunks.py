"""What a store would hold if it kept shared parts of files once: whole files as Ollama does, tensors, or
chunks whose borders the content defines (FastCDC).

    python3 -m venv v && v/bin/pip install gguf fastcdc
    v/bin/python benches/chunks.py FILE...

Each row is what a GGUF file adds, in percent of its bytes, to those above it.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
from fastcdc import fastcdc

CHUNKS = [64 << 10, 8 << 10]
Piece = tuple[bytes, int]


def digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def whole(path: Path) -> Iterator[Piece]:
    yield digest(path.read_bytes()), path.stat().st_size


def tensors(path: Path) -> Iterator[Piece]:
    """Yields the data of each tensor, and everything else as one piece."""
    found = [memoryview(tensor.data).cast("B") for tensor in gguf.GGUFReader(path).tensors]
    rest = path.stat().st_size - sum(data.nbytes for data in found)
    yield from ((digest(data), data.nbytes) for data in found)
    # It has all the metadata, of which no two files have the same.
    yield digest(path.read_bytes()), rest


def chunks(path: Path, average: int) -> Iterator[Piece]:
    found = fastcdc(str(path), average // 4, average, average * 4, hf=hashlib.sha256)
    yield from ((bytes.fromhex(chunk.hash), chunk.length) for chunk in found)


def added(known: set[bytes], pieces: Iterator[Piece]) -> int:
    """Returns the bytes of the pieces that are not known, and makes them known."""
    bytes_added = 0
    for name, size in pieces:
        bytes_added += size if name not in known else 0
        known.add(name)
    return bytes_added


def main(paths: list[Path]) -> None:
    ways = [whole, tensors, *(lambda path, size=size: chunks(path, size) for size in CHUNKS)]
    known: list[set[bytes]] = [set() for _ in ways]
    sums = [0] * len(ways)
    print("| file | MB | whole | tensors | " + " | ".join(f"chunks of {size >> 10} KiB" for size in CHUNKS) + " |")
    print("|--" + "|--:" * (1 + len(ways)) + "|")
    for path in paths:
        size = path.stat().st_size
        new = [added(have, way(path)) for have, way in zip(known, ways, strict=True)]
        sums = [total + one for total, one in zip(sums, new, strict=True)]
        row(path.stem, size, new)
    row("all", sum(path.stat().st_size for path in paths), sums)


def row(name: str, size: int, new: list[int]) -> None:
    shares = " | ".join(f"{100 * one / size:.1f} %" for one in new)
    print(f"| {name} | {size / 1e6:.1f} | {shares} |")


main([Path(name) for name in sys.argv[1:]])
