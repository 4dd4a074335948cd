#!/usr/bin/env python3
"""Asks the server of Ollama and `modelkeep serve` the same random questions.

    tests/side_by_side.py [--seed N] [--requests N] [path of the command]

Both serve a copy of one generated store: random names, metadata, templates, parameters, messages,
licences and sharing of blobs. Every answer is compared, and at the end the two directories. Skips,
and says so, where there is no reference server.
"""

import argparse
import calendar
import hashlib
import importlib.util
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import raw_requests

HERE = Path(__file__).resolve().parent
# What a body may have here, in bytes.
BODY = 64 * 1024
MEDIA = "application/vnd.ollama.image."


def load_replayer():
    spec = importlib.util.spec_from_file_location("replay", HERE / "golden/replay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_server():
    named = os.environ.get("MODELKEEP_OLLAMA")
    shared = [os.environ.get("MODELKEEP_SHARED"), HERE.parent.parent / "shared"]
    places = [named] + [Path(place) / "ref/ollama" for place in shared if place]
    found = [str(place) for place in places if place and os.path.isfile(place)]
    return found[0] if found else shutil.which("ollama")


class Generator:
    """Makes stores and requests. What rules 1 to 19 set apart is not generated."""

    def __init__(self, seed, odd=False):
        self.random = random.Random(seed)
        self.names = []
        self.odd = Odd(self.random) if odd else None

    def word(self, least=1, most=12, letters="abcdefghijklmnopqrstuvwxyz0123456789"):
        return "".join(self.random.choices(letters, k=self.random.randint(least, most)))

    def text(self):
        pieces = ["hello", "\u00e9", "\U0001f600", "\n", " ", "<b>&", '"', "\\", "\t", "{x}", "#", "\u2028"]
        return "".join(self.random.choices(pieces, k=self.random.randint(0, 12)))

    def name(self):
        name = self.word() + self.random.choice(["", "-" + self.word(1, 3), ".1"])
        if self.random.random() < 0.3:
            name = self.word() + "/" + name
            if self.random.random() < 0.4:
                name = self.random.choice(["hf.co", "localhost:5000", "example.org"]) + "/" + name
        return name + self.random.choice(["", ":latest", ":" + self.word(), ":7b-q4_K_M"])

    def value(self, kind):
        integers = {0: (0, 255), 1: (-128, 127), 2: (0, 65535), 3: (-32768, 32767), 4: (0, 2**32 - 1),
                    5: (-(2**31), 2**31 - 1), 10: (0, 2**64 - 1), 11: (-(2**63), 2**63 - 1)}
        formats = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q", 6: "f", 12: "d"}
        if kind in integers:
            low, high = integers[kind]
            number = self.random.choice([low, high, 0, 1, self.random.randint(low, high)])
            return struct.pack("<" + formats[kind], number)
        if kind in (6, 12):
            numbers = [0.0, -0.0, 1.0, 0.1, 1e-7, 1e21, 123456789.125, self.random.random(),
                       self.random.uniform(-1e10, 1e10), 2.0**-140]
            return struct.pack("<" + formats[kind], self.random.choice(numbers))
        if kind == 7:
            return bytes([self.random.randint(0, 1)])
        if kind == 8:
            return string(self.text())
        element = self.random.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12])
        count = self.random.choice([0, 1, 3, 7])
        return struct.pack("<IQ", element, count) + b"".join(self.value(element) for _ in range(count))

    def gguf(self):
        architecture = self.random.choice(["llama", "qwen2", "gemma3", "bert", self.word(), "a.b"])
        if self.odd and self.random.random() < 0.3:
            architecture += "\udcff"  # one byte that is not UTF-8
        pairs = [("general.architecture", 8, string(architecture))]
        optional = [
            ("general.file_type", 4, struct.pack("<I", self.random.randint(0, 45))),
            (architecture + ".context_length", 4, self.value(4)),
            (architecture + ".embedding_length", 4, self.value(4)),
            (architecture + ".pooling_type", 4, self.value(4)),
            (architecture + ".vision.block_count", 4, self.value(4)),
            (architecture + ".audio.block_count", 4, self.value(4)),
            ("general.name", 8, string(self.text())),
            ("general.parameter_count", 10, self.value(10)),
        ]
        pairs += [pair for pair in optional if self.random.random() < 0.4]
        for _ in range(self.random.randint(0, 8)):
            kind = self.random.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
            pairs.append((self.word() + "." + self.word(), kind, self.value(kind)))
        if self.random.random() < 0.5:
            chats = ["{{ messages }}", "{% if tools %}tool_calls{% endif %} tool_response",
                     "<think>{{ x }}</think>", "tools tool_calls message.role == 'tool'",
                     "content.split('</think>')", "content.split('</think>') reasoning_content"]
            if self.odd:
                chats += ["\udcff 'tools'", "<think>\udce2\udc82</think>"]
            pairs.append(("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + string("a") + string("b")))
            pairs.append(("tokenizer.chat_template", 8, string(self.random.choice(chats))))
        self.random.random() < 0.2 and self.random.shuffle(pairs)
        tensors, data = [], b""
        for _ in range(self.random.randint(0, 4)):
            kind, block, size = self.random.choice([(0, 1, 4), (1, 1, 2), (8, 32, 34), (12, 256, 144)])
            dims = [block * self.random.randint(1, 3)] + [self.random.randint(1, 3) for _ in range(self.random.randint(0, 2))]
            elements = 1
            for dim in dims:
                elements *= dim
            tensors.append((self.word() + ".weight", dims, kind, len(data)))
            data += bytes(elements // block * size)
            data += bytes(-len(data) % 32)
        seen = {key: (key, kind, value) for key, kind, value in pairs}
        head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(seen))
        for key, kind, value in seen.values():
            head += string(key) + struct.pack("<I", kind) + value
        for name, dims, kind, offset in tensors:
            head += string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
            head += struct.pack("<IQ", kind, offset)
        file = head + bytes(-len(head) % 32) + data
        if self.random.random() < 0.05:
            file = file[: self.random.randint(0, len(file))]
        return file

    def parameters(self):
        def value(depth=0):
            scalars = [True, False, self.random.randint(-10, 10**7), self.random.random() * 10**self.random.randint(-8, 9),
                       self.text(), 131072, 1e20, -0.5]
            if depth < 2 and self.random.random() < 0.3:
                return [value(2) for _ in range(self.random.randint(0, 3))]
            return self.random.choice(scalars)

        keys = ["stop", "num_ctx", "temperature", "top_k", "seed", self.word()]
        return {key: value() for key in self.random.sample(keys, self.random.randint(0, 5))}

    def config(self):
        families = self.random.choice([None, [], ["llama"], ["llama", "clip"], ["gptoss"]])
        config = {
            "model_format": self.random.choice(["gguf", "gguf", "gguf", "", "ggla"]),
            "model_family": self.random.choice(["llama", "gptoss", "gpt-oss", "", self.word()]),
            "model_families": families,
            "model_type": self.random.choice(["7B", "", "8.0B"]),
            "file_type": self.random.choice(["Q4_K_M", "", "unknown"]),
        }
        extra = {
            "renderer": self.random.choice(["qwen3-coder", "gemma4", self.word()]),
            "parser": self.random.choice(["qwen3", "harmony", "passthrough", "olmo3-think", self.word()]),
            "requires": "0.12.0",
            "capabilities": self.random.sample(["tools", "vision", "completion", "thinking", "x"], 2),
            "context_length": self.random.randint(-5, 10**6),
            "embedding_length": self.random.randint(0, 10**4),
            "base_name": self.word(),
        }
        config.update({key: value for key, value in extra.items() if self.random.random() < 0.15})
        return config

    def template(self):
        return self.random.choice([
            "{{ .Prompt }}", "{{ if .Tools }}x{{ end }}{{ .Prompt }}", "{{ .Suffix }}{{ .Prompt }}",
            "{{ range .Messages }}<think>{{ .Thinking }}</think>{{ end }}", "{{ .System }} " + self.text().replace("{", ""),
            "{{- range $i, $_ := .Messages }}{{ if eq .Role \"tool\" }}{{ .ToolCalls }}{{ end }}{{ $.Tools }}{{ end }}",
            "<|start|>{{ .Prompt }}<|end|>", "{{ if }}", "{{ nope }}", "{{ .Prompt ",
        ])

    def fill(self, root):
        """Writes the store; files of gguf and texts are shared by some models."""
        blobs, manifests = root / "blobs", root / "manifests"
        blobs.mkdir(parents=True)
        ggufs = [self.gguf() for _ in range(20)]
        texts = [self.text() for _ in range(10)]
        clock = 1_700_000_000

        def layer(media, content, **more):
            digest = hashlib.sha256(content).hexdigest()
            (blobs / f"sha256-{digest}").write_bytes(content)
            return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(content), **more}

        taken = set()
        while len(self.names) < 40:
            name = self.name()
            path = full(name)
            if path.lower() in taken or any(path.lower().split("/")[i] in {t.split("/")[i] for t in taken} and
                                            path.split("/")[i] not in {p.split("/")[i] for p in map(full, self.names)} for i in range(4)):
                continue
            taken.add(path.lower())
            self.names.append(name)
            layers = []
            if self.random.random() < 0.95:
                more = {"from": self.word()} if self.random.random() < 0.3 else {}
                layers.append(layer(MEDIA + "model", self.random.choice(ggufs), **more))
            for media in ("projector", "adapter"):
                if self.random.random() < 0.15:
                    layers.append(layer(MEDIA + media, self.random.choice(ggufs)))
            if self.random.random() < 0.4:
                layers.append(layer(MEDIA + "template", self.template().encode()))
            for media in ("system", "license", "license"):
                if self.random.random() < 0.3:
                    layers.append(layer(MEDIA + media, self.random.choice(texts).encode()))
            if self.random.random() < 0.4:
                layers.append(layer(MEDIA + "params", json.dumps(self.parameters()).encode()))
            if self.random.random() < 0.3:
                roles = ["user", "assistant", "System"]
                messages = [{"role": self.random.choice(roles), "content": self.text()} for _ in range(3)]
                layers.append(layer(MEDIA + "messages", json.dumps(messages).encode()))
            config = layer("application/vnd.docker.container.image.v1+json", json.dumps(self.config()).encode())
            odd = self.odd and self.odd_model(layer, layers)
            # No two are equal: Ollama's caches would take one for the other (rule 12).
            manifest = {"schemaVersion": 2, "config": config, "layers": layers, "n": len(self.names)}
            file = manifests / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if odd:
                file.write_bytes(self.odd.manifest(odd[0], odd[1], len(self.names)))
            else:
                file.write_text(json.dumps(manifest, indent=self.random.choice([None, 1])))
            clock += self.random.randint(1, 100_000)
            os.utime(file, ns=(clock * 10**9, clock * 10**9 + self.random.choice([0, 5, 120_000_000])))

    def odd_model(self, layer, usual):
        """The config and the layers of a model whose JSON is odd."""
        image = "application/vnd.docker.container.image.v1+json"
        kind = self.random.choice(["gguf", "gguf", "safetensors", "safetensors", "safetensors", "remote"])
        layers = [] if kind == "remote" and self.random.random() < 0.7 else list(usual)
        if kind == "safetensors" or self.random.random() < 0.1:
            layers = []
            for name in ("a.weight", "b.weight")[: self.random.randint(0, 2)]:
                layers.append(layer(MEDIA + "tensor", self.odd.header(), name=name))
            if self.random.random() < 0.9:
                layers.append(layer(MEDIA + "json", self.odd.config_json(), name="config.json"))
        layers = [entry for entry in layers if not entry["mediaType"].endswith(("params", "messages"))]
        for _ in range(self.random.choice([0, 0, 1, 2])):
            layers.append(layer(MEDIA + "params", self.odd.parameters()))
        for _ in range(self.random.choice([0, 0, 1, 2])):
            layers.append(layer(MEDIA + "messages", self.odd.messages()))
        return layer(image, self.odd.config(kind)), layers

    def request(self):
        name = self.random.choice(self.names) if self.names and self.random.random() < 0.85 else self.name()
        odd = self.random.random()
        if odd < 0.04:
            name = self.random.choice(["", " ", "a b", "/x", "x:", "a/b/c/d/e", "\u00e9", " " + name + " "])
        kind = self.random.random()
        if kind < 0.12:
            return "GET", "/api/tags", None
        if kind < 0.15:
            return "GET", self.random.choice(["/v1/models", "/v1/models", "/api/ps"]), None
        if kind < 0.2:
            return "GET", "/v1/models/" + urllib.parse.quote(name, safe=""), None
        if kind < 0.65:
            body = {"model": name}
            if self.random.random() < 0.3:
                body["verbose"] = True
            if self.random.random() < 0.2:
                body["system"] = self.text()
            if self.random.random() < 0.2:
                body["options"] = self.parameters()
            return "POST", "/api/show", body
        if kind < 0.85:
            other = self.name() if self.random.random() < 0.7 else self.random.choice(self.names or ["x"])
            return "POST", "/api/copy", {"source": name, "destination": other}
        return "DELETE", "/api/delete", {"model": name}

    def learn(self, method, body, status):
        """Keeps up with what the store holds, as far as the requests need it."""
        if status != 200 or method == "GET":
            return
        if "destination" in body and full(body["destination"]) not in map(full, self.names):
            self.names.append(body["destination"])
        if method == "DELETE":
            self.names = [name for name in self.names if full(name) != full(body["model"].strip())]


# Values that Go's decoder takes, or refuses, in its own way; as JSON text, in bytes.
ODD = [b"null", b"-0", b"-0.0", b"1", b"-1", b"1.5", b"1e999", b"9223372036854775807", b"9223372036854775808",
       b"true", b"[]", b"{}", b'""', b'"x"', b'"\\ud800x"', b'"a\xffb"', b'"\xed\xa0\x80"', b'[null]', b'["a"]',
       b"[1]", b'[{"a":1}]', b'{"a":1}', b'"AGk="', b'"AGk"', b'[[1,255]]', b'[["x"]]', b'["AG\\nk="]', b'["A"]',
       b'[{"id":1}]', b'[{"function":null}]', b'[{"function":{"name":"f","arguments":{"x":1}}}]', b"[null,null]",
       b'[{"function":{"arguments":[]}}]', b'[{"function":{"index":1.5}}]', b'[{"function":{"arguments":null}}]',
       b'{"model_format":1}', b'{"architecture":null,"config":[]}', b'{"tensor_prefix":{}}', b'{"hidden_size":5}',
       b'{"hidden_size":"x"}', b'{"num_hidden_layers":-0,"hidden_size":null}', b'{"diff_ids":[1]}', b'{"type":3}']


class Odd:
    """Makes JSON that only Go's decoder reads in one way, and models with such JSON in every part."""

    def __init__(self, chance):
        self.random = chance

    def nested(self, depths=(1, 126, 127, 128, 2000, 9_990, 10_001)):
        depth = self.random.choice(depths)
        opening, closing = self.random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        return opening * depth + (b"" if opening == b"[" else b"0") + closing * depth

    def value(self, usual):
        chance = self.random.random()
        if chance < 0.6:
            return usual
        return self.random.choice(ODD)

    def key(self, key):
        chance = self.random.random()
        if chance < 0.85:
            return key.encode()
        if chance < 0.92:
            return key.upper().encode()
        return key.replace("s", "\u017f").replace("k", "\u212a").encode()

    def object(self, usual, least=0.6):
        """An object with the fields of `usual` (key: JSON), some odd, doubled, or left out."""
        members = []
        for key, value in usual.items():
            while self.random.random() < least:
                members.append(b'"' + self.key(key) + b'":' + self.value(value))
                if self.random.random() < 0.85:
                    break
        if self.random.random() < 0.3:
            members.append(b'"nobody":' + self.random.choice([b"1e999", b"-0", b'"\\ud800\xff"', self.nested()]))
        self.random.random() < 0.3 and self.random.shuffle(members)
        return b"{" + b",".join(members) + b"}" + self.random.choice([b"", b"", b"\n", b" x"])

    def config(self, kind):
        usual = {"model_format": json.dumps(kind).encode(), "model_family": b'"llama"', "model_families": b'["llama"]',
                 "model_type": b'"7B"', "file_type": b'""'}
        can = [["completion"]] * 4 + [["image"], ["completion", "vision", "audio", ""], ["tools", "insert"]]
        usual["capabilities"] = json.dumps(self.random.choice(can)).encode()
        if self.random.random() < 0.2:
            who = ["gemma4", "gemma4-small", "gemma4-large", "glimmer", "nemotron-3-nano", "qwen3-vl-instruct", "x"]
            usual[self.random.choice(["renderer", "parser"])] = json.dumps(self.random.choice(who)).encode()
            usual["model_family"] = self.random.choice([b'"nemotron_h_omni"', b'"gptoss"', b'"llama"'])
        if kind == "remote":
            usual.update(model_format=self.random.choice([b'"gguf"', b'""', b'"safetensors"']),
                         remote_host=b'"https://example.org"', remote_model=b'"m"',
                         context_length=b"5", embedding_length=b"6", base_name=b'"b"')
        if self.random.random() < 0.3:
            usual.update(context_length=b"-0", draft=b'{"model_format":"gguf"}', rootfs=b'{"type":"layers"}')
        if self.random.random() < 0.5:
            return b"{" + b",".join(b'"' + key.encode() + b'":' + value for key, value in usual.items()
                                    if kind != "remote" or self.random.random() < 0.7) + b"}"
        return self.object(usual, 0.9)

    def config_json(self):
        usual = {"model_type": b'"Llama\xce\xa3"', "architectures": '["G\u0130\u03a3ForCausalLM"]'.encode(),
                 "max_position_embeddings": b"4096", "hidden_size": b"64", "num_hidden_layers": b"2",
                 "num_attention_heads": b"4", "num_key_value_heads": b"2", "intermediate_size": b"128",
                 "vocab_size": b"1000", "rms_norm_eps": b"1e-5", "rope_theta": b"1e4", "torch_dtype": b'"float32"',
                 "text_config": b'{"hidden_size":32}'}
        return self.object(usual, self.random.choice([0.3, 0.7, 0.95]))

    def shape(self):
        sizes = [0, 1, 4, 8, 64, -1, -64, 2**31, 2**62, 2**63 - 1, -2**63]
        usual = sizes[1:5] if self.random.random() < 0.7 else sizes
        return json.dumps([self.random.choice(usual) for _ in range(self.random.randint(0, 3))]).encode()

    def entry(self):
        usual = {"dtype": b'"BF16"', "shape": self.shape(), "data_offsets": b"[0,8]"}
        if self.random.random() < 0.6:
            return b"{" + b",".join(b'"' + key.encode() + b'":' + value for key, value in usual.items()
                                    if self.random.random() < 0.9) + b"}"
        return self.object(usual, 0.9).split(b" x")[0]

    def header(self):
        members = {}
        for name in self.random.sample(["w", "v", "u\u0130", ""], self.random.randint(1, 2)):
            members[name] = self.entry()
            for side in (".scale", ".bias", ".global_scale"):
                if self.random.random() < 0.3:
                    members[name + side] = self.entry()
        if self.random.random() < 0.5:
            kinds = ["int4", " INT8 ", "nvfp4", "mxfp8", "q4", "fp8", "odd", "", " ", "\u0130NT4", "\u0131nt8",
                     "\u2003Mxfp4\u00a0", "\ufb01p4", "FP4\u0000"]
            kind = json.dumps(self.random.choice(kinds)).encode()
            members["__metadata__"] = self.object({"quant_type": kind, "group_size": b'"32"'}, 0.9).split(b" x")[0]
        if self.random.random() < 0.1:
            members[self.random.choice(["w", "__metadata__", "x"])] = self.random.choice(ODD)
        text = b"{" + b",".join(json.dumps(key).encode() + b":" + value for key, value in members.items()) + b"}"
        text = self.random.choice([text] * 8 + [text + b"  ", text + b"x", b"null", b"[]"])
        return struct.pack("<Q", len(text)) + text + bytes(8)

    def message(self):
        roles = ["user", "ASSISTANT", "System", "\u039f\u03a3", "\u0130", "\u01c5", "\u1e9e", "a: b", ""]
        usual = {"role": json.dumps(self.random.choice(roles), ensure_ascii=False).encode(), "content": b'"c"'}
        extra = {"thinking": b'"t"', "images": b'["AGk="]', "tool_calls": b"[]", "tool_name": b'"n"', "tool_call_id": b'""'}
        usual.update({key: value for key, value in extra.items() if self.random.random() < 0.2})
        if self.random.random() < 0.5:
            return b"{" + b",".join(b'"' + key.encode() + b'":' + value for key, value in usual.items()) + b"}"
        return self.random.choice([self.object(usual, 0.9).split(b" x")[0]] * 9 + [self.random.choice(ODD)])

    def messages(self):
        return b"[" + b",".join(self.message() for _ in range(self.random.randint(0, 3))) + b"]"

    def parameters(self):
        usual = {"stop": b'["a",[1,{"b":-0,"a":"\\ud800"}]]', "num_ctx": b"4096", "x": b'{"k":[1e6,null]}'}
        if self.random.random() < 0.2:
            usual["deep"] = self.nested()
        return self.random.choice([self.object(usual, 0.7)] * 12 + [b"null"])

    def body(self, body):
        """A request's body; the field of the name stays, or its answer would be a guess."""
        members = [json.dumps(key).encode() + b":" + json.dumps(value).encode() for key, value in body.items()]
        members = [member for member in members if not member.startswith(b'"options"')]
        if "destination" not in body:
            extra = {"verbose": b"true", "system": b'"s"', "options": self.parameters().split(b" x")[0], "template": b'"t"'}
            inner = self.object({k: v for k, v in extra.items() if self.random.random() < 0.4}, 0.9)
            members.append(inner[1:].rsplit(b"}", 1)[0])
        else:
            members.append(b'"nobody":' + self.random.choice([b"1e999", self.nested(), b'"\\ud800\xff"']))
        members = [member for member in members if member]
        self.random.shuffle(members)
        return b"{" + b",".join(members) + b"}" + self.random.choice([b"", b"x", b"\n"])

    def manifest(self, config, layers, number):
        def entry(layer):
            text = json.dumps(layer).encode()[:-1]
            return text + self.random.choice([b"}"] * 8 + [b',"from":null}', b',"size":-0}', b',"nobody":1e999}',
                                              b',"nobody":' + self.nested((127, 9_990)) + b"}", ',"\u017fize":7}'.encode()])

        text = b'{"schemaVersion":2,"config":' + entry(config) + b',"layers":['
        text += b",".join(entry(layer) for layer in layers) + b'],"n":' + str(number).encode()
        if self.random.random() < 0.2:
            text += b',"layers":[' + b",".join(entry(layer) for layer in layers) + b"]"
        return text + self.random.choice([b"}", b"}\n", b"} x", b',"nobody":"\\udc00\xfe"}'])


def string(text):
    data = text.encode(errors="surrogateescape")
    return struct.pack("<Q", len(data)) + data


def full(name):
    """The path of a manifest."""
    head, _, tag = name.rpartition(":") if ":" in name.rsplit("/", 1)[-1] else (name, "", "latest")
    parts = head.split("/")
    defaults = ["registry.ollama.ai", "library"]
    return "/".join(defaults[: 3 - len(parts)] + parts + [tag])


class Side:
    """A server on its own copy of the store."""

    def __init__(self, replayer, command, store, home):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.store = str(store)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OLLAMA_")}
        environment.update(HOME=str(home), OLLAMA_MODELS=self.store, OLLAMA_HOST=f"127.0.0.1:{self.port}",
                           OLLAMA_NOPRUNE="1", OLLAMA_NO_CLOUD="1", TZ="UTC")
        arguments = [piece.format(store=self.store, port=self.port) for piece in command]
        self.process = subprocess.Popen(arguments, env=environment, cwd=home,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.target = replayer.Http(f"http://127.0.0.1:{self.port}")
        for _ in range(1000):
            try:
                self.target.handle("GET", "/", None, {})
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit(f"{arguments[0]} does not answer")

    def ask(self, method, path, body):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        status, headers, answer = self.target.handle(method, path, data, {})
        text = answer.decode().replace(self.store, "$STORE")
        return status, headers.get("content-type", "").split(";")[0], text

    def end(self):
        self.process.terminate()
        self.process.wait()


def decoded(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def fresh(answer, start):
    """Times of the run itself differ from server to server."""
    def walk(value):
        if isinstance(value, dict):
            return {key: "$NOW" if key == "modified_at" and value[key][:10] >= start else walk(item)
                    for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else value
    return walk(answer)


def cards(reference, ours, start):
    """Makes alike what differs from server to server in the models as the OpenAI API has them."""
    if not isinstance(ours, dict) or ours.get("object") not in ("list", "model"):
        return
    lists = [answer["data"] or [] if "data" in answer else [answer] for answer in (reference, ours)]
    for listed in lists:
        # Two models of one second have no order (rule 10).
        listed.sort(key=lambda card: card["id"])
    for want, got in zip(*lists):
        if got["created"] >= start:
            # Ollama may answer from a cache that has not seen the copy (rule 12).
            want["created"] = got["created"]


def compare(replayer, sent, want, got, start):
    if want[0] == 403 and "cloud is disabled" in want[2]:
        return []  # rule 6
    if want[0] == 500 and got[0] == 200 and "no such file or directory" in want[2] and sent is None:
        # Its cache (rule 12) may keep a directory that went with its last model, and lists no more.
        return []
    if want[0] != got[0]:
        return [f"status: reference {want[0]} {want[2][:300]} ours {got[0]} {got[2][:300]}"]
    reference, ours = decoded(want[2]), decoded(got[2])
    if want[0] >= 400 and not replayer.for_people(reference):
        return []
    if want[1] != got[1]:
        return [f"content type: reference {want[1]} ours {got[1]}"]
    if "modified_at" in ours and ours["modified_at"][:10] >= start:
        # Ollama may answer from a cache that has not seen the copy (rule 12).
        reference["modified_at"] = "$NOW"
    cards(reference, ours, calendar.timegm(time.strptime(start, "%Y-%m-%d")))
    if isinstance(reference, str):
        return [] if reference == ours else [f"reference {reference!r} ours {ours!r}"]
    return replayer.diff(fresh(reference, start), ours)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments.add_argument("--requests", type=int, default=300)
    arguments.add_argument("--odd", action="store_true", help="JSON that only Go's decoder reads in one way")
    arguments.add_argument("command", nargs="?", default="target/debug/modelkeep")
    options = arguments.parse_args()
    server = find_server()
    if server is None:
        skip("side by side", "no ollama in $MODELKEEP_OLLAMA, ../shared/ref or $PATH")
        return
    replayer = load_replayer()
    replayer_start = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    print(f"side by side: seed {options.seed}")
    failures, statuses = 0, {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        generator = Generator(options.seed, options.odd)
        generator.fill(scratch / "reference")
        shutil.copytree(scratch / "reference", scratch / "ours")
        (scratch / "home").mkdir()
        sides = []
        try:
            sides.append(Side(replayer, [server, "serve"], scratch / "reference", scratch / "home"))
            command = [os.path.abspath(options.command), "--store", "{store}", "serve", "--addr", "127.0.0.1:{port}"]
            sides.append(Side(replayer, command, scratch / "ours", scratch / "home"))
            for number in range(options.requests):
                method, path, body = generator.request()
                sent = body
                if body and options.odd and generator.random.random() < 0.3:
                    odd = generator.odd.body(body)
                    # A larger one is refused here, and does there what is asked.
                    sent = odd if len(odd) <= BODY else body
                want, got = (side.ask(method, path, sent) for side in sides)
                kind = f"{method} {want[0]}"
                statuses[kind] = statuses.get(kind, 0) + 1
                differences = compare(replayer, sent, want, got, replayer_start)
                failures += bool(differences)
                for difference in differences[:3]:
                    print(f"#{number} {method} {path} {str(sent)[:200]}\n   {difference[:1500]}")
                generator.learn(method, body, want[0])
            for _ in range(options.requests):
                text = raw_requests.request(generator.random)
                want, got = (raw_requests.ask(side.port, text) for side in sides)
                if raw_requests.differ(want, got):
                    failures += 1
                    print(f"{text!r}:\n   reference {want}\n   ours {got}")
            snapshots = [replayer.snapshot(side.store) for side in sides]
            errors = []
            replayer.diff_fs(*snapshots, False, errs=errors)
            failures += bool(errors)
            for error in errors:
                print(f"the directories differ: {error[:500]}")
        finally:
            for side in sides:
                side.end()
    print("  ".join(f"{kind}: {count}" for kind, count in sorted(statuses.items())))
    # Requests of both kinds, and the directories in the end.
    print(f"side by side: {2 * options.requests + 1 - failures} passed, {failures} failed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
