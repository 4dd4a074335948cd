#!/usr/bin/env python3
"""Show by HTTP, of `modelkeep serve` and of Ollama's server, each on its own copy of a generated store.

    benches/show.py STORE [MODELKEEP [OLLAMA]]

Asks both in turn over one connection each, for the model of the smallest GGUF file and for that of the
largest, and prints minima in milliseconds.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import find_server

ROUNDS = 40


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def models(store):
    """The models whose GGUF files are the smallest and the largest."""
    sizes = {}
    for manifest in (store / "manifests").glob("*/*/*/*"):
        layers = json.loads(manifest.read_bytes())["layers"]
        sizes["/".join(manifest.parts[-3:-1]) + ":" + manifest.name] = layers[0]["size"]
    return min(sizes, key=sizes.get), max(sizes, key=sizes.get)


class Server:
    def __init__(self, command, store, home):
        port = free_port()
        environment = {**os.environ, "HOME": str(home), "OLLAMA_MODELS": str(store), "OLLAMA_NO_CLOUD": "1",
                       "OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_NOPRUNE": "1"}
        command = [str(part).format(port=port, store=store) for part in command]
        self.process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                self.connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def show(self, model, verbose):
        body = json.dumps({"model": model, "verbose": verbose})
        start = time.perf_counter()
        self.connection.request("POST", "/api/show", body)
        response = self.connection.getresponse()
        response.read()
        taken = time.perf_counter() - start
        assert response.status == 200, response.status
        return taken * 1e3

    def stop(self):
        self.process.terminate()
        self.process.wait()


def main():
    store = Path(sys.argv[1])
    ours = sys.argv[2] if len(sys.argv) > 2 else "target/release/modelkeep"
    theirs = sys.argv[3] if len(sys.argv) > 3 else find_server()
    small, large = models(store)
    with tempfile.TemporaryDirectory(dir=store.parent) as home:
        servers = []
        commands = [[Path(ours).resolve(), "--store", "{store}", "serve", "--addr", "127.0.0.1:{port}"]]
        if theirs:
            commands.append([theirs, "serve"])
        try:
            for number, command in enumerate(commands):
                copy = Path(home) / str(number)
                shutil.copytree(store, copy)
                servers.append(Server(command, copy, home))
            # Files that are young are read each time.
            time.sleep(2.1)
            print(f"{'':24} {'modelkeep':>10} {'Ollama':>10}")
            for label, model, verbose in [("small", small, False), ("vocabulary", large, False),
                                          ("vocabulary, verbose", large, True)]:
                times = [[server.show(model, verbose) for server in servers] for _ in range(ROUNDS)]
                print(f"{label:24}", *(f"{min(column):10.3f}" for column in zip(*times)))
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
