"""Stores for tests, built by hand: what the engine reads here, it did not write."""

import hashlib
import json
import signal
import struct
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

import modelkeep
import registries
import skips

# A job in the background of a shell starts with interrupts ignored, which Python leaves so and
# which children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

MODEL = "application/vnd.ollama.image.model"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
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
            "mediaType": MANIFEST,
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


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty registry."""
    if registries.MISSING:
        pytest.skip(registries.MISSING)
    with registries.docker_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test is skipped for one of two reasons. A condition that stands over it, skipif, is about
    the machine; skip() in it is about what is not installed, which fails where all is required.
    """
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        why = reason.removeprefix("Skipped: ")
        if item.get_closest_marker("skipif"):
            skips.not_here(item.name, why)
        elif skips.is_required():
            report.outcome = "failed"
            report.longrepr = f"skipped, and MODELKEEP_REQUIRE is all: {why}"
        else:
            skips.not_here(item.name, why)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counted = terminalreporter.stats
    failed = len(counted.get("failed", [])) + len(counted.get("error", []))
    print(f"\npytest: {len(counted.get('passed', []))} passed, {failed} failed")
