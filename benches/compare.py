"""Hashing the tensors of a GGUF file and comparing two of them, beside what else does it, in one run.

    python benches/compare.py MODELKEEP [GIGABYTES [DIRECTORY]]     with gguf and numpy installed

MODELKEEP is the command. In DIRECTORY, by default where temporary files are, two files are made that
differ in one tensor of 64. Each way runs in turn, five times, with the files in the system's cache;
prints the fastest in seconds, GB/s, and how many times modelkeep's. A command that is not installed is
left out: `llama-gguf-hash` of llama.cpp, `xxhsum` and `sha256sum`, which hash the file and no tensors.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np

TURNS = 5
TENSORS = 64


def make(path: Path, gigabytes: float, differs: bool) -> None:
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    columns = 4096
    rows = int(gigabytes * 1e9) // TENSORS // (2 * columns)
    for at in range(TENSORS):
        data = random.integers(0, 0x7C00, (rows, columns), dtype=np.uint16).view(np.float16)
        if differs and at == TENSORS // 2:
            data[-1, -1] += 1
        writer.add_tensor(f"blk.{at}.weight", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}


def hash_by_gguf_py(path: Path) -> None:
    whole = hashlib.sha256()
    for data in tensors(path).values():
        hashlib.sha256(data).hexdigest()
        whole.update(data)


def compare_by_gguf_py(first: Path, second: Path) -> None:
    others = tensors(second)
    # As integers: a NaN is not equal to itself.
    same = [np.array_equal(data.view(np.uint16), others[name].view(np.uint16))
            for name, data in tensors(first).items()]
    assert same.count(False) == 1


def command(*words: object) -> Callable[[], object] | None:
    if shutil.which(str(words[0])) is None:
        return None
    # `cmp` and `gguf diff` end with status 1 where files differ.
    return lambda: subprocess.run(words, stdout=subprocess.DEVNULL, check=False)


def measure(title: str, size: int, ways: dict[str, Callable[[], object] | None]) -> None:
    found = {name: (way, []) for name, way in ways.items() if way}
    for _ in range(TURNS):
        for way, times in found.values():
            begin = time.perf_counter()
            way()
            times.append(time.perf_counter() - begin)
    print(title)
    own = min(next(iter(found.values()))[1])
    for name, (_, times) in found.items():
        least = min(times)
        print(f"  {name:40} {least:7.3f} s {size / least / 1e9:7.2f} GB/s {least / own:7.2f}", flush=True)


def main() -> None:
    modelkeep = Path(sys.argv[1]).absolute()
    gigabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as directory:
        one, two = Path(directory) / "one.gguf", Path(directory) / "two.gguf"
        make(one, gigabytes, differs=False)
        make(two, gigabytes, differs=True)
        size = one.stat().st_size
        measure("XXH64 of each tensor and of all", size, {
            "modelkeep gguf hash --xxh64": command(modelkeep, "gguf", "hash", "--xxh64", one),
            "llama-gguf-hash --xxh64": command("llama-gguf-hash", "--xxh64", one),
            "xxhsum -H64, of the file": command("xxhsum", "-H64", one),
        })
        measure("SHA-256 of each tensor and of all", size, {
            "modelkeep gguf hash --sha256": command(modelkeep, "gguf", "hash", "--sha256", one),
            "llama-gguf-hash --sha256": command("llama-gguf-hash", "--sha256", one),
            "gguf-py and hashlib": lambda: hash_by_gguf_py(one),
            "sha256sum, of the file": command("sha256sum", one),
        })
        measure("Both", size, {
            "modelkeep gguf hash": command(modelkeep, "gguf", "hash", one),
            "llama-gguf-hash --sha256 --xxh64": command("llama-gguf-hash", "--sha256", "--xxh64", one),
        })
        measure("Two files, one tensor of 64 differs", 2 * size, {
            "modelkeep gguf diff": command(modelkeep, "gguf", "diff", one, two),
            "gguf-py and numpy": lambda: compare_by_gguf_py(one, two),
            "cmp -l, of the files": command("cmp", "-l", one, two),
        })


main()
