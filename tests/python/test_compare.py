"""The hashes of a file's tensors, and what two files differ in."""

import hashlib
import struct
from pathlib import Path

import pytest
from conftest import gguf, text

import modelkeep

F32 = 0


def write(path: Path, name: str, *data: bytes) -> modelkeep.Gguf:
    tensors = [(f"w{at}", [len(one) // 4], F32, one) for at, one in enumerate(data)]
    path.write_bytes(gguf([("general.name", 8, text(name)), ("x", 4, struct.pack("<I", 7))], tensors))
    return modelkeep.Gguf(path)


def test_hashes_are_those_of_the_data(tmp_path: Path) -> None:
    data = [bytes(range(256)) * 700, b"abcd" * 3]
    found = write(tmp_path / "a.gguf", "a", *data).hash()
    assert found.sha256 == hashlib.sha256(b"".join(data)).hexdigest()
    assert [tensor.sha256 for tensor in found.tensors] == [hashlib.sha256(it).hexdigest() for it in data]
    assert found.to_dict()["tensors"][1]["xxh64"] == found.tensors[1].xxh64


def test_what_differs_is_named(tmp_path: Path) -> None:
    before = write(tmp_path / "a.gguf", "a", b"abcd" * 3, b"efgh")
    after = write(tmp_path / "b.gguf", "b", b"abcd" * 3, b"efgi", b"more")
    diff = before.diff(after)
    assert diff and not before.diff(before)
    assert [(key.key, key.before, key.after) for key in diff.keys] == [("general.name", "a", "b")]
    assert [tensor.name for tensor in diff.tensors] == ["w1", "w2"]
    assert (diff.tensors[1].before, diff.equal_tensors, diff.all_tensors) == (None, 1, 3)
    assert diff.tensors[0].before == diff.tensors[0].after


def test_either_is_stopped_by_its_callback(tmp_path: Path) -> None:
    file = write(tmp_path / "a.gguf", "a", b"abcd")
    with pytest.raises(modelkeep.CancelledError):
        file.hash(progress=lambda _: False)
    with pytest.raises(modelkeep.CancelledError):
        file.diff(file, progress=lambda _: False)
