"""Verifies a store with a bar of rich, and prints a table of what it found.

    python verify_rich.py [DIRECTORY]
"""

import sys

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import modelkeep


def main() -> int:
    store = modelkeep.Store(*sys.argv[1:2])
    with Progress() as bars:
        task = bars.add_task("verifying", total=None)

        def tell(progress: modelkeep.Progress) -> None:
            bars.update(task, completed=progress.bytes, total=progress.total_bytes)

        report = store.verify(progress=tell)
    table = Table("digest", "status", "models")
    for finding in report:
        table.add_row(finding.digest[7:19], finding.status, ", ".join(finding.models))
    Console().print(table)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
