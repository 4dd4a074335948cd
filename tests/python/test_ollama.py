"""One script through the package `ollama` against the reference server, through the same package and
`modelkeep.transport`, and through `modelkeep.ollama`: equal results and equal errors."""

import asyncio
import inspect
import os
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import Scratch, gguf, text

import modelkeep
import modelkeep.ollama

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"
# No two models of one nanosecond: their order would be anybody's.
TIMES = [1_700_000_000_123_456_789, 1_710_000_000_000_000_000, 1_720_000_000_100_000_000]

Call = Callable[[Any], Any]

CALLS: list[tuple[str, Call]] = [
    ("list", lambda client: client.list()),
    ("show", lambda client: client.show("tiny")),
    ("show in another case", lambda client: client.show("TINY:Latest")),
    ("show a model of the hub", lambda client: client.show("hf.co/team/model:Q4_K_M")),
    ("show nobody", lambda client: client.show("nobody")),
    ("show nothing", lambda client: client.show("")),
    ("show a number", lambda client: client.show(1)),
    ("show no name", lambda client: client.show("a b")),
    ("copy", lambda client: client.copy("tiny", "backup")),
    ("copy nobody", lambda client: client.copy("nobody", "x")),
    ("copy to no name", lambda client: client.copy("tiny", "../x")),
    ("copy from nothing", lambda client: client.copy("", "x")),
    ("copy a number", lambda client: client.copy(1, "x")),
    ("show the copy", lambda client: client.show("backup")),
    ("delete", lambda client: client.delete("backup")),
    ("delete again", lambda client: client.delete("backup")),
    ("delete nothing", lambda client: client.delete("")),
    ("delete no name", lambda client: client.delete("a b")),
    ("ps", lambda client: client.ps()),
    ("list again", lambda client: client.list()),
]


def fill(scratch: Scratch) -> None:
    store = scratch.open()
    # Without arrays: those that are hidden print as `[]` here, and as `null` there.
    context = struct.pack("<I", 4096)
    architecture = ("general.architecture", 8, text("llama"))
    file = scratch.root / "small.gguf"
    file.write_bytes(gguf([architecture, ("llama.context_length", 4, context)]))
    store.import_gguf(
        file,
        "tiny",
        system="Be <brief> & \u00e9.",
        licenses=["MIT"],
        parameters={"temperature": 0.5},
        messages=[{"role": "user", "content": "Hello"}],
    )
    file.unlink()
    scratch.model("other:7b", gguf([("general.architecture", 8, text("qwen2"))]))
    store.copy("other:7b", "hf.co/team/model:Q4_K_M")
    names = ["registry.ollama.ai/library/tiny/latest", "registry.ollama.ai/library/other/7b"]
    for name, at in zip([*names, "hf.co/team/model/Q4_K_M"], TIMES, strict=True):
        os.utime(scratch.root / "manifests" / name, ns=(at, at))


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    fill(scratch)
    return scratch.open()


def outcome(call: Call, client: Any) -> object:
    """What a call gave, in what both families of classes have."""
    try:
        result = call(client)
        if inspect.isawaitable(result):
            result = asyncio.run(awaited(result))
    except ValueError:
        return "ValueError"
    except Exception as error:
        if type(error).__name__ != "ResponseError":
            raise
        return [type(error).__name__, error.status_code, error.error, str(error)]  # type: ignore[attr-defined]
    return everything(result)


async def awaited(result: Awaitable[Any]) -> Any:
    return await result


