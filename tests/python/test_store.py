"""The store: opening, copying, deleting, and its conventions as a Python object."""

import builtins
import pickle
from pathlib import Path
from typing import Any

import pytest
from conftest import Scratch

import modelkeep


def test_opening_creates_nothing(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path)
    assert store.root == tmp_path
    assert "a" not in store
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_text_or_a_path(scratch: Scratch) -> None:
    assert modelkeep.Store(str(scratch.root)) == modelkeep.Store(scratch.root)


def test_the_environment_says_where_the_store_is(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(scratch.root))
    assert modelkeep.Store().root == scratch.root


def test_the_path_of_a_model_is_that_of_its_gguf(scratch: Scratch) -> None:
    path = scratch.model("a:7b")
    assert scratch.open().path("a:7b") == path


def test_copy_says_the_stored_spelling(scratch: Scratch) -> None:
    scratch.model("a")
    copied = scratch.open().copy("A", "b")
    assert (copied.src, copied.dst, copied.replaced) == ("a:latest", "b:latest", False)
    assert scratch.open().copy("a", "b").replaced


def test_delete_tells_what_is_gone(scratch: Scratch) -> None:
    path = scratch.model("a")
    deleted = scratch.open().delete("a")
    assert deleted.models == ["a:latest"]
    assert len(deleted.blobs) == 2
    assert not path.exists()


def test_delete_of_several_does_what_it_can_and_raises(scratch: Scratch) -> None:
    scratch.model("a")
    scratch.model("b")
    store = scratch.open()
    with pytest.raises(modelkeep.NotFoundError, match="nobody") as caught:
        store.delete("a", "nobody", "b")
    assert caught.value.deleted is not None
    assert caught.value.deleted.models == ["a:latest", "b:latest"]
    assert "a" not in store and "b" not in store


def test_the_del_statement_deletes(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    del store["a"]
    assert "a" not in store
    with pytest.raises(KeyError):
        del store["a"]


def test_in_takes_any_text(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    assert "a" in store and "A:LATEST" in store
    assert "../a" not in store and "" not in store


def test_a_read_only_store_refuses_changes(scratch: Scratch) -> None:
    scratch.model("a")
    store = modelkeep.Store(scratch.root, read_only=True)
    with pytest.raises(modelkeep.ReadOnlyError, match="read-only"):
        store.copy("a", "b")
    assert "a" in store


def test_a_store_survives_pickling_with_its_options(scratch: Scratch) -> None:
    store = modelkeep.Store(scratch.root, read_only=True, threads=1)
    again = pickle.loads(pickle.dumps(store))
    assert again == store and hash(again) == hash(store)
    assert again != scratch.open()


def test_a_store_shows_its_directory(scratch: Scratch) -> None:
    assert repr(scratch.open()) == f'Store("{scratch.root}")'


@pytest.mark.parametrize("options", [{"durability": "some"}, {"delete_delay": -1.0}])
def test_options_without_meaning_are_refused(
    scratch: Scratch, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        modelkeep.Store(scratch.root, **options)


def test_a_star_import_shadows_no_builtin() -> None:
    assert not set(modelkeep.__all__) & set(dir(builtins))
