"""What the README is played in: a home with a store, the programs that were built, and a terminal."""

import json
import os
import pty
import subprocess
import sys
import tarfile
import termios
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
PYTHON = ROOT / "target" / "venv" / "bin" / "python"
RECORDED = ROOT / "tests" / "golden" / "basic"
LIBRARY = "manifests/registry.ollama.ai/library"
# What is printed in place of the home here.
HOME = "/home/you"
COLUMNS, LINES = 110, 60
# How long ago the models were made: a terminal says it in words, which are the same on the next day.
AGES = {"vl/3b": 4 * 86_400 + 43_200, "embed/latest": 18 * 86_400, "tiny/latest": 40 * 86_400}


class Scene:
    """A home with a store in it, and what the blocks of the README need beside it."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.work = directory / "work"
        self.work.mkdir()
        tools = directory / "bin"
        tools.mkdir()
        (tools / "modelkeep").symlink_to(TARGET / "debug" / "modelkeep")
        write_host(tools / "llama-server")
        self.environment = os.environ | {
            "HOME": str(self.home),
            "TZ": "UTC",
            "TERM": "xterm-256color",
            "PATH": f"{tools}:{PYTHON.parent}:{os.environ['PATH']}",
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(Path.home() / ".cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
            "CARGO_INSTALL_ROOT": str(directory / "installed"),
            "CARGO_TARGET_DIR": str(TARGET),
        }
        for name in ("OLLAMA_MODELS", "OLLAMA_HOST", "NO_COLOR"):
            self.environment.pop(name, None)
        self.make_store(self.home / ".ollama" / "models")

    def make_store(self, root: Path) -> None:
        """Makes the recorded store, with stop words as models have them, and flips a bit in it."""
        root.mkdir(parents=True)
        with tarfile.open(RECORDED / "store.tar.gz") as archive:
            archive.extractall(root, filter="data")
        modelfile = self.work / "Modelfile"
        modelfile.write_text("FROM tiny\nPARAMETER stop <|im_end|>\nPARAMETER stop </s>\n")
        self.run("modelkeep", "import", "--force", modelfile, "tiny")
        for name, age in AGES.items():
            made = time.time() - age
            os.utime(root / LIBRARY / name, (made, made))
        flip_a_bit(root)

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Returns what a command prints; a failure ends the test."""
        ran = subprocess.run(
            command,
            cwd=cwd or self.work,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        if ran.returncode:
            sys.exit(f"failed: {' '.join(map(str, command))} ended with {ran.returncode}\n{ran.stdout}")
        return ran.stdout.replace(str(self.home), HOME)

    def sent_to_terminal(self, command: str) -> bytes:
        """Returns what a command sends to a terminal, whatever its exit status is."""
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (LINES, COLUMNS))
        started = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.work,
            env=self.environment,
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        sent = b""
        try:
            while part := os.read(ours, 65_536):
                sent += part
        except OSError:
            # Its other end is closed.
            pass
        os.close(ours)
        started.wait()
        return sent.replace(str(self.home).encode(), HOME.encode())

    def screen(self, *commands: str) -> pyte.Screen:
        """Returns a terminal on which commands were typed and have ended."""
        screen = pyte.Screen(COLUMNS, LINES)
        stream = pyte.ByteStream(screen)
        for command in commands:
            stream.feed(f"\x1b[1;32m$\x1b[0m {command}\r\n".encode())
            stream.feed(self.sent_to_terminal(command))
        return screen

    def on_terminal(self, *commands: str) -> str:
        """Returns what stands on a terminal after commands."""
        lines = [line.rstrip() for line in self.screen(*commands).display]
        return "\n".join(lines).rstrip("\n") + "\n"


def flip_a_bit(root: Path) -> None:
    """Flips the last bit of the weights of `vl:3b`."""
    manifest = json.loads((root / LIBRARY / "vl" / "3b").read_text())
    (weights,) = (layer for layer in manifest["layers"] if layer["mediaType"].endswith(".model"))
    blob = root / "blobs" / weights["digest"].replace(":", "-")
    content = blob.read_bytes()
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def write_host(path: Path) -> None:
    """Makes what takes a file as `llama-server -m` does, and refuses what is not GGUF."""
    path.write_text('#!/bin/sh\n[ "$1" = -m ] && [ "$(head -c 4 "$2")" = GGUF ]\n')
    path.chmod(0o755)
