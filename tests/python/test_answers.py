"""The answers: listing, show, models, and what keeps a store in order."""

import hashlib
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Scratch, gguf, text

import modelkeep

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    store = scratch.open()
    store.import_gguf(TINY, "tiny")
    return store


def test_a_listing_is_the_body_of_the_http_call(store: modelkeep.Store) -> None:
    listing = store.list()
    assert (200, listing.to_json()) == store.handle_request("tags")
    assert listing.to_dict() == json.loads(listing.to_json())
    assert list(listing.to_dict()) == ["models"]


def test_a_listing_gives_its_models_in_order(store: modelkeep.Store) -> None:
    store.copy("tiny", "other")
    listing = store.list()
    assert len(listing) == 2
    assert listing[0] is listing.models[0] and listing[-1] is listing.models[1]
    assert [model.name for model in listing] == [model.name for model in listing[:]]
    with pytest.raises(IndexError):
        listing[2]


def test_a_line_has_the_fields_of_the_wire(store: modelkeep.Store) -> None:
    (line,) = store.list()
    wire = line.to_dict()
    assert line.name == wire["name"] == "tiny:latest"
    assert (line.size, line.digest) == (wire["size"], wire["digest"])
    assert line.details.family == wire["details"]["family"] == "llama"
    assert line.details.families == ["llama"]
    assert line.details.context_length == 128
    assert line.capabilities == wire["capabilities"] == ["completion"]
    assert isinstance(line.modified_at, datetime)


def test_times_are_aware(scratch: Scratch) -> None:
    scratch.model("a")
    os.utime(scratch.manifest("a"), ns=(0, 1_700_000_000_123_456_789))
    expected = datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    store = scratch.open()
    assert store.list()[0].modified_at == store["a"].modified_at == expected
    assert store.show("a").modified_at == expected


def test_what_is_left_out_of_a_listing_is_a_problem_of_it(scratch: Scratch) -> None:
    scratch.model("good")
    scratch.model("bad")
    scratch.manifest("bad").write_text("{")
    listing = scratch.open().list()
    assert [line.name for line in listing] == ["good:latest"]
    (problem,) = listing.problems
    assert (problem.name, problem.path) == ("bad:latest", scratch.manifest("bad"))
    assert isinstance(problem.error, modelkeep.CorruptError)
    assert str(problem).startswith("bad:latest: reading manifest")


def test_show_is_the_body_of_the_http_call(store: modelkeep.Store) -> None:
    show = store.show("tiny")
    assert (200, show.to_json()) == store.handle_request("show", b'{"model": "tiny"}')
    wire = show.to_dict()
    assert show.modelfile == wire["modelfile"]
    assert show.model_info == wire["model_info"]
    assert show.model_info["tokenizer.ggml.tokens"] == []
    assert show.details.quantization_level == "F16"
    assert [tensor.name for tensor in show.tensors] == ["token_embd.weight", "output_norm.weight"]
    assert show.tensors[0].shape == [8, 4]
    assert show.projector_info is None


def test_a_verbose_show_has_the_arrays(store: modelkeep.Store) -> None:
    words = store.show("tiny", verbose=True).model_info["tokenizer.ggml.tokens"]
    assert words == ["<s>", "</s>", "hello", "world"]
    assert store["tiny"].show(True).to_json() == store.show("tiny", True).to_json()


def test_show_takes_a_prompt_and_parameters(store: modelkeep.Store) -> None:
    show = store.show("tiny", system="Be brief.", options={"stop": ["a", "b"], "top_k": 3})
    assert show.system == "Be brief."
    assert "PARAMETER stop a\nPARAMETER stop b\nPARAMETER top_k 3" in show.modelfile


