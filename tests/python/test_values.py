"""What every value can do: compare, hash, sort, match, pickle; and what objects do for their host."""

import copy
import json
import multiprocessing
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Scratch

import modelkeep

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    store = scratch.open()
    store.import_gguf(
        TINY,
        "tiny",
        template="{{ .System }}{{ .Prompt }}",
        system="Be brief.",
        licenses=["MIT"],
        parameters={"temperature": 0.5, "stop": "</s>", "num_ctx": 4096, "use_mmap": True},
        messages=[{"role": "user", "content": "Hello"}],
    )
    return store


def values(store: modelkeep.Store, scratch: Scratch) -> Iterator[object]:
    """One of each class of values, as far as a store can be brought to give one."""
    scratch.model("bad")
    scratch.model("lost").unlink()
    scratch.manifest("bad").write_text("{")
    (scratch.root / "manifests/registry.ollama.ai/library/alias").symlink_to("tiny")
    listing = store.list(check_blobs=True)
    yield from (listing, listing[0], listing[0].details, listing.problems[0])
    yield next(blob for model in listing for blob in model.incomplete)
    show = store.show("tiny", verbose=True)
    yield from (show, show.messages[0], show.tensors[0])
    uses = store.which(store.path("tiny"))
    yield from (uses, uses[0])
    linked = store.link("tiny", scratch.root.parent / f"{scratch.root.name}-links")
    yield from (linked, linked[0])
    links = store.check_links()
    yield from (links, links[0])
    other = scratch.root / "other"
    other.mkdir()
    yield modelkeep.Store([scratch.root, other]).delete("tiny", dry_run=True).stores[0]
    copied = store.copy("tiny", "copy")
    yield copied
    report = store.verify(gguf=True)
    yield from (report, report.blobs[0], report.models[0], report.problems[0], report.cached)
    yield next(blob.gguf for blob in report if blob.gguf)
    usage = store.usage()
    yield from (usage, usage.models[0], usage.orphans)
    diagnosis = store.doctor()
    yield from (diagnosis, diagnosis.locations[0], diagnosis.issues[0])
    deleted = store.delete("copy")
    yield from (deleted, deleted.kept[0])
    yield store.delete("alias").aliases[0]
    yield store.repair(report)
    archive = scratch.root.parent / f"{scratch.root.name}.tar"
    yield store.export("tiny", archive)
    imported = store.import_archive(archive, replace=True)
    yield from (imported, imported.models[0])
    scratch.manifest("bad").unlink()
    yield from (store.gc(dry_run=True), store.maintain())
    store.copy("tiny", "copy")
    yield store.delete("copy").shared[0]
    odd = scratch.root / "odd.gguf"
    odd.write_bytes(TINY.read_bytes() + b"123")
    made = store.import_gguf(odd, "odd")
    yield from (made, made.warnings[0])
    yield modelkeep.Gguf(odd, lenient=True).warnings[0]
    edited = scratch.root / "edited.gguf"
    yield modelkeep.edit_gguf(TINY, edited, set={"general.name": "Other"}, remove=["general.file_type"])
    changed = bytearray(edited.read_bytes())
    changed[-1] ^= 1
    edited.write_bytes(changed)
    tiny = modelkeep.Gguf(TINY)
    hashes, difference = tiny.hash(), tiny.diff(modelkeep.Gguf(edited))
    yield from (hashes, hashes.tensors[0], modelkeep.TensorType.all()[0])
    tensor = difference.tensors[0]
    assert tensor.before is not None
    yield from (difference, difference.keys[0], tensor, tensor.before)
    yield from (difference.types[0], difference.size_after)
    store.import_gguf(edited, "edited")
    shared = store.shared_tensors("tiny", "edited")
    yield from (shared, shared.files[0], shared.sets[0], shared.sets[0].tensors[0])
    seen: list[modelkeep.Progress] = []
    store.verify(progress=seen.append)
    yield seen[-1]
    (scratch.root / "cut.gguf").write_bytes(b"GGUF")
    with pytest.raises(modelkeep.GgufError) as caught:
        modelkeep.Gguf(scratch.root / "cut.gguf")
    assert caught.value.parse_error is not None
    yield caught.value.parse_error
    yield from (store, store["tiny"])


def test_every_value_pickles_compares_and_hashes(store: modelkeep.Store, scratch: Scratch) -> None:
    seen = set()
    for value in values(store, scratch):
        seen.add(type(value))
        others: tuple[Any, ...] = (pickle.loads(pickle.dumps(value)), copy.deepcopy(value))
        for other in others:
            assert other == value and not other != value, value
            assert hash(other) == hash(value) and repr(other) == repr(value)
            assert type(other) is type(value) and value != repr(value)
            if isinstance(value, modelkeep.JsonBase):
                assert other.to_json() == value.to_json()  # type: ignore[attr-defined]
                assert other.to_dict() == value.to_dict()  # type: ignore[attr-defined]
        for name in getattr(value, "__match_args__", ()):
            assert name in dir(value)
    classes = {getattr(modelkeep, name) for name in modelkeep.__all__}
    classes = {it for it in classes if isinstance(it, type) and not issubclass(it, Exception)}
    # Open files and what is in them, the base of results, and what only a damaged blob gives.
    remaining = {"Array", "Gguf", "GgufParts", "GgufWriter", "Tensor", "JsonBase", "MovedBlob"}
    # For what a registry gives, test_registry.py does the same.
    assert {it.__name__ for it in classes - seen} == remaining | {"Pulled", "Pushed"}


