"""Runs a command beside a second writer of its store, which acts once, in the command's wait.

  second_writer.py STORE ACT COMMAND...

The second writer is what a server is to us: what it checked when the command began, it relies on
when it writes. It acts once something of the store has changed and then nothing has for a while,
as in the wait of a deletion, which has to be longer than LATEST (`--delete-delay 400ms`). Whatever
it writes it flushes, so that what a power cut takes away is not its own doing.

Ends with the command's status, and with 3 where there was no wait, or too late a look at it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

QUIET = 0.06  # seconds without a change: the command waits
LATEST = 0.2  # seconds after the last change, past which the wait could be over

root, act, command = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
library = root / "manifests/registry.ollama.ai/library"
blobs = {path.name: path.read_bytes() for path in (root / "blobs").iterdir()}
manifests = {path.parent.name: path.read_bytes() for path in library.glob("*/latest")}


def flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def make(path: Path, content: bytes) -> None:
    """Writes a file beside the store's own ones and renames it to its place, all of it flushed."""
    for parent in reversed(path.relative_to(root).parents[:-1]):
        if not (root / parent).is_dir():
            (root / parent).mkdir()
            flush((root / parent).parent)
    arriving = root / "arriving"
    arriving.write_bytes(content)
    flush(arriving)
    arriving.rename(path)
    flush(path.parent)
    flush(root)


def layer(name: str) -> dict:
    kind = "application/vnd.ollama.image.template"
    return {"mediaType": kind, "digest": name.replace("-", ":"), "size": len(blobs[name])}


def create() -> None:
    """Makes a model of all blobs that were there, and are now on their way out."""
    config = json.loads(manifests["own"])["config"]
    used = [layer(name) for name in sorted(blobs)]
    make(library / "made/latest", json.dumps({"schemaVersion": 2, "config": config, "layers": used}).encode())


def copy() -> None:
    make(library / "copied/latest", manifests["own"])


def pull() -> None:
    """Brings the blobs of a model that do not lie in their place, and then the model."""
    manifest = json.loads(manifests["own"])
    for one in [*manifest["layers"], manifest["config"]]:
        name = one["digest"].replace(":", "-")
        if not (root / "blobs" / name).exists():
            make(root / "blobs" / name, blobs[name])
    make(library / "pulled/latest", manifests["own"])


def delete() -> None:
    (library / "b/latest").unlink(missing_ok=True)
    if (library / "b").is_dir():
        flush(library / "b")


ACTS = {act.__name__: act for act in (create, copy, pull, delete)}


def look() -> list[tuple]:
    """Returns what is where, in all of the store."""
    found = []
    for directory, _, files in os.walk(root):
        for path in (os.path.join(directory, name) for name in files):
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            found.append((path, status.st_ino, status.st_size))
    return sorted(found)


def is_waiting(running: subprocess.Popen, before: list[tuple]) -> bool:
    """Waits for the command to wait."""
    seen, since = before, time.monotonic()
    while running.poll() is None:
        now, at = look(), time.monotonic()
        if now != seen:
            seen, since = now, at
        elif seen != before and at - since > QUIET:
            return at - since < LATEST
        time.sleep(0.005)
    return False


before = look()
running = subprocess.Popen(command)
acted = is_waiting(running, before)
if acted:
    ACTS[act]()
status = running.wait()
sys.exit(status if acted or status else 3)
