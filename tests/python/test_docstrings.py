"""Everything public has a docstring, the stubs have the same ones, and the examples in them run.

With BLESS=1 the stubs are given the docstrings of the module.
"""

import ast
import doctest
import inspect
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import modelkeep
import modelkeep.ollama

TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"
STUBS = Path(__file__).parents[2] / "python" / "modelkeep" / "_modelkeep.pyi"


def members(of: object, where: str) -> Iterator[tuple[str, object]]:
    """What is public in a module or a class, by its name."""
    yield where, of
    # A function of the extension has none.
    for name, member in getattr(of, "__dict__", {}).items():
        if not name.startswith("_") and isinstance(of, type):
            member = member.__func__ if isinstance(member, staticmethod) else member
            if callable(member) or inspect.isdatadescriptor(member):
                yield f"{where}.{name}", member


def public() -> dict[str, object]:
    found: dict[str, object] = {"modelkeep": modelkeep, "modelkeep.ollama": modelkeep.ollama}
    for module in (modelkeep, modelkeep.ollama):
        # A text, as the version is, has no description of its own.
        for name in (name for name in module.__all__ if name != "__version__"):
            found |= members(getattr(module, name), f"{module.__name__}.{name}")
    return found


PUBLIC = public()
EXAMPLES = [name for name, it in PUBLIC.items() if ">>>" in (inspect.getdoc(it) or "")]


def test_everything_public_is_described() -> None:
    bare = [name for name, it in PUBLIC.items() if not (inspect.getdoc(it) or "").strip()]
    assert bare == [] and len(PUBLIC) > 250


def test_every_class_and_every_verb_has_an_example() -> None:
    verbs = {f"modelkeep.Store.{name}" for name in vars(modelkeep.Store) if name[0] != "_"}
    classes = {
        f"modelkeep.{name}"
        for name in modelkeep.__all__
        if isinstance(it := getattr(modelkeep, name), type) and not issubclass(it, Exception)
    }
    assert (verbs | classes) - set(EXAMPLES) == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    httpx = pytest.importorskip("httpx") if "httpx" in text else None
    registry = request.getfixturevalue("registry") if "{registry}" in text else None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(modelkeep.ollama._client, "_opened", None)
    shutil.copy(TINY, "llama3.2.gguf")
    store = modelkeep.Store(create=True)
    store.import_gguf(
        "llama3.2.gguf",
        "llama3.2",
        template="{{ .System }}{{ .Prompt }}",
        system="Be brief.",
        licenses=["MIT"],
        parameters={"temperature": 0.5, "stop": ["</s>"]},
        messages=[{"role": "user", "content": "Hello"}],
    )
    scope = {"modelkeep": modelkeep, "ollama": modelkeep.ollama, "store": store, "httpx": httpx}
    scope |= {"numpy": numpy, "registry": registry}
    example = doctest.DocTestParser().get_doctest(text, scope, name, None, None)
    report: list[str] = []
    failed, tried = doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert tried and not failed, "".join(report)


def described(source: str) -> str:
    """The stubs, with the docstrings of the module in them."""
    lines = source.split("\n")
    wanted: list[tuple[ast.ClassDef | ast.FunctionDef, str]] = []
    for top in ast.parse(source).body:
        found = getattr(modelkeep, getattr(top, "name", ""), None)
        if not isinstance(top, ast.ClassDef | ast.FunctionDef) or found is None:
            continue
        wanted.append((top, inspect.getdoc(found) or ""))
        for member in top.body if isinstance(top, ast.ClassDef) else []:
            if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                it = vars(found)[member.name]
                it = it.__func__ if isinstance(it, staticmethod) else it
                wanted.append((member, inspect.getdoc(it) or ""))
    for node, text in sorted(wanted, key=lambda it: it[0].lineno, reverse=True):
        describe(lines, node, text)
    return "\n".join(lines)


def describe(lines: list[str], node: ast.ClassDef | ast.FunctionDef, text: str) -> None:
    indent = " " * (node.col_offset + 4)
    text = text.replace("\\", "\\\\")
    block = [(indent + line).rstrip() for line in f'"""{text}'.split("\n")]
    block = block + [f'{indent}"""'] if len(block) > 1 else [f'{block[0]}"""']
    first = node.body[0]
    assert first.end_lineno is not None
    if isinstance(node, ast.FunctionDef):
        end = lines[first.end_lineno - 1]
        if ast.get_docstring(node) is None:
            lines[first.lineno - 1] = end.removesuffix(" ...")
            lines[first.lineno : first.lineno] = block
        else:
            lines[first.lineno - 1 : first.end_lineno] = block
    elif ast.get_docstring(node) is None:
        lines[first_line(first) - 1 : first_line(first) - 1] = block
    else:
        lines[first.lineno - 1 : first.end_lineno] = block


def first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(it.lineno for it in decorators)])


def test_the_stubs_have_the_docstrings() -> None:
    source = STUBS.read_text()
    if os.environ.get("BLESS") == "1":
        STUBS.write_text(described(source))
    assert STUBS.read_text() == described(source), "run with BLESS=1"
