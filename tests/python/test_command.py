"""The command that the wheel installs."""

import subprocess
import sys
import sysconfig
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


def test_it_calls_itself_by_its_name(command: list[str]) -> None:
    assert "Usage: modelkeep" in run(command, "--help").stdout


def test_importing_the_module_imports_nothing_heavy() -> None:
    done = run([sys.executable], "-c", "import modelkeep, sys; print(*sys.modules)")
    assert not {"datetime", "json", "pathlib", "re", "typing"} & set(done.stdout.split())
