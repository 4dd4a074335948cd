"""The table of scenarios that every binding runs."""

import re
from collections import Counter
from pathlib import Path

import modelkeep

TESTS = Path(__file__).parents[1]
TINY = TESTS / "data" / "tiny.gguf"


def counts(report: modelkeep.Report) -> str:
    states = Counter(blob.status for blob in report.blobs)
    return " ".join(f"{state}={states[state]}" for state in sorted(states))


def call(store: modelkeep.Store, verb: str, *names: str) -> str:
    match verb, names:
        case "list", ():
            return " ".join(sorted(model.name for model in store.list())) or "-"
        case "show", (name,):
            return store.show(name).to_json()
        case "path", (name,):
            assert store.path(name).read_bytes().startswith(b"GGUF")
        case "copy", (src, dst):
            store.copy(src, dst)
        case "delete", (name,):
            store.delete(name)
        case ("import" | "import!"), (name,):
            store.import_gguf(TINY, name, replace=verb == "import!")
        case "damage", (name,):
            blob = store.path(name)
            data = bytearray(blob.read_bytes())
            data[-1] ^= 1
            blob.write_bytes(data)
        case "lose", (name,):
            store.path(name).unlink()
        case "verify", ():
            return counts(store.verify())
        case "cancel", ():
            store.verify(progress=lambda _: False)
        case _:
            raise AssertionError(f"no such call: {verb} {names}")
    return ""


def statuses() -> dict[type[modelkeep.Error], str]:
    """The rows of the engine's table of errors, by the class of Python."""
    source = (TESTS.parent / "src/error.rs").read_text()
    rows = re.findall(r'^    (\w+) = \d+, \d+, "(\w+)", "[^"]+";$', source, re.MULTILINE)
    words = {name: re.sub(r"(?<=.)([A-Z])", r"_\1", kind).upper() for kind, name in rows}
    return {getattr(modelkeep, name): word for name, word in words.items()}


def test_every_scenario_of_the_table_holds(tmp_path: Path) -> None:
    store = modelkeep.Store(tmp_path, delete_delay=0)
    status_of = statuses()
    for line in (TESTS / "scenarios.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        asked, expected = line.split(" => ")
        status, _, text = expected.partition(" ")
        verb, *names = asked.split()
        try:
            found_status, found = "OK", call(store, verb, *names)
        except modelkeep.Error as error:
            found_status, found = status_of[type(error)], str(error)
        assert found_status == status, f"{line}: {found}"
        exact = status == "OK" and verb in ("list", "verify")
        assert found == text if exact else text in found, f"{line}: {found}"
