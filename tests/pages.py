"""Every block of the README and of the guides runs, in the order in which they stand, and prints what
the page says.

    tests/pages.sh              calls this with what it needs
    BLESS=1 tests/pages.sh      writes into the pages what the blocks print, and makes the picture
    tests/pages.py PAGE...      only these

In a block of `console` what a command prints on a terminal follows it; what a program of another
language prints is the block of `text` below it. The home of whoever reads is `/home/you`, with a store
that the tests have, in which one bit of a blob is flipped; each page begins with a new one.
"""

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

import registries
import skips
from scene import PYTHON, ROOT, TARGET, Scene

README = ROOT / "README.md"
# Of docs/python.md, docs/c-api.md and docs/archives.md, tests/python and tests/c.sh run the blocks.
GUIDES = ["command.md", "rust.md", "llama-cpp.md", "http.md", "registries.md"]
PORT = "localhost:11434"
# What the pages call a registry; one that is empty stands in its place.
REGISTRY = "localhost:5000"
# The block that names it is what calls this test.
ALL_TESTS = "bash tests/run.sh"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.M | re.S)


def python(scene: Scene, source: str) -> str:
    return scene.run(PYTHON, "-c", source)


def native(compiler: str, standard: str) -> Callable[[Scene, str], str]:
    """Returns what builds a program against the shared library, and runs it."""

    def run(scene: Scene, source: str) -> str:
        libraries = TARGET / "debug"
        language = "c" if standard.startswith("c1") else "c++"
        program = scene.work / "program"
        (scene.work / "source").write_text(source)
        flags = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
        inputs = ["-x", language, scene.work / "source", "-x", "none"]
        library = [libraries / "libmodelkeep.a", "-lpthread", "-lm", "-ldl"]
        scene.run(compiler, *flags, *inputs, *library, "-o", program)
        return scene.run(program)

    return run


def rust(scene: Scene, source: str) -> str:
    """Builds a program in a package of its own that depends on the checkout, and runs it."""
    package = scene.work / "program-rust"
    (package / "src").mkdir(parents=True, exist_ok=True)
    (package / "src" / "main.rs").write_text(source)
    shutil.copy(ROOT / "Cargo.lock", package / "Cargo.lock")
    (package / "Cargo.toml").write_text(
        '[package]\nname = "readme"\nedition = "2024"\n[workspace]\n'
        f'[dependencies]\nmodelkeep = {{ path = "{ROOT}" }}\n'
    )
    return scene.run("cargo", "run", "--quiet", "--offline", cwd=package)


def console(scene: Scene, source: str) -> str:
    """Returns the commands of a transcript, each with what it prints on a terminal."""
    return scene.on_terminal(*commands(source))


def commands(transcript: str) -> list[str]:
    return [line[2:] for line in transcript.splitlines() if line.startswith("$ ")]


def shell(scene: Scene, source: str) -> str:
    """Runs commands for a checkout, or requests to a server."""
    if "curl" in source:
        return requests(scene, source)
    lines = [line for line in source.splitlines() if not line.startswith(ALL_TESTS)]
    return scene.run("bash", "-euc", "\n".join(lines), cwd=ROOT)


def requests(scene: Scene, source: str) -> str:
    """Runs a block with a server in it, on a port that is free here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scene.environment["OLLAMA_HOST"] = f"127.0.0.1:{port}"
    lines = source.replace(PORT, f"localhost:{port}").replace("curl", "curl -sS --fail-with-body")
    with subprocess.Popen(
        ["modelkeep", "serve"], env=scene.environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            return scene.run("bash", "-euc", lines)
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("failed: the server does not listen")


LANGUAGES: dict[str, Callable[[Scene, str], str]] = {
    "console": console,
    "sh": shell,
    "python": python,
    "c": native("cc", "c11"),
    "cpp": native("c++", "c++17"),
    "rust": rust,
}


def expected(text: str, block: re.Match[str]) -> tuple[int, int]:
    """Returns where what a block prints stands: in it, or in a block of text below it; else nowhere."""
    if block[1] == "console":
        return block.span(2)
    below = BLOCK.search(text, block.end())
    if below and below[1] == "text" and text.count("\n\n", block.end(), below.start()) < 3:
        return below.span(2)
    return 0, 0


def blocks(text: str) -> Iterator[re.Match[str]]:
    for block in BLOCK.finditer(text):
        if block[1] != "text":
            if block[1] not in LANGUAGES:
                sys.exit(f"failed: nothing here runs a block of {block[1]}")
            yield block


@contextmanager
def registry(page: str, directory: Path) -> Iterator[str]:
    """Returns the address of the registry that a page speaks to; its own words where it does to none."""
    if REGISTRY not in page:
        yield REGISTRY
        return
    with registries.docker_registry(directory) as address:
        yield address


def play(page: Path) -> tuple[str, int, int]:
    """Returns a page with what its blocks print, and how many printed what it says, and how many not."""
    text = page.read_text()
    passed, failed, written, kept = 0, 0, [], 0
    if REGISTRY in text and registries.MISSING:
        skips.skip(page.name, registries.MISSING)
        return text, 0, 0
    with (
        tempfile.TemporaryDirectory() as directory,
        registry(text, Path(directory, "registry")) as address,
    ):
        scene = Scene(Path(directory))
        for block in blocks(text):
            printed = LANGUAGES[block[1]](scene, block[2].replace(REGISTRY, address))
            printed = printed.replace(address, REGISTRY)
            start, end = expected(text, block)
            right = not start or text[start:end] == printed
            passed, failed = passed + right, failed + (not right)
            written += [text[kept:start], printed] if start else []
            kept = end or kept
            line = text.count("\n", 0, block.start()) + 1
            print(f"{page.name}:{line}: {block[1]}{'' if right else ' prints something else:'}")
            if not right:
                print(printed)
    return "".join([*written, text[kept:]]), passed, failed


def main() -> None:
    named = [Path(name).resolve() for name in sys.argv[1:]]
    passed, failed = 0, 0
    for page in named or [README, *(ROOT / "docs" / guide for guide in GUIDES)]:
        played, right, wrong = play(page)
        passed, failed = passed + right, failed + wrong
        if os.environ.get("BLESS"):
            page.write_text(played)
    print(f"pages: {passed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