def test_a_moved_blob_is_a_value(scratch: Scratch) -> None:
    path = scratch.model("a")
    path.write_bytes(bytes(path.stat().st_size))
    store = scratch.open()
    repaired = store.repair(store.verify())
    assert pickle.loads(pickle.dumps(repaired)) == repaired
    (moved,) = repaired.quarantined
    assert pickle.loads(pickle.dumps(moved)) == moved


def test_a_pickled_report_is_not_repaired(store: modelkeep.Store) -> None:
    with pytest.raises(modelkeep.ArgumentError, match="verify again"):
        store.repair(pickle.loads(pickle.dumps(store.verify())))


def digest(model: modelkeep.Model) -> str:
    return model.digest


def test_a_model_crosses_to_another_process(store: modelkeep.Store) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(digest, list(store)) == [store["tiny"].digest]
    model = pickle.dumps(store["tiny"])
    store.delete("tiny")
    with pytest.raises(modelkeep.NotFoundError):
        pickle.loads(model)


def test_values_sort_and_match(store: modelkeep.Store) -> None:
    store.copy("tiny", "a")
    store.copy("tiny", "z")
    names = ["a:latest", "tiny:latest", "z:latest"]
    assert [model.name for model in sorted(store)] == names
    assert [model.name for model in sorted(store.list())] == names
    assert [model.name for model in sorted(store.usage(), reverse=True)] == names[::-1]
    assert sorted(store.verify()) == store.verify().blobs
    match store.show("tiny").messages[0]:
        case modelkeep.Message("user", content):
            assert content == "Hello"
        case _:
            pytest.fail("a message matches its class")
    with pytest.raises(TypeError):
        sorted([store.list()[0], store.usage().models[0]])  # type: ignore[type-var]


def test_a_model_has_what_a_show_has(store: modelkeep.Store) -> None:
    model, show = store["tiny"], store.show("tiny")
    expected = {"num_ctx": 4096, "stop": ["</s>"], "temperature": 0.5, "use_mmap": True}
    assert model.parameters == show.parameters == expected
    assert model.template == show.template == "{{ .System }}{{ .Prompt }}"
    assert model.system == show.system == "Be brief."
    assert model.licenses == show.licenses == ["MIT"]
    assert model.messages == show.messages
    assert model.capabilities == show.capabilities == ["completion"]
    assert model.details == show.details and model.details.context_length == 128
    assert model.context_length == show.context_length == 128
    assert show.parameters_text == show.to_dict()["parameters"]


def test_a_models_texts_need_no_weights(store: modelkeep.Store) -> None:
    model = store["tiny"]
    model.path.unlink()
    assert model.system == "Be brief." and model.licenses == ["MIT"]
    with pytest.raises(modelkeep.NotFoundError):
        store["nobody"]
    with pytest.raises(FileNotFoundError):
        _ = model.details


def test_a_model_is_a_path(store: modelkeep.Store) -> None:
    model = store["tiny"]
    assert os.fspath(model) == str(model.path) and Path(model) == model.path
    assert modelkeep.Gguf(model)["general.architecture"] == "llama"
    with open(model, "rb") as file:
        assert file.read(4) == b"GGUF"


def test_with_a_store_and_a_file(store: modelkeep.Store) -> None:
    with pickle.loads(pickle.dumps(store)) as same:
        assert same == store and "tiny" in same
    with modelkeep.Gguf(store.path("tiny")) as gguf:
        tokens, tensor = gguf["tokenizer.ggml.tokens"], gguf.tensors["token_embd.weight"]
        assert not gguf.closed
    assert gguf.closed and repr(gguf) == "<Gguf: closed>"
    assert tokens[2] == "hello" and len(memoryview(tensor)) == 4
    for use in (lambda: gguf["x"], lambda: len(gguf), gguf.to_json, gguf.__enter__):
        with pytest.raises(ValueError, match="closed"):
            use()
    gguf.close()
    model = store["tiny"]
    with model.gguf as opened:
        assert opened is model.gguf
    assert model.gguf["general.architecture"] == "llama"


def test_iterating_lists_once_and_opens_some_at_a_time(
    store: modelkeep.Store, scratch: Scratch
) -> None:
    for number in range(150):
        store.copy("tiny", f"m{number}")
    assert len(list(store)) == len(store) == len(tuple(store)) == 151
    models = iter(store)
    assert len(store) == 151  # Given to the iterator, which has not begun.
    store.copy("tiny", "late")
    assert [model.name for model in models].count("late:latest") == 0
    assert len(list(store)) == 152
    models = iter(store)
    scratch.manifest("late").unlink()
    assert "late:latest" not in [model.name for model in models]
    assert list(models) == []


def test_completions_are_the_names(store: modelkeep.Store) -> None:
    assert store._ipython_key_completions_() == ["tiny:latest"]
    keys = modelkeep.Gguf(store["tiny"])._ipython_key_completions_()
    assert "general.architecture" in keys


def test_notebooks_show_tables_whose_texts_are_escaped(scratch: Scratch) -> None:
    scratch.model("a")
    config = scratch.blob(b'{"model_family": "<script>&\\u0022\'"}')
    manifest = json.loads(scratch.manifest("a").read_text())
    manifest["config"] |= {"digest": config, "size": 36}
    scratch.manifest("a").write_text(json.dumps(manifest))
    store = scratch.open()
    shown = [store.list(), store.usage(), store.verify(), pickle.loads(pickle.dumps(store.list()))]
    for value in shown:
        html = value._repr_html_()
        assert "a:latest" in html and html.count("<tr>") == html.count("</tr>") >= 2
        assert "<script>" not in html
    assert "&lt;script&gt;&amp;&quot;&#39;" in shown[0]._repr_html_()
    assert "1 models, 0 problems" in shown[0]._repr_html_()
