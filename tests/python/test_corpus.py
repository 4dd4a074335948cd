"""Hostile and odd GGUF files: whatever is asked of one that opens, the answer or an error comes."""

import os
from pathlib import Path

import pytest

import modelkeep

ROOT = Path(__file__).resolve().parents[2]
SHARED = [os.environ.get("MODELKEEP_SHARED"), ROOT.parent / "shared"]


def corpus() -> list[Path]:
    for place in [place for place in SHARED if place]:
        if found := sorted((Path(place) / "gguf" / "corpus").glob("*.gguf")):
            return found
    return []


def exercise(file: modelkeep.Gguf, mmap: bool) -> None:
    assert file.to_dict()["version"] == file.version
    assert len(list(file)) == len(file)
    for value in file.values():
        if isinstance(value, modelkeep.Array):
            assert len(list(value)) == len(value.tolist()) == len(value)
            if value.element_type not in ("str", "arr"):
                assert memoryview(value).shape == (len(value),)
    for tensor in file.tensors.values():
        if mmap and tensor.nbytes is not None:
            assert memoryview(tensor).nbytes == tensor.nbytes


@pytest.mark.parametrize("mmap", [True, False], ids=["mapped", "read"])
@pytest.mark.parametrize("lenient", [True, False], ids=["lenient", "strict"])
def test_every_file_of_the_corpus_answers_or_is_refused(lenient: bool, mmap: bool) -> None:
    files = corpus()
    if not files:
        pytest.skip("no corpus of GGUF files here")
    opened = 0
    for path in files:
        try:
            file = modelkeep.Gguf(path, lenient=lenient, mmap=mmap)
        except modelkeep.Error as error:
            assert error.parse_error is not None, path
            continue
        exercise(file, mmap)
        opened += 1
    assert 0 < opened < len(files)
