"""Editing GGUF files."""

import shutil
import struct
import threading
from pathlib import Path

import pytest

import modelkeep

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


def pairs(path: Path) -> dict[str, object]:
    """The metadata of a file, arrays as lists."""
    gguf = modelkeep.Gguf(path)
    found = {}
    for key, value in gguf.items():
        found[key] = list(value) if isinstance(value, modelkeep.Array) else value
    return found


def data(path: Path) -> dict[str, bytes]:
    return {name: bytes(tensor) for name, tensor in modelkeep.Gguf(path).tensors.items()}


def test_an_edit_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    to = tmp_path / "to.gguf"
    before = pairs(TINY)
    edited = modelkeep.edit_gguf(
        TINY,
        to,
        set={"general.name": "New", "llama.context_length": 256, "new.list": ["a", "b"]},
        remove=["tokenizer.chat_template"] if "tokenizer.chat_template" in before else [],
        rename={"general.architecture": "arch"},
    )
    expected = {("arch" if key == "general.architecture" else key): it for key, it in before.items()}
    expected.pop("tokenizer.chat_template", None)
    expected |= {"general.name": "New", "llama.context_length": 256, "new.list": ["a", "b"]}
    assert pairs(to) == expected
    assert data(to) == data(TINY)
    assert (edited.file, edited.size) == (to, to.stat().st_size)
    assert not edited.replaced and edited.shared_bytes == 0 and edited.warnings == []
    assert '"size"' in edited.to_json()


def test_types_are_kept_stated_or_refused(tmp_path: Path) -> None:
    to = tmp_path / "to.gguf"

    def edit(value: object, **types: str) -> str:
        stated = {"llama.context_length": types["type"]} if types else None
        modelkeep.edit_gguf(
            TINY, to, set={"llama.context_length": value, "new": value}, types=stated, replace=True  # type: ignore[arg-type]
        )
        gguf = modelkeep.Gguf(to)
        return gguf.value_type("llama.context_length") + " " + gguf.value_type("new")

    assert edit(5) == "u32 u32"
    assert edit(5, type="u64") == "u64 u32"
    assert edit(-5, type="i16") == "i16 i32"
    assert edit(2**40, type="u64") == "u64 u64"
    assert edit(1.5, type="f32") == "f32 f32"
    assert edit("text", type="str") == "str str"
    assert edit(True, type="bool") == "bool bool"
    for wrong in (-5, 2**40, 1.5, "text", True, [1]):
        with pytest.raises(modelkeep.ArgumentError, match="llama.context_length"):
            edit(wrong)
    with pytest.raises(TypeError, match="not bytes"):
        edit(b"bytes")
    with pytest.raises(TypeError, match="of one type"):
        edit([1, "a"])
    with pytest.raises(OverflowError):
        edit(2**64)


