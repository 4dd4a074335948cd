"""Everything that docs/performance.md says of stores, in one run: ours, the reference and the floor.

    python3 benches/run.py [--quick] [--models 10,100,1000] [--directory DIR] [--disk DIR] [PART...]

The parts are store, http, calls, tensors, verify and import; without one, all. With `--quick` all is
repeated a third as often, which takes 8 minutes. `--directory` is where stores are made, in memory
(/dev/shm); `--disk` is on a disk, for what is flushed there. The reference is $MODELKEEP_OLLAMA, ../shared/ref/ollama or `ollama` on PATH, and its rows are missing where there is none; so are the
system calls without strace. What comes out goes to docs/pictures/scale.json, of which docs/pictures/scale.py
draws the plots. Times are the fastest of several, in milliseconds.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import stores

ROOT = Path(__file__).resolve().parent.parent
QUICK = "MODELKEEP_BENCH_QUICK"
RESULTS = ROOT / "docs/pictures/scale.json"
OURS, REFERENCE = "modelkeep serve", "Ollama"
# Layers of each model, and models and unknown files for each size.
LAYERS = 300
TENSORS = [(100, 20_000), (333, 66_000), (1_000, 200_000)]
CALLS = ["list", "verify", "du", "doctor", "gc --dry-run", "repair", "gc"]
Row = dict[str, object]


def build() -> tuple[str, str]:
    """Returns the benchmarks and the command, built for release."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target/benches"))
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    for where, package in [(ROOT / "benches", "modelkeep-benches"), (ROOT, "modelkeep-cli")]:
        command = ["cargo", "build", "--release", "--quiet", "--package", package]
        subprocess.run(command, cwd=where, env=environment, check=True)
    return str(target / "release/modelkeep-benches"), str(target / "release/modelkeep")


def reference() -> str | None:
    beside = ROOT.parent / "shared/ref/ollama"
    said = os.environ.get("MODELKEEP_OLLAMA") or (str(beside) if beside.exists() else None)
    return said or shutil.which("ollama")


def processor() -> str:
    """Returns the processor's name and what tells its generation, which virtual machines leave out of the name."""
    text = Path("/proc/cpuinfo").read_text()
    fields = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.M))
    where = f"family {fields.get('cpu family')} model {fields.get('model')}"
    return f"{fields.get('model name', 'unknown')} ({where}), {os.cpu_count()} processors"


def repeated(often: int) -> int:
    """Returns how often to repeat what else is repeated so many times."""
    return -(-often // 3) if QUICK in os.environ else often


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def generated(directory: Path, make: Callable[..., None], *sizes: int) -> Iterator[Path]:
    """Makes a store, and takes it away again."""
    store = directory / "modelkeep-bench"
    shutil.rmtree(store, ignore_errors=True)
    try:
        make(store, *sizes)
        yield store
    finally:
        shutil.rmtree(store, ignore_errors=True)


def store_rows(benches: str, store: Path, models: int) -> Iterator[Row]:
    """Ours, called from Rust, and the floors: what the system calls of a call take by themselves."""
    for line in output(benches, "store", str(store)).splitlines():
        found = re.fullmatch(r"(\S.*?) +([\d.]+) +([\d.]+)", line)
        if found:
            operation, ms, cpu = found.groups()
            who = "floor" if operation.startswith("floor: ") else "modelkeep"
            operation = operation.removeprefix("floor: ")
            yield {"who": who, "models": models, "operation": operation, "ms": float(ms), "cpu_ms": float(cpu)}


class Server:
    """A server of the store's API, of ours or the reference, and one connection to it."""

    def __init__(self, command: str, store: Path, home: str) -> None:
        self.began = time.perf_counter()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = dict(
            os.environ, HOME=home, OLLAMA_MODELS=str(store), OLLAMA_HOST=f"127.0.0.1:{self.port}",
            OLLAMA_NO_CLOUD="1", NO_PROXY="*",
        )  # fmt: skip
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([command, "serve"], env=environment, stdout=quiet, stderr=quiet)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        while not self.is_listening():
            time.sleep(0.001)

    def is_listening(self) -> bool:
        if self.process.poll() is not None:
            sys.exit("the server has ended")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def ask(self, method: str, path: str, **body: object) -> float:
        """Returns the milliseconds until the whole answer is there."""
        start = time.perf_counter()
        self.connection.request(method, path, json.dumps(body) if body else None)
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - start) * 1e3
        if answer.status != 200:
            sys.exit(f"{method} {path} {body}: {answer.status} {text[:200]!r}")
        return took

    def cpu(self) -> float:
        """Returns the milliseconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e3

    def peak(self) -> int:
        """Returns the KiB of memory that it had at the most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found[1]) if found else 0

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


@contextmanager
def served(command: str, store: Path) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as home:
        server = Server(command, store, home)
        try:
            yield server
        finally:
            server.end()


