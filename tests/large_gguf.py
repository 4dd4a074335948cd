"""Writes a GGUF file of one tensor, of so many bytes, the same each time.

    python tests/large_gguf.py FILE BYTES
"""

import random
import struct
import sys
from pathlib import Path


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def main(path: Path, size: int) -> None:
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    head += text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    head += text(b"w") + struct.pack("<IQIQ", 1, size // 4, 0, 0)
    left = size // 4 * 4
    piece = random.Random(1).randbytes(min(left, 1 << 24))
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % 32))
        while left:
            left -= file.write(piece[:left])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
