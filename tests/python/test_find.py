"""How models are found, and what is raised and said where they are not."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Scratch

import modelkeep


def test_a_missing_model_has_near_names_which_are_not_used(scratch: Scratch) -> None:
    scratch.model("llama3:8b")
    store = scratch.open()
    with pytest.raises(KeyError) as caught:
        store.show("llama3")
    assert isinstance(caught.value, modelkeep.NotFoundError)
    assert caught.value.suggestions == ["llama3:8b"]
    with pytest.raises(modelkeep.NotFoundError) as caught:
        store.show("qwen")
    assert caught.value.suggestions == []


def test_which_leads_from_a_digest_or_a_file_to_models(scratch: Scratch) -> None:
    path = scratch.model("a")
    store = scratch.open()
    digest = "sha256:" + path.name.removeprefix("sha256-")
    expected = [("a:latest", "model", digest)]
    assert store.which(digest) == store.which(path) == store.which(str(path)) == expected
    assert store.which(store["a"].digest[:12]) == [("a:latest", "manifest", store["a"].digest)]
    with pytest.raises(FileNotFoundError):
        store.which("/nonexistent")


def test_the_weights_may_be_in_several_files(scratch: Scratch) -> None:
    path = scratch.model("a")
    assert scratch.open()["a"].paths == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close a directory to itself")
def test_a_closed_store_is_a_permission_error(scratch: Scratch, tmp_path: Path) -> None:
    scratch.model("a")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.chmod(scratch.root / "manifests", 0o700)
            for parent in [tmp_path, *tmp_path.parents]:
                if parent.stat().st_mode & 0o001 == 0:
                    parent.chmod(parent.stat().st_mode | 0o055)
            os.setgid(65534)
            os.setuid(65534)
            try:
                modelkeep.Store(scratch.root).show("a")
            except PermissionError as error:
                is_named = str(error.filename).endswith("manifests")
                status = 0 if is_named and isinstance(error, modelkeep.Error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("grace", ["1h", None, -1.0, float("nan")])
def test_a_span_without_meaning_is_refused_in_our_words(scratch: Scratch, grace: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="grace") as caught:
        scratch.open().gc(grace=grace)
    assert "Span" not in str(caught.value) and "enum" not in str(caught.value)


@pytest.mark.parametrize("message", [{}, {"role": "user"}, {"role": 1, "content": "x"}, "x"])
def test_a_message_without_its_texts_is_refused_in_our_words(
    scratch: Scratch, message: Any
) -> None:
    with pytest.raises(TypeError, match="'role' and 'content'"):
        scratch.open().import_gguf("x", "y", messages=[message])


def test_the_places_of_a_diagnosis_say_what_is_there(scratch: Scratch) -> None:
    scratch.model("a")
    root = scratch.open().doctor().locations[0]
    assert (root.state, root.opened, root.manifests, root.what) == ("store", True, 1, "")
    assert repr(root).startswith("Location(path=")


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take only UTF-8")
def test_json_never_holds_a_wrong_path(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    (root / "manifests").mkdir(parents=True)
    store = modelkeep.Store(root)
    assert os.fsencode(store.doctor().locations[0].path) == os.fsencode(root)
    with pytest.raises(modelkeep.UnsupportedError, match="UTF-8"):
        store.doctor().to_json()
