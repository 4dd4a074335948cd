"""Verifying: progress, cancelling, and how a long call lives with threads, signals and forks."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from conftest import SMALL, Scratch

import modelkeep


def test_a_sound_store_is_ok(scratch: Scratch) -> None:
    scratch.model("a")
    report = scratch.open().verify()
    assert report.ok and len(report.blobs) == 2
    assert all(blob.status == "ok" and blob.detail == "" for blob in report.blobs)
    assert report.hashed_bytes == sum(blob.size for blob in report.blobs)
    assert report.to_dict()["hashed_bytes"] == report.hashed_bytes


def test_each_damage_has_its_word(scratch: Scratch) -> None:
    scratch.model("a").unlink()
    wrong = scratch.blob(b"some bytes")
    scratch.open().blob_path(wrong).write_bytes(b"some other")
    report = scratch.open().verify()
    assert not report.ok
    states = {blob.digest: blob.status for blob in report.blobs}
    assert states[wrong] == "wrong_digest"
    assert sorted(states.values()) == ["missing", "ok", "wrong_digest"]
    (broken,) = report.models
    assert broken.name == "a:latest" and "missing" in broken.reasons[0]


def test_only_the_named_models_are_verified(scratch: Scratch) -> None:
    scratch.model("a")
    scratch.blob(b"orphan")
    store = scratch.open()
    assert len(store.verify("a").blobs) == 2 and len(store.verify().blobs) == 3
    with pytest.raises(modelkeep.NotFoundError):
        store.verify("nobody")


def test_the_strict_reader_looks_when_it_is_asked(scratch: Scratch) -> None:
    scratch.model("a", b"GGUF, but not really")
    store = scratch.open()
    assert store.verify().ok
    report = store.verify(gguf=True)
    faults = [blob.gguf.error for blob in report.blobs if blob.gguf]
    assert not report.ok and [fault.kind for fault in faults if fault] == ["bad_version"]


def test_what_was_good_and_is_untouched_is_cached(scratch: Scratch) -> None:
    # A link to what nobody wrote for a while: what is younger than the clock is not noted.
    file = Path(__file__).resolve()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (scratch.root / "blobs" / f"sha256-{digest}").symlink_to(file)
    store, size = scratch.open(), file.stat().st_size
    first, second = store.verify(use_cache=True), store.verify(use_cache=True)
    assert (first.hashed_bytes, first.cached.blobs, first.cached.bytes) == (size, 0, 0)
    assert (second.hashed_bytes, second.cached.blobs, second.cached.bytes) == (0, 1, size)
    assert second.ok and second.to_dict()["cached"] == {"blobs": 1, "bytes": size}
    assert repr(second.cached) == f"Cached(blobs=1, bytes={size})"
    assert first.cache_error is second.cache_error is None
    assert store.verify().hashed_bytes == size


def test_why_nothing_can_be_cached_is_told(scratch: Scratch) -> None:
    scratch.model("a")
    store = modelkeep.Store(scratch.root, read_only=True)
    error = store.verify(use_cache=True).cache_error
    assert error is not None and "read-only" in error
    assert store.verify().cache_error is None


def test_progress_begins_at_nothing_and_ends_at_all(scratch: Scratch) -> None:
    scratch.model("a")
    seen: list[modelkeep.Progress] = []
    report = scratch.open().verify(progress=seen.append)
    assert (seen[0].bytes, seen[0].files) == (0, 0)
    last = seen[-1]
    assert last.bytes == last.total_bytes == report.hashed_bytes
    assert last.files == last.total_files == 2


def test_progress_runs_in_the_callers_thread(scratch: Scratch) -> None:
    scratch.model("a")
    threads = set[int]()
    scratch.open().verify(progress=lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_false_cancels(scratch: Scratch) -> None:
    scratch.model("a")
    with pytest.raises(modelkeep.CancelledError) as caught:
        scratch.open().verify(progress=lambda _: False)
    assert caught.value.status == 499


class Stop(Exception):
    pass


def test_what_a_callback_raises_is_raised(scratch: Scratch) -> None:
    scratch.model("a")

    def stop(_: modelkeep.Progress) -> None:
        raise Stop("here")

    with pytest.raises(Stop, match="here"):
        scratch.open().verify(progress=stop)


def test_a_callback_may_use_the_store(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    seen = list[int]()
    assert store.verify(progress=lambda _: seen.append(len(store.verify().blobs))).ok
    assert set(seen) == {2}


# Enough bytes to be still at work when the signal comes; sparse, so that they cost no disk.
LARGE = 8 << 30

SIGNALLED = """
import sys
import modelkeep

store = modelkeep.Store(sys.argv[1])
started = []
def start(_):
    if not started:
        started.append(print("started", flush=True))
