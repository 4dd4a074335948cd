"""The Python example of the README runs as it is printed."""

from pathlib import Path

import pytest

import modelkeep

TESTS = Path(__file__).resolve().parent.parent


def test_the_example_prints_the_path_of_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = modelkeep.Store(tmp_path)
    store.import_gguf(TESTS / "data" / "tiny.gguf", "llama3.2")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    example = (TESTS.parent / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(example, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [str(store.path("llama3.2")), "llama"]