def test_an_import_takes_what_a_modelfile_says(scratch: Scratch, tmp_path: Path) -> None:
    store = scratch.open()
    imported = store.import_gguf(
        str(TINY),
        "full",
        copy_mode="copy",
        template="{{ .System }}{{ .Prompt }}",
        system="Be brief.",
        licenses=["MIT", "Apache"],
        parameters={"temperature": 0.5, "num_ctx": 4096, "stop": ["</s>", "["]},
        messages=[{"role": "user", "content": "hi"}],
        requires="0.1.0",
    )
    assert imported.name == "full:latest" and not imported.replaced
    assert imported.bytes == TINY.stat().st_size
    assert imported.to_dict()["digest"] == imported.digest
    show = store.show("full")
    assert (show.system, show.license) == ("Be brief.", "MIT\nApache")
    assert show.licenses == ["MIT", "Apache"]
    assert show.parameters_text.splitlines()[-1].split() == ["temperature", "0.5"]
    values = {"num_ctx": 4096, "stop": ["</s>", "["], "temperature": 0.5}
    assert show.parameters == values and isinstance(show.parameters["num_ctx"], int)
    assert (show.context_length, show.embedding_length) == (128, 8)
    assert [(m.role, m.content) for m in show.messages] == [("user", "hi")]
    assert show.requires == "0.1.0"


def test_a_modelfile_is_read_as_the_reference_reads_it(scratch: Scratch, tmp_path: Path) -> None:
    store = scratch.open()
    modelfile = tmp_path / "Modelfile"
    modelfile.write_text(f'FROM {TINY}\nSYSTEM """be\nbrief"""\nPARAMETER mirostat 1\n')
    imported = store.import_modelfile(modelfile, "made")
    assert (imported.name, imported.ignored) == ("made:latest", ["mirostat"])
    assert store.show("made").system == "be\nbrief"
    with pytest.raises(modelkeep.ExistsError):
        store.import_modelfile(modelfile, "made")
    modelfile.write_text("FROM made\n\nSYSTM x\n")
    with pytest.raises(modelkeep.ArgumentError, match="line 3"):
        store.import_modelfile(modelfile, "made", replace=True)


def test_an_import_replaces_only_when_told_so(store: modelkeep.Store) -> None:
    with pytest.raises(FileExistsError) as caught:
        store.import_gguf(TINY, "tiny")
    assert isinstance(caught.value, modelkeep.ExistsError) and caught.value.status == 409
    assert store.import_gguf(TINY, "tiny", replace=True).replaced


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"copy_mode": "magic"}, modelkeep.ArgumentError),
        ({"template": "{{"}, modelkeep.TemplateError),
        ({"parameters": {"x": object()}}, TypeError),
        ({"messages": ["hi"]}, TypeError),
    ],
)
def test_what_an_import_cannot_take_is_refused(
    scratch: Scratch, arguments: dict[str, object], error: type[Exception]
) -> None:
    store = scratch.open()
    with pytest.raises(error):
        store.import_gguf(TINY, "x", **arguments)  # type: ignore[arg-type]
    assert len(store) == 0


def test_iteration_gives_models(store: modelkeep.Store) -> None:
    store.copy("tiny", "other")
    models = {model.name: model for model in store}
    assert models.keys() == {"tiny:latest", "other:latest"}
    assert len(store) == 2
    assert models["tiny:latest"] == store["tiny"] != models["other:latest"]
    assert hash(store["tiny"]) == hash(store["TINY"])


def test_a_model_deleted_meanwhile_is_passed_over(store: modelkeep.Store) -> None:
    store.copy("tiny", "other")
    models = iter(store)
    first = next(models)
    store.delete("tiny", "other")
    assert list(models) == []
    assert first.name in ("tiny:latest", "other:latest")


def test_a_model_knows_its_files(store: modelkeep.Store) -> None:
    model = store["tiny"]
    assert model.path == store.path("tiny") and model.path.is_absolute()
    assert model.blobs[0] == model.path and len(model.blobs) == 2
    assert model.projectors == model.adapters == []
    assert model.size == sum(path.stat().st_size for path in model.blobs)
    assert len(model.digest) == 64
    assert model.gguf is model.gguf
    assert model.gguf["general.architecture"] == "llama"
    assert repr(model) == f"Model(name='tiny:latest', size={model.size})"


def test_a_model_that_is_not_there_is_a_key_error(scratch: Scratch) -> None:
    with pytest.raises(KeyError):
        scratch.open()["nobody"]