def http_rows(command: str, who: str, store: Path, models: int) -> Iterator[Row]:
    """The same calls by HTTP, of ours and of the reference."""
    with served(command, store) as server:

        def row(operation: str, ask: Callable[[int], float]) -> Row:
            # Where one takes long, few tell.
            used, times = server.cpu(), [ask(0)]
            most = repeated(2_000)
            times += [ask(n) for n in range(1, max(5, min(50, int(most / times[0]))))]
            cpu = (server.cpu() - used) / len(times)
            return {"who": who, "models": models, "operation": operation, "ms": min(times), "cpu_ms": cpu}

        server.ask("GET", "/api/tags")
        since = (time.perf_counter() - server.began) * 1e3
        yield {"who": who, "models": models, "operation": "start to first list", "ms": since}
        # The second file has a small vocabulary, the first a large one.
        small, large = "bench0001:latest", "user0/bench0000:latest"
        manifest = store / "manifests/registry.ollama.ai/user0/bench0000/latest"
        text = manifest.read_text()

        def changed(number: int) -> float:
            # An old blob's size says nothing that a list looks at.
            manifest.write_text(text + "\n" * (number % 7))
            return server.ask("GET", "/api/tags")

        yield row("list again", lambda _: server.ask("GET", "/api/tags"))
        yield row("list again, one changed", changed)
        manifest.write_text(text)
        yield row("show", lambda _: server.ask("POST", "/api/show", model=small))
        yield row("show, large vocabulary", lambda _: server.ask("POST", "/api/show", model=large))
        yield row("verbose show, large vocabulary", lambda _: server.ask("POST", "/api/show", model=large, verbose=True))
        copies: list[str] = []

        def copy(number: int) -> float:
            copies.append(f"benchcopy:t{number}")
            return server.ask("POST", "/api/copy", source=small, destination=copies[-1])

        yield row("copy", copy)
        times = [server.ask("DELETE", "/api/delete", model=name) for name in copies]
        yield {"who": who, "models": models, "operation": "delete, shared blobs", "ms": min(times)}
        yield {"who": who, "models": models, "operation": "memory", "peak_kib": server.peak()}


def call_rows(command: str, who: str, store: Path, models: int) -> Iterator[Row]:
    """The system calls of a list that is asked for again."""
    with served(command, store) as server, tempfile.NamedTemporaryFile() as counted:
        server.ask("GET", "/api/tags")
        trace = ["strace", "-f", "-c", "-e", "trace=file,desc", "-o", counted.name, "-p", str(server.process.pid)]
        tracer = subprocess.Popen(trace, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        server.ask("GET", "/api/tags")
        tracer.terminate()
        tracer.wait()
        total = re.search(r"^100.00 +[\d.]+ +\d+ +(\d+)", Path(counted.name).read_text(), re.M)
        if total:
            yield {"who": who, "models": models, "operation": "list again", "calls": int(total[1])}


def tensor_rows(benches: str, directory: Path) -> Iterator[Row]:
    for models, unknown in TENSORS:
        with generated(directory, stores.tensors, models, LAYERS, unknown) as store:
            for call in CALLS:
                runs = [output(benches, "once", str(store), call).split() for _ in range(1 if call == "gc" else repeated(3))]
                ms, cpu, peak = min((float(ms), float(cpu), int(peak)) for ms, cpu, peak in runs)
                row: Row = {"operation": call, "ms": ms, "cpu_ms": cpu, "peak_kib": peak}
                yield {"blobs": models * LAYERS, "unknown": unknown, **row}


def verify_rows(benches: str, directory: Path) -> Iterator[Row]:
    mix = ""
    for line in output(benches, "verify", str(directory)).splitlines():
        way = re.match(r"  (\S.*?) +([\d.]+) GB/s", line)
        if way:
            yield {"mix": mix, "way": way[1], "gb_s": float(way[2])}
        elif line.endswith(" bytes"):
            mix = line.partition(":")[0]


def import_rows(benches: str, directory: Path) -> Iterator[Row]:
    for line in output(benches, "import", str(directory)).splitlines():
        found = re.match(r"(\S.*?) +([\d.]+) s", line)
        if found:
            yield {"way": found[1], "s": float(found[2])}


def text_of(results: dict[str, object]) -> str:
    """Returns JSON with a line for each row."""
    parts = []
    for part, value in results.items():
        rows = ",\n  ".join(json.dumps(row) for row in value) if isinstance(value, list) else None
        parts.append(f' "{part}": ' + (json.dumps(value) if rows is None else f"[\n  {rows}\n ]"))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def rounded(row: Row) -> Row:
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--models", default="10,100,1000,10000")
    arguments.add_argument("--directory", type=Path, default=Path("/dev/shm"))
    arguments.add_argument("--disk", type=Path, default=ROOT / "target")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("part", nargs="*", default=["store", "http", "calls", "tensors", "verify", "import"])
    asked = arguments.parse_args()
    benches, ours = build()
    if asked.quick:
        # The benchmarks ask for it, too.
        os.environ[QUICK] = "1"
    servers = [(ours, OURS)] + [(path, REFERENCE) for path in [reference()] if path]
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["processor"] = processor()
    results["commit"] = output("git", "-C", str(ROOT), "describe", "--always", "--dirty").strip()

    def take(part: str, rows: Iterator[Row]) -> None:
        for row in rows:
            print(part, *row.values(), flush=True)
            results.setdefault(part, []).append(rounded(row))
        RESULTS.write_text(text_of(results))

    sizes = [int(size) for size in asked.models.split(",")]
    for part in asked.part:
        # What was measured of other sizes stays.
        results[part] = [row for row in results.get(part, []) if row.get("models", sizes[0]) not in sizes]
    for models in sizes:
        with generated(asked.directory, stores.models, models) as store:
            if "store" in asked.part:
                take("store", store_rows(benches, store, models))
            for command, who in servers:
                if "http" in asked.part:
                    take("http", http_rows(command, who, store, models))
                if "calls" in asked.part and shutil.which("strace"):
                    take("calls", call_rows(command, who, store, models))
    if "tensors" in asked.part:
        take("tensors", tensor_rows(benches, asked.directory))
    if "verify" in asked.part:
        take("verify", verify_rows(benches, asked.directory))
    if "import" in asked.part:
        take("import", import_rows(benches, asked.disk))


if __name__ == "__main__":
    main()
