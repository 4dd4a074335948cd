"""Draws how a fleet gets a new model, and what a registry sends in a day, from what
`BLESS=1 python3 benches/fleet.py` has simulated.

    BLESS=1 python3 docs/pictures/fleet.py     writes fleet.svg; without BLESS it is compared
"""

import json
import math
from pathlib import Path

from svg import HEIGHT, WIDTH, Axis, Style, legend, number, picture, plot, settle, text

RESULTS = Path(__file__).with_name("fleet.json")
PICTURE = Path(__file__).with_suffix(".svg")
HERDS = [
    ("regions, sites and racks", Style("regions, sites and racks", "#00897b")),
    ("regions and sites", Style("regions and sites", "#1e88e5")),
    ("regions and sites, a tenth fails", Style("... a tenth of the caches fails", "#1e88e5", "5 4")),
    ("the same, and nobody asks elsewhere", Style("... and nobody asks elsewhere", "#1e88e5", "1 4")),
    ("caches at sites", Style("caches at sites", "#8e24aa")),
    ("the registry alone", Style("the registry alone", "#ef6c00")),
]
DAYS = [
    ("alone", Style("from the registry, no caches in regions", "#8e24aa")),
    ("registry TB", Style("from the registry, 20 TB in each region", "#1e88e5")),
]
LEFT, TOP, GAP = 62, 40, 84


def drawn(results: dict) -> str:
    second = LEFT + WIDTH + GAP
    seconds = Axis([10.0**power for power in range(1, 6)], number, math.log10)
    percent = Axis([0, 25, 50, 75, 100], lambda value: f"{value:.0f} %")
    curves = [(style, results["herds"][name]["curve"]) for name, style in HERDS]
    content = plot("Machines that have it, by seconds", curves, (seconds, percent), (LEFT, TOP), dots=False)
    most = max(row["alone"] for row in results["days"])
    terabytes = Axis([500.0 * step for step in range(math.ceil(most / 500) + 1)], lambda value: f"{value:,.0f}")
    rooms = Axis([0.0, 2000.0, 4000.0, 6000.0, 8000.0], lambda value: f"{value / 1000:.0f}")
    lines = [(style, [(row["room"], row[part]) for row in results["days"]]) for part, style in DAYS]
    content += plot("TB a day, by TB kept at a site", lines, (rooms, terabytes), (second, TOP))
    below = TOP + HEIGHT + 40
    content += legend([style for _, style in HERDS], (LEFT, below), step=18)
    content += legend([style for _, style in DAYS], (second, below), step=18)
    content += text(second, below + 4 + 18 * 4, "100,000 machines, 1,000 sites, 20 regions")
    title = "How 100,000 machines get a model through trees of caches, and what a registry sends in a day"
    return picture(title, (second + WIDTH + 30, below + 18 * len(HERDS) + 8), content)


settle("plots of a fleet", PICTURE, drawn(json.loads(RESULTS.read_text())))
