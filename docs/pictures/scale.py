"""Draws how calls grow with the number of models, from what `python3 benches/run.py` has measured.

    BLESS=1 python3 docs/pictures/scale.py     writes scale.svg; without BLESS it is compared
"""

import json
import math
from pathlib import Path

from svg import HEIGHT, WIDTH, Points, Style, decades, legend, picture, plot, settle, text

RESULTS = Path(__file__).with_name("scale.json")
PICTURE = Path(__file__).with_suffix(".svg")
# Who is drawn, from which part of the results, and how.
LINES = [
    ("store", "modelkeep", Style("modelkeep", "#00897b")),
    ("http", "Ollama", Style("Ollama, by HTTP", "#ef6c00")),
    ("store", "floor", Style("the system calls alone, on one thread", "#78909c", "5 4")),
]
# What each plot is of: its title, and what the rows of each line are called.
PLOTS = [
    ("List again", ["list again", "list again", "walk and stat"]),
    ("Show", ["show and its JSON", "show", "show"]),
    ("Copy", ["copy, a new model", "copy", "copy"]),
    ("Delete", ["delete, shared blobs", "delete, shared blobs", "walk and stat"]),
]
LEFT, TOP, GAP = 52, 72, 58
COLUMNS = 2


def points(rows: list[dict], who: str, operation: str) -> Points:
    found = [row for row in rows if row["who"] == who and row["operation"] == operation and row.get("ms")]
    return sorted((row["models"], row["ms"]) for row in found)


def drawn(results: dict) -> str:
    width = COLUMNS * (WIDTH + GAP) + LEFT - 20
    height = TOP + math.ceil(len(PLOTS) / COLUMNS) * (HEIGHT + GAP)
    content = text(LEFT, 22, "Milliseconds by the number of models in the store", font_size="13")
    content += legend([style for _, _, style in LINES], (LEFT, 40))
    for index, (title, operations) in enumerate(PLOTS):
        at = LEFT + index % COLUMNS * (WIDTH + GAP), TOP + index // COLUMNS * (HEIGHT + GAP)
        lines = [
            (style, points(results[part], who, operation))
            for operation, (part, who, style) in zip(operations, LINES, strict=True)
        ]
        across, up = (
            decades(list(values)) for values in zip(*(point for _, line in lines for point in line), strict=True)
        )
        content += plot(title, lines, (across, up), at)
    title = "How long list, show, copy and delete take in stores of 10 to 10,000 models"
    return picture(title, (width, height), content)


settle("plots of stores", PICTURE, drawn(json.loads(RESULTS.read_text())))
