"""Generates stores as Ollama writes them, for measurements.

    stores.py models DIRECTORY MODELS             GGUF models, four names for each file
    stores.py tensors DIRECTORY MODELS LAYERS UNKNOWN
                                                  safetensors models of so many small layers each, and
                                                  so many files that no model names
"""

import hashlib
import json
import os
import struct
import sys
import time
from pathlib import Path

LAYER = "application/vnd.ollama.image."
CONFIG = "application/vnd.docker.container.image.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
# Of the GGUF files, one in 25 has a large vocabulary, as one of the models that people have does.
SMALL, LARGE, EVERY = 64, 128_256, 25
TAGS = ["latest", "8b", "8b-q4_K_M", "it"]
TENSORS = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
# Older than what any collection spares.
AGE = 7_200


def string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def pair(key: str, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def array(key: str, kind: int, count: int, values: bytes) -> bytes:
    return pair(key, ARRAY, struct.pack("<IQ", kind, count) + values)


def vocabulary(tokens: int) -> list[bytes]:
    merges = 2 * tokens
    return [
        array("tokenizer.ggml.tokens", STRING, tokens, b"".join(string(f"token{n:06}") for n in range(tokens))),
        array("tokenizer.ggml.scores", FLOAT32, tokens, struct.pack(f"<{tokens}f", *(-n for n in range(tokens)))),
        array("tokenizer.ggml.token_type", INT32, tokens, struct.pack(f"<{tokens}i", *[1] * tokens)),
        array("tokenizer.ggml.merges", STRING, merges, b"".join(string(f"a{n} b{n}") for n in range(merges))),
    ]


def gguf(number: int, tokens: list[bytes]) -> bytes:
    """Returns a small file of 291 tensors, which differs from the others by its name."""
    pairs = [
        pair("general.architecture", STRING, string("llama")),
        pair("general.name", STRING, string(f"model {number}")),
        pair("general.file_type", UINT32, struct.pack("<I", 15)),
        pair("llama.context_length", UINT32, struct.pack("<I", 131_072)),
        pair("llama.embedding_length", UINT32, struct.pack("<I", 4_096)),
        *tokens,
    ]
    names = ["token_embd.weight", "output_norm.weight", "output.weight"]
    names += [f"blk.{block}.{name}.weight" for block in range(32) for name in TENSORS]
    # Of one dimension with eight numbers of float32 each.
    tensors = [string(name) + struct.pack("<IQIQ", 1, 8, 0, 32 * at) for at, name in enumerate(names)]
    header = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(pairs)) + b"".join(pairs + tensors)
    return header + bytes(-len(header) % 32) + bytes(32 * len(names))


class Store:
    """A directory of blobs and manifests that is being filled."""

    def __init__(self, root: Path) -> None:
        self.root, self.blobs = root, root / "blobs"
        self.blobs.mkdir(parents=True)
        self.time = time.time() - AGE
        self.known: set[str] = set()

    def file(self, name: str, content: bytes) -> None:
        path = f"{self.blobs}/{name}"
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (self.time, self.time))

    def layer(self, media: str, content: bytes, **more: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self.known:
            self.known.add(digest)
            self.file(f"sha256-{digest}", content)
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(content), **more}

    def manifest(self, model: str, tag: str, config: dict[str, object], layers: list[dict[str, object]]) -> None:
        config["rootfs"] = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
        text = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.layer(CONFIG, json.dumps(config).encode()),
            "layers": layers,
        }
        directory = self.root / "manifests/registry.ollama.ai" / model
        directory.mkdir(parents=True, exist_ok=True)
        (directory / tag).write_text(json.dumps(text, separators=(",", ":")))


def models(root: Path, count: int) -> None:
    store = Store(root)
    small, large = vocabulary(SMALL), vocabulary(LARGE)
    template = "{{ .System }}{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}{{ .Response }}"
    files: dict[int, dict[str, object]] = {}
    for number in range(count):
        file = number // 4 % max(1, count // 4)
        if file not in files:
            tokens = large if file % EVERY == 0 else small
            files[file] = store.layer(LAYER + "model", gguf(file, tokens))
        texts = {
            "template": template + "{{/* %d */}}" % (number % 5),
            "license": f"License {number % 4}. " * 900,
            "system": f"You are assistant number {number // 8}.",
            "params": json.dumps({"num_ctx": 4_096 + 64 * (number // 8), "stop": ["<|end|>"]}),
        }
        layers = [files[file], *(store.layer(LAYER + kind, text.encode()) for kind, text in texts.items())]
        config = {
            "model_format": "gguf", "model_family": "llama", "model_families": ["llama"],
            "model_type": "8.0B", "file_type": "Q4_K_M", "architecture": "amd64", "os": "linux",
        }  # fmt: skip
        namespace = "library" if number % 5 else f"user{number % 10}"
        store.manifest(f"{namespace}/bench{number // 4:04}", TAGS[number % 4], config, layers)


def tensors(root: Path, count: int, layers: int, unknown: int) -> None:
    store = Store(root)
    for number in range(count):
        parts = []
        for layer in range(layers):
            name = f"model.layers.{layer}.weight"
            place = {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}
            head = json.dumps({name: place}).encode()
            data = struct.pack("<QQ", number, layer) + bytes(16)
            content = struct.pack("<Q", len(head)) + head + data
            parts.append(store.layer(LAYER + "tensor", content, name=name))
        config = {"model_format": "safetensors", "capabilities": ["completion"]}
        store.manifest(f"library/tensors{number:04}", "latest", config, parts)
    for number in range(unknown):
        # Half of them are blobs that nobody uses, half have names that no blob has.
        content = f"unknown {number}".encode()
        name = hashlib.sha256(content).hexdigest()
        store.file(f"sha256-{name}" if number % 2 else f"unknown-{number}", content)


KINDS = {"models": models, "tensors": tensors}

if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    KINDS[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))
