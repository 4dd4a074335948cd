"""GGUF files as people have them: incomplete, of other times, compared, and hostile."""

import os
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from conftest import Scratch, gguf, text

import modelkeep

HERE = Path(__file__).resolve().parent
U8, I32, F32, STR, ARR, F64 = 0, 5, 6, 8, 9, 12


def array(kind: int, count: int, data: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + data


def numbers(*values: int) -> bytes:
    return array(I32, len(values), struct.pack(f"<{len(values)}i", *values))


def words(*values: str) -> bytes:
    return array(STR, len(values), b"".join(map(text, values)))


VALUES = [
    ("general.architecture", STR, text("llama")),
    ("x", ARR, numbers(8, 8, 1)),
    ("y", ARR, words("a", "b")),
    ("z", ARR, array(F64, 1, struct.pack("<d", float("nan")))),
    ("e", ARR, numbers()),
    ("n", ARR, array(ARR, 2, numbers(1) + numbers(2, 3))),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.gguf"
    path.write_bytes(gguf(VALUES, [("t", [8], 0, bytes(32)), ("u", [4, 2], 0, bytes(32))]))
    return path


def test_files_are_equal_to_mappings_of_the_same_contents(path: Path, tmp_path: Path) -> None:
    file, other = modelkeep.Gguf(path), modelkeep.Gguf(path)
    assert file == file and file == other and not file != other
    assert file == dict(file) and dict(file) == file
    assert file != {**file, "more": 1} and file != {**file, "x": [8, 8, 2]}
    others: list[Any] = [{}, [*file], None, 8]
    assert all(file != other for other in others)
    changed = tmp_path / "changed.gguf"
    changed.write_bytes(gguf([*VALUES[:1], ("x", ARR, numbers(8, 8, 2)), *VALUES[2:]]))
    assert file != modelkeep.Gguf(changed)
    with pytest.raises(TypeError):
        hash(file)


def test_arrays_are_equal_to_sequences_of_the_same_elements(path: Path) -> None:
    file, other = modelkeep.Gguf(path), modelkeep.Gguf(path)
    for key in ("x", "y", "z", "e", "n"):
        assert file[key] == file[key] and file[key] == other[key]
        assert (file[key] == file[key].tolist()) == (key != "z"), "NaN is equal to nothing"
    assert file["x"] == [8, 8, 1] and [8, 8, 1] == file["x"] and file["x"] == (8, 8, 1)
    assert file["y"] == ["a", "b"] and file["y"] != "ab" and file["n"] == [[1], [2, 3]]
    assert file["x"] != [8, 8] and file["x"] != [8, 8, 1, 1] and file["x"] != file["y"]
    assert file["e"] == [] and file["e"] != {} and file["x"] != 8
    with pytest.raises(TypeError):
        hash(file["x"])


def test_a_path_is_text_bytes_or_an_object_with_a_path(path: Path, tmp_path: Path) -> None:
    class OfBytes:
        def __fspath__(self) -> bytes:
            return os.fsencode(path)

    for way in (path, str(path), os.fsencode(path), OfBytes()):
        assert modelkeep.Gguf(way) == modelkeep.Gguf(path)
        assert modelkeep.GgufParts(way).parameter_count == 16
        store = modelkeep.Store(os.fsencode(tmp_path / "store"), create=True)
        assert store.import_gguf(way, "x", replace=True).name == "x:latest"
    odd = os.fsencode(tmp_path) + b"/\xff.gguf"
    Path(os.fsdecode(odd)).write_bytes(path.read_bytes())
    assert len(modelkeep.Gguf(odd)) == len(VALUES)
    for wrong in (1, None, [str(path)]):
        with pytest.raises(TypeError):
            modelkeep.Gguf(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("mmap", [True, False])
def test_a_header_is_read_before_its_data_are_there(path: Path, mmap: bool) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(modelkeep.GgufError, match=f"{len(whole) - 8} of at least {len(whole)}"):
        modelkeep.Gguf(path, lenient=True, mmap=mmap)
    file = modelkeep.Gguf(path, header_only=True, mmap=mmap)
    assert file["x"] == [8, 8, 1] and file.tensors["u"].shape == (2, 4)
    warning = file.warnings[-1]
    assert warning.code == "data_out_of_bounds" and "incomplete" in warning.message
    with pytest.raises(BufferError, match="incomplete"):
        memoryview(file.tensors["u"])
    if mmap:
        assert len(memoryview(file.tensors["t"])) == 8
    assert modelkeep.GgufParts(path, header_only=True).parameter_count == 16


@pytest.mark.parametrize("kind", [4, 31, 36, 43, 2**32 - 1])
def test_a_type_without_a_size_says_so(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "file.gguf"
    path.write_bytes(gguf(VALUES, [("t", [8], kind, bytes(32))]))
    with pytest.raises(modelkeep.GgufError, match=f'tensor 0 "t": type {kind}, '):
        modelkeep.Gguf(path)
    tensor = modelkeep.Gguf(path, lenient=True).tensors["t"]
    assert (tensor.type, tensor.type_code, tensor.nbytes) == ("unknown", kind, None)
    with pytest.raises(BufferError, match="size of the tensor's type is not known"):
        memoryview(tensor)


def test_swapped_parts_are_told_in_words(tmp_path: Path) -> None:
    for place, number in ((1, 1), (2, 0)):
        split = [("split.no", 2, struct.pack("<H", number)), ("split.count", 2, b"\x02\0")]
        (tmp_path / f"p-0000{place}-of-00002.gguf").write_bytes(gguf(split))
    with pytest.raises(modelkeep.GgufError) as raised:
        modelkeep.GgufParts(tmp_path / "p-00001-of-00002.gguf")
    said = str(raised.value)
    assert "that of part 1 of 2, and it is part 2 of 2" in said
    assert "Some(" not in said and "Split" not in said


def test_an_import_returns_what_is_unusual(scratch: Scratch, path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"<html>")
    imported = scratch.open().import_gguf(path, "x")
    (nested, trailing) = imported.warnings
    assert (nested.code, nested.file, nested.path) == ("nested_array", path, 'kv 5 "n"')
    assert trailing.code == "trailing_bytes" and trailing.message.startswith("6 bytes")
    assert [found["code"] for found in imported.to_dict()["warnings"]] == [
        "nested_array",
        "trailing_bytes",
    ]


def look(value: Any) -> None:
    """Looks at everything that an object of a file shows."""
    repr(value), str(value), value == value
    if isinstance(value, modelkeep.Array):
        elements: Any = value.tolist()
        value[:3], value[-1:], len(value), value == elements


def look_at_file(path: Path, **how: Any) -> bool:
    try:
        file = modelkeep.Gguf(path, **how)
    except modelkeep.Error as error:
        look(error)
        look(getattr(error, "parse_error", None))
        return False
    for key in file:
        look(file[key])
    look(file)
    look(file.split)
    file.to_dict(), file == dict(file)
    for shown in (*file.tensors.values(), *file.warnings):
        look(shown)
        if isinstance(shown, modelkeep.Tensor):
            try:
                memoryview(shown).nbytes
            except BufferError:
                pass
    return True


def test_no_file_ends_python(tmp_path: Path) -> None:
    rounds = int(os.environ.get("MODELKEEP_ROUNDS", "300"))
    seeds = sorted((HERE.parents[1] / "fuzz/corpus/gguf").iterdir())
    chance, path, read = random.Random(7), tmp_path / "x.gguf", 0
    for round in range(rounds):
        data = bytearray(chance.choice(seeds).read_bytes())
        for _ in range(chance.randrange(4)):
            if data:
                at = chance.randrange(len(data))
                data[at : at + 1] = chance.choice((b"", b"\0", b"\xff" * 8, b"\x80", b"\x01"))
        path.write_bytes(data)
        how = {"lenient": True, "mmap": round % 2 == 0, "header_only": round % 3 > 0}
        read += look_at_file(path, **how)
    assert read > rounds // 20, "most of the files were refused at once"
