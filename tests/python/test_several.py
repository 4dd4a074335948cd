"""Several stores as one view."""

import copy
import pickle
from pathlib import Path

import pytest

import modelkeep
from conftest import Scratch


@pytest.fixture
def scratches(tmp_path: Path) -> tuple[Scratch, Scratch]:
    roots = [tmp_path / "own", tmp_path / "site"]
    for root in roots:
        root.mkdir()
    own, site = map(Scratch, roots)
    own.model("both")
    site.model("both")
    site.model("site")
    return own, site


def test_of_models_of_one_name_the_first_wins(scratches: tuple[Scratch, Scratch]) -> None:
    own, site = scratches
    view = modelkeep.Store([own.root, str(site.root)], delete_delay=0.0)
    assert view.root == own.root and view.roots == [own.root, site.root]
    stores = {line.name: line.store for line in view.list()}
    assert stores == {"both:latest": own.root, "site:latest": site.root}
    assert view.path("both").is_relative_to(own.root)
    assert len(view) == 2 and "site" in view and view["site"].path.is_relative_to(site.root)
    assert {usage.store for usage in view.usage().models} == {own.root, site.root}
    deleted = view.delete("both")
    (gone,) = deleted.stores
    assert (gone.name, gone.store, gone.shown_from) == ("both:latest", own.root, site.root)
    assert view.path("both").is_relative_to(site.root)


def test_what_is_new_goes_to_the_first_that_may_be_written_to(
    scratches: tuple[Scratch, Scratch],
) -> None:
    own, site = scratches
    site.root.chmod(0o555)
    view = modelkeep.Store((site.root, own.root), delete_delay=0.0)
    view.copy("site", "mine")
    site.root.chmod(0o755)
    assert "mine" in own.open() and "mine" not in site.open()
    assert own.open().verify().ok


def test_a_view_is_copied_compared_and_pickled(scratches: tuple[Scratch, Scratch]) -> None:
    own, site = scratches
    view = modelkeep.Store([own.root, site.root])
    for other in (pickle.loads(pickle.dumps(view)), copy.copy(view)):
        assert other == view and hash(other) == hash(view) and other.roots == view.roots
    assert view != modelkeep.Store(own.root)
    assert repr(view).startswith("Store([")
    assert modelkeep.Store(own.root).list()[0].store is None
    with pytest.raises(ValueError):
        modelkeep.Store([])
    with pytest.raises(TypeError):
        modelkeep.Store([1])  # type: ignore[list-item]
    with pytest.raises(modelkeep.ArgumentError):
        view.gc()
