"""The command that the wheel installs."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import sysconfig
import termios
from pathlib import Path

import pytest
from conftest import Scratch

INSTALLED = Path(sysconfig.get_path("scripts")) / "modelkeep"


COMMANDS = [[str(INSTALLED)], [sys.executable, "-m", "modelkeep"]]


@pytest.fixture(params=COMMANDS, ids=["script", "-m"])
def command(request: pytest.FixtureRequest) -> list[str]:
    if not Path(request.param[0]).exists():
        pytest.skip("the command is not installed")
    return list(request.param)


def run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True)


def test_it_answers_what_the_module_answers(command: list[str], scratch: Scratch) -> None:
    scratch.model("a")
    done = run(command, "--store", str(scratch.root), "--json", "list")
    assert done.returncode == 0 and done.stdout.strip() == scratch.open().list().to_json()


def test_its_status_tells_done_from_missing_from_misuse(
    command: list[str], scratch: Scratch
) -> None:
    scratch.model("a")
    store = ["--store", str(scratch.root)]
    assert run(command, *store, "path", "a").returncode == 0
    missing = run(command, *store, "path", "nobody")
    assert missing.returncode == 1 and "model 'nobody:latest' not found" in missing.stderr
    misused = run(command, "no-such-command")
    assert misused.returncode == 2 and misused.stderr


@pytest.mark.parametrize("columns", [0, 80])
def test_a_text_steers_no_terminal_whether_its_size_is_known_or_not(
    command: list[str], scratch: Scratch, columns: int
) -> None:
    template = scratch.root / "template"
    template.write_text("{{ .Prompt }}\x1b[2Jevil")
    fixture = Path(__file__).parents[1] / "data" / "tiny.gguf"
    store = [*command, "--store", str(scratch.root)]
    subprocess.run([*store, "import", str(fixture), "m", "--template", str(template)], check=True)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    subprocess.run([*store, "show", "m", "--template"], check=True, stdout=theirs)
    assert os.read(ours, 1000) == rb"{{ .Prompt }}\u{1b}[2Jevil" + b"\r\n"
    os.close(ours)
    os.close(theirs)
    piped = run(store, "show", "m", "--template")
    assert piped.stdout == "{{ .Prompt }}\x1b[2Jevil\n", "to a program it goes as it is"


def test_it_calls_itself_by_its_name(command: list[str]) -> None:
    assert "Usage: modelkeep" in run(command, "--help").stdout


def test_importing_the_module_imports_nothing_heavy() -> None:
    done = run([sys.executable], "-c", "import modelkeep, sys; print(*sys.modules)")
    assert not {"datetime", "json", "pathlib", "re", "typing"} & set(done.stdout.split())
