"""Names for other programs, and what they show."""

import os
from pathlib import Path

import pytest

import modelkeep
from conftest import Scratch


def test_a_link_is_made_checked_and_forgotten(scratch: Scratch, tmp_path: Path) -> None:
    scratch.model("tiny")
    store = scratch.open()
    linked = store.link("tiny", tmp_path / "links", mode="hardlink")
    (link,) = linked
    assert link.path == tmp_path / "links" / "tiny.gguf"
    assert (link.mode, link.replaced, link.unchanged) == ("hardlink", False, False)
    assert os.path.samefile(link.path, store.path("tiny"))
    assert linked.not_remembered == "" and linked.to_dict()["links"][0]["digest"] == link.digest
    assert store.check_links().ok
    link.path.unlink()
    (checked,) = store.check_links(tmp_path)
    assert (checked.state, checked.name) == ("missing", "tiny:latest")
    assert "modelkeep link tiny:latest" in checked.advice
    assert store.forget_links(tmp_path) == [link.path]
    assert len(store.check_links()) == 0


def test_what_is_there_is_not_replaced(scratch: Scratch, tmp_path: Path) -> None:
    scratch.model("tiny")
    store = scratch.open()
    mine = tmp_path / "mine.gguf"
    mine.write_text("mine")
    with pytest.raises(modelkeep.ExistsError):
        store.link("tiny", mine)
    assert store.link("tiny", mine, replace=True, dry_run=True)[0].replaced
    assert mine.read_text() == "mine"
    with pytest.raises(modelkeep.ArgumentError):
        store.link("tiny", tmp_path, mode="copy")  # type: ignore[arg-type]
    with pytest.raises(modelkeep.ArgumentError):
        store.link("tiny", mine, layout="lmstudio")


def test_lm_studio_has_a_directory_for_each_model(scratch: Scratch, tmp_path: Path) -> None:
    scratch.model("tiny")
    store = scratch.open()
    (link,) = store.link("tiny", os.fsencode(tmp_path), layout="lmstudio", mode="symlink")
    assert link.path == tmp_path / "library" / "tiny" / "tiny.gguf"
