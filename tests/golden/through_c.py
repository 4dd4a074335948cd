"""Lets the replayer speak to the C program of tests/c/answer.c, which $MODELKEEP_ANSWER names."""

import os
import subprocess

CALLS = {
    ("GET", "/api/tags"): 0,
    ("POST", "/api/show"): 1,
    ("POST", "/api/copy"): 2,
    ("DELETE", "/api/delete"): 3,
}
PATHS = {path for _, path in CALLS}


class Store:
    def __init__(self, path, env):
        self.program = subprocess.Popen(
            [os.environ["MODELKEEP_ANSWER"], path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **env},
        )

    def handle(self, method, path, body, headers):
        path = path.partition("?")[0]
        if path not in PATHS:  # The business of a door that speaks HTTP.
            return 200, {"content-type": "application/json"}, b'{"version": ""}'
        call = CALLS["GET" if method == "HEAD" else method, path]
        body = body or b""
        self.program.stdin.write(b"%d %d\n" % (call, len(body)) + body)
        self.program.stdin.flush()
        status, length = self.program.stdout.readline().split()
        answer = self.program.stdout.read(int(length))
        headers = {"content-type": "application/json; charset=utf-8"} if answer else {}
        return int(status), headers, b"" if method == "HEAD" else answer


def open(path, env):
    return Store(path, env)
