"""Models that come from a registry and go there."""

import copy
import http.server
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Scratch
from registries import certificates, docker_registry

import modelkeep

WEIGHTS = os.urandom(300_000)


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    scratch.model("tiny", WEIGHTS)
    return scratch.open()


def elsewhere(scratch: Scratch, name: str) -> modelkeep.Store:
    return modelkeep.Store(scratch.root / name, create=True, delete_delay=0.0)


def test_a_model_goes_to_a_registry_and_comes_back(
    scratch: Scratch, store: modelkeep.Store, registry: str
) -> None:
    seen: list[modelkeep.Progress] = []
    to = f"{registry}/team/tiny:q4"
    pushed = store.push("tiny", to, progress=seen.append)
    size = store["tiny"].size
    assert (pushed.name, pushed.reference) == ("tiny:latest", to)
    assert (pushed.sent_blobs, pushed.shared_blobs, pushed.mounted_blobs) == (2, 0, 0)
    assert pushed.sent_bytes == size == seen[-1].bytes == seen[-1].total_bytes
    assert modelkeep.ls_remote(f"{registry}/team/tiny") == [to]
    assert modelkeep.ls_remote(registry) == [f"{registry}/team/tiny"]

    other = elsewhere(scratch, "elsewhere")
    seen.clear()
    pulled = other.pull(to, "mine", progress=seen.append)
    assert (pulled.reference, pulled.name) == (to, "mine:latest")
    assert (pulled.new_blobs, pulled.shared_blobs, pulled.resumed_bytes) == (2, 0, 0)
    assert pulled.new_bytes == size == seen[-1].bytes
    assert pulled.digest == pushed.digest == f"sha256:{store['tiny'].digest}"
    assert other["mine"].path.read_bytes() == WEIGHTS and other.verify().ok
    assert not pulled.replaced and other.pull(to, "mine").shared_blobs == 2

    assert other.pull(to).name == to
    with pytest.raises(modelkeep.ExistsError):
        scratch.model("another", b"of other bytes")
        scratch.open().pull(to, "another", replace=False)


def test_the_results_are_values(store: modelkeep.Store, registry: str) -> None:
    pushed = store.push("tiny", f"{registry}/team/tiny")
    pulled = store.pull(f"{registry}/team/tiny", "mine")
    for result in (pushed, pulled):
        for other in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
            assert other == result and hash(other) == hash(result) and repr(other) == repr(result)
            assert other.to_json() == result.to_json()
        assert result.to_dict()["digest"] == result.digest
        assert repr(result).startswith(f"{type(result).__name__}(") and result.name in repr(result)
    assert (pushed, pulled) != (store.push("tiny", f"{registry}/team/tiny"), pulled)


