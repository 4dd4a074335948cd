#!/usr/bin/env python3
"""Opening GGUF files with modelkeep and with its peers, in one run and on the same files.

    benches/peers.py FILE...

Rust: ours, ggus and candle, by benches/src. Python: ours and gguf-py. Go: gguf-parser-go, and
JavaScript: @huggingface/gguf, where Go and Node are. HTTP: show, verbose, of Ollama's server and of ours. Every figure is a minimum.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = ROOT / "target" / "peers"

PYTHON = """
import sys, time
import modelkeep
from gguf import GGUFReader

def least(call, budget):
    best, end, rounds = float("inf"), time.perf_counter() + budget, 0
    while rounds < 3 or time.perf_counter() < end:
        start = time.perf_counter(); call(); best = min(best, time.perf_counter() - start); rounds += 1
    return best * 1e6

path = sys.argv[1]
print("modelkeep, Python", least(lambda: modelkeep.Gguf(path), 1), sep="\\t")
gguf = modelkeep.Gguf(path)
longest = max((key for key in gguf if hasattr(gguf[key], "__len__") and not isinstance(gguf[key], str)),
              key=lambda key: len(gguf[key]), default=None)
if longest is not None and isinstance(gguf[longest][0], str):
    count = len(gguf[longest])
    print(f"  and a list of {count:,} strings", least(lambda: list(gguf[longest]), 1), sep="\\t")
print("gguf-py", least(lambda: GGUFReader(path), 3), sep="\\t")
"""

GO = """
package main

import (
	"fmt"
	"os"
	"time"

	parser "github.com/gpustack/gguf-parser-go"
)

func main() {
	best := time.Hour
	for start, n := time.Now(), 0; n < 3 || time.Since(start) < 3*time.Second; n++ {
		begin := time.Now()
		if _, err := parser.ParseGGUFFile(os.Args[1], parser.UseMMap()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		best = min(best, time.Since(begin))
	}
	fmt.Printf("gguf-parser-go, mapped\\t%f\\n", float64(best.Nanoseconds())/1000)
}
"""


JAVASCRIPT = """
import { gguf } from "@huggingface/gguf";

let best = Infinity;
const end = performance.now() + 3000;
for (let rounds = 0; rounds < 3 || performance.now() < end; rounds++) {
	const begin = performance.now();
	await gguf(process.argv[2], { allowLocalFile: true });
	best = Math.min(best, performance.now() - begin);
}
console.log(`@huggingface/gguf\\t${best * 1000}`);
"""


def prepare_python():
    python = WORK / "venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", WORK / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "gguf", ROOT], check=True)
    return python


def prepare_go():
    program = WORK / "go/peer"
    if program.exists() or shutil.which("go") is None:
        return program if program.exists() else None
    program.parent.mkdir(parents=True, exist_ok=True)
    (program.parent / "main.go").write_text(GO)
    for arguments in (["mod", "init", "peer"], ["get", "github.com/gpustack/gguf-parser-go"], ["build", "-o", "peer", "."]):
        if subprocess.run(["go", *arguments], cwd=program.parent, capture_output=True).returncode:
            print("skipped: gguf-parser-go does not build here")
            return None
    return program


def prepare_javascript():
    program = WORK / "js/peer.mjs"
    if shutil.which("npm") is None:
        return None
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(JAVASCRIPT)
    if not (program.parent / "node_modules/@huggingface/gguf").exists():
        install = ["npm", "install", "--silent", "--no-save", "@huggingface/gguf"]
        if subprocess.run(install, cwd=program.parent, capture_output=True).returncode:
            print("skipped: @huggingface/gguf is not to be had here")
            return None
    return program


def find_server():
    shared = [os.environ.get("MODELKEEP_SHARED"), ROOT.parent / "shared"]
    places = [Path(place) / "ref/ollama" for place in shared if place]
    return next((str(place) for place in places if place.is_file()), shutil.which("ollama"))


def least_show(command, store, home):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = dict(os.environ, HOME=str(home), OLLAMA_MODELS=str(store),
                       OLLAMA_HOST=f"127.0.0.1:{port}", OLLAMA_NO_CLOUD="1")
    server = subprocess.Popen([piece.format(port=port) for piece in command], env=environment, cwd=home,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def show():
            # Another system prompt each time, so that no answer comes from a cache.
            body = json.dumps({"model": "peer", "system": str(time.perf_counter_ns())}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/show", body)
            return urllib.request.urlopen(request).read()

        for _ in range(500):
            try:
                show()
                break
            except OSError:
                time.sleep(0.02)
        best, end, rounds = float("inf"), time.perf_counter() + 3, 0
        while rounds < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            show()
            best, rounds = min(best, time.perf_counter() - start), rounds + 1
        return best * 1e6
    finally:
        server.terminate()
        server.wait()


def http_rows(file):
    command = ROOT / "target/release/modelkeep"
    with tempfile.TemporaryDirectory() as scratch:
        store, home = Path(scratch) / "models", Path(scratch)
        imported = subprocess.run([command, "--store", store, "import", file, "peer", "--copy-mode", "auto"], capture_output=True)
        if imported.returncode:
            return
        ours = [str(command), "--store", str(store), "serve", "--addr", "127.0.0.1:{port}"]
        yield "modelkeep, show by HTTP", least_show(ours, store, home)
        if find_server():
            yield "Ollama, show by HTTP", least_show([find_server(), "serve"], store, home)


def rows(output):
    for line in output.splitlines():
        name, _, figure = line.partition("\t")
        yield name, float(figure)


def main():
    files = [Path(file).resolve() for file in sys.argv[1:]]
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cargo", "build", "--release", "--package", "modelkeep-cli"], cwd=ROOT, check=True)
    python, go, javascript = prepare_python(), prepare_go(), prepare_javascript()
    for file in files:
        rust = subprocess.run(["cargo", "run", "--quiet", "--release", "--", "gguf", file], cwd=HERE,
                              check=True, capture_output=True, text=True).stdout
        print(rust, end="")
        base = float(next(line for line in rust.splitlines() if line.startswith("  modelkeep ")).split()[1])
        (WORK / "peer.py").write_text(PYTHON)
        found = list(rows(subprocess.run([python, WORK / "peer.py", file], check=True, capture_output=True, text=True).stdout))
        if go:
            found += rows(subprocess.run([go, file], capture_output=True, text=True).stdout)
        if javascript:
            node = subprocess.run(["node", javascript, file], capture_output=True, text=True)
            found += rows(node.stdout)
        found += http_rows(file)
        for name, figure in found:
            print(f"  {name:<30} {figure:>10.1f} us  {figure / base:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
