"""GGUF files that have no path: buffers, files of Python, and URLs by ranges."""

import array
import gc
import io
import mmap
import struct
import zipfile
from pathlib import Path

import pytest

import modelkeep

def with_data(path: Path) -> bytes:
    with modelkeep.GgufWriter(path) as writer:
        writer["general.architecture"] = "llama"
        writer.add("w", array.array("f", [1.0, 2.0, 3.0, 4.0]))
    return path.read_bytes()


def test_every_buffer_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "whole.gguf"
    data = with_data(path)
    opened = modelkeep.Gguf(path)
    words = array.array("I", data)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for lent in (data, bytearray(data), memoryview(data), words, mapped):
            with modelkeep.Gguf.from_buffer(lent) as read:
                assert read == opened and read.size == len(data)
                assert bytes(memoryview(read.tensors["w"])) == struct.pack("<4f", 1, 2, 3, 4)
            del read
            gc.collect()


def test_a_buffer_is_borrowed_as_long_as_anybody_looks(tmp_path: Path) -> None:
    data = bytearray(with_data(tmp_path / "a.gguf"))
    read = modelkeep.Gguf.from_buffer(data)
    tensor = read.tensors["w"]
    with pytest.raises(BufferError):
        data.append(0)
    data[-32:-28] = struct.pack("<f", 9)
    assert memoryview(tensor)[0] == 9, "nothing was copied"
    read.close()
    with pytest.raises(BufferError):
        data.append(0)
    del read, tensor
    gc.collect()
    data.append(0)


def test_what_is_written_to_a_buffer_does_no_harm(tmp_path: Path) -> None:
    data = bytearray(with_data(tmp_path / "a.gguf"))
    read = modelkeep.Gguf.from_buffer(data)
    tensor = read.tensors["w"]
    data[:] = b"\xff" * len(data)
    assert len(memoryview(tensor)) == 4
    assert len(dict(read)) == len(read), "other texts, and no more of them"


def test_what_is_no_buffer_is_refused(tmp_path: Path) -> None:
    data = with_data(tmp_path / "a.gguf")
    for other in ("text", 5, None, tmp_path):
        with pytest.raises(TypeError):
            modelkeep.Gguf.from_buffer(other)  # type: ignore[arg-type]
    with pytest.raises((BufferError, TypeError)):
        modelkeep.Gguf.from_buffer(memoryview(data)[::2])
    for cut in (b"", data[:20], data[:-40]):
        with pytest.raises(modelkeep.GgufError):
            modelkeep.Gguf.from_buffer(cut)
    assert len(modelkeep.Gguf.from_buffer(data[:-40], header_only=True)) == 1


class Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_of_a_file_only_the_header_is_read(tmp_path: Path) -> None:
    data = with_data(tmp_path / "a.gguf")
    with modelkeep.GgufWriter(tmp_path / "b.gguf") as writer:
        writer["general.architecture"] = "llama"
        writer.add("w", bytes(8 << 20), shape=(2 << 20,), dtype="F32")
    file = Counting((tmp_path / "b.gguf").read_bytes())
    read = modelkeep.Gguf.from_file(file)
    assert read == modelkeep.Gguf(tmp_path / "b.gguf") and list(read.tensors) == ["w"]
    assert file.count <= 64 << 10 and file.tell() == 0
    with pytest.raises(BufferError, match="not at hand"):
        memoryview(read.tensors["w"])
    inside = io.BytesIO(b"before" + data)
    inside.seek(6)
    assert modelkeep.Gguf.from_file(inside).size == len(data) and inside.tell() == 6
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.gguf", data)
    with zipfile.ZipFile(tmp_path / "z.zip") as archive, archive.open("a.gguf") as member:
        assert modelkeep.Gguf.from_file(member)["general.architecture"] == "llama"
    with pytest.raises(modelkeep.GgufError):
        modelkeep.Gguf.from_file(io.BytesIO(data[:-40]))
    assert len(modelkeep.Gguf.from_file(io.BytesIO(data[:-40]), header_only=True)) == 1


def test_what_a_file_raises_comes_through(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ZeroDivisionError("of the user")

    class Stream(io.BytesIO):
        def seek(self, to: int, whence: int = 0, /) -> int:
            raise io.UnsupportedOperation("no seek")

    with pytest.raises(ZeroDivisionError, match="of the user"):
        modelkeep.Gguf.from_file(Broken(b"GGUF" * 100))
    with pytest.raises(io.UnsupportedOperation):
        modelkeep.Gguf.from_file(Stream(b"GGUF" * 100))
    with pytest.raises(AttributeError):
        modelkeep.Gguf.from_file("path")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        modelkeep.Gguf.from_file(io.StringIO("GGUF" * 100))  # type: ignore[arg-type]
