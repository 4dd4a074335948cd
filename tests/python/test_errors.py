"""The exceptions: their bases, their texts and what they carry."""

import errno
import os
import pickle
import re
from pathlib import Path
from collections.abc import Callable

import pytest
from conftest import Scratch

import modelkeep

BASES = {
    "NotFoundError": KeyError,
    "InvalidNameError": ValueError,
    "InvalidDigestError": ValueError,
    "ArgumentError": ValueError,
    "ExistsError": FileExistsError,
    "CorruptError": modelkeep.Error,
    "GgufError": ValueError,
    "UnsupportedError": NotImplementedError,
    "BusyError": TimeoutError,
    "CancelledError": modelkeep.Error,
    "StoreIOError": OSError,
    "PermissionDeniedError": PermissionError,
    "MissingFileError": FileNotFoundError,
    "ReadOnlyError": PermissionError,
    "NetworkError": ConnectionError,
    "TemplateError": ValueError,
}


@pytest.mark.parametrize("name", BASES)
def test_each_class_is_an_error_and_what_python_would_raise(name: str) -> None:
    cls = getattr(modelkeep, name)
    assert issubclass(cls, modelkeep.Error)
    assert issubclass(cls, BASES[name])
    assert (cls.__module__, cls.__qualname__) == ("modelkeep", name)


def test_the_classes_are_those_of_the_engines_table() -> None:
    source = Path(__file__).parents[2] / "src" / "error.rs"
    rows = re.findall(r'^    \w+ = \d+, (\d+), "(\w+)", "[^"]+";$', source.read_text(), re.MULTILINE)
    assert {name: getattr(modelkeep, name).status for _, name in rows} == {
        name: int(status) for status, name in rows
    }
    assert {name for _, name in rows} == set(BASES)


def test_the_text_of_a_missing_model_is_plain(scratch: Scratch) -> None:
    with pytest.raises(KeyError) as caught:
        scratch.open().delete("nobody")
    assert str(caught.value) == "model 'nobody:latest' not found"
    assert isinstance(caught.value, modelkeep.NotFoundError)
    assert caught.value.status == 404


def test_a_missing_file_is_pythons_own_error_with_its_name(
    tmp_path: Path, scratch: Scratch
) -> None:
    absent = tmp_path / "absent"
    store = scratch.open()
    calls: list[Callable[[], object]] = [
        lambda: modelkeep.Store(absent),
        lambda: modelkeep.Gguf(absent),
        lambda: modelkeep.GgufParts(absent),
        lambda: store.import_gguf(absent, "x"),
        lambda: store.import_modelfile(absent, "x"),
    ]
    for call in calls:
        with pytest.raises(FileNotFoundError, match="absent") as caught:
            call()
        assert isinstance(caught.value, modelkeep.Error)
        assert caught.value.errno == errno.ENOENT
        assert caught.value.filename == str(absent)


def test_a_missing_blob_is_a_missing_file_and_a_missing_model_is_none(scratch: Scratch) -> None:
    scratch.model("a").unlink()
    calls: list[Callable[[], object]] = [
        lambda: scratch.open().path("a"),
        lambda: scratch.open().show("a"),
    ]
    for call in calls:
        with pytest.raises(modelkeep.MissingFileError) as caught:
            call()
        assert "not found" not in str(caught.value)
    with pytest.raises(KeyError) as missing:
        scratch.open().path("b")
    assert not isinstance(missing.value, OSError)


def test_a_change_of_a_read_only_store_is_a_permission_error(scratch: Scratch) -> None:
    scratch.model("a")
    store = modelkeep.Store(scratch.root, read_only=True)
    with pytest.raises(PermissionError) as caught:
        store.copy("a", "b")
    assert isinstance(caught.value, modelkeep.ReadOnlyError)
    assert (caught.value.errno, caught.value.filename) == (errno.EROFS, str(scratch.root))


def test_a_name_that_no_model_can_have_is_a_value_error(scratch: Scratch) -> None:
    with pytest.raises(ValueError) as caught:
        scratch.open().copy("../x", "y")
    assert isinstance(caught.value, modelkeep.InvalidNameError)


def test_the_systems_refusal_keeps_its_number(scratch: Scratch) -> None:
    scratch.model("a")
    scratch.manifest("a").unlink()
    scratch.manifest("a").symlink_to(scratch.manifest("a"))
    with pytest.raises(OSError) as caught:
        scratch.open().path("a")
    assert isinstance(caught.value, modelkeep.StoreIOError)
    assert caught.value.errno == errno.ELOOP
    assert caught.value.filename == str(scratch.manifest("a"))
    assert str(caught.value).startswith("reading manifest ")


def test_an_exception_survives_pickling(scratch: Scratch) -> None:
    with pytest.raises(modelkeep.Error) as caught:
        scratch.open().delete("nobody")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_an_io_error_survives_pickling() -> None:
    text = "reading x: " + os.strerror(errno.EACCES)
    error = modelkeep.PermissionDeniedError(errno.EACCES, text, "x")
    again = pickle.loads(pickle.dumps(error))
    assert (again.errno, again.filename, str(again)) == (errno.EACCES, "x", text)
