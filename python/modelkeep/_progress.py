"""Bars for `progress=True`: of tqdm where it is installed, else of rich, else a line of text."""

import importlib
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from . import Progress


def bar(what: str) -> "_Tqdm | _Rich | _Line":
    """Return a bar for some work, which is called with its progress, and closed at its end."""
    for kind in (_Tqdm, _Rich):
        try:
            return kind(what)
        except ImportError:
            pass
    return _Line(what)


class _Tqdm:
    def __init__(self, what: str) -> None:
        tqdm: Any = importlib.import_module("tqdm.auto")
        self._bar = tqdm.tqdm(desc=what, unit="B", unit_scale=True, total=0)

    def __call__(self, progress: "Progress", /) -> None:
        self._bar.total = progress.total_bytes
        self._bar.update(progress.bytes - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Rich:
    def __init__(self, what: str) -> None:
        rich: Any = importlib.import_module("rich.progress")
        self._bars = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.DownloadColumn(),
            rich.TransferSpeedColumn(),
            rich.TimeRemainingColumn(),
        )
        self._task = self._bars.add_task(what, total=None)
        self._bars.start()

    def __call__(self, progress: "Progress", /) -> None:
        self._bars.update(self._task, completed=progress.bytes, total=progress.total_bytes)

    def close(self) -> None:
        self._bars.stop()


class _Line:
    """A line on standard error that is written anew; where that is no terminal, only at its end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._text = ""

    def __call__(self, progress: "Progress", /) -> None:
        done, total = progress.bytes, progress.total_bytes
        percent = 100 if total == 0 else done * 100 // total
        self._text = f"{self._what}: {percent}%, {done} of {total} bytes"
        if sys.stderr.isatty():
            print(f"\r{self._text}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._text:
            start = "\r" if sys.stderr.isatty() else ""
            print(f"{start}{self._text}", file=sys.stderr, flush=True)
