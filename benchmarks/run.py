"""Ours and both upstream wheels side by side, in one run: benchmarks/run.py WHEEL [--rounds N] [--stall]

Each wheel has an environment of its own with the same cpex and pydantic. Every
measurement runs in a process of its own, and the wheels take turns (A B C A B C ...),
so that a machine that is slow for a while is slow for all; ratios are taken round by
round. Prints a table; writes results.json, latency.png and latency.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path as File
from typing import Any

HERE = File(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests")]

from environments import environment  # noqa: E402
from paths import OVERRIDES, TRACKED, UPSTREAM  # noqa: E402

CACHE = ROOT / ".cache" / "bench"
CPEX, PYDANTIC = "cpex==0.1.4", "pydantic==2.14.4"
WHEELS = (*UPSTREAM, "ours", "floor")
LIMIT_S = 300

Results = dict[str, dict[str, list[Any]]]
"""task -> wheel -> one answer for each round; None where it did not end in time."""


def prepare(wheel: str, ours: str) -> File:
    upstream = (f"cpex-retry-with-backoff=={wheel}",) if wheel in UPSTREAM else ()
    return environment(
        sys.executable, CACHE / wheel, (CPEX, PYDANTIC, *upstream), None if upstream else ours
    )


def versions(python: File) -> dict[str, str]:
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], check=True,
                            capture_output=True, text=True)  # fmt: skip
    wanted = ("cpex", "pydantic", "pydantic_core", "cffi", "cpex-retry-with-backoff")
    return {p["name"]: p["version"] for p in json.loads(listed.stdout) if p["name"] in wanted}


class Bench:
    """Runs tasks in turn over the wheels."""

    def __init__(self, pythons: dict[str, File], log: File) -> None:
        self.pythons, self.log = pythons, log
        self.results: Results = {}

    def once(self, wheel: str, task: str, *arguments: str, limit_s: float = LIMIT_S) -> Any:
        marks = {"floor": {"BENCH_FLOOR": "1"}}.get(wheel, {})
        if wheel in UPSTREAM:
            marks["BENCH_UPSTREAM"] = "1"
        # They write a line to stderr for every exhausted call.
        with self.log.open("ab") as log:
            try:
                ran = subprocess.run(
                    [self.pythons[wheel], HERE / "worker.py", task, *arguments],
                    env={**os.environ, **marks}, stdout=subprocess.PIPE, stderr=log,
                    timeout=limit_s, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return None
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def take_turns(self, rounds: int, wheels: tuple[str, ...], task: str, *arguments: str,
                   limit_s: float = LIMIT_S) -> None:  # fmt: skip
        key = " ".join((task, *arguments))
        begun = time.monotonic()
        for _ in range(rounds):
            for wheel in wheels:
                answer = self.once(wheel, task, *arguments, limit_s=limit_s)
                self.results.setdefault(key, {}).setdefault(wheel, []).append(answer)
        print(f"{key}: {rounds} rounds, {time.monotonic() - begun:.0f} s", file=sys.stderr)


def measure(bench: Bench, rounds: int, stall: bool) -> None:
    few, compared = max(1, rounds // 3), (*UPSTREAM, "ours")
    bench.take_turns(rounds, WHEELS, "paths")
    bench.take_turns(rounds, compared, "start")
    bench.take_turns(rounds, compared, "manager")
    bench.take_turns(few, compared, "native")
    for count in OVERRIDES:
        bench.take_turns(few, compared, "overrides", str(count))
    for count in TRACKED:
        bench.take_turns(few, ("ours",), "tracked", str(count))
    for count in TRACKED[:3]:
        bench.take_turns(1, UPSTREAM, "tracked", str(count))
    bench.take_turns(few, ("0.3.11", "ours"), "memory", "300000")
    for count in (2, 4):
        bench.take_turns(few, compared, "threads", str(count), limit_s=30)
    if stall:
        bench.take_turns(1, ("0.3.11",), "stall", "1000000", "300", limit_s=900)
        bench.take_turns(1, ("ours",), "stall", "1000000", "30", limit_s=900)


def machine() -> dict[str, Any]:
    cpu = next((line.split(":")[1].strip() for line in File("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                            capture_output=True, text=True).stdout.strip()  # fmt: skip
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform(),
            "python": platform.python_version(), "commit": commit,
            "date": time.strftime("%Y-%m-%d")}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("wheel")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--stall", action="store_true", help="six minutes more: see worker.py")
    options.add_argument("--out", type=File, default=CACHE / "results")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    pythons = {wheel: prepare(wheel, chosen.wheel) for wheel in (*UPSTREAM, "ours")}
    pythons["floor"] = pythons["ours"]
    bench = Bench(pythons, chosen.out / "stderr.log")
    measure(bench, chosen.rounds, chosen.stall)
    bench.log.unlink(missing_ok=True)
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": {wheel: versions(python) for wheel, python in pythons.items()},
        "rounds": chosen.rounds,
        "results": bench.results,
    }
    (chosen.out / "results.json").write_text(json.dumps(report, indent=1) + "\n")
    from report import plot, show

    show(report)
    plot(report, chosen.out)


if __name__ == "__main__":
    main()