def test_a_bar_is_shown(
    store: modelkeep.Store,
    registry: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("tqdm.auto", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    store.push("tiny", f"{registry}/team/tiny", progress=True)
    store.pull(f"{registry}/team/tiny", progress=True)
    shown = capsys.readouterr().err
    assert "pushing: 100%" in shown and "pulling: 100%" in shown


def test_credentials_are_sent_and_not_shown(
    store: modelkeep.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: str
) -> None:
    if not shutil.which("htpasswd"):
        pytest.skip("no htpasswd on the path")
    # Nothing that is stored here is for it.
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with docker_registry(tmp_path / "closed", user=("me", "open sesame")) as closed:
        to = f"{closed}/team/tiny"
        with pytest.raises(modelkeep.PermissionDeniedError):
            store.push("tiny", to)
        for user, password, token in (("me", "close", None), (None, None, "close")):
            with pytest.raises(modelkeep.PermissionDeniedError) as refused:
                store.push("tiny", to, username=user, password=password, token=token)
            assert "close" not in str(refused.value).replace("closed", "")
        store.push("tiny", to, username="me", password="open sesame")
        pulled = store.pull(to, "mine", username="me", password="open sesame", token=None)
        assert pulled.name == "mine:latest"
        assert modelkeep.ls_remote(closed, username="me", password="open sesame") == [to]


def test_certificates_of_ones_own_are_checked(
    store: modelkeep.Store, tmp_path: Path, registry: str
) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl on the path")
    authority, certificate, key = certificates(tmp_path)
    with docker_registry(tmp_path / "tls", certificate=(certificate, key)) as address:
        to = f"{address}/team/tiny"
        # It is tried without TLS, too, on this machine, which it answers by an error.
        with pytest.raises(modelkeep.Error):
            store.push("tiny", to)
        assert store.push("tiny", to, ca_file=authority).sent_blobs == 2
        # It asks for none, so any will do; that they are read shows where there are none.
        shown = (certificate, str(key))
        store.pull(to, "mine", ca_file=authority, client_certificate=shown)
        with pytest.raises(modelkeep.MissingFileError):
            store.pull(to, ca_file=authority, client_certificate=(certificate, "nothing"))
        with pytest.raises(modelkeep.ArgumentError):
            store.pull(to, ca_file=key)


def test_errors_have_their_classes(store: modelkeep.Store, registry: str) -> None:
    with pytest.raises(ConnectionError) as refused:
        store.pull("localhost:1/team/tiny")
    assert isinstance(refused.value, modelkeep.NetworkError) and refused.value.status == 502
    with pytest.raises(modelkeep.NotFoundError):
        store.pull(f"{registry}/team/nothing")
    with pytest.raises(modelkeep.NotFoundError):
        store.push("nothing", f"{registry}/team/nothing")
    with pytest.raises(modelkeep.ArgumentError, match="say where to push"):
        store.push("tiny")
    with pytest.raises(modelkeep.InvalidNameError):
        store.pull(f"{registry}/tiny")
    with pytest.raises(modelkeep.InvalidNameError):
        store.pull("no registry")
    with pytest.raises(modelkeep.MissingFileError):
        modelkeep.ls_remote(registry, ca_file="nothing.pem")


def test_keywords_are_those_that_there_are(store: modelkeep.Store) -> None:
    calls: dict[str, Callable[..., object]] = {
        "pull": lambda **how: store.pull("localhost:1/team/tiny", **how),
        "push": lambda **how: store.push("tiny", "localhost:1/team/tiny", **how),
        "ls_remote": lambda **how: modelkeep.ls_remote("localhost:1", **how),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected .* 'plain_htp'"):
            call(plain_htp=True)
        with pytest.raises(TypeError, match="argument 'connections'"):
            call(connections="many")
        with pytest.raises(TypeError, match="argument 'ca_file'"):
            call(ca_file=3)
        for given in (["username"], ["password"], ["token", "username", "password"]):
            with pytest.raises(modelkeep.ArgumentError, match="username and password, or token"):
                call(**dict.fromkeys(given, "x"))
        with pytest.raises(modelkeep.NetworkError):
            call(plain_http=True, connections=1, client_certificate=None, ca_file=None)


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes what it is sent and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("call", ["pull", "push", "ls_remote"])
def test_an_interrupt_ends_a_call_that_waits(store: modelkeep.Store, call: str) -> None:
    with silent() as address:
        calls: dict[str, Callable[[], object]] = {
            "pull": lambda: store.pull(f"{address}/team/tiny", plain_http=True),
            "push": lambda: store.push("tiny", f"{address}/team/tiny", plain_http=True),
            "ls_remote": lambda: modelkeep.ls_remote(address, plain_http=True),
        }
        timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            calls[call]()
        timer.join()


def test_a_callback_cancels(store: modelkeep.Store) -> None:
    asked = 0

    def stop(progress: modelkeep.Progress) -> bool:
        nonlocal asked
        asked += 1
        return asked < 3

    with silent() as address, pytest.raises(modelkeep.CancelledError):
        store.pull(f"{address}/team/tiny", plain_http=True, progress=stop)
    assert asked == 3


def test_other_threads_run_while_a_call_waits(store: modelkeep.Store) -> None:
    # A server in this process answers only where the call lets it run.
    class Nothing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"127.0.0.1:{server.server_port}"
        with pytest.raises(modelkeep.NotFoundError):
            store.pull(f"{address}/team/tiny", plain_http=True)
        with pytest.raises(modelkeep.NotFoundError):
            modelkeep.ls_remote(f"{address}/team/tiny", plain_http=True)
        server.shutdown()
