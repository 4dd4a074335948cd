"""Draws the terminal of the README, from a run of its first transcript.

    BLESS=1 tests/pages.sh     writes terminal.svg; without BLESS it is compared
"""

import os
import sys
import tempfile
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from pages import README, blocks, commands  # noqa: E402
from scene import COLUMNS, Scene  # noqa: E402

PICTURE = Path(__file__).with_suffix(".svg")
# Of a character, in units of the picture; the fonts that are wider are squeezed by textLength.
WIDTH, HEIGHT = 8, 18
MARGIN = 16
BAR = 28
COLORS = {"default": "#d8dee9", "green": "#a3be8c", "red": "#bf616a", "yellow": "#ebcb8b"}
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def spans(screen: pyte.Screen, row: int) -> str:
    """Returns a line as texts of one color and weight each."""
    last = max((column for column, cell in screen.buffer[row].items() if cell.data != " "), default=-1)
    cells = [(column, screen.buffer[row][column]) for column in range(last + 1)]
    drawn = ""
    for (color, bold), run in groupby(cells, lambda cell: (cell[1].fg, cell[1].bold)):
        run = list(run)
        text = "".join(cell.data for _, cell in run)
        if text.isspace():
            continue
        at = MARGIN + run[0][0] * WIDTH, BAR + MARGIN + row * HEIGHT
        # Not every renderer keeps ordinary spaces that follow each other.
        shown = escape(text).replace(" ", "\N{NO-BREAK SPACE}")
        weight = ' font-weight="bold"' if bold else ""
        drawn += (
            f'<text x="{at[0]}" y="{at[1]}" fill="{COLORS[color]}"{weight} '
            f'textLength="{len(text) * WIDTH}">{shown}</text>\n'
        )
    return drawn


def picture(screen: pyte.Screen) -> str:
    rows = 1 + max(row for row, line in enumerate(screen.display) if line.strip())
    width, height = COLUMNS * WIDTH + 2 * MARGIN, BAR + rows * HEIGHT + MARGIN
    lights = "".join(
        f'<circle cx="{16 + 18 * place}" cy="14" r="5" fill="{color}"/>'
        for place, color in enumerate(["#bf616a", "#ebcb8b", "#a3be8c"])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        "<title>modelkeep lists models, gives the path of one, and finds a damaged blob</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#2e3440"/>\n{lights}\n'
        f'<g font-family="{FONTS}" font-size="13">\n'
        f"{''.join(spans(screen, row) for row in range(rows))}</g>\n</svg>\n"
    )


def main() -> None:
    transcript = next(block[2] for block in blocks(README.read_text()) if block[1] == "console")
    with tempfile.TemporaryDirectory() as directory:
        drawn = picture(Scene(Path(directory)).screen(*commands(transcript)))
    if os.environ.get("BLESS"):
        PICTURE.write_text(drawn)
    same = PICTURE.exists() and PICTURE.read_text() == drawn
    print(f"picture of the terminal: {int(same)} passed, {int(not same)} failed")
    sys.exit(not same)


main()
