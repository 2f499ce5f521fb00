#!/usr/bin/env python3
"""Tells what the examiner itself adds to a run: time in which neither a step nor a demanded wait was under way.

Usage: ci/bench/overhead.py RUN-FOLDER      (a folder below provenett-runs)

Demanded: the steps (they wait for the system under test or as long as their file says), pauses between steps, two seconds without an
open download where a step asks for that, and the watch at the end. Everything else between the first step and the end of the
journal is overhead. The start of the system under test is shown by itself.
"""

import json
import pathlib
import sys
import tomllib


def duration(text):
    number = float("".join(c for c in text if c.isdigit() or c == "."))
    return number / 1000 if text.endswith("ms") else number * 60 if text.endswith("m") else number


def waits(folder):
    """Seconds of each pause by step, the steps that wait for downloads, and the watch."""
    pauses, downloads, watch = {}, set(), 0.0
    for file in (folder / "scenarios").glob("*.toml"):
        scenario = tomllib.loads(file.read_text())
        watch = max(watch, duration(scenario.get("limits", {}).get("watch", "0s")))
        for step in scenario.get("when", []):
            after = step.get("after")
            if after == "no-open-download":
                downloads.add(step["step"])
            elif after:
                pauses[step["step"]] = duration(after)
    return pauses, downloads, watch


def main():
    total = demanded = 0.0
    for journal in sorted(pathlib.Path(sys.argv[1]).glob("*/evidence.jsonl")):
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        at = [entry["at_us"] / 1e6 for entry in entries]
        kinds = [entry["event"]["kind"] for entry in entries]
        steps = [(entry["event"]["step"], time) for entry, time, kind in zip(entries, at, kinds) if kind == "step-started"]
        ends = {entry["event"]["step"]: time for entry, time, kind in zip(entries, at, kinds) if kind == "step-ended"}
        served = [time for time, kind in zip(at, kinds) if kind == "http-ended"]
        pauses, downloads, watch = waits(journal.parent)
        first, last = steps[0][1], at[-1]
        spent, before = 0.0, None
        for name, start in steps:
            spent += ends.get(name, last) - start
            if before is not None:
                spent += pauses.get(name, 0.0)
                if name in downloads:
                    quiet = max([time for time in served if time <= start], default=before) + 2.0
                    spent += max(0.0, min(quiet, start) - before)
            before = ends.get(name, last)
        own_steps = [time for name, time in steps if name not in ("baseline", "recovery")]
        if own_steps and watch:
            spent += max(0.0, own_steps[-1] + watch - before)
        spent = min(spent, last - first)
        print(f"{journal.parent.name:24} {last - first:7.2f} s, demanded {spent:7.2f} s, overhead {last - first - spent:6.3f} s"
              f" = {(last - first - spent) / spent * 100:5.2f} %   (start of the system: {first - at[0]:.2f} s)")
        total, demanded = total + last - first, demanded + spent
    print(f"all: overhead {(total - demanded) / demanded * 100:.2f} % of the demanded waits (target: under 5 %)")


if __name__ == "__main__":
    main()
