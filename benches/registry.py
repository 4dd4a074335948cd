"""Pulling a model from a registry on this machine, beside what else fetches it, in one run.

    python benches/registry.py MODELKEEP [GIGABYTES [DIRECTORY]]

MODELKEEP is the command, which also serves the registry. In DIRECTORY, by default where temporary files
are, a model of two layers is made and served. Each way runs in turn, five times, into a place that is
empty; prints the fastest in seconds, how many times modelkeep's, the processor's time and the most
memory. A program that is not found is left out: `curl`, `oras`, and Ollama as $MODELKEEP_OLLAMA,
whose own server does the work. (skopeo takes no image with Ollama's media types.)
"""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

TURNS = 5


def make(path: Path, gigabytes: float) -> None:
    maker = Path(__file__).parent.parent / "tests" / "large_gguf.py"
    subprocess.run([sys.executable, maker, path, str(int(gigabytes * 1e9))], check=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


def memory(pid: int) -> int:
    """The most memory that a process ever had, in KiB, as the system counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0


def run(command: list[str]) -> tuple[float, float, int]:
    """Seconds, seconds of the processor, and KiB at the most. What the system counts at the end has the
    memory of this process in it, from before the program was loaded: it is looked at meanwhile."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    most = 0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        most = max(most, memory(process.pid))
        time.sleep(0.01)
    seconds = time.perf_counter() - begun
    _, status, used = ended
    if status != 0:
        raise RuntimeError(f"{command}: {process.stderr.read()[-500:]!r}")
    process.stderr.close()
    process.returncode = 0
    return seconds, used.ru_utime + used.ru_stime, most


def main(modelkeep: str, gigabytes: float, directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        work = Path(scratch)
        make(work / "model.gguf", gigabytes)
        store = ["--store", str(work / "models")]
        subprocess.run([modelkeep, *store, "import", str(work / "model.gguf"), "large"], check=True, stdout=subprocess.DEVNULL)
        (work / "model.gguf").unlink()
        path = subprocess.check_output([modelkeep, *store, "path", "large"], text=True).strip()
        digest = "sha256:" + path.rsplit("-", 1)[1]
        port = free_port()
        server = subprocess.Popen([modelkeep, *store, "serve", "--registry", "--quiet", "--addr", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            compare(modelkeep, work, port, digest)
        finally:
            server.kill()
            server.wait()


def compare(modelkeep: str, work: Path, port: int, digest: str) -> None:
    into, host = work / "into", f"127.0.0.1:{port}"
    ways: dict[str, Callable[[], tuple[float, float, int]]] = {
        "modelkeep pull": lambda: run([modelkeep, "--store", str(into), "pull", f"{host}/library/large"]),
        "modelkeep verify": lambda: run([modelkeep, "--store", str(work / "models"), "verify"]),
    }
    if shutil.which("curl"):
        ways["curl, no check"] = lambda: run(["curl", "-sf", "--noproxy", "*", "--create-dirs", "-o", str(into / "blob"), f"http://{host}/v2/library/large/blobs/{digest}"])
    if shutil.which("oras"):
        ways["oras copy"] = lambda: run(["oras", "copy", "--no-tty", "--from-plain-http", "--to-oci-layout", f"{host}/library/large:latest", f"{into}:latest"])
    ollama = os.environ.get("MODELKEEP_OLLAMA")
    if ollama:
        node = free_port()
        own = {**os.environ, "HOME": str(work), "OLLAMA_MODELS": str(into), "OLLAMA_HOST": f"127.0.0.1:{node}", "OLLAMA_NO_CLOUD": "1"}

        def pull_by_ollama() -> tuple[float, float, int]:
            # A server of its own for each turn: what it used is the pull's.
            process = subprocess.Popen([ollama, "serve"], env=own, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_for(node)
                begun = time.perf_counter()
                body = json.dumps({"model": f"{host}/library/large", "insecure": True}).encode()
                request = urllib.request.Request(f"http://127.0.0.1:{node}/api/pull", body)
                with urllib.request.urlopen(request) as reply:
                    last = reply.read().splitlines()[-1]
                seconds = time.perf_counter() - begun
                assert json.loads(last) == {"status": "success"}, last
                most = memory(process.pid)
            finally:
                process.kill()
                _, _, used = os.wait4(process.pid, 0)
                process.returncode = 0
            return seconds, used.ru_utime + used.ru_stime, most

        ways["Ollama's pull"] = pull_by_ollama
    best: dict[str, tuple[float, float, int]] = {}
    for _ in range(TURNS):
        for name, way in ways.items():
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir()
            found = way()
            best[name] = min(best.get(name, found), found)
    own_time = best["modelkeep pull"][0]
    print(f"{'':18} {'seconds':>8} {'times':>6} {'CPU s':>6} {'MiB':>6}")
    for name, (seconds, used, most) in best.items():
        print(f"{name:18} {seconds:8.2f} {seconds / own_time:6.2f} {used:6.2f} {most / 1024:6.0f}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    arguments = sys.argv[1:]
    main(arguments[0], float(arguments[1]) if len(arguments) > 1 else 1.0, Path(arguments[2]) if len(arguments) > 2 else Path(tempfile.gettempdir()))
