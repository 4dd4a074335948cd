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
    for what in (digest, path, str(path)):
        found = store.which(what)
        assert [(part.name, part.kind, part.digest) for part in found] == [
            ("a:latest", "model", digest)
        ]
        assert (len(found), found[0], found[:], found.problems) == (1, found.uses[0], found.uses, [])
    id = store["a"].digest
    part = store.which(id[:12])[0]
    assert (part.name, part.kind, part.digest) == ("a:latest", "manifest", id)
    assert repr(part) == f"Use(name='a:latest', kind='manifest', digest='{id}')"
    assert part == store.which(id)[0] and hash(part) == hash(store.which(id)[0])
    assert part != store.which(path)[0]
    assert store.which(id).to_dict() == {
        "uses": [{"name": "a:latest", "kind": "manifest", "digest": id}]
    }
    assert store.identify(id[:12]) == store.identify("A") == "a:latest"
    with pytest.raises(modelkeep.NotFoundError):
        store.identify("b")
    with pytest.raises(FileNotFoundError):
        store.which("/nonexistent")


def test_which_names_what_it_could_not_read(scratch: Scratch) -> None:
    path = scratch.model("a")
    manifest = scratch.root / "manifests/registry.ollama.ai/library/torn/latest"
    manifest.parent.mkdir()
    manifest.write_text("{")
    found = scratch.open().which(path)
    assert [problem.name for problem in found.problems] == ["torn:latest"]
    assert repr(found).startswith("Uses(uses=[Use(") and len(found.problems) == 1


def test_a_store_that_does_not_open_is_diagnosed(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.model("a")
    assert modelkeep.Store.diagnose(scratch.root).ok
    nowhere = scratch.root / "no"
    diagnosis = modelkeep.Store.diagnose(nowhere)
    assert not diagnosis.ok and diagnosis.issues[0].path == nowhere
    monkeypatch.setenv("OLLAMA_MODELS", str(scratch.root))
    assert modelkeep.Store.diagnose().locations[0].path == scratch.root


def test_a_list_says_what_a_model_is_and_what_it_lacks(scratch: Scratch) -> None:
    path = scratch.model("a")
    index = scratch.root / "manifests/registry.ollama.ai/library/index/latest"
    index.parent.mkdir()
    index.write_text('{"manifests":[]}')
    forms = {model.name: model.form for model in scratch.open().list()}
    assert forms == {"a:latest": "model", "index:latest": "index"}
    size = path.stat().st_size
    path.write_bytes(b"cut")
    assert [model.incomplete for model in scratch.open().list()] == [[], []]
    listed = {model.name: model for model in scratch.open().list(check_blobs=True)}
    (blob,) = listed["a:latest"].incomplete
    assert (blob.path, blob.stated, blob.found) == (path, size, 3)
    assert blob.digest == "sha256:" + path.name.removeprefix("sha256-")
    assert f"stated={size}" in repr(blob)
    assert listed["a:latest"].alias_of is None


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