def test_a_missing_key_is_named_and_a_near_one_suggested(tmp_path: Path) -> None:
    with pytest.raises(modelkeep.NotFoundError, match="genral.name") as raised:
        modelkeep.edit_gguf(TINY, tmp_path / "to.gguf", remove=["genral.name"])
    assert raised.value.suggestions == ["general.name"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "file.gguf"
    shutil.copy(TINY, file)
    with pytest.raises(modelkeep.ExistsError):
        modelkeep.edit_gguf(file, file, set={"general.name": "New"})
    assert modelkeep.edit_gguf(file, file, set={"general.name": "New"}, replace=True).replaced
    assert modelkeep.Gguf(file)["general.name"] == "New"
    with pytest.raises(TypeError, match="either to or in_place"):
        modelkeep.edit_gguf(file)
    with pytest.raises(TypeError, match="either to or in_place"):
        modelkeep.edit_gguf(file, file, in_place=True)


def test_in_place_the_data_stay_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "file.gguf"
    shutil.copy(TINY, file)
    name = modelkeep.Gguf(file)["general.name"]
    modelkeep.edit_gguf(file, in_place=True, set={"general.name": name[::-1]})
    assert modelkeep.Gguf(file)["general.name"] == name[::-1]
    assert data(file) == data(TINY) and file.stat().st_size == TINY.stat().st_size
    with pytest.raises(modelkeep.ArgumentError, match="write a new file instead"):
        modelkeep.edit_gguf(file, in_place=True, set={"general.name": "long" * 1000})
    edited = modelkeep.edit_gguf(file, in_place=True, remove=["general.name"])
    assert (edited.padding > 0) == ("modelkeep.padding" in modelkeep.Gguf(file))


def test_progress_is_told_and_may_stop(tmp_path: Path) -> None:
    seen: list[modelkeep.Progress] = []
    modelkeep.edit_gguf(TINY, tmp_path / "to.gguf", set={"x": 1}, progress=seen.append)
    assert seen[-1].bytes == seen[-1].total_bytes > 0
    with pytest.raises(modelkeep.CancelledError):
        modelkeep.edit_gguf(TINY, tmp_path / "no.gguf", set={"x": 1}, progress=lambda _: False)
    assert not (tmp_path / "no.gguf").exists()


def test_many_threads_edit_at_once(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=modelkeep.edit_gguf, args=(TINY, tmp_path / f"{n}.gguf"))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(data(tmp_path / f"{n}.gguf") == data(TINY) for n in range(8))


def test_what_the_strict_reader_refuses_an_edit_may_mend(tmp_path: Path) -> None:
    twice = tmp_path / "twice.gguf"
    key = struct.pack("<Q", 1) + b"a" + struct.pack("<IB", 0, 5)
    twice.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + key + key)
    with pytest.raises(modelkeep.GgufError):
        modelkeep.Gguf(twice)
    with pytest.raises(modelkeep.ArgumentError, match="would not be read"):
        modelkeep.edit_gguf(twice, tmp_path / "to.gguf", set={"b": 1})
    modelkeep.edit_gguf(twice, tmp_path / "to.gguf", set={"a": 6})
    assert dict(modelkeep.Gguf(tmp_path / "to.gguf")) == {"a": 6}


def test_a_model_is_edited_into_another_one(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path, create=True)
    store.import_gguf(TINY, "tiny", system="Be brief.")
    seen: list[modelkeep.Progress] = []
    edited = store.edit(
        "tiny",
        "mine",
        set={"general.name": "Mine", "llama.context_length": 64},
        types={"llama.context_length": "u64"},
        remove=["general.file_type"],
        rename={"general.architecture": "arch"},
        progress=seen.append,
    )
    mine = store["mine"]
    assert (edited.name, edited.replaced) == ("mine:latest", False)
    assert edited.digest not in str(store.path("tiny")).replace("-", ":") and mine.system == "Be brief."
    assert mine.gguf["general.name"] == "Mine" and "general.file_type" not in mine.gguf
    assert mine.gguf.value_type("llama.context_length") == "u64" and "arch" in mine.gguf
    assert seen[-1].bytes == seen[-1].total_bytes > 0
    assert store["tiny"].gguf["general.name"] == "Tiny"
    with pytest.raises(modelkeep.ExistsError):
        store.edit("tiny", "mine", set={"general.name": "Again"})
    assert store.edit("mine", "mine", set={"general.name": "Again"}, replace=True).replaced
    assert store["mine"].gguf["general.name"] == "Again"
    with pytest.raises(modelkeep.NotFoundError):
        store.edit("nope", "new")


def test_an_edit_of_a_model_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path, create=True)
    store.import_gguf(TINY, "tiny")

    def files() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if path.is_file()}

    before = files()
    with pytest.raises(modelkeep.CancelledError):
        store.edit("tiny", "mine", set={"general.name": "Mine"}, progress=lambda _: False)
    with pytest.raises(modelkeep.NotFoundError, match="nope"):
        store.edit("tiny", "mine", remove=["nope"])
    assert files() == before and "mine" not in store
