"""What a long call tells: a callback, a bar; and that other threads run while it waits."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Scratch

import modelkeep

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    scratch.model("a")
    return scratch.open()


def hide(monkeypatch: pytest.MonkeyPatch, *hidden: str) -> None:
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("hidden", [[], ["tqdm.auto"]], ids=["tqdm", "rich"])
def test_a_bar_is_shown(
    store: modelkeep.Store,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    hidden: list[str],
) -> None:
    pytest.importorskip("rich.progress" if hidden else "tqdm.auto")
    hide(monkeypatch, *hidden)
    assert store.verify(progress=True).ok
    shown = "".join(capfd.readouterr())
    assert "verifying" in shown and "%, " not in shown


def test_without_tqdm_and_rich_a_line_is_written(
    store: modelkeep.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(monkeypatch, "tqdm.auto", "rich.progress")
    report = store.verify(progress=True)
    line = f"verifying: 100%, {report.hashed_bytes} of {report.hashed_bytes} bytes\n"
    assert capsys.readouterr().err == line


def test_every_long_call_takes_a_bar(
    store: modelkeep.Store,
    scratch: Scratch,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hide(monkeypatch, "tqdm.auto", "rich.progress")
    archive = scratch.root.parent / f"{scratch.root.name}.tar"
    modelfile = scratch.root.parent / f"{scratch.root.name}.Modelfile"
    modelfile.write_text(f"FROM {TINY}\n")
    store.import_gguf(TINY, "b", progress=True)
    store.import_modelfile(modelfile, "c", progress=True)
    store.export("b", archive, progress=True)
    store.import_archive(archive, "d", progress=True)
    store.repair(store.verify(), progress=True)
    store.gc(progress=True)
    store.maintain(progress=True)
    shown = capsys.readouterr().err
    assert "importing: 100%" in shown and "exporting: 100%" in shown


def test_a_bar_is_taken_away_where_a_call_fails(
    store: modelkeep.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    class Bar:
        def __call__(self, progress: modelkeep.Progress) -> None:
            if progress.bytes:
                raise ZeroDivisionError

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr("modelkeep._progress.bar", lambda what: Bar())
    with pytest.raises(ZeroDivisionError):
        store.verify(progress=True)
    with pytest.raises(modelkeep.NotFoundError):
        store.export("nobody", io.BytesIO(), progress=True)
    assert closed == [True, True]


def test_no_progress_is_none_or_false_and_a_callback_is_callable(store: modelkeep.Store) -> None:
    assert store.verify(progress=None).ok and store.verify(progress=False).ok
    with pytest.raises(TypeError, match="callable"):
        store.verify(progress=3)  # type: ignore[arg-type]


HOLDS_THE_LOCK = """
import fcntl, os, sys
file = open(sys.argv[1], "r+b")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read(1)
"""


@contextmanager
def locked(scratch: Scratch) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has the lock of the store until a byte is written to it."""
    lock = scratch.root / ".modelkeep" / "lock"
    arguments = [sys.executable, "-c", HOLDS_THE_LOCK, str(lock)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        yield holder


@pytest.mark.skipif(os.name == "nt", reason="the lock is held by flock")
def test_other_threads_run_while_a_call_waits_for_a_file(
    store: modelkeep.Store, scratch: Scratch
) -> None:
    store.copy("a", "b")
    calls: list[Callable[[], object]] = [
        lambda: store.copy("a", "c"),
        lambda: store.rename("b", "d"),
        lambda: store.import_gguf(TINY, "tiny"),
        lambda: store.delete("a"),
        lambda: store.gc(),
    ]
    for call in calls:
        with locked(scratch) as holder:
            # Only a thread that runs while the call waits can end what it waits for.
            counted = 0

            def let_go() -> None:
                nonlocal counted
                for counted in range(1, 1001):
                    json.dumps(counted)
                assert holder.stdin is not None
                holder.stdin.write(b"x")
                holder.stdin.flush()

            thread = threading.Timer(0.01, let_go)
            thread.start()
            call()
            thread.join()
            assert counted == 1000
