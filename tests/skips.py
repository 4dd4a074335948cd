"""How a program of the tests says what it cannot do here, as tests/checks.sh says it."""

import os
import sys
from pathlib import Path


def is_required() -> bool:
    """Whether what an installation would bring may not be missing."""
    return os.environ.get("MODELKEEP_REQUIRE") == "all"


def skip(what: str, why: str) -> None:
    """Something is left out for want of what an installation would bring."""
    if is_required():
        sys.exit(f"failed: {what}: {why}, and MODELKEEP_REQUIRE is all")
    not_here(what, why)


def not_here(what: str, why: str) -> None:
    """Something is left out which nothing that is installed would bring to this machine."""
    line = f"skipped: {what}: {why}"
    print(line)
    if "MODELKEEP_SKIPS" in os.environ:
        with open(os.environ["MODELKEEP_SKIPS"], "a") as file:
            file.write(f"{Path(sys.argv[0]).name}\t{line}\n")