def test_relative_paths_are_made_absolute(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.model("a")
    monkeypatch.chdir(scratch.root.parent)
    for store in (modelkeep.Store(scratch.root.name), from_environment(monkeypatch, scratch)):
        assert store.root == scratch.root
        assert store.path("a").is_absolute()


def from_environment(monkeypatch: pytest.MonkeyPatch, scratch: Scratch) -> modelkeep.Store:
    monkeypatch.setenv("OLLAMA_MODELS", scratch.root.name)
    return modelkeep.Store()


def test_a_collection_takes_what_nobody_uses(scratch: Scratch) -> None:
    scratch.model("a")
    orphan = scratch.blob(b"orphan")
    store = scratch.open()
    on_disk = store.blob_path(orphan).stat().st_blocks * 512
    assert store.gc().young == 1
    planned = store.gc(grace=0, dry_run=True)
    assert planned.dry_run and planned.blobs == [orphan] and store.has_blob(orphan)
    collected = store.gc(grace=timedelta(0))
    assert (collected.blobs, collected.bytes) == ([orphan], on_disk)
    assert collected.to_dict()["blobs"] == [orphan]
    assert not store.has_blob(orphan)


def test_a_delete_says_what_stays_and_why(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    store.copy("a", "b")
    deleted = store.delete("a")
    assert deleted.bytes == 0 and deleted.blobs == [] and deleted.aliases == []
    assert [blob.models for blob in deleted.shared] == [["b:latest"]] * len(deleted.shared)
    (scratch.root / "manifests/registry.ollama.ai/library/c").symlink_to("b")
    deleted = store.delete("c")
    assert [(alias.name, alias.model) for alias in deleted.aliases] == [("c:latest", "b:latest")]
    assert "b" in store


def test_a_store_without_models_is_asked_for_all(scratch: Scratch) -> None:
    orphan = scratch.blob(b"orphan")
    store = scratch.open()
    with pytest.raises(ValueError, match="--all"):
        store.gc(grace=0)
    assert store.has_blob(orphan)
    assert store.gc(grace=0, all=True).blobs == [orphan]


def test_what_a_repair_set_aside_goes_only_when_asked(scratch: Scratch) -> None:
    path = scratch.model("a")
    path.write_bytes(b"damaged")
    store = scratch.open()
    moved = store.repair(store.verify()).quarantined[0].to
    assert store.usage().quarantine.files == 1
    assert [note.path for note in store.doctor().notes] == [moved]
    assert store.gc(grace=0).leftovers == [] and moved.exists()
    assert store.gc(grace=0, quarantine=True).leftovers == [moved]
    assert not moved.exists()


@pytest.mark.parametrize("grace", [-1.0, float("nan"), "soon"])
def test_a_grace_without_meaning_is_refused(scratch: Scratch, grace: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        scratch.open().gc(grace=grace)  # type: ignore[arg-type]


def test_a_blob_is_found_by_its_digest(scratch: Scratch) -> None:
    path = scratch.model("a")
    store = scratch.open()
    digest = path.name.replace("-", ":")
    assert store.blob_path(digest) == path and store.has_blob(digest)
    with pytest.raises(modelkeep.InvalidDigestError):
        store.has_blob("sha256:short")


class Failing(io.RawIOBase):
    """A stream that raises once some of it is read."""

    def read(self, size: int = -1, /) -> bytes:
        raise ZeroDivisionError


class Generous(io.BytesIO):
    """A stream that gives more than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(-1)


def test_a_blob_is_added_from_a_stream(scratch: Scratch) -> None:
    store = scratch.open()
    data = bytes(range(256)) * 9000
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    assert not store.has_blob(digest)
    assert store.add_blob(io.BytesIO(data)) == digest
    assert store.add_blob(io.BytesIO(data), digest) == digest
    assert store.blob_path(digest).read_bytes() == data
    with pytest.raises(modelkeep.CorruptError):
        store.add_blob(io.BytesIO(b"other"), digest)
    with pytest.raises(modelkeep.InvalidDigestError):
        store.add_blob(io.BytesIO(data), "sha256:short")
    with pytest.raises(ZeroDivisionError):
        store.add_blob(Failing())
    with pytest.raises(ValueError, match="more than it was asked for"):
        store.add_blob(Generous(bytes(9_000_000)))
    with pytest.raises(AttributeError):
        store.add_blob(None)  # type: ignore[arg-type]
    assert len(list((scratch.root / "blobs").iterdir())) == 1


def test_usage_tells_what_a_delete_frees(scratch: Scratch) -> None:
    scratch.model("a")
    scratch.model("b")
    scratch.blob(b"orphan")
    usage = scratch.open().usage()
    assert [model.name for model in usage.models] == ["a:latest", "b:latest"]
    assert usage.models[0].shared > 0 and usage.models[0].exclusive > 0
    assert usage.orphans.files == 1 and usage.partials.files == 0
    assert usage.total == usage.used + usage.orphans.bytes + usage.other.bytes
    assert usage.to_dict()["total"] == usage.total


def test_doctor_says_what_to_do(scratch: Scratch) -> None:
    store = scratch.open()
    assert store.doctor().ok
    scratch.model("a").unlink()
    diagnosis = store.doctor()
    assert not diagnosis.ok
    assert diagnosis.locations[0].opened and diagnosis.locations[0].path == scratch.root
    assert diagnosis.issues[0].name == "a:latest" and diagnosis.issues[0].advice


def test_repair_moves_the_damaged_aside(scratch: Scratch) -> None:
    path = scratch.model("a")
    path.write_bytes(bytes(path.stat().st_size))
    store = scratch.open()
    report = store.verify()
    assert [model.name for model in report.models] == ["a:latest"]
    (moved,) = store.repair(report).quarantined
    assert moved.to.exists() and not path.exists()


def test_maintenance_gives_old_blobs_their_present_name(scratch: Scratch) -> None:
    path = scratch.model("a")
    old = path.with_name(path.name.replace("-", ":"))
    path.rename(old)
    maintained = scratch.open().maintain()
    assert maintained.renamed == [path]
    assert maintained.collected.blobs == []


def test_a_copy_spares_a_name_and_a_delete_says_what_it_would_do(scratch: Scratch) -> None:
    path = scratch.model("a")
    store = scratch.open()
    store.copy("a", "b", replace=False)
    with pytest.raises(modelkeep.ExistsError):
        store.copy("a", "b", replace=False)
    assert store.copy("a", "b").replaced
    renamed = store.rename("b", "c")
    assert (renamed.src, renamed.dst) == ("b:latest", "c:latest")
    with pytest.raises(modelkeep.ExistsError):
        store.rename("c", "a")
    would = store.delete("a", "c", dry_run=True)
    assert would.models == ["a:latest", "c:latest"] and would.bytes > 0
    assert path.exists() and len(store) == 2


def test_maintenance_collects_as_it_is_told(scratch: Scratch) -> None:
    scratch.model("a")
    orphan = scratch.blob(b"orphan")
    store = scratch.open()
    calls: list[modelkeep.Progress] = []
    assert store.maintain().collected.blobs == []
    assert store.maintain(grace=0, progress=calls.append).collected.blobs == [orphan]
    assert calls and not store.has_blob(orphan)


def test_an_unknown_call_is_an_argument_error(scratch: Scratch) -> None:
    with pytest.raises(modelkeep.ArgumentError):
        scratch.open().handle_request("pull")  # type: ignore[arg-type]


def test_a_projector_is_a_file_of_the_model(scratch: Scratch) -> None:
    clip = scratch.root / "clip.gguf"
    clip.write_bytes(gguf([("general.architecture", 8, text("clip"))]))
    store = scratch.open()
    store.import_gguf(TINY, "seeing", projectors=[clip])
    (projector,) = store["seeing"].projectors
    assert projector.read_bytes() == clip.read_bytes()
    info = store.show("seeing").projector_info
    assert info is not None and info["general.architecture"] == "clip"
