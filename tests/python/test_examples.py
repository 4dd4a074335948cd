"""The examples run, and print what they promise; and clients that were written for Ollama work
through the transport."""

import contextlib
import http.server
import importlib.util
import io
import json
import os
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from math import prod
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from conftest import Scratch, gguf, text

import modelkeep

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"
TINY = Path(__file__).parents[1] / "data" / "tiny.gguf"


@pytest.fixture
def store(scratch: Scratch) -> modelkeep.Store:
    store = scratch.open()
    store.import_gguf(TINY, "tiny:f16", parameters={"temperature": 0.5})
    store.copy("tiny:f16", "shared")
    changed = bytearray(TINY.read_bytes())
    at = changed.index(b"general.file_type") + len(b"general.file_type") + 4
    changed[at] = 7  # Q8_0, of llama.h
    other = scratch.root.parent / f"{scratch.root.name}.gguf"
    other.write_bytes(changed)
    store.import_gguf(other, "tiny:q8_0")
    return store


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_has_own_and_shared_bytes(store: modelkeep.Store) -> None:
    head, *lines = run("table.py", store.root).splitlines()
    assert head.split() == ["NAME", "OWN", "SHARED", "CONTEXT", "CAN"]
    assert [line.split()[0] for line in lines] == ["shared:latest", "tiny:f16", "tiny:q8_0"]
    assert lines[0].split()[1:3] == ["0", "B"] and "128  completion" in lines[0]


def test_a_store_is_verified_with_bars(store: modelkeep.Store) -> None:
    pytest.importorskip("tqdm")
    pytest.importorskip("rich")
    assert run("verify_tqdm.py", store.root).endswith("all is well\n")
    assert run("verify_rich.py", store.root).count(" ok ") == len(store.verify().blobs)


def test_quantizations_are_found(store: modelkeep.Store) -> None:
    printed = run("duplicates.py", store.root)
    assert "tiny (llama, 40)" in printed and "Q8_0     tiny:q8_0: frees" in printed
    assert "shared" not in printed


def test_vocabularies_are_compared(store: modelkeep.Store) -> None:
    pytest.importorskip("numpy")
    printed = run("vocabularies.py", "tiny:f16", "tiny:q8_0", store.root)
    assert "4 tokens; tiny:q8_0: 4; 4 in both" in printed and "scores: mean" in printed


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves one file by ranges, which the handler of Python cannot."""

    data = b""
    ranges: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.ranges.append(asked)
        start, end = map(int, asked.removeprefix("bytes=").split("-"))
        part = self.data[start : end + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *_args: object) -> None:
        pass


def test_of_a_remote_file_the_header_is_fetched(tmp_path: Path) -> None:
    with modelkeep.GgufWriter(tmp_path / "large.gguf") as writer:
        writer["general.architecture"] = "llama"
        writer["tokenizer.ggml.tokens"] = ["a", "b"]
        writer.add("w", bytes(8 << 20), shape=(2 << 20,), dtype="F32")
    Ranges.data = (tmp_path / "large.gguf").read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        printed = run("remote.py", f"http://127.0.0.1:{server.server_port}/large.gguf")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "general.architecture" in printed and "2 elements" in printed
    assert f"1 tensors; 65536 of {len(Ranges.data)} bytes fetched" in printed
    assert Ranges.ranges == ["bytes=0-65535"]


def llama() -> bytes:
    """A model of one layer and the vocabulary of all bytes, as llama.cpp runs it."""
    width, inner = 32, 64
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    # The types are those of llama.h: unknown, control twice, bytes.
    types = [2, 3, 3, *[6] * 256]

    def u32(number: int) -> bytes:
        return struct.pack("<I", number)

    def array(kind: int, elements: Sequence[bytes]) -> bytes:
        return struct.pack("<IQ", kind, len(elements)) + b"".join(elements)

    values = [
        ("general.architecture", 8, text("llama")),
        ("llama.context_length", 4, u32(64)),
        ("llama.embedding_length", 4, u32(width)),
        ("llama.block_count", 4, u32(1)),
        ("llama.feed_forward_length", 4, u32(inner)),
        ("llama.attention.head_count", 4, u32(2)),
        ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
        ("tokenizer.ggml.model", 8, text("llama")),
        ("tokenizer.ggml.tokens", 9, array(8, [text(token) for token in tokens])),
        ("tokenizer.ggml.scores", 9, array(6, [bytes(4)] * len(tokens))),
        ("tokenizer.ggml.token_type", 9, array(5, [u32(kind) for kind in types])),
    ]
    shapes = {
        "token_embd": (width, len(tokens)),
        "output_norm": (width,),
        "blk.0.attn_norm": (width,),
        "blk.0.attn_q": (width, width),
        "blk.0.attn_k": (width, width),
        "blk.0.attn_v": (width, width),
        "blk.0.attn_output": (width, width),
        "blk.0.ffn_norm": (width,),
        "blk.0.ffn_gate": (width, inner),
        "blk.0.ffn_up": (width, inner),
        "blk.0.ffn_down": (inner, width),
    }
    random = Random(1)

    def weights(shape: tuple[int, ...]) -> bytes:
        count = prod(shape)
        return struct.pack(f"<{count}f", *(random.gauss(0, 0.1) for _ in range(count)))

    return gguf(values, [(f"{name}.weight", it, 0, weights(it)) for name, it in shapes.items()])


def test_a_binding_of_llama_cpp_runs_what_is_at_the_path(scratch: Scratch, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "llama.gguf").write_bytes(llama())
    store = scratch.open()
    store.import_gguf(tmp_path / "llama.gguf", "llama")
    loading, generated = run("llama_cpp.py", "llama", "Hello", store.root).split("\n", 1)
    assert loading == f"loading {store.path('llama')} with a context of 64"
    assert generated.strip()


def test_the_server_of_asyncio_answers(store: modelkeep.Store) -> None:
    command = [sys.executable, str(EXAMPLES / "server.py"), "0", str(store.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}/models") as answer:
                assert "tiny:f16" in json.load(answer)
            with urllib.request.urlopen(f"{url}/models/shared") as answer:
                assert json.load(answer)["details"]["family"] == "llama"
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{url}/models/shraed")
            assert caught.value.code == 404
            assert json.load(caught.value)["suggestions"] == ["shared:latest"]
        finally:
            server.terminate()


def test_the_cells_of_the_notebook_run(
    store: modelkeep.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    notebook = json.loads((EXAMPLES / "store.ipynb").read_text())
    cells = ["".join(it["source"]) for it in notebook["cells"] if it["cell_type"] == "code"]
    scope: dict[str, object] = {}
    shown = []
    with contextlib.redirect_stderr(io.StringIO()):
        for cell in cells:
            *lines, last = cell.splitlines()
            exec("\n".join(lines), scope)
            shown.append(eval(last, scope))
    assert all(hasattr(value, "_repr_html_") for value in shown[:3])
    assert shown[3] == ("shared:latest", 128, {"temperature": 0.5})


def test_every_example_is_run_here() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    names = [path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")]
    assert len(names) == 9 and [name for name in names if f'"{name}"' not in source] == []


@pytest.mark.parametrize("module", ["langchain_ollama", "litellm", "llama_index.llms.ollama"])
def test_clients_on_the_package_work_through_the_transport(
    store: modelkeep.Store, module: str
) -> None:
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip(f"{module} is not installed")
    script = Path(__file__).parents[1] / "clients" / f"{module.partition('.')[0]}.py"
    done = subprocess.run(
        [sys.executable, str(script), str(store.root)],
        capture_output=True,
        text=True,
        env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
