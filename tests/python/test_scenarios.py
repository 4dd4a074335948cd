"""The table of scenarios through the Python module."""

import re
import shlex
from collections import Counter
from pathlib import Path

import modelkeep

TESTS = Path(__file__).resolve().parent.parent
FIXTURE = TESTS / "data" / "tiny.gguf"


class Stop(Exception):
    """What the progress of a cancelled verification raises."""


def stop(progress: modelkeep.Progress) -> object:
    raise Stop


def verify(store: modelkeep.Store) -> str:
    states = Counter(blob.status for blob in store.verify().blobs)
    return " ".join(f"{state}={count}" for state, count in sorted(states.items()))


def call(store: modelkeep.Store, words: list[str]) -> str:
    match words:
        case ["list"]:
            return " ".join(sorted(model.name for model in store)) or "-"
        case ["show", name]:
            return store.show(name).to_json()
        case ["path", name]:
            assert store.path(name).read_bytes().startswith(b"GGUF")
        case ["copy", source, destination]:
            store.copy(source, destination)
        case ["delete", name]:
            store.delete(name)
        case ["import", name]:
            store.import_gguf(FIXTURE, name)
        case ["import!", name]:
            store.import_gguf(FIXTURE, name, replace=True)
        case ["damage", name]:
            path = store.path(name)
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
        case ["verify"]:
            return verify(store)
        case ["cancel"]:
            try:
                store.verify(progress=stop)
            except Stop:
                raise modelkeep.CancelledError("by the callback") from None
        case _:
            raise AssertionError(f"no such call: {words}")
    return ""


STATUSES = {
    modelkeep.NotFoundError: "NOT_FOUND",
    modelkeep.InvalidNameError: "INVALID_NAME",
    modelkeep.ExistsError: "ALREADY_EXISTS",
    modelkeep.CancelledError: "CANCELLED",
}


def test_every_scenario_of_the_table_holds(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path, settle=0.0)
    table = (TESTS / "scenarios.txt").read_text().splitlines()
    for line in table:
        if not line or line.startswith("#"):
            continue
        words, expected = line.split(" => ", 1)
        status, _, text = expected.partition(" ")
        try:
            found, answer = "OK", call(store, shlex.split(words))
        except modelkeep.Error as error:
            found, answer = STATUSES[type(error)], str(error)
        assert found == status, (line, answer)
        exact = status == "OK" and re.match("list|verify", line)
        assert answer == text if exact else text in answer, (line, answer)
