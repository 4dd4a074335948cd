"""Models that travel: to a file, to a directory, and through files of Python."""

import io
import signal
import threading

import pytest

import modelkeep
from conftest import Scratch


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    scratch.model("tiny")
    scratch.model("other", b"other weights")
    return scratch.open()


def elsewhere(scratch: Scratch, name: str) -> modelkeep.Store:
    return modelkeep.Store(scratch.root / name, create=True, delete_delay=0.0)


def names(store: modelkeep.Store) -> set[str]:
    return {model.name for model in store.list()}


@pytest.mark.parametrize("form", ["models.tar", "layout"])
def test_models_come_back(scratch: Scratch, store: modelkeep.Store, form: str) -> None:
    path = scratch.root / form
    seen: list[int] = []
    exported = store.export(["tiny", "other"], path, progress=lambda at: seen.append(at.bytes))
    assert exported.models == ["other:latest", "tiny:latest"]
    assert (exported.blobs, exported.bytes) == (4, seen[-1])
    assert exported.to_dict()["models"] == exported.models
    other = elsewhere(scratch, "elsewhere")
    imported = other.import_archive(path, progress=lambda at: seen.append(at.bytes))
    assert [model.name for model in imported.models] == exported.models
    assert not any(model.replaced for model in imported.models)
    assert (imported.new_blobs, imported.new_bytes) == (4, exported.bytes)
    assert imported.to_dict()["shared_blobs"] == imported.shared_blobs == 0
    assert names(other) == names(store)
    assert {m.digest for m in other.list()} == {m.digest for m in store.list()}
    assert repr(imported.models[0]) == "ArchivedModel(name='other:latest', replaced=False)"
    assert "models=[ArchivedModel(" in repr(imported) and "models=" in repr(exported)


def test_models_go_through_files(scratch: Scratch, store: modelkeep.Store) -> None:
    buffer = io.BytesIO()
    store.export("tiny", buffer)
    store.export("tiny", scratch.root / "tiny.tar")
    assert buffer.getvalue() == (scratch.root / "tiny.tar").read_bytes()
    buffer.seek(0)
    other = elsewhere(scratch, "elsewhere")
    other.import_archive(buffer, "named")
    with open(scratch.root / "tiny.tar", "rb") as file:
        other.import_archive(file)
    assert names(other) == {"named:latest", "tiny:latest"}


class Broken:
    def read(self, size: int, /) -> bytes:
        raise RuntimeError("no more")

    def write(self, data: bytes, /) -> int:
        raise RuntimeError("no room")


def test_what_a_file_raises_comes_out(scratch: Scratch, store: modelkeep.Store) -> None:
    with pytest.raises(RuntimeError, match="no room"):
        store.export("tiny", Broken())
    with pytest.raises(RuntimeError, match="no more"):
        store.import_archive(Broken())
    with pytest.raises(TypeError, match="write"):
        store.export("tiny", 7)  # type: ignore[arg-type]


def test_errors_have_their_classes(scratch: Scratch, store: modelkeep.Store) -> None:
    path = scratch.root / "tiny.tar"
    store.export("tiny", path)
    with pytest.raises(modelkeep.ExistsError):
        store.export("tiny", path)
    store.export("tiny", path, replace=True)
    with pytest.raises(modelkeep.NotFoundError):
        store.export(["nope"], scratch.root / "x.tar")
    with pytest.raises(modelkeep.ArgumentError):
        store.export([], scratch.root / "x.tar")
    other = elsewhere(scratch, "elsewhere")
    with pytest.raises(modelkeep.CorruptError):
        other.import_archive(io.BytesIO(path.read_bytes()[:2000]))
    with pytest.raises(modelkeep.MissingFileError):
        other.import_archive(scratch.root / "absent.tar")
    with pytest.raises(modelkeep.InvalidNameError):
        other.import_archive(path, "../x")
    assert names(other) == set()


def test_a_callback_cancels_and_nothing_is_left(scratch: Scratch, store: modelkeep.Store) -> None:
    path = scratch.root / "tiny.tar"
    for to in (path, scratch.root / "layout"):
        with pytest.raises(modelkeep.CancelledError):
            store.export("tiny", to, progress=lambda at: False)
        assert not to.exists()
    store.export("tiny", path)
    other = elsewhere(scratch, "elsewhere")
    with pytest.raises(modelkeep.CancelledError):
        other.import_archive(path, progress=lambda at: False)
    assert names(other) == set()


def test_an_interrupt_ends_an_export(scratch: Scratch, store: modelkeep.Store) -> None:
    # Sparse, and of a digest that takes long to be found wrong.
    with open(scratch.model("tiny"), "r+b") as file:
        file.truncate(64 << 30)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    before = set(scratch.root.iterdir())
    with pytest.raises(KeyboardInterrupt):
        store.export("tiny", Nowhere())
    timer.join()
    assert set(scratch.root.iterdir()) == before


class Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)