try:
    store.verify(progress=start)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def large(scratch: Scratch) -> Scratch:
    path = scratch.root / "blobs" / ("sha256-" + "0" * 64)
    with path.open("wb") as file:
        file.truncate(LARGE)
    return scratch


def test_ctrl_c_ends_a_verification(large: Scratch) -> None:
    command = [sys.executable, "-c", SIGNALLED, str(large.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "interrupted\n"
    assert child.returncode == 0


def test_ctrl_c_in_a_callback_ends_a_verification(large: Scratch) -> None:
    with pytest.raises(KeyboardInterrupt):
        large.open().verify(progress=lambda _: signal.raise_signal(signal.SIGINT))


def test_ctrl_c_ends_the_command(large: Scratch) -> None:
    command = [sys.executable, "-m", "modelkeep", "--json", "--store", str(large.root), "verify"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        # The signal may come before the command has begun, which is to end it all the same.
        child.send_signal(signal.SIGINT)
    assert child.returncode != 0


def test_other_threads_run_while_bytes_are_hashed(large: Scratch) -> None:
    store = large.open()
    running, stop = threading.Event(), threading.Event()

    def watch(_: modelkeep.Progress) -> bool:
        running.set()
        return not stop.is_set()

    def verify() -> None:
        with pytest.raises(modelkeep.CancelledError):
            store.verify(progress=watch)

    with ThreadPoolExecutor(1) as pool:
        verifying = pool.submit(verify)
        assert running.wait(60)
        assert len(store) == 0
        stop.set()
        verifying.result(60)


def test_a_store_is_shared_by_threads(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()

    def work(number: int) -> bool:
        store.copy("a", f"copy-{number}")
        seen = store.verify("a").ok and f"copy-{number}" in store
        store.delete(f"copy-{number}")
        return seen and store["a"].gguf["general.architecture"] == "llama"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(32)))
    assert [model.name for model in store] == ["a:latest"]


def test_a_child_of_a_fork_verifies(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    assert store.verify().ok
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if store.verify().ok else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert store.verify().ok


def blobs_of(store: modelkeep.Store) -> int:
    return len(store.verify().blobs)


def missing(store: modelkeep.Store) -> None:
    store.show("nobody")


def test_a_store_and_its_errors_cross_to_other_processes(scratch: Scratch) -> None:
    scratch.model("a")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(blobs_of, scratch.open()).result() == 2
        with pytest.raises(modelkeep.NotFoundError, match="nobody"):
            pool.submit(missing, scratch.open()).result()


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="no /proc here")
def test_opening_makes_no_thread(scratch: Scratch) -> None:
    code = "import modelkeep, os, sys; modelkeep.Store(sys.argv[1]).list(); "
    code += "print(len(os.listdir('/proc/self/task')))"
    command = [sys.executable, "-c", code, str(scratch.root)]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "1\n"


def test_the_package_is_typed() -> None:
    assert (Path(modelkeep.__file__).parent / "py.typed").exists()


def sparse_file(scratch: Scratch, size: int) -> Path:
    path = scratch.root / "large.gguf"
    path.write_bytes(SMALL)
    with path.open("r+b") as file:
        file.truncate(size)
    return path


def test_an_import_tells_how_far_it_is(scratch: Scratch) -> None:
    path = sparse_file(scratch, 8 << 20)
    seen: list[modelkeep.Progress] = []
    scratch.open().import_gguf(path, "a", copy_mode="copy", progress=seen.append)
    assert seen[-1].bytes == seen[-1].total_bytes > 8 << 20


@pytest.mark.parametrize("how", ["answers", "raises"])
def test_an_import_that_is_stopped_leaves_nothing(scratch: Scratch, how: str) -> None:
    path = sparse_file(scratch, 256 << 20)

    def stop(progress: modelkeep.Progress) -> bool:
        if progress.bytes and how == "raises":
            raise ZeroDivisionError
        return progress.bytes == 0

    store = scratch.open()
    expected = {"answers": modelkeep.CancelledError, "raises": ZeroDivisionError}[how]
    with pytest.raises(expected):
        store.import_gguf(path, "a", copy_mode="copy", progress=stop)
    assert "a" not in store
    assert list((scratch.root / ".modelkeep/tmp").iterdir()) == []


def test_an_interrupt_ends_an_import(scratch: Scratch) -> None:
    path = sparse_file(scratch, 256 << 20)
    program = """
import os, signal, sys, modelkeep
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(progress):
    if progress.bytes:
        os.kill(os.getpid(), signal.SIGINT)
store = modelkeep.Store(sys.argv[1])
try:
    store.import_gguf(sys.argv[2], "a", copy_mode="copy", progress=interrupt)
except KeyboardInterrupt:
    print("interrupted", "a" in store)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, scratch.root, path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "interrupted False\n"
    assert list((scratch.root / ".modelkeep/tmp").iterdir()) == []
