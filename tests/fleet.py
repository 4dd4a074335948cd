"""The simulation of a fleet, small: the same figures on every run, and what must hold of any."""

import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benches"))

from fleet import RESULTS, SMALL, SMALL_DAYS, Herd, Simulation, day_table, days, herd_table  # noqa: E402

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
RECORDED = json.loads(RESULTS.read_text())
CALM = replace(SMALL, failing=0.0)
# What the caches next to the registry receive.
ONCE = CALM.levels[0].fanout * CALM.size


def run(herd: Herd) -> dict:
    return Simulation(herd).run()


def the_recorded_figures_are_made_again() -> bool:
    made = {"herd": run(SMALL), "days": days(SMALL_DAYS)}
    return json.loads(json.dumps(made)) == RECORDED["small"]


def the_page_has_the_recorded_figures() -> bool:
    tables = herd_table(RECORDED["herds"]), day_table(RECORDED["days"])
    return all("\n".join(table) in PAGE.read_text() for table in tables)


def another_seed_is_another_run() -> bool:
    return run(replace(SMALL, seed=2))["curve"] != run(SMALL)["curve"]


def each_region_is_sent_a_model_once() -> bool:
    return run(CALM)["registry GB"] == ONCE and run(CALM)["registry flows"] == CALM.levels[0].fanout


def nobody_is_faster_than_a_link() -> bool:
    wide = replace(CALM, registry=1e6, levels=(replace(CALM.levels[0], sends=1e6),))
    first, last = run(wide)["curve"][0][0], run(wide)["curve"][-1][0]
    return CALM.size / CALM.link <= first and last <= CALM.window + 1.1 * CALM.size / CALM.link


def what_is_passed_on_by_itself_is_sent_to_each_machine() -> bool:
    herd = run(replace(CALM, coalesces=False))
    return herd["registry GB"] > 100 * ONCE and herd["all"] > 5 * run(CALM)["all"]


def to_wait_for_the_whole_takes_longer() -> bool:
    return run(replace(CALM, streams=False))["half"] > run(CALM)["half"]


def failures_cost_time_and_less_where_one_resumes_and_asks_elsewhere() -> bool:
    calm, failing = run(CALM), run(SMALL)
    anew, waiting = run(replace(SMALL, resumes=False)), run(replace(SMALL, fails_over=False))
    is_in_order = calm["all"] <= failing["all"] < min(anew["all"], waiting["all"])
    # Who waits for its own cache costs the registry nothing more.
    return is_in_order and calm["registry GB"] == waiting["registry GB"] < failing["registry GB"]


def caches_spare_the_registry_what_they_keep() -> bool:
    none = days(replace(SMALL_DAYS, region_room=0.0, site_room=0.0))
    sites = days(replace(SMALL_DAYS, region_room=0.0))
    both = days(SMALL_DAYS)
    everything = days(replace(SMALL_DAYS, site_room=1e9, days=200, catalog=100))
    is_in_order = none["registry TB"] > sites["registry TB"] > both["registry TB"] > 0
    return is_in_order and none["registry TB"] == none["machines TB"] and everything["registry TB"] == 0


TESTS = [
    the_recorded_figures_are_made_again,
    the_page_has_the_recorded_figures,
    another_seed_is_another_run,
    each_region_is_sent_a_model_once,
    nobody_is_faster_than_a_link,
    what_is_passed_on_by_itself_is_sent_to_each_machine,
    to_wait_for_the_whole_takes_longer,
    failures_cost_time_and_less_where_one_resumes_and_asks_elsewhere,
    caches_spare_the_registry_what_they_keep,
]
failed = [test.__name__ for test in TESTS if not test()]
for name in failed:
    print(f"{name}: no", file=sys.stderr)
print(f"fleet: {len(TESTS) - len(failed)} passed, {len(failed)} failed")
sys.exit(bool(failed))
