"""Splitting GGUF files, and merging their parts."""

import threading
from pathlib import Path

import numpy
import pytest
from gguf import GGUFReader

import modelkeep

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


def keys(path: Path) -> dict[str, object]:
    """The keys and values of a file by gguf-py, but those of splitters."""
    fields = GGUFReader(path).fields.items()
    return {name: it.contents() for name, it in fields if not name.startswith(("split.", "GGUF."))}


def tensors(*paths: Path) -> list[tuple[str, list[int], bytes]]:
    """The tensors of files by gguf-py."""
    return [
        (it.name, it.shape.tolist(), it.data.tobytes())
        for path in paths
        for it in GGUFReader(path).tensors
    ]


def make(path: Path, count: int) -> None:
    with modelkeep.GgufWriter(path) as writer:
        writer["general.architecture"] = "llama"
        writer["tokenizer.ggml.tokens"] = ["a", "b"]
        for at in range(count):
            writer.add(f"blk.{at}.weight", numpy.full((at + 1, 32), at, "float32"))


def test_gguf_py_reads_the_parts_and_what_they_are_merged_to(tmp_path: Path) -> None:
    whole, to = tmp_path / "whole.gguf", tmp_path / "merged.gguf"
    make(whole, 7)
    parts = modelkeep.split_gguf(whole, tmp_path / "part", max_size=1000)
    files = [part.file for part in parts]
    assert [path.name for path in files] == [f"part-0000{n + 1}-of-0000{len(files)}.gguf" for n in range(len(files))]
    assert len(files) > 2 and all(part.size == part.file.stat().st_size for part in parts)
    assert tensors(*files) == tensors(whole)
    assert keys(files[0]) == keys(whole) and keys(files[1]) == {}
    for no, path in enumerate(files):
        fields = GGUFReader(path).fields
        found = [fields[f"split.{name}"].contents() for name in ("no", "count", "tensors.count")]
        assert found == [no, len(files), 7]
    merged = modelkeep.merge_gguf(files[1], to)
    assert (merged.file, merged.size, merged.replaced) == (to, to.stat().st_size, False)
    assert tensors(to) == tensors(whole) and keys(to) == keys(whole)
    assert modelkeep.Gguf(to)["split.count"] == 0


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    def split(replace: bool = False) -> list[modelkeep.Edited]:
        return modelkeep.split_gguf(TINY, tmp_path / "p", max_tensors=1, replace=replace)

    first = split()[0].file
    with pytest.raises(modelkeep.ExistsError):
        split()
    assert all(part.replaced for part in split(replace=True))
    to = tmp_path / "to.gguf"
    modelkeep.merge_gguf(first, to)
    with pytest.raises(modelkeep.ExistsError):
        modelkeep.merge_gguf(first, to)
    assert modelkeep.merge_gguf(str(first), str(to), replace=True).replaced


def test_slips_have_the_exception_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(modelkeep.ArgumentError, match="most bytes or the most tensors"):
        modelkeep.split_gguf(TINY, tmp_path / "p")
    with pytest.raises(modelkeep.ArgumentError, match="a part of nothing"):
        modelkeep.split_gguf(TINY, tmp_path / "p", max_size=0)
    with pytest.raises(modelkeep.ArgumentError, match="it is whole"):
        modelkeep.merge_gguf(TINY, tmp_path / "to")
    (tmp_path / "page.gguf").write_text("<html>")
    with pytest.raises(modelkeep.GgufError):
        modelkeep.split_gguf(tmp_path / "page.gguf", tmp_path / "p", max_tensors=1)
    first, second = modelkeep.split_gguf(TINY, tmp_path / "p", max_tensors=1)
    with pytest.raises(modelkeep.ArgumentError, match="merge it first"):
        modelkeep.split_gguf(first.file, tmp_path / "q", max_tensors=1)
    second.file.unlink()
    with pytest.raises(modelkeep.MissingFileError, match="00002-of-00002"):
        modelkeep.merge_gguf(first.file, tmp_path / "to")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p-00001-of-00002.gguf", "page.gguf"]


def test_progress_is_told_and_may_stop(tmp_path: Path) -> None:
    seen: list[modelkeep.Progress] = []
    parts = modelkeep.split_gguf(TINY, tmp_path / "p", max_tensors=1, progress=seen.append)
    assert seen[-1].bytes == seen[-1].total_bytes == sum(part.size for part in parts)
    modelkeep.merge_gguf(parts[0].file, tmp_path / "to", progress=seen.append)
    assert seen[-1].bytes == seen[-1].total_bytes == (tmp_path / "to").stat().st_size
    before = sorted(tmp_path.iterdir())
    with pytest.raises(modelkeep.CancelledError):
        modelkeep.split_gguf(TINY, tmp_path / "q", max_tensors=1, progress=lambda _: False)
    with pytest.raises(modelkeep.CancelledError):
        modelkeep.merge_gguf(parts[0].file, tmp_path / "no", progress=lambda _: False)
    assert sorted(tmp_path.iterdir()) == before


def test_many_threads_split_and_merge_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(no: int) -> None:
        try:
            parts = modelkeep.split_gguf(TINY, tmp_path / f"p{no}", max_tensors=1)
            modelkeep.merge_gguf(parts[-1].file, tmp_path / f"to{no}")
            assert tensors(tmp_path / f"to{no}") == tensors(TINY)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(no,)) for no in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
