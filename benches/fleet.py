"""Simulates a fleet of machines that pull models through a tree of caches.

    python3 benches/fleet.py            prints the tables of docs/scale.md
    BLESS=1 python3 benches/fleet.py    writes docs/pictures/fleet.json, too, which fleet.py there draws

`herd` has every machine pull one new model within a minute: bytes flow as in a fluid, each flow with an
equal share of what its source sends, and none beyond the link of who receives. `days` has the machines
pull models of a catalog, which caches keep while there is room. Both depend on their parameters alone,
the seed among them. Sizes are in GB, rates in GB/s, times in seconds.
"""

import json
import os
import random
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import fsum
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "fleet.json"
# A flow moves by this share of the model in a step at the most.
GRAIN = 0.02


@dataclass(frozen=True)
class Level:
    """Caches of one kind below each of the level above."""

    fanout: int
    sends: float


REGIONS, SITES, RACKS = Level(20, 12.5), Level(50, 3.125), Level(10, 1.25)


@dataclass(frozen=True)
class Herd:
    levels: tuple[Level, ...] = (REGIONS, SITES)
    machines: int = 100  # below each cache of the last level
    size: float = 5.0
    registry: float = 12.5
    link: float = 1.0  # what a machine or a cache takes in
    window: float = 60.0  # in which the machines begin
    streams: bool = True  # a cache sends on what has arrived, before it has the whole
    coalesces: bool = True  # who asks while a cache fetches waits for that, and causes no other
    failing: float = 0.0  # the share of the caches that fail once, in the first two minutes
    repair: float = 300.0
    fails_over: bool = True  # who loses its cache asks the next one up
    resumes: bool = True  # and goes on where it was
    seed: int = 1


@dataclass
class Source:
    """The registry, or a cache."""

    sends: float
    parent: "Source | None" = None
    have: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)
    is_asked: bool = False
    flows: int = 0
    sent: float = 0.0

    def is_up(self, now: float) -> bool:
        return not self.down[0] <= now < self.down[1]


@dataclass
class Group:
    """The machines below one cache: when they begin, and what those have that did, the first most."""

    source: Source
    starts: list[float]
    begun: int = 0
    have: list[float] = field(default_factory=list)


