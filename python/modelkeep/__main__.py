"""The command `modelkeep`, also as `python -m modelkeep`."""

import signal
import sys

from ._modelkeep import _run


def main() -> int:
    """Run the command with this process's arguments; return its exit status."""
    # Python would only note a Ctrl-C until the command returns.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _run(["modelkeep", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
