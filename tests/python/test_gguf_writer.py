"""Writing GGUF files, with gguf-py as the reader."""

import array
import random
from pathlib import Path

import numpy
import pytest

import modelkeep

gguf = pytest.importorskip("gguf")

TYPES = {
    "u8": (0, 255),
    "i8": (-128, 127),
    "u16": (0, 65_535),
    "i16": (-32_768, 32_767),
    "u32": (0, 2**32 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "u64": (0, 2**64 - 1),
    "i64": (-(2**63), 2**63 - 1),
}
DTYPES = ["float32", "float16", "float64", "int8", "int16", "int32", "int64"]


def a_value(chance: random.Random) -> tuple[object, str]:
    kind = chance.choice([*TYPES, "f32", "f64", "bool", "str"])

    def one() -> object:
        if kind in TYPES:
            return chance.choice([*TYPES[kind], chance.randint(*TYPES[kind])])
        if kind == "bool":
            return chance.random() < 0.5
        if kind == "str":
            return "".join(chance.choice("aé漢🙂 \n\0") for _ in range(chance.randrange(40)))
        number = chance.uniform(-1e6, 1e6)
        return float(numpy.float32(number)) if kind == "f32" else number

    if chance.random() < 0.4:
        return [one() for _ in range(chance.randrange(1, 30))], kind
    return one(), kind


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_gguf_py_reads(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    numbers = numpy.random.default_rng(seed)
    path = tmp_path / "new.gguf"
    byteorder = chance.choice(["little", "big"])
    # gguf-py reads from 8 on; the others are read by the strict reader alone.
    alignment = chance.choice([8, 16, 32, 64, 256, 4096])
    values = {f"key.{n}": a_value(chance) for n in range(chance.randrange(12))}
    tensors = {}
    for n in range(chance.randrange(6)):
        shape = tuple(chance.randrange(1, 6) for _ in range(chance.randrange(1, 5)))
        dtype = chance.choice(DTYPES)
        tensors[f"tensor.{n}"] = (numbers.standard_normal(shape) * 100).astype(dtype)
    with modelkeep.GgufWriter(path, alignment=alignment, byteorder=byteorder) as writer:  # type: ignore[arg-type]
        writer["general.architecture"] = "llama"
        for key, (value, kind) in values.items():
            writer.set(key, value, type=kind)  # type: ignore[arg-type]
        for name, tensor in tensors.items():
            if chance.random() < 0.3:
                dtype = {"float": "F", "int": "I"}[tensor.dtype.name.rstrip("0123456789")]
                dtype += str(8 * tensor.itemsize)
                writer.add(name, lambda tensor=tensor: tensor, shape=tensor.shape, dtype=dtype)
            else:
                writer.add(name, tensor)
    reader = gguf.GGUFReader(path)
    assert reader.alignment == alignment
    for key, (value, _) in values.items():
        assert reader.get_field(key).contents() == value, key
    assert [tensor.name for tensor in reader.tensors] == list(tensors)
    for tensor in reader.tensors:
        expected = tensors[tensor.name]
        assert numpy.array_equal(tensor.data.reshape(expected.shape), expected)
    ours = modelkeep.Gguf(path)
    assert ours.byteorder == byteorder
    unusual = {warning.code for warning in ours.warnings} - {"big_endian"}
    assert unusual == set()


def test_blocks_buffers_and_the_tensors_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    blocks = bytes(range(18)) * 4
    floats = array.array("f", [1, 2, 3, 4])
    with modelkeep.GgufWriter(path, alignment=1024) as writer:
        writer["general.architecture"] = "llama"
        writer.add("blocks", blocks, shape=(2, 64), dtype="Q4_0")
        writer.add("floats", floats)
        writer.add("strided", numpy.arange(12, dtype="int32").reshape(3, 4).T)
        writer.add("empty", numpy.zeros((0, 4), dtype="float32"))
        writer.add("swapped", numpy.arange(3, dtype=">i4"))
    found = modelkeep.Gguf(path).tensors
    assert bytes(found["blocks"]) == blocks
    assert (found["blocks"].shape, found["floats"].shape) == ((2, 64), (4,))
    assert bytes(found["floats"]) == floats.tobytes()
    assert found["strided"].shape == (4, 3)
    assert numpy.frombuffer(bytes(found["strided"]), "<i4").tolist()[:3] == [0, 4, 8]
    assert numpy.frombuffer(bytes(found["swapped"]), "<i4").tolist() == [0, 1, 2]
    copy = tmp_path / "copy.gguf"
    with modelkeep.GgufWriter(copy) as writer:
        writer["general.architecture"] = "llama"
        for name in ("blocks", "floats"):
            tensor = found[name]
            writer.add(name, tensor)
    assert bytes(modelkeep.Gguf(copy).tensors["blocks"]) == blocks


def test_the_numbers_of_another_file_are_in_the_order_of_the_new_one(tmp_path: Path) -> None:
    paths = {order: tmp_path / f"{order}.gguf" for order in ("little", "big")}
    numbers = numpy.arange(6, dtype="float32").reshape(2, 3)
    for order, path in paths.items():
        with modelkeep.GgufWriter(path, byteorder=order) as writer:  # type: ignore[arg-type]
            writer["general.architecture"] = "llama"
            writer.add("a", numbers)
        for target, expected in (("little", "<f4"), ("big", ">f4")):
            to = tmp_path / f"{order}-{target}.gguf"
            with modelkeep.GgufWriter(to, byteorder=target) as writer:  # type: ignore[arg-type]
                writer["general.architecture"] = "llama"
                writer.add("a", modelkeep.Gguf(path).tensors["a"])
            found = bytes(modelkeep.Gguf(to).tensors["a"])
            assert numpy.frombuffer(found, expected).tolist() == numbers.ravel().tolist()


def test_numbers_have_the_types_that_readers_expect(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    with modelkeep.GgufWriter(path) as writer:
        writer["a"] = 5
        writer["b"] = -5
        writer["c"] = 2**40
        writer["d"] = 0.5
        writer["e"] = [1, 2.5]
        writer["f"] = numpy.array([1, 2], dtype="uint16")
        writer["g"] = numpy.float64(0.5)
    found = modelkeep.Gguf(path)
    assert [found.value_type(key) for key in "abcd"] == ["u32", "i32", "u64", "f32"]
    assert [found.get(key).element_type for key in "ef"] == ["f32", "u16"]
    assert found.value_type("g") == "f64"


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    with pytest.raises(ZeroDivisionError), modelkeep.GgufWriter(path) as writer:
        writer.add("a", lambda: 1 // 0, shape=(1,), dtype="F32")
    with pytest.raises(RuntimeError), modelkeep.GgufWriter(path) as writer:
        raise RuntimeError
    with pytest.raises(modelkeep.ArgumentError, match="missing"), modelkeep.GgufWriter(path) as writer:
        writer.add("a", bytes(4), shape=(2,), dtype="F32")
    with pytest.raises(modelkeep.ArgumentError, match="more data"), modelkeep.GgufWriter(path) as writer:
        writer.add("a", bytes(12), shape=(2,), dtype="F32")
    with pytest.raises(modelkeep.ArgumentError, match="there before"), modelkeep.GgufWriter(path) as writer:
        writer.add("a", bytes(4), shape=(1,), dtype="F32")
        writer.add("a", bytes(4), shape=(1,), dtype="F32")
    with pytest.raises(modelkeep.ArgumentError), modelkeep.GgufWriter(path, alignment=12) as writer:
        pass
    with pytest.raises(TypeError, match="shape and the dtype"):
        modelkeep.GgufWriter(path).add("a", lambda: b"")
    with pytest.raises(TypeError, match="dtype"):
        modelkeep.GgufWriter(path).add("a", numpy.array(["x"]))
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"theirs")
    with pytest.raises(modelkeep.ExistsError), modelkeep.GgufWriter(path) as writer:
        pass
    assert path.read_bytes() == b"theirs"


def test_one_tensor_at_a_time_is_in_memory(tmp_path: Path) -> None:
    alive: list[int] = [0, 0]

    class Held(bytes):
        def __del__(self) -> None:
            alive[0] -= 1

    def make() -> bytes:
        alive[0] += 1
        alive[1] = max(alive)
        return Held(bytes(1 << 20))

    with modelkeep.GgufWriter(tmp_path / "new.gguf") as writer:
        for n in range(5):
            writer.add(f"t{n}", make, shape=(1 << 18,), dtype="F32")
    assert alive == [0, 1]