def everything(result: Any) -> object:
    """What a response is, and every way to look at it."""
    seen: list[object] = [type(result).__name__]
    for options in (
        {},
        {"mode": "json"},
        {"exclude_none": True},
        {"exclude_unset": True},
        {"exclude_defaults": True},
        {"by_alias": True},
        {"exclude": {"models", "modelfile"}},
        {"include": {"models", "modelfile"}},
    ):
        seen.append(result.model_dump(**options))
    seen += [result.model_dump_json(), result.model_dump_json(indent=2, exclude_none=True)]
    seen += [sorted(result.model_fields_set), [name for name, _ in result]]
    for key in ("status", "models", "modelinfo", "model_info", "details", "license", "nothing"):
        seen += [key in result, result.get(key) is None, result.get(key, "default") == "default"]
        try:
            seen.append(result[key] == getattr(result, key))
        except KeyError as error:
            seen.append(str(error))
    for model in result.get("models") or []:
        seen += [model.size.human_readable(), model.size.human_readable(decimal=True, separator=" ")]
        seen += [model["details"]["family"], model.details.get("families"), "details" in model]
        seen += [model.modified_at.isoformat(), str(model.details), repr(model.details)]
    copy = result.model_copy(deep=True)
    copy["status" if "status" in result else next(iter(copy))[0]] = None
    seen += [result == result.model_copy(), copy == result, pickle.loads(pickle.dumps(result)) == result]
    with pytest.raises(ValueError):
        result.nothing = 1
    with pytest.raises(TypeError):
        hash(result)
    return seen


def run(client: Any, root: Path) -> dict[str, object]:
    """The outcome of each call, without the path of its store."""
    outcomes = {}
    for name, call in CALLS:
        outcomes[name] = without(outcome(call, client), str(root))
        if name == "copy":
            backup = root / "manifests/registry.ollama.ai/library/backup/latest"
            os.utime(backup, ns=(TIMES[0] + 1, TIMES[0] + 1))
    return outcomes


