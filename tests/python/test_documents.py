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


def run(document: str) -> None:
    """Runs the blocks of Python in a document, one after the other."""
    text = (TESTS.parent / document).read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec("\n".join(blocks), {})


def test_what_the_documentation_shows_runs(
    store: modelkeep.Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run("docs/python.md")
    assert "f (4,)" in capsys.readouterr().out
    assert "backup" not in store
