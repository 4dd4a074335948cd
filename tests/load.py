#!/usr/bin/env python3
"""Puts `modelkeep serve` under a bounded load on loopback, beside an honest client.

    tests/load.py [--connections N] [--seconds S] [path of the command]

The connections are of four kinds in equal parts: silent ones, slow ones (heads and bodies that come
byte by byte and never end), hostile ones (a foreign host or a body beyond the bound, of 4 MiB, again
and again) and honest ones. Beside them one honest client is timed, first alone, then under the
load. Fails where the honest client is refused, or the server's memory passes its bound.
"""

import argparse
import collections
import http.client
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHOW = b'{"model":"tiny"}'
LARGE = 4 << 20
MEMORY = 256 << 20


def start(command, store):
    subprocess.run([command, "--store", store, "import", HERE / "data/tiny.gguf", "tiny"], check=True,
                   stdout=subprocess.DEVNULL)
    server = subprocess.Popen([command, "--store", store, "serve", "--addr", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
    line = server.stderr.readline()
    return server, int(line.rsplit(":", 1)[1])


def peak(server):
    """The most memory that the server ever had, in bytes."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the system does not tell the peak memory of a process")


def show(port):
    """Times one request of an honest client, on a connection of its own."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/show", SHOW)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the honest client got {answer.status}")
    return time.perf_counter() - began


def measure(port, seconds):
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(show(port))
        time.sleep(0.01)
    return times


class Load:
    """Connections of all kinds; each that ends is opened anew a second later."""

    def __init__(self, port, counts):
        self.port, self.stop, self.answers, self.unanswered = port, False, {}, {}
        self.later = collections.deque()
        self.selector = selectors.DefaultSelector()
        self.slow = {}
        for kind, count in counts.items():
            for _ in range(count):
                self.open(kind)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def open(self, kind):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", self.port))
        # What is still to be sent. Slow ones send it a byte at a time.
        host = b"evil.example" if kind == "foreign" else b"localhost"
        head = b"POST /api/show HTTP/1.1\r\nHost: " + host + b"\r\n"
        body = {"foreign": LARGE, "large": LARGE, "slow": 60_000, "honest": len(SHOW)}.get(kind, 0)
        head += b"Content-Length: %d\r\n\r\n" % body
        data = {"silent": b"", "honest": head + SHOW}.get(kind, head + b" " * body)
        state = {"kind": kind, "data": memoryview(data), "answered": False}
        events = selectors.EVENT_READ
        if kind == "slow":
            self.slow[connection] = state
        elif data:
            events |= selectors.EVENT_WRITE
        self.selector.register(connection, events, state)

    def again(self, connection, state):
        kind = state["kind"]
        if not state["answered"]:
            self.unanswered[kind] = self.unanswered.get(kind, 0) + 1
        self.slow.pop(connection, None)
        self.selector.unregister(connection)
        connection.close()
        self.later.append((time.monotonic() + 1, kind))

    def run(self):
        drip = time.monotonic()
        while not self.stop:
            for key, events in self.selector.select(0.05):
                self.step(key.fileobj, key.data, events)
            while self.later and self.later[0][0] < time.monotonic():
                self.open(self.later.popleft()[1])
            if time.monotonic() - drip > 0.2:
                drip = time.monotonic()
                for connection, state in list(self.slow.items()):
                    self.write(connection, state, 1)
        for key in list(self.selector.get_map().values()):
            self.selector.unregister(key.fileobj)
            key.fileobj.close()

    def step(self, connection, state, events):
        if events & selectors.EVENT_READ:
            try:
                answer = connection.recv(65536)
            except OSError:
                answer = b""
            if not answer:
                return self.again(connection, state)
            if not state["answered"]:
                status = (state["kind"], answer[9:12].decode("latin1"))
                self.answers[status] = self.answers.get(status, 0) + 1
            state["answered"] = True
            if state["kind"] == "honest":
                return self.again(connection, state)
        if events & selectors.EVENT_WRITE:
            self.write(connection, state, 65536)

    def write(self, connection, state, most):
        try:
            sent = connection.send(state["data"][:most])
        except BlockingIOError:
            return
        except OSError:
            return self.again(connection, state)
        state["data"] = state["data"][sent:]
        if not state["data"] and state["kind"] != "slow":
            self.selector.modify(connection, selectors.EVENT_READ, state)

    def end(self):
        self.stop = True
        self.thread.join()


def row(name, times, memory):
    low, middle, high = (1000 * value for value in (min(times), statistics.median(times), max(times)))
    print(f"| {name} | {len(times)} | {low:.1f} | {middle:.1f} | {high:.1f} | {memory / 2**20:.0f} |")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--connections", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("command", nargs="?", default="target/debug/modelkeep")
    options = arguments.parse_args()
    quarter = options.connections // 4
    counts = {"silent": quarter, "slow": quarter, "foreign": quarter // 2, "large": quarter // 2,
              "honest": quarter}
    with tempfile.TemporaryDirectory() as scratch:
        server, port = start(os.path.abspath(options.command), scratch)
        try:
            print("| the honest client | requests | min ms | median ms | max ms | peak MiB of the server |")
            print("|--|--:|--:|--:|--:|--:|")
            row("alone", measure(port, options.seconds / 4), peak(server))
            load = Load(port, counts)
            try:
                row(f"beside {sum(counts.values())} connections", measure(port, options.seconds), peak(server))
            finally:
                load.end()
            row("alone again", measure(port, options.seconds / 4), peak(server))
            print("answers:", "  ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(load.answers.items())))
            print("closed without an answer:", "  ".join(f"{kind}: {count}" for kind, count in sorted(load.unanswered.items())))
            wrong = [key for key in load.answers if key[0] == "honest" and key[1] != "200"]
            if wrong or peak(server) > MEMORY:
                sys.exit(f"honest clients got {wrong}, the peak is {peak(server)} bytes")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