class Simulation:
    def __init__(self, of: Herd) -> None:
        self.of, self.now, self.step = of, 0.0, of.window / 100
        self.random = random.Random(of.seed)
        self.registry = Source(of.registry, have=of.size)
        self.tree = [[self.registry]]
        for level in of.levels:
            self.tree.append([self.cache(level, above) for above in self.tree[-1] for _ in range(level.fanout)])
        self.groups = [Group(last, self.starts()) for last in self.tree[-1]]
        # Those whom a cache that does not coalesce passes on.
        self.passed = Group(self.registry, [])
        self.finished: list[float] = []
        self.busiest = 0
        # The rate of the fastest flow in this step.
        self.fastest = 0.0

    def cache(self, level: Level, above: Source) -> Source:
        fails = self.random.random() < self.of.failing
        since = self.random.uniform(0, 120)
        return Source(level.sends, above, down=(since, since + self.of.repair) if fails else (0.0, 0.0))

    def starts(self) -> list[float]:
        return sorted(self.random.uniform(0, self.of.window) for _ in range(self.of.machines))

    def source(self, wanted: Source) -> Source | None:
        """Returns who serves whoever wants that source: the first above it that is up."""
        while wanted.parent and not wanted.is_up(self.now):
            if not self.of.fails_over:
                return None
            wanted = wanted.parent
        return wanted

    def rate(self, source: Source) -> float:
        return min(self.of.link, source.sends / max(1, source.flows))

    def limit(self, source: Source) -> float:
        """Returns how much of the model a source can send."""
        return source.have if self.of.streams or source.have >= self.of.size else 0.0

    def begin(self) -> None:
        """Lets those begin whose time has come."""
        for group in self.groups:
            while group.begun < len(group.starts) and group.starts[group.begun] <= self.now:
                group.begun += 1
                group.source.is_asked = True
                is_passed = not self.of.coalesces and group.source.have < self.of.size
                (self.passed if is_passed else group).have.append(0.0)

    def flows(self) -> None:
        """Counts the flows of each source."""
        for source in self.sources():
            source.flows = 0
        for below in reversed(self.tree[1:]):
            for cache in below:
                if cache.is_asked and cache.parent:
                    cache.parent.is_asked = True
                if self.fetches(cache) and (source := self.source(cache.parent)):
                    source.flows += 1
        for group in (*self.groups, self.passed):
            if source := self.source(group.source):
                source.flows += len(group.have)
        self.busiest = max(self.busiest, self.registry.flows)

    def fetches(self, cache: Source) -> bool:
        return cache.is_asked and cache.have < self.of.size and cache.is_up(self.now)

    def sources(self) -> Iterator[Source]:
        for level in self.tree:
            yield from level

    def move(self, have: list[float], wanted: Source) -> list[float]:
        """Moves bytes to those who have the least last, and returns what they have then."""
        source = self.source(wanted)
        if not have or source is None:
            return have
        most, more = self.limit(source), self.rate(source) * self.step
        moved = [old + more if old + more < most else max(old, most) for old in have]
        source.sent += fsum(moved) - fsum(have)
        self.fastest = max(self.fastest, (moved[-1] - have[-1]) / self.step)
        return moved

    def fail(self) -> None:
        """Takes what was under way from those whose source fails now, where nothing is resumed."""
        if self.of.resumes:
            return
        failed = {id(cache) for cache in self.sources() if self.now <= cache.down[0] < self.now + self.step}
        for cache in self.sources():
            is_lost = id(cache) in failed or id(cache.parent) in failed
            if cache.parent and is_lost and cache.have < self.of.size:
                cache.have = 0.0
        for group in self.groups:
            if id(group.source) in failed:
                group.have = [0.0] * len(group.have)

    def advance(self) -> None:
        self.fastest = 0.0
        self.begin()
        self.flows()
        self.fail()
        for level in self.tree[1:]:
            for cache in level:
                if self.fetches(cache):
                    [cache.have] = self.move([cache.have], cache.parent)
        self.now += self.step
        for group in (*self.groups, self.passed):
            group.have = self.move(group.have, group.source)
            done = sum(1 for have in group.have if have >= self.of.size * (1 - 1e-9))
            self.finished += [self.now] * done
            group.have = group.have[done:]

    def next_step(self) -> float:
        """Returns a step in which no flow moves far, and in which nothing fails or begins unseen."""
        calm = GRAIN * self.of.size / self.fastest if self.fastest else 0.0
        is_calm = calm and self.now > max(self.of.window, 120.0 if self.of.failing else 0.0)
        return min(calm, 2 * self.step) if is_calm else self.of.window / 100

    def run(self) -> dict:
        wanted = self.of.machines * len(self.groups)
        while len(self.finished) < wanted:
            self.advance()
            self.step = self.next_step()
        return {
            "half": round(self.finished[wanted // 2 - 1], 1),
            "most": round(self.finished[wanted * 99 // 100 - 1], 1),
            "all": round(self.finished[-1], 1),
            "registry GB": round(self.registry.sent, 3),
            "registry flows": self.busiest,
            "curve": curve(self.finished),
        }


def curve(finished: list[float]) -> list[tuple[float, float]]:
    """Returns at what time which percentage has the model, in a hundred points."""
    places = sorted({len(finished) * percent // 100 - 1 for percent in range(1, 101)} - {-1})
    return [(round(finished[place], 1), round(100 * (place + 1) / len(finished), 1)) for place in places]


class Cache:
    """Keeps what was asked for last, as much as there is room for."""

    def __init__(self, room: float, above: "Cache | None" = None) -> None:
        self.room, self.above, self.fetched = room, above, 0.0
        self.kept: OrderedDict[int, float] = OrderedDict()

    def get(self, model: int, size: float) -> None:
        if model in self.kept:
            self.kept.move_to_end(model)
            return
        self.fetched += size
        if self.above:
            self.above.get(model, size)
        self.kept[model] = size
        self.room -= size
        while self.room < 0:
            self.room += self.kept.popitem(last=False)[1]


@dataclass(frozen=True)
class Days:
    regions: int = 20
    sites: int = 50  # below each region
    pulls: int = 300  # of a site in a day
    catalog: int = 10_000  # models, of which the nth is pulled in proportion to 1/n
    sizes: tuple[float, float] = (0.3, 40.0)  # of a model, evenly on a logarithmic scale
    region_room: float = 0.0
    site_room: float = 0.0
    days: int = 3  # of which the last is counted
    seed: int = 1


def days(of: Days) -> dict:
    """Returns what the registry and the regions send in a day, and what the machines receive."""
    chance = random.Random(of.seed)
    low, high = of.sizes
    sizes = [low * (high / low) ** chance.random() for _ in range(of.catalog)]
    weights = list(accumulate(1 / rank for rank in range(1, of.catalog + 1)))
    regions = [Cache(of.region_room) for _ in range(of.regions)]
    sites = [Cache(of.site_room, region) for region in regions for _ in range(of.sites)]
    received = 0.0
    for _ in range(of.days):
        received = 0.0
        for cache in (*regions, *sites):
            cache.fetched = 0.0
        # Sites take turns, as they would in a day.
        for _ in range(of.pulls):
            models = chance.choices(range(of.catalog), cum_weights=weights, k=len(sites))
            for site, model in zip(sites, models, strict=True):
                site.get(model, sizes[model])
                received += sizes[model]
    registry = sum(region.fetched for region in regions)
    return {
        "registry TB": round(registry / 1000, 1),
        "regions TB": round(sum(site.fetched for site in sites) / 1000, 1),
        "machines TB": round(received / 1000, 1),
    }


TREE = Herd()
HERDS = {
    "the registry alone": replace(TREE, levels=(), machines=100_000),
    "caches at sites": replace(TREE, levels=(Level(1000, 3.125),)),
    "regions and sites": TREE,
    "the same, each sends on only what is whole": replace(TREE, streams=False),
    "the same, each request fetched by itself": replace(TREE, coalesces=False),
    "regions, sites and racks": replace(TREE, levels=(REGIONS, SITES, RACKS), machines=10),
    "regions and sites, a tenth fails": replace(TREE, failing=0.1),
    "the same, and nothing is resumed": replace(TREE, failing=0.1, resumes=False),
    "the same, and nobody asks elsewhere": replace(TREE, failing=0.1, fails_over=False),
}
ROOMS = [0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0]
REGION_ROOM = 20_000.0
# What the tests run again: a fortieth of it, with the same shape.
SMALL = replace(TREE, levels=(Level(5, 3.0), Level(10, 1.5)), machines=50, failing=0.2)
SMALL_DAYS = Days(regions=2, sites=5, region_room=2000.0, site_room=500.0)


def herd_table(herds: dict[str, dict]) -> list[str]:
    lines = ["| | half, s | 99 %, s | all, s | from the registry, GB | at once |", "|--|--:|--:|--:|--:|--:|"]
    for name, found in herds.items():
        times = " | ".join(f"{found[part]:,.0f}" for part in ("half", "most", "all"))
        lines.append(f"| {name} | {times} | {found['registry GB']:,.0f} | {found['registry flows']:,} |")
    return lines


def day_table(rooms: list[dict]) -> list[str]:
    columns = ["room", "alone", "registry TB", "regions TB"]
    lines = ["| a site keeps, GB | from the registry, TB a day | with 20 TB a region | from the regions |"]
    lines.append("|--:" * len(columns) + "|")
    for found in rooms:
        lines.append("| " + " | ".join(f"{found[column]:,.0f}" for column in columns) + " |")
    return lines


def of_room(room: float) -> dict:
    alone = days(Days(site_room=room))["registry TB"]
    return {"room": room, "alone": alone, **days(Days(site_room=room, region_room=REGION_ROOM))}


def main() -> None:
    herds = {name: Simulation(herd).run() for name, herd in HERDS.items()}
    rooms = [of_room(room) for room in ROOMS]
    print("\n".join([*herd_table(herds), "", *day_table(rooms)]))
    if os.environ.get("BLESS"):
        small = {"herd": Simulation(SMALL).run(), "days": days(SMALL_DAYS)}
        results = {"herds": herds, "days": rooms, "small": small}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
