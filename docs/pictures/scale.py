"""Draws how calls grow with the number of models, from what `python3 benches/run.py` has measured.

    BLESS=1 python3 docs/pictures/scale.py     writes scale.svg; without BLESS it is compared
"""

import json
import math
import os
import sys
from html import escape
from pathlib import Path

RESULTS = Path(__file__).with_name("scale.json")
PICTURE = Path(__file__).with_suffix(".svg")
# Who is drawn, from which part of the results, in which color and with which dashes.
LINES = [
    ("modelkeep", "store", "modelkeep", "#00897b", ""),
    ("Ollama, by HTTP", "http", "Ollama", "#ef6c00", ""),
    ("the same system calls alone", "store", "floor", "#78909c", "5 4"),
]
# What each plot is of: its title, and what the rows of each line are called.
PLOTS = [
    ("List again", ["list again", "list again", "walk and stat"]),
    ("Show", ["show and its JSON", "show", "show"]),
    ("Copy", ["copy, a new model", "copy", "copy"]),
    ("Delete", ["delete, shared blobs", "delete, shared blobs", "walk and read"]),
]
WIDTH, HEIGHT = 250, 190
LEFT, TOP, GAP = 52, 72, 58
FONTS = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
Points = list[tuple[float, float]]


def points(rows: list[dict], who: str, operation: str) -> Points:
    found = [row for row in rows if row["who"] == who and row["operation"] == operation and row.get("ms")]
    return sorted((row["models"], row["ms"]) for row in found)


def decades(values: list[float]) -> range:
    """Returns the powers of ten around the values."""
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)


def number(power: int, unit: str = "") -> str:
    return f"{10**power:,}{unit}" if power >= 0 else f"{10.0**power:.{-power}f}{unit}"


def text(x: float, y: float, words: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(words)}</text>\n'


def plot(title: str, lines: list[Points], at: tuple[int, int]) -> str:
    left, top = at
    everything = [point for line in lines for point in line]
    across, up = (decades(list(values)) for values in zip(*everything, strict=True))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = (math.log10(value) for value in point)
        share = (x - across[0]) / (across[-1] - across[0]), (y - up[0]) / (up[-1] - up[0])
        return left + share[0] * WIDTH, top + (1 - share[1]) * HEIGHT

    drawn = text(left, top - 10, title, font_weight="bold", font_size="14")
    for power in up:
        y = place((10.0 ** across[0], 10.0**power))[1]
        drawn += f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e8ea"/>\n'
        drawn += text(left - 6, y + 4, number(power), text_anchor="end")
    for power in across:
        x = place((10.0**power, 10.0 ** up[0]))[0]
        drawn += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + HEIGHT}" stroke="#e3e8ea"/>\n'
        drawn += text(x, top + HEIGHT + 16, number(power), text_anchor="middle")
    for line, (_, _, _, color, dashes) in zip(lines, LINES, strict=True):
        places = [place(point) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        drawn += f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.2"{dashed}/>\n'
        drawn += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>\n' for x, y in places)
    return drawn


def legend() -> str:
    drawn, x = "", LEFT
    for words, _, _, color, dashes in LINES:
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        drawn += f'<line x1="{x}" x2="{x + 24}" y1="40" y2="40" stroke="{color}" stroke-width="2.2"{dashed}/>\n'
        drawn += text(x + 30, 44, words)
        x += 54 + 7 * len(words)
    return drawn


def picture(results: dict) -> str:
    columns = 2
    width = columns * (WIDTH + GAP) + LEFT - 20
    height = TOP + math.ceil(len(PLOTS) / columns) * (HEIGHT + GAP)
    drawn = text(LEFT, 22, "Milliseconds by the number of models in the store", font_size="13") + legend()
    for index, (title, operations) in enumerate(PLOTS):
        place = LEFT + index % columns * (WIDTH + GAP), TOP + index // columns * (HEIGHT + GAP)
        lines = [
            points(results[part], who, operation)
            for operation, (_, part, who, _, _) in zip(operations, LINES, strict=True)
        ]
        drawn += plot(title, lines, place)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        "<title>How long list, show, copy and delete take in stores of 10 to 10,000 models</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>\n'
        f'<g font-family="{FONTS}" font-size="12" fill="#37474f">\n{drawn}</g>\n</svg>\n'
    )


def main() -> None:
    drawn = picture(json.loads(RESULTS.read_text()))
    if os.environ.get("BLESS"):
        PICTURE.write_text(drawn)
    same = PICTURE.exists() and PICTURE.read_text() == drawn
    print(f"plots of stores: {int(same)} passed, {int(not same)} failed")
    sys.exit(not same)


main()
