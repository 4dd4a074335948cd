"""Stores for tests, built by hand: what the engine reads here, it did not write."""

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

import modelkeep

MODEL = "application/vnd.ollama.image.model"
CONFIG = "application/vnd.docker.container.image.v1+json"


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(
    values: Sequence[tuple[str, int, bytes]] = (),
    tensors: Sequence[tuple[str, Sequence[int], int, bytes]] = (),
) -> bytes:
    """A GGUF file of (key, type, bytes of the value) and (name, dimensions, type, data)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, kind, value in values:
        head += text(key) + struct.pack("<I", kind) + value
    data = b""
    for name, shape, kind, content in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += struct.pack("<IQ", kind, len(data))
        data += content + bytes(-len(content) % 32)
    return head + bytes(-len(head) % 32) + data


SMALL = gguf([("general.architecture", 8, text("llama"))])


class Scratch:
    """A store in a directory of the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs").mkdir()
        (root / "manifests").mkdir()

    def open(self) -> modelkeep.Store:
        return modelkeep.Store(self.root, delete_delay=0.0)

    def blob(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        (self.root / "blobs" / f"sha256-{digest}").write_bytes(data)
        return f"sha256:{digest}"

    def manifest(self, name: str) -> Path:
        model, _, tag = name.partition(":")
        library = self.root / "manifests" / "registry.ollama.ai" / "library"
        return library / model / (tag or "latest")

    def model(self, name: str, data: bytes = SMALL) -> Path:
        """A model with a config of its own; the path of its GGUF file."""
        config = json.dumps({"model_format": "gguf", "model_family": name}).encode()
        layers = [{"mediaType": MODEL, "digest": self.blob(data), "size": len(data)}]
        manifest = {
            "schemaVersion": 2,
            "config": {"mediaType": CONFIG, "digest": self.blob(config), "size": len(config)},
            "layers": layers,
        }
        path = self.manifest(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest))
        return self.root / "blobs" / f"sha256-{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)
