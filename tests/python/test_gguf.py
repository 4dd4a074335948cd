"""GGUF files: a lazy mapping, arrays, and memory without a copy."""

import gc
import json
import os
import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import gguf, text

import modelkeep

U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 = range(13)
SCALARS = {
    "u8": (U8, "<B", 200),
    "i8": (I8, "<b", -100),
    "u16": (U16, "<H", 60_000),
    "i16": (I16, "<h", -30_000),
    "u32": (U32, "<I", 4_000_000_000),
    "i32": (I32, "<i", -2_000_000_000),
    "f32": (F32, "<f", 0.5),
    "bool": (BOOL, "<?", True),
    "u64": (U64, "<Q", 2**64 - 1),
    "i64": (I64, "<q", -(2**63)),
    "f64": (F64, "<d", 0.1),
}
WORDS = ["", "a", "\u2581the", "\u4e2d\u6587", "\U0001f600", "\xe9" * 40, "x" * 100]


def array(kind: int, count: int, data: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + data


def strings(values: Sequence[str]) -> bytes:
    return array(STR, len(values), b"".join(map(text, values)))


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Any]:
    def write(*parts: Any) -> Path:
        path = tmp_path / "file.gguf"
        path.write_bytes(gguf(*parts))
        return path

    yield write


@pytest.fixture(params=[True, False], ids=["mapped", "read"])
def mmap(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_every_type_of_value_comes_out_exactly(write: Any, mmap: bool) -> None:
    values = [(f"x.{name}", kind, struct.pack(f, v)) for name, (kind, f, v) in SCALARS.items()]
    file = modelkeep.Gguf(write(values + [("x.str", STR, text("h\xe9"))]), mmap=mmap)
    for name, (_, _, value) in SCALARS.items():
        assert file[f"x.{name}"] == value and type(file[f"x.{name}"]) is type(value)
        assert file.value_type(f"x.{name}") == name
    assert file["x.str"] == "h\xe9"


def test_the_metadata_are_a_mapping(write: Any) -> None:
    file = modelkeep.Gguf(write([("a.x", U8, b"\1"), ("a.y", STR, text("z"))]))
    assert isinstance(file, Mapping)
    assert dict(file) == dict(file.items()) == {"a.x": 1, "a.y": "z"}
    assert list(file) == list(file.keys()) == ["a.x", "a.y"]
    assert list(file.values()) == [1, "z"]
    assert len(file) == 2 and "a.x" in file and "a.z" not in file
    assert file.get("a.z") is None and file.get("a.z", 5) == 5 and file.get("a.x", 5) == 1
    for look in (file.__getitem__, file.value_type):
        with pytest.raises(KeyError, match="a.z"):
            look("a.z")
    match file:
        case {"a.x": number}:
            assert number == 1


def test_of_duplicate_keys_the_last_counts(write: Any) -> None:
    path = write([("a.x", U8, b"\1"), ("a.y", U8, b"\2"), ("a.x", U8, b"\3")])
    with pytest.raises(modelkeep.GgufError):
        modelkeep.Gguf(path)
    file = modelkeep.Gguf(path, lenient=True)
    assert dict(file) == {"a.x": 3, "a.y": 2} and len(file) == 2
    assert [warning.code for warning in file.warnings] == ["duplicate_key"]


def test_arrays_of_strings_are_sequences(write: Any, mmap: bool) -> None:
    words = modelkeep.Gguf(write([("a.x", ARR, strings(WORDS))]), mmap=mmap)["a.x"]
    assert isinstance(words, Sequence) and isinstance(words, modelkeep.Array)
    assert words.element_type == "str" and len(words) == len(WORDS)
    assert list(words) == words.tolist() == WORDS
    for index in range(-len(WORDS), len(WORDS)):
        assert words[index] == WORDS[index]
    for cut in (slice(None), slice(1, 4), slice(None, None, -2), slice(5, 1), slice(-2, 99)):
        assert words[cut] == WORDS[cut]
    for index in (len(WORDS), -len(WORDS) - 1):
        with pytest.raises(IndexError):
            words[index]
    assert "a" in words and "b" not in words
    assert words.index("a") == 1 and words.count("a") == 1
    with pytest.raises(ValueError):
        words.index("a", 2)
    assert list(reversed(words)) == WORDS[::-1]
    with pytest.raises(BufferError):
        memoryview(words)


def test_iteration_goes_past_the_end_of_a_piece(write: Any) -> None:
    many = [str(number) for number in range(10_000)]
    words = modelkeep.Gguf(write([("a.x", ARR, strings(many))]))["a.x"]
    assert list(words) == many
    assert next(iter(words)) == "0"


def test_texts_that_are_not_utf_8_give_their_bytes_back(write: Any) -> None:
    data = struct.pack("<Q", 3) + b"a\xff\xc3"
    both = [("a.x", STR, data), ("a.y", ARR, array(STR, 1, data))]
    file = modelkeep.Gguf(write(both))
    assert file["a.x"] == file["a.y"][0] == "a\udcff\udcc3"
    assert file["a.x"].encode("utf-8", "surrogateescape") == b"a\xff\xc3"


def test_texts_come_out_as_python_decodes_them(write: Any) -> None:
    edges = [0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
    texts = [chr(edge).encode() for edge in edges]
    texts += [b"\xed\xa0\x80", b"\xc0\x80", b"\xe0\x80\x80"]
    some = random.Random(1)
    alphabet = [*texts, b"a", b"\xff", b"\xe4", b"\xb8", b"\xad"]
    texts += [b"".join(some.choices(alphabet, k=some.randrange(14))) for _ in range(20_000)]
    data = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    found = modelkeep.Gguf(write([("a.x", ARR, array(STR, len(texts), data))]))["a.x"]
    assert list(found) == [text.decode("utf-8", "surrogateescape") for text in texts]


def test_keys_that_are_not_utf_8_can_be_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "file.gguf"
    path.write_bytes(gguf([("a.xx", U8, b"\1")]).replace(b"a.xx", b"a.x\xff"))
    file = modelkeep.Gguf(path, lenient=True)
    assert {key: file[key] for key in file} == {"a.x\udcff": 1}


@pytest.mark.parametrize("name", [name for name in SCALARS])
def test_numbers_are_memory_without_a_copy(write: Any, mmap: bool, name: str) -> None:
    kind, form, value = SCALARS[name]
    values = [value, type(value)(0), value]
    data = b"".join(struct.pack(form, v) for v in values)
    numbers = modelkeep.Gguf(write([("a.x", ARR, array(kind, 3, data))]), mmap=mmap)["a.x"]
    view = memoryview(numbers)
    assert (view.format, view.shape, view.readonly) == (form[1], (3,), True)
    assert view.tolist() == list(numbers) == numbers.tolist() == values
    assert view.cast("B").tobytes() == data and bytes(numbers) == data
    assert np.frombuffer(numbers, dtype=form[1:]).tolist() == values
    assert np.asarray(numbers).dtype == np.dtype(form)
    assert numbers[1] == values[1] and numbers[::2] == [value, value]


def test_bools_beyond_one_are_memory_of_bytes(write: Any) -> None:
    path = write([("a.x", ARR, array(BOOL, 3, b"\0\1\2"))])
    bools = modelkeep.Gguf(path, lenient=True)["a.x"]
    assert list(bools) == [False, True, True]
    assert memoryview(bools).tolist() == [0, 1, 2]


def test_an_empty_array_is_empty_memory(write: Any) -> None:
    numbers = modelkeep.Gguf(write([("a.x", ARR, array(F32, 0, b""))]))["a.x"]
    assert list(numbers) == [] and memoryview(numbers).nbytes == 0


def test_arrays_in_arrays_come_out_as_lists(write: Any) -> None:
    inner = array(U8, 2, b"\1\2") + array(U8, 0, b"")
    nested = modelkeep.Gguf(write([("a.x", ARR, array(ARR, 2, inner))]))["a.x"]
    assert list(nested) == nested.tolist() == [[1, 2], []]
    assert nested[0] == [1, 2] and nested[-1:] == [[]] and nested.element_type == "arr"


def big_endian(tmp_path: Path) -> Path:
    head = b"GGUF" + struct.pack(">IQQ", 3, 1, 1)
    head += struct.pack(">Q", 3) + b"a.x" + struct.pack(">IIQ2i", ARR, I32, 2, 1, -2)
    head += struct.pack(">Q", 1) + b"t" + struct.pack(">IQIQ", 1, 2, 0, 0)
    path = tmp_path / "big.gguf"
    path.write_bytes(head + bytes(-len(head) % 32) + struct.pack(">2f", 0.5, -1) + bytes(24))
    return path


def test_big_endian_numbers_say_so(tmp_path: Path) -> None:
    file = modelkeep.Gguf(big_endian(tmp_path))
    assert file.byteorder == "big" and list(file["a.x"]) == [1, -2]
    assert memoryview(file["a.x"]).format == ">i"
    assert np.asarray(file["a.x"]).tolist() == [1, -2]
    assert np.asarray(file.tensors["t"]).tolist() == [0.5, -1.0]


F32_T, F16_T, Q4_0_T, BF16_T, I64_T = 0, 1, 2, 30, 27


def test_tensors_are_numpy_arrays_of_their_shape(write: Any) -> None:
    data = np.arange(6, dtype=np.float32)
    half = np.array([1.5, -2], np.float16)
    long = np.array([7, -8], np.int64)
    file = modelkeep.Gguf(
        write(
            [],
            [
                ("f", [3, 2], F32_T, data.tobytes()),
                ("h", [2], F16_T, half.tobytes()),
                ("l", [1, 1, 2], I64_T, long.tobytes()),
            ],
        )
    )
    tensors = file.tensors
    assert list(tensors) == ["f", "h", "l"]
    tensor = tensors["f"]
    assert (tensor.shape, tensor.type, tensor.type_code) == ((2, 3), "F32", 0)
    assert (tensor.size, tensor.nbytes, tensor.offset) == (6, 24, file.data_offset)
    assert np.array_equal(np.asarray(tensor), data.reshape(2, 3))
    assert np.asarray(tensor).base is not None
    assert np.array_equal(np.asarray(tensors["h"]), half)
    assert np.array_equal(np.asarray(tensors["l"]), long.reshape(2, 1, 1))
    assert file.parameter_count == 10 and file.tensors is tensors


def test_tensors_of_blocks_are_rows_of_bytes(write: Any) -> None:
    quantized = bytes(range(36)) * 2
    brain = bytes(range(8))
    file = modelkeep.Gguf(
        write([], [("q", [64, 2], Q4_0_T, quantized), ("b", [2, 2], BF16_T, brain)])
    )
    view = memoryview(file.tensors["q"])
    assert (view.shape, view.format, file.tensors["q"].shape) == ((2, 36), "B", (2, 64))
    assert view.tobytes() == quantized
    assert memoryview(file.tensors["b"]).shape == (2, 4)
    assert np.asarray(file.tensors["b"]).view("<u2").shape == (2, 2)


def test_a_scalar_tensor_has_no_dimension(write: Any) -> None:
    tensor = modelkeep.Gguf(write([], [("s", [], F32_T, struct.pack("<f", 2.5))])).tensors["s"]
    assert tensor.shape == () and memoryview(tensor).ndim == 0
    assert np.asarray(tensor) == 2.5


def test_the_data_of_a_file_that_is_read_are_not_at_hand(write: Any) -> None:
    path = write([], [("f", [1], F32_T, bytes(4))])
    tensor = modelkeep.Gguf(path, mmap=False).tensors["f"]
    assert tensor.nbytes == 4
    with pytest.raises(BufferError, match="not mapped"):
        memoryview(tensor)


def part(number: int) -> bytes:
    keys = [("split.no", U16, struct.pack("<H", number)), ("split.count", U16, b"\2\0")]
    return gguf(keys, [(f"t{number}", [1], F32_T, struct.pack("<f", number))])


def test_a_split_model_is_one_table_of_tensors(tmp_path: Path) -> None:
    for number in (0, 1):
        (tmp_path / f"m-0000{number + 1}-of-00002.gguf").write_bytes(part(number))
    split = modelkeep.GgufParts(tmp_path / "m-00002-of-00002.gguf")
    assert [file.split for file in split.parts] == [(0, 2), (1, 2)]
    assert list(split.tensors) == ["t0", "t1"] and split.parameter_count == 2
    assert np.asarray(split.tensors["t1"]).tolist() == [1.0]
    (tmp_path / "m-00001-of-00002.gguf").unlink()
    with pytest.raises(FileNotFoundError, match="00001-of"):
        modelkeep.GgufParts(tmp_path / "m-00002-of-00002.gguf")


def test_a_split_model_reads_like_the_mapping_of_its_metadata(tmp_path: Path) -> None:
    paths = [tmp_path / f"m-0000{number + 1}-of-00002.gguf" for number in (0, 1)]
    for number, path in enumerate(paths):
        path.write_bytes(part(number))
    with modelkeep.GgufParts(paths[1]) as split:
        first = split.parts[0]
        assert split.paths == paths and isinstance(split, Mapping)
        assert dict(split) == dict(first) == {"split.no": 0, "split.count": 2}
        assert split == first and split == dict(first) and split != split.parts[1]
        assert split == modelkeep.GgufParts(paths[0])
        assert "split.no" in split and split.get("none", 7) == 7 and len(split) == 2
        assert split.value_type("split.no") == "u16" and list(split.keys()) == list(first)
        assert split._ipython_key_completions_() == list(first)
        with pytest.raises(KeyError):
            split["none"]
        tensor = split.tensors["t1"]
        assert split.tensors is split.tensors
    assert split.closed and first.closed and np.asarray(tensor).tolist() == [1.0]
    for look in (lambda: split["split.no"], lambda: split.tensors, lambda: len(split)):
        with pytest.raises(ValueError, match="closed"):
            look()


def test_nobody_writes_into_the_store(write: Any) -> None:
    numbers = modelkeep.Gguf(write([("a.x", ARR, array(U8, 2, b"\1\2"))]))["a.x"]
    with pytest.raises(TypeError):
        memoryview(numbers)[0] = 5
    with pytest.raises((BufferError, TypeError)):
        struct.pack_into("B", numbers, 0, 5)
    assert not np.asarray(numbers).flags.writeable


def test_memory_outlives_the_file_object(write: Any, mmap: bool) -> None:
    data = struct.pack("<1000i", *range(1000))
    path = write([("a.x", ARR, array(I32, 1000, data))], [("f", [2], F32_T, data[:8])])
    file = modelkeep.Gguf(path, mmap=mmap)
    array_view, numpy_view = memoryview(file["a.x"]), np.asarray(file["a.x"])[500:]
    tensor_view = memoryview(file.tensors["f"]) if mmap else None
    words = iter(file["a.x"])
    del file
    path.unlink()
    gc.collect()
    assert array_view.tolist() == list(words) == list(range(1000))
    assert numpy_view.tolist() == list(range(500, 1000))
    assert tensor_view is None or tensor_view.tobytes() == data[:8]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="no /proc here")
def test_reading_leaves_no_file_open(write: Any) -> None:
    path = write([("a.x", U8, b"\1")])
    before = len(os.listdir("/proc/self/fd"))
    files = [modelkeep.Gguf(path) for _ in range(50)]
    assert len(os.listdir("/proc/self/fd")) <= before + 1 and files


def test_a_fault_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(gguf([("a.x", STR, text("value"))])[:40])
    with pytest.raises(ValueError) as caught:
        modelkeep.Gguf(path)
    assert isinstance(caught.value, modelkeep.GgufError)
    fault = caught.value.parse_error
    assert fault is not None and fault.kind == "truncated" and fault.offset > 0
    assert fault.message in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", modelkeep.GgufError),
        (b"GGML" + bytes(40), modelkeep.GgufError),
        (b"GGUF" + struct.pack("<I", 1) + bytes(40), modelkeep.UnsupportedError),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), modelkeep.GgufError),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    for mmap in (True, False):
        with pytest.raises(error) as caught:
            modelkeep.Gguf(path, mmap=mmap)
        assert getattr(caught.value, "parse_error").kind


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError):
        modelkeep.Gguf(tmp_path / "fifo")
    with pytest.raises(FileNotFoundError, match="absent"):
        modelkeep.Gguf(tmp_path / "absent")


def test_the_json_of_a_file_loses_nothing(write: Any) -> None:
    file = modelkeep.Gguf(write([("a.x", F32, struct.pack("<f", 0.5))]))
    assert json.loads(file.to_json()) == file.to_dict()
    assert file.to_dict()["kv"] == [{"key": "a.x", "type": "f32", "value": {"f32": "0x3f000000"}}]
    assert (file.version, file.byteorder, file.alignment) == (3, "little", 32)
    assert file.size == os.stat(write([("a.x", F32, struct.pack("<f", 0.5))])).st_size
