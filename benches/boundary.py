#!/usr/bin/env python3
"""What Python adds to a call of the engine: time and memory, of a release build of the module.

    benches/boundary.py [MODELS]

A listing holds the engine's own values, and its objects are made when they are first looked at. So
the time of `store.list()` is the store's own, and that of `list(listing)` afterwards is the
boundary's; as many of Python's plainest objects are the floor. Figures are minima, and what an
earlier round made is dropped outside of them.
"""

import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import modelkeep

TINY = Path(__file__).resolve().parents[1] / "tests" / "data" / "tiny.gguf"


def main() -> None:
    count = int((sys.argv[1:] or ["100"])[0])
    with tempfile.TemporaryDirectory() as directory:
        store = modelkeep.Store(directory, delete_delay=0, durability="none")
        store.import_gguf(TINY, "m0")
        for number in range(1, count):
            store.copy("m0", f"m{number}")
        own = objects = names = floor = float("inf")
        listing = models = plain = None
        for _ in range(1000):
            del listing, models, plain
            began = time.perf_counter()
            listing = store.list()
            listed = time.perf_counter()
            models = list(listing)
            made = time.perf_counter()
            _ = [model.name for model in models]
            named = time.perf_counter()
            plain = [object() for _ in range(count)]
            ended = time.perf_counter()
            own, objects = min(own, listed - began), min(objects, made - listed)
            names, floor = min(names, named - made), min(floor, ended - named)
        tracemalloc.start()
        listing = store.list()
        before, _ = tracemalloc.get_traced_memory()
        models = list(listing)
        after, _ = tracemalloc.get_traced_memory()
        print(f"store.list() of {count} models     {own * 1e6:9.1f} us")
        print(f"list(listing), their objects   {objects * 1e6:9.1f} us")
        print(f"as many of object()            {floor * 1e6:9.1f} us")
        print(f"[model.name for ...]           {names * 1e6:9.1f} us")
        print(f"bytes for each object          {(after - before) / count:9.1f}")


if __name__ == "__main__":
    main()
