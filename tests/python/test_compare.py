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


def test_models_share_tensors(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path / "models", create=True)
    same = bytes(range(256)) * 40
    write(tmp_path / "a.gguf", "a", same, b"abcd")
    write(tmp_path / "b.gguf", "b", same, b"efgh")
    for name in ("a", "b"):
        store.import_gguf(tmp_path / f"{name}.gguf", name)
    seen: list[modelkeep.Progress] = []
    shared = store.shared_tensors("a", "b", progress=seen.append)
    [one] = shared.sets
    assert [shared.files[at].models for at in one.files] == [["a:latest"], ["b:latest"]]
    [tensor] = one.tensors
    assert (tensor.name, tensor.type, tensor.shape, tensor.nbytes) == ("w0", "F32", (2560,), len(same))
    assert tensor.sha256 == hashlib.sha256(same).hexdigest()
    assert shared.repeated == len(same) and shared.to_dict()["repeated"] == len(same)
    assert seen[-1].bytes == seen[-1].total_bytes
    assert shared.sets == store.shared_tensors().sets
    with pytest.raises(modelkeep.CancelledError):
        store.shared_tensors(progress=lambda _: False)
    with pytest.raises(modelkeep.NotFoundError):
        store.shared_tensors("none")


def test_a_diff_says_what_types_cost(tmp_path: Path) -> None:
    before = write(tmp_path / "a.gguf", "a", b"abcd" * 3, b"efgh")
    after = write(tmp_path / "b.gguf", "b", b"abcd" * 3)
    diff = before.diff(after)
    assert [(kind.before, kind.after, kind.tensors) for kind in diff.types] == [
        ("F32", "F32", 1),
        ("F32", None, 1),
    ]
    assert (diff.size_before.elements, diff.size_before.bytes, diff.size_after.bytes) == (4, 16, 12)
    assert diff.types[1].size_after.bits_per_weight == 0
