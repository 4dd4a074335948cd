"""The recorded answers of Ollama, asked for in Python's own words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "golden"
# Its requests are about HTTP.
NOT_OURS = {"http-errors"}
# These cannot be copied into the project, and are only looked for where they were recorded.
ELSEWHERE = [
    "chat-templates",
    "chat-templates-go0",
    "real-go-templates",
    "real-vocab",
    "server-created",
]


def find(name: str) -> Path | None:
    shared = [os.environ.get("MODELKEEP_SHARED"), HERE.parents[2] / "shared"]
    places = [HERE] + [Path(place) / "golden" for place in shared if place]
    return next((place / name for place in places if (place / name).is_dir()), None)


RECORDED = sorted(case.parent.name for case in HERE.glob("*/cases.jsonl"))


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in NOT_OURS] + ELSEWHERE)
def test_a_recorded_case_is_answered_alike(name: str) -> None:
    case = find(name)
    if case is None:
        pytest.skip(f"no recording {name}")
    replay = [sys.executable, str(HERE / "replay.py"), "--status-only-errors"]
    replay += ["--differs", str(HERE / "differs.json")]
    replay += ["--python", "through_python:open", str(case)]
    environment = os.environ | {"PYTHONPATH": str(HERE), "TZ": "UTC"}
    done = subprocess.run(replay, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
