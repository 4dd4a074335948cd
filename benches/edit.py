"""Editing one key of a large GGUF file beside `cp` of it, in turn, in one run.

    python3 benches/edit.py MODELKEEP [GIGABYTES [DIRECTORY]]

MODELKEEP is the command. In DIRECTORY, the working directory by default, the file is made and edited
as it is; as root also in images of btrfs and xfs there, which have reflinks. Prints the fastest and
the median of seven turns in milliseconds.
"""

import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import time

TURNS = 7
TENSORS = 64


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words)) + words.encode()


def make(path: pathlib.Path, gigabytes: float) -> None:
    """Writes a file with data that are not zero."""
    size = int(gigabytes * 1e9) // TENSORS // 4096 * 4096
    header = b"GGUF" + struct.pack("<IQQ", 3, TENSORS, 2)
    for key, value in (("general.architecture", "llama"), ("general.name", "A model")):
        header += text(key) + struct.pack("<I", 8) + text(value)
    for n in range(TENSORS):
        header += text(f"blk.{n}.weight") + struct.pack("<IQIQ", 1, size // 4, 0, n * size)
    piece = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write(header + bytes(-len(header) % 32))
        for _ in range(TENSORS):
            for at in range(0, size, len(piece)):
                file.write(piece[: size - at])


def timed(words: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1000


def measure(name: str, command: str, file: pathlib.Path, copy: list[str]) -> None:
    to = file.with_name("to.gguf")
    edit = [command, "gguf", "edit", str(file), str(to), "--set", "general.name=Quite another name"]
    flushed = ["sh", "-c", f"{' '.join(copy)} {file} {to} && sync {to}"]
    ways = {"edit": edit, "cp": [*copy, str(file), str(to)], "cp, sync": flushed}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, words in ways.items():
            # What another way has left to be written is not this one's.
            os.sync()
            found[way].append(timed(words))
            to.unlink()
    for way, times in found.items():
        print(f"{name:8} {way:10} {min(times):10.1f} {statistics.median(times):10.1f}", flush=True)


def in_image(system: str, command: str, file: pathlib.Path) -> None:
    image, place = file.with_name(f"{system}.img"), file.with_name(system)
    place.mkdir()
    try:
        with image.open("wb") as made:
            made.truncate(3 * file.stat().st_size + (1 << 30))
        subprocess.run([f"mkfs.{system}", "-q", "-f", image], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        try:
            shutil.copy(file, place / "file.gguf")
            measure(system, command, place / "file.gguf", ["cp", "--reflink=always"])
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        image.unlink()
        place.rmdir()


def main() -> None:
    command = str(pathlib.Path(sys.argv[1]).absolute())
    gigabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 4
    directory = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else ".").absolute()
    file = directory / "edited-by-benchmark.gguf"
    try:
        make(file, gigabytes)
        print(f"{'':8} {'ms':10} {'fastest':>10} {'median':>10}")
        for system in ("btrfs", "xfs"):
            if os.geteuid() == 0 and shutil.which(f"mkfs.{system}"):
                in_image(system, command, file)
        measure("plain", command, file, ["cp"])
    finally:
        file.unlink(missing_ok=True)


main()
