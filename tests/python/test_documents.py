"""The Python of the documentation runs as it is printed."""

import re
from pathlib import Path

import pytest

import modelkeep

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> modelkeep.Store:
    store = modelkeep.Store(tmp_path)
    store.import_gguf(TESTS / "data" / "tiny.gguf", "llama3.2")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return store


def run(document: str, registry: str) -> None:
    """Runs the blocks of Python in a document, one after the other."""
    text = (TESTS.parent / document).read_text().replace("localhost:5000", registry)
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec("\n".join(blocks), {})


def test_what_the_documentation_shows_runs(
    store: modelkeep.Store, registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("docs/python.md", registry)
    printed = capsys.readouterr().out
    assert "f (4,)" in printed and f"['{registry}/team/llama3.2:q4']" in printed
    assert "backup" not in store and "fetched" in store
