"""Handles, threads and forks: many handles on one store, and children that go on."""

import gc
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import SMALL, Scratch

import modelkeep


def child(work: Callable[[], bool]) -> bool:
    """Whether the work succeeds in a forked child."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def test_children_and_their_children_go_on_with_every_call(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    model, tensors = store["a"], store["a"].gguf
    assert store.verify().ok

    def work() -> bool:
        store.copy("a", f"copy-{os.getpid()}")
        store.delete(f"copy-{os.getpid()}")
        store.gc()
        shown = store.show("a").to_dict() and model.gguf["general.architecture"] == "llama"
        return bool(shown and store.verify().ok and tensors["general.architecture"] == "llama")

    assert child(lambda: work() and child(work))
    assert work()


def test_children_change_one_store_at_once(scratch: Scratch) -> None:
    scratch.model("a")
    store = scratch.open()
    pids = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for _ in range(10):
                    store.copy("a", "common")
                    store.copy("common", f"own-{number}")
                    store.delete(f"own-{number}")
                status = 0
            finally:
                os._exit(status)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert sorted(model.name for model in store) == ["a:latest", "common:latest"]
    assert store.verify().ok


def test_a_child_verifies_while_its_parents_thread_does(scratch: Scratch) -> None:
    for number in range(20):
        scratch.model(f"m{number}", SMALL + bytes([number]) * 200_000)
    store = scratch.open()
    stop = threading.Event()

    def verify() -> int:
        rounds = 0
        while not stop.is_set():
            assert store.verify().ok
            rounds += 1
        return rounds

    with ThreadPoolExecutor(1) as pool:
        verifying = pool.submit(verify)
        try:
            assert all(child(lambda: store.verify().ok) for _ in range(8))
        finally:
            stop.set()
        assert verifying.result(60) >= 0


def test_many_handles_serve_one_store(scratch: Scratch) -> None:
    scratch.model("a")
    stores = [scratch.open() for _ in range(64)]
    for number, store in enumerate(stores):
        store.copy("a", f"copy-{number}")
    assert {len(store) for store in stores} == {65}
    with ThreadPoolExecutor(8) as pool:
        assert all(report.ok for report in pool.map(lambda store: store.verify("a"), stores[:16]))
    stores[0].delete(*(f"copy-{number}" for number in range(64)))
    assert {len(store) for store in stores} == {1}


@pytest.mark.parametrize("seed", range(6))
def test_ends_come_in_any_order(scratch: Scratch, seed: int) -> None:
    path = scratch.model("a")
    store = scratch.open()
    gguf = store["a"].gguf
    held: list[object] = [store, store["a"], gguf, store.list(), store.verify(), store.show("a")]
    held += [iter(store), gguf["general.architecture"]]
    del store, gguf
    random.Random(seed).shuffle(held)
    while held:
        held.pop()
        gc.collect()
    assert path.exists()