def without(value: object, root: str) -> object:
    if isinstance(value, str):
        return value.replace(root, "ROOT")
    if isinstance(value, dict):
        return {key: without(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [without(item, root) for item in value]
    return value


def package() -> ModuleType:
    module: ModuleType = pytest.importorskip("ollama")
    return module


def test_the_package_through_the_transport_and_the_module_agree(
    store: modelkeep.Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ollama = package()
    expected = run(ollama.Client(transport=modelkeep.transport(store)), store.root)
    assert expected["list"] != expected["show"] and expected["show nothing"] == "ValueError"
    clients: list[Callable[[modelkeep.Store], Any]] = [
        lambda store: ollama.AsyncClient(transport=modelkeep.transport(store)),
        lambda store: modelkeep.ollama.Client(store=store),
        lambda store: modelkeep.ollama.AsyncClient(store=store),
    ]
    for make in clients:
        scratch = Scratch(tmp_path_factory.mktemp("models"))
        fill(scratch)
        got = run(make(scratch.open()), scratch.root)
        for name, outcome in expected.items():
            assert got[name] == outcome, name


def reference() -> str | None:
    named = os.environ.get("MODELKEEP_OLLAMA")
    shared = [os.environ.get("MODELKEEP_SHARED"), str(Path(__file__).parents[3] / "shared")]
    places = [named] + [f"{place}/ref/ollama" for place in shared if place]
    found = [place for place in places if place and Path(place).is_file()]
    return found[0] if found else shutil.which("ollama")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of the reference server, and its store."""
    command = reference()
    if command is None:
        pytest.skip("no reference server")
    scratch = Scratch(tmp_path)
    fill(scratch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {
        "OLLAMA_HOST": host,
        "OLLAMA_MODELS": str(scratch.root),
        "OLLAMA_NOPRUNE": "1",
        "HOME": str(tmp_path),
    }
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([command, "serve"], env=environment, stdout=quiet, stderr=quiet)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://{host}/").close()
                break
            except OSError:
                time.sleep(0.05)
        yield host, scratch.root
    finally:
        process.terminate()
        process.wait()


def test_the_reference_server_and_the_module_agree(
    server: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    host, root = server
    expected = run(package().Client(host=host), root)
    scratch = Scratch(tmp_path_factory.mktemp("models"))
    fill(scratch)
    got = run(modelkeep.ollama.Client(host=host, store=scratch.open()), scratch.root)
    for name, outcome in expected.items():
        assert got[name] == outcome, name


NEEDS_NO_MODEL = ["list", "show", "copy", "delete", "ps"]
NEEDS_MORE: list[tuple[str, tuple[object, ...], str]] = [
    ("generate", ("tiny", "hi"), "llama-server"),
    ("chat", ("tiny",), "llama-server"),
    ("embed", ("tiny", "hi"), "llama-server"),
    ("embeddings", ("tiny", "hi"), "llama-server"),
    ("pull", ("tiny",), "registry"),
    ("push", ("tiny",), "registry"),
    ("create", ("made",), "import"),
    ("create_blob", (TINY,), "import"),
    ("web_search", ("cats",), "cloud"),
    ("web_fetch", ("https://example.org",), "cloud"),
]


@pytest.mark.parametrize(("name", "arguments", "word"), NEEDS_MORE)
def test_what_a_store_cannot_do_says_so(
    store: modelkeep.Store, name: str, arguments: tuple[object, ...], word: str
) -> None:
    ollama = package()
    headers = {"authorization": "Bearer none"}
    for client in (
        ollama.Client(transport=modelkeep.transport(store), headers=headers),
        ollama.AsyncClient(transport=modelkeep.transport(store), headers=headers),
        modelkeep.ollama.Client(store=store),
        modelkeep.ollama.AsyncClient(store=store),
    ):
        outcome_ = outcome(lambda client: getattr(client, name)(*arguments), client)
        assert isinstance(outcome_, list) and outcome_[:2] == ["ResponseError", 501], outcome_
        assert "does not run them" in outcome_[2] and word in outcome_[2]


def test_a_stream_is_refused_as_well(store: modelkeep.Store) -> None:
    client = modelkeep.ollama.Client(store=store)
    with pytest.raises(modelkeep.ollama.ResponseError, match="does not run them"):
        client.generate("tiny", "hi", stream=True)
    with pytest.raises(package().ResponseError, match="does not run them"):
        real = package().Client(transport=modelkeep.transport(store))
        next(real.generate("tiny", "hi", stream=True))


def test_the_module_is_the_package_for_the_default_store(
    store: modelkeep.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    script = (
        "import sys, modelkeep.ollama as ollama\n"
        "print([model.model for model in ollama.list().models], ollama.show('tiny')['template'])\n"
        "assert not {'pydantic', 'httpx', 'asyncio'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "'tiny:latest'" in done.stdout, done.stderr
    theirs = [name for name in package().__all__ if not name.startswith("SystemOne")]
    for name in [*theirs, *NEEDS_NO_MODEL, *(name for name, *_ in NEEDS_MORE)]:
        if hasattr(package(), name):
            assert hasattr(modelkeep.ollama, name), name


def test_a_store_that_is_not_there_is_a_response_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", "/nonexistent/models")
    with pytest.raises(modelkeep.ollama.ResponseError, match="/nonexistent/models") as caught:
        modelkeep.ollama.Client().list()
    assert caught.value.status_code == 500
    assert isinstance(caught.value.__cause__, modelkeep.MissingFileError)
    other = pickle.loads(pickle.dumps(caught.value))
    assert (other.error, other.status_code) == (caught.value.error, 500)


def test_a_host_elsewhere_is_explained(
    store: modelkeep.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [None, "", "localhost", "http://127.0.0.1:11434/", "[::1]:11434", "0.0.0.0", "::1", ":1"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for host in here:
            modelkeep.ollama.Client(host, store=store, timeout=3).list()
    for host in ("https://example.org", "192.168.1.5:11434"):
        with pytest.warns(UserWarning, match="is not used"):
            modelkeep.ollama.Client(host=host)
    monkeypatch.setenv("OLLAMA_HOST", "example.org")
    with pytest.warns(UserWarning, match=r"example\.org"):
        modelkeep.ollama.AsyncClient()


def test_clients_close(store: modelkeep.Store) -> None:
    with modelkeep.ollama.Client(store=store) as client:
        assert len(client.list()["models"]) == 3

    async def main() -> int:
        async with modelkeep.ollama.AsyncClient(store=store) as client:
            return len((await client.list()).models)

    assert asyncio.run(main()) == 3
