"""What the plots are drawn with: axes, lines and legends, as SVG."""

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 250, 190
FONTS = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Style:
    """How a line is drawn, and what the legend says of it."""

    words: str
    color: str
    dashes: str = ""

    def attributes(self) -> str:
        dashed = f' stroke-dasharray="{self.dashes}"' if self.dashes else ""
        return f'stroke="{self.color}" stroke-width="2.2"{dashed}'


@dataclass(frozen=True)
class Axis:
    """The values that are named, and where between the first and the last one any other lies."""

    ticks: list[float]
    name: Callable[[float], str]
    scale: Callable[[float], float] = float

    def share(self, value: float) -> float:
        first, last = self.scale(self.ticks[0]), self.scale(self.ticks[-1])
        return (self.scale(value) - first) / (last - first)


def decades(values: list[float]) -> Axis:
    """Returns an axis with the powers of ten around the values."""
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    return Axis([10.0**power for power in powers], number, math.log10)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.{-math.floor(math.log10(value))}f}"


def text(x: float, y: float, words: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(words)}</text>\n'


def plot(
    title: str, lines: list[tuple[Style, Points]], axes: tuple[Axis, Axis], at: tuple[int, int], dots: bool = True
) -> str:
    left, top = at
    across, up = axes

    def place(x: float, y: float) -> tuple[float, float]:
        return left + across.share(x) * WIDTH, top + (1 - up.share(y)) * HEIGHT

    drawn = text(left, top - 10, title, font_weight="bold", font_size="14")
    for tick in up.ticks:
        y = place(across.ticks[0], tick)[1]
        drawn += f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e8ea"/>\n'
        drawn += text(left - 6, y + 4, up.name(tick), text_anchor="end")
    for tick in across.ticks:
        x = place(tick, up.ticks[0])[0]
        drawn += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + HEIGHT}" stroke="#e3e8ea"/>\n'
        drawn += text(x, top + HEIGHT + 16, across.name(tick), text_anchor="middle")
    for style, points in lines:
        places = [place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn += f'<polyline points="{path}" fill="none" {style.attributes()}/>\n'
        marked = places if dots else []
        drawn += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{style.color}"/>\n' for x, y in marked)
    return drawn


def legend(styles: list[Style], at: tuple[float, float], step: float = 0) -> str:
    """Draws what each line is: beside each other, or with a step below each other."""
    drawn, (x, y) = "", at
    for style in styles:
        drawn += f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" {style.attributes()}/>\n'
        drawn += text(x + 30, y + 4, style.words)
        if step:
            y += step
        else:
            x += 54 + 7 * len(style.words)
    return drawn


def picture(title: str, size: tuple[int, int], drawn: str) -> str:
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>\n'
        f'<g font-family="{FONTS}" font-size="12" fill="#37474f">\n{drawn}</g>\n</svg>\n'
    )


def settle(what: str, path: Path, drawn: str) -> None:
    """Compares a picture with the file that has it, or writes that with `BLESS`; ends the program."""
    if os.environ.get("BLESS"):
        path.write_text(drawn)
    same = path.exists() and path.read_text() == drawn
    print(f"{what}: {int(same)} passed, {int(not same)} failed")
    sys.exit(not same)
