#!/usr/bin/env python3
"""Runs `modelkeep gguf FILE --json` over the GGUF corpus: outcome, JSON, memory, and time.

    tests/corpus.py [path of the command, after an emulator and its options where it needs one]

The memory of the entries that limit it is checked; the times are only printed, as machines differ.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from skips import skip

HERE = Path(__file__).resolve().parent
SHORT = {"truncated", "length_out_of_bounds", "count_too_large", "array_too_large"}


def find_corpus():
    shared = [HERE, os.environ.get("MODELKEEP_SHARED"), HERE.parent.parent / "shared"]
    places = [Path(place) / "gguf/corpus" for place in shared if place]
    return next((place for place in places if place.is_dir()), None)


def run(command, path, lenient):
    """The answer, the exit status, the peak memory in MiB and the milliseconds of a run."""
    start = time.monotonic()
    arguments = [*command, "gguf", str(path), "--json"] + ["--lenient"] * lenient
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return out, child.returncode, usage.ru_maxrss / 1024, (time.monotonic() - start) * 1000, err


def kinds(names):
    return {"short" if name in SHORT else name for name in names}


def check(entry, expect, answer, lenient):
    out, status, rss, _, err = answer
    if expect == "either":
        return status in (0, 1)
    try:
        found = json.loads(out)
    except ValueError:
        return f"no JSON: {out[:80]!r} {err[:80]!r}"
    if expect == "ok":
        if status != 0 or "gguf" not in found or "warnings" not in found:
            return f"status {status}: {out[:200]}"
        if lenient and entry["expect"] == "error" and not found["warnings"]:
            return "only lenient reading accepts it, and does not say why"
        return found["gguf"] == entry["json"] if "json" in entry else True
    error = found.get("error", {})
    sound = status == 1 and {"kind", "offset", "path", "message"} == set(error)
    return sound and (not entry.get("error_kinds") or bool(kinds([error["kind"]]) & kinds(entry["error_kinds"])))


def main():
    command = sys.argv[1:] or ["target/debug/modelkeep"]
    corpus = find_corpus()
    if corpus is None:
        skip("the corpus of GGUF files", "no gguf/corpus in tests, $MODELKEEP_SHARED or ../shared")
        return
    failures, slowest, largest = 0, (0, ""), (0, "")
    entries = json.loads((corpus / "manifest.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        for entry in entries:
            path = corpus / entry["file"]
            if "truncate_to" in entry:
                path = Path(shutil.copy(path, scratch))
                path.chmod(0o644)
                os.truncate(path, entry["truncate_to"])
            for lenient in (False, True):
                expect = entry.get("lenient", entry["expect"]) if lenient else entry["expect"]
                answer = run(command, path, lenient)
                verdict = check(entry, expect, answer, lenient)
                limit = entry.get("limits", {})
                if answer[2] > limit.get("rss_mib", float("inf")):
                    verdict = f"{answer[2]:.0f} MiB"
                if limit:
                    slowest = max(slowest, (answer[3], entry["file"]))
                    largest = max(largest, (answer[2], entry["file"]))
                if verdict is not True:
                    failures += 1
                    print(f"{entry['file']} lenient={lenient}: {verdict}")
    print(f"slowest {slowest[0]:.0f} ms ({slowest[1]}), largest {largest[0]:.0f} MiB ({largest[1]})")
    print(f"corpus, each file strictly and leniently: {2 * len(entries) - failures} passed, {failures} failed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
