"""The numbers of tensors as arrays of numpy."""

from pathlib import Path

import numpy as np
import pytest
from conftest import gguf

import modelkeep

Q8_0, I32, F32 = 8, 26, 0
SCALES = np.array([[1.0, 0.5], [2.0, -1.0], [0.25, 4.0], [8.0, 0.0]], dtype=np.float16)
WEIGHTS = np.arange(-128, 128, dtype=np.int8).reshape(4, 2, 32)
NUMBERS = (WEIGHTS.astype(np.float32) * SCALES[:, :, None].astype(np.float32)).reshape(4, 64)


def packed() -> bytes:
    blocks = [
        SCALES[row, block].tobytes() + WEIGHTS[row, block].tobytes()
        for row in range(4)
        for block in range(2)
    ]
    return b"".join(blocks)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.gguf"
    counted = np.arange(8, dtype="<f4").tobytes()
    tensors = [
        ("w", [64, 4], Q8_0, packed()),
        ("cube", [32, 2, 4], Q8_0, packed()),
        ("flat", [8], F32, counted),
        ("whole", [4, 2], I32, counted),
        ("scalar", [], F32, counted[4:8]),
    ]
    path.write_bytes(gguf([], tensors))
    return path


def test_blocks_are_numbers(file: Path) -> None:
    tensors = modelkeep.Gguf(file).tensors
    found = tensors["w"].to_numpy()
    assert found.dtype == np.float32 and found.flags.writeable
    assert np.array_equal(found, NUMBERS)
    assert np.array_equal(tensors["cube"].to_numpy(), NUMBERS.reshape(4, 2, 32))


def test_a_scalar_is_an_array_of_no_dimensions(file: Path) -> None:
    found = modelkeep.Gguf(file).tensors["scalar"].to_numpy()
    assert found.shape == () and found.dtype == np.float32 and found == 1.0


@pytest.mark.parametrize(
    "rows",
    [slice(1, 3), slice(None), slice(None, None, -1), slice(-1, None), slice(0, 4, 2), slice(3, 1)],
    ids=str,
)
@pytest.mark.parametrize("name", ["w", "cube", "flat"])
def test_some_rows_are_those_of_the_whole(file: Path, name: str, rows: slice) -> None:
    tensor = modelkeep.Gguf(file).tensors[name]
    assert np.array_equal(tensor.to_numpy(rows=rows), tensor.to_numpy()[rows])


def test_a_range_names_rows_that_are_there(file: Path) -> None:
    tensor = modelkeep.Gguf(file).tensors["w"]
    assert np.array_equal(tensor.to_numpy(rows=range(3, 0, -2)), NUMBERS[[3, 1]])
    for outside in (range(2, 5), range(-1, 2)):
        with pytest.raises(IndexError, match="the tensor has 4"):
            tensor.to_numpy(rows=outside)


def test_what_is_not_dequantized_says_so(file: Path) -> None:
    with pytest.raises(modelkeep.UnsupportedError, match="I32"):
        modelkeep.Gguf(file).tensors["whole"].to_numpy()
    with open(file, "rb") as stream:
        cut = modelkeep.Gguf.from_buffer(stream.read()[:-40], header_only=True)
    with pytest.raises(modelkeep.NotFoundError, match="not at hand"):
        cut.tensors["scalar"].to_numpy()


def test_a_file_that_is_not_mapped_is_read(file: Path) -> None:
    mapped = modelkeep.Gguf(file)
    with open(file, "rb") as stream:
        for read in (modelkeep.Gguf(file, mmap=False), modelkeep.Gguf.from_file(stream)):
            assert np.array_equal(read.tensors["w"].to_numpy(), mapped.tensors["w"].to_numpy())
            assert read.hash().sha256 == mapped.hash().sha256
            assert not read.diff(mapped)
    with pytest.raises(modelkeep.StoreIOError, match="closed file"):
        read.tensors["w"].to_numpy()


def test_the_types_have_the_sizes_of_their_blocks() -> None:
    types = {kind.name: kind for kind in modelkeep.TensorType.all()}
    assert (types["Q6_K"].code, types["Q6_K"].block_elements, types["Q6_K"].block_bytes) == (14, 256, 210)
    assert types["MXFP4"].is_dequantizable and not types["I32"].is_dequantizable


def test_every_type_is_what_the_reference_makes_of_it(tmp_path: Path) -> None:
    reference = pytest.importorskip("gguf")
    random = np.random.default_rng(7)
    path = tmp_path / "all.gguf"
    writer = reference.GGUFWriter(path, "llama")
    data = {}
    for kind in modelkeep.TensorType.all():
        if not kind.is_dequantizable or kind.name == "Q8_K":
            continue
        rows = random.integers(0, 256, (8, 512 // kind.block_elements * kind.block_bytes), np.uint8)
        data[kind.name] = rows
        writer.add_tensor(kind.name, rows, raw_dtype=reference.GGMLQuantizationType(kind.code))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    tensors = modelkeep.Gguf(path).tensors
    assert len(data) == 16
    for name, rows in data.items():
        kind = reference.GGMLQuantizationType[name]
        plain = {"F32": np.float32, "F16": np.float16}.get(name)
        with np.errstate(all="ignore"):
            wanted = reference.dequantize(rows if plain is None else rows.view(plain), kind)
        wanted = np.asarray(wanted, np.float32)
        found = tensors[name].to_numpy()
        same = found.view(np.uint32) == wanted.view(np.uint32)
        assert np.all(same | (np.isnan(found) & np.isnan(wanted))), name
