"""Plots of the figures of docs/performance.md: they are read from its tables."""

import io
import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

PAGE = Path(__file__).resolve().parent.parent / "performance.md"
OURS, OTHERS = "#00897b", "#90a4ae"
# For each plot the section whose first table it shows, the column, its title, whether its axis is
# logarithmic, and which rows of other units are left out.
PLOTS = {
    "opening": ("Opening a GGUF file", 1, "Opening a GGUF file with a vocabulary of 7.8 MB, us", True),
    "hashing": ("Hashing", 2, "Hashing 200 files of 10 MB, GB/s", False),
    "hashing-large": ("Hashing", 1, "Hashing 12 files of 50 to 400 MB, GB/s", False),
}


def table(section: str) -> tuple[int, list[list[str]]]:
    """Returns where the first table of a section begins, and its rows without the header."""
    text = PAGE.read_text()
    heading = text.index(f"\n## {section}\n")
    found = re.search(r"^\|.*\n\|[-:| ]+\n((?:\|.*\n)+)", text[heading:], re.M)
    if not found:
        raise SystemExit(f"{PAGE.name}: no table under {section}")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]
    return heading + found.start(), rows


def figures(section: str, column: int) -> list[tuple[str, float]]:
    """Returns what each row is about, and the number that its column begins with."""
    _, rows = table(section)
    return [
        (row[0].strip("`"), float(re.sub(r"[^\d.].*", "", row[column].replace(",", "")))) for row in rows
    ]


def draw(section: str, column: int, title: str, logarithmic: bool) -> str:
    shown = figures(section, column)[::-1]
    width = 7.2
    figure, axes = plt.subplots(figsize=(width, 0.9 + 0.32 * len(shown)), layout="constrained")
    colors = [OURS if name.startswith("modelkeep") or "HTTP, modelkeep" in name else OTHERS for name, _ in shown]
    bars = axes.barh([name for name, _ in shown], [value for _, value in shown], color=colors)
    axes.bar_label(bars, labels=[f"{value:,.10g}" for _, value in shown], padding=3, fontsize=8)
    axes.set_title(title, fontsize=10, loc="left")
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if logarithmic:
        axes.set_xscale("log")
    axes.margins(x=0.12)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return drawn.getvalue()


def drawn() -> dict[str, str]:
    """Returns the plots by name."""
    plt.rcParams["svg.hashsalt"] = "modelkeep"
    return {name: draw(*plot) for name, plot in PLOTS.items()}


def placed(markdown: str) -> str:
    """Returns the page with each plot before the table that it shows."""
    for name, (section, _, title, _) in reversed(PLOTS.items()):
        at, _ = table(section)
        # The page may begin with what the table was found behind.
        place = markdown.index(PAGE.read_text()[at : at + 200])
        markdown = f"{markdown[:place]}![{title}](pictures/{name}.svg)\n\n{markdown[place:]}"
    return markdown
