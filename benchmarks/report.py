"""The table for a person and the plot, from results.json."""

from __future__ import annotations

import statistics
from pathlib import Path as File
from typing import Any

from paths import OVERRIDES, PATHS, TRACKED, UPSTREAM


def ratios(
    rounds: dict[str, list[Any]], path: str | None = None, key: str = "median"
) -> list[float]:
    """Best upstream time / ours, round by round."""
    found = []
    for n, ours in enumerate(rounds["ours"]):
        mine = ours[path][key] if path else ours[key]
        others = [rounds[w][n] for w in UPSTREAM if rounds[w][n] is not None]
        found.append(min(o[path][key] if path else o[key] for o in others) / mine)
    return found


def times(rounds: dict[str, list[Any]], wheel: str, path: str | None = None) -> tuple[float, float]:
    """(the least, the median) over the rounds, microseconds a call."""
    answers = [a[path] if path else a for a in rounds[wheel] if a is not None]
    return min(a["min"] for a in answers), statistics.median(a["median"] for a in answers)


def mid(rounds: list[Any], key: str) -> float | None:
    values = [r[key] for r in rounds if r is not None]
    return statistics.median(values) if values else None


def show(report: dict[str, Any]) -> None:
    """Prints everything that was measured."""
    from rich.console import Console
    from rich.table import Table

    results = report["results"]
    console = Console(width=110, highlight=False)
    table = Table(title="The hook, microseconds a call: least / median over the rounds",
                  title_justify="left")  # fmt: skip
    for column in ("path", "0.3.1", "0.3.11", "ours", "floor", "ratio", "must", "aim", ""):
        table.add_column(column, justify="left" if column == "path" else "right")
    for path in PATHS:
        rounds = results["paths"]
        cells = ["{:.2f} / {:.2f}".format(*times(rounds, w, path.name))
                 for w in (*UPSTREAM, "ours", "floor")]  # fmt: skip
        ratio = statistics.median(ratios(rounds, path.name))
        met = (
            "aim" if ratio >= (path.aim or 0) else "must" if ratio >= (path.must or 0) else "MISSED"
        )
        table.add_row(path.name, *cells, f"{ratio:.2f}", f"{path.must}", f"{path.aim}", met)
    for key, name in (("manager", "through a PluginManager"), ("native", "RetryStateManager")):
        rounds = results[key]
        cells = ["{:.2f} / {:.2f}".format(*times(rounds, w)) for w in (*UPSTREAM, "ours")]
        table.add_row(name, *cells, "", f"{statistics.median(ratios(rounds)):.2f}", "", "", "")
    console.print(table)

    def own(key: str, counts: tuple[int, ...]) -> str:
        base = times(results[f"{key} 0"], "ours")[1]
        return ", ".join(f"{c:,}: {(times(results[f'{key} {c}'], 'ours')[1] / base - 1) * 100:+.1f} %"
                         for c in counts[1:])  # fmt: skip

    console.print(f"ours with per-tool overrides, against none: {own('overrides', OVERRIDES)}")
    console.print(f"ours with tracked requests, against none: {own('tracked', TRACKED)}")
    for wheel in ("0.3.11", "ours"):
        console.print(
            f"bytes a tracked request, {wheel}: {mid(results['memory 300000'][wheel], 'bytes'):.0f}"
        )
    for wheel in (*UPSTREAM, "ours"):
        start = results["start"][wheel]
        console.print(f"start of {wheel}: import {mid(start, 'import_ms'):.1f} ms, first plugin "
                      f"{mid(start, 'first_ms'):.2f} ms, next {mid(start, 'next_ms'):.2f} ms")  # fmt: skip
    for count in (2, 4):
        for wheel, rounds in results[f"threads {count}"].items():
            done = mid(rounds, "calls_per_s")
            hung = sum(r is None for r in rounds)
            words = f"{done:,.0f} calls/s" if done else "-"
            console.print(f"{count} threads, {wheel}: {words}" + (f", {hung} hung" if hung else ""))
    for key in results:
        if key.startswith("stall"):
            for wheel, rounds in results[key].items():
                console.print(f"worst call while a million expire, {wheel}: {rounds}")


def plot(report: dict[str, Any], folder: File) -> None:
    """Latency against scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    results = report["results"]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for axis, key, counts, title, label in (
        (
            axes[0],
            "tracked",
            TRACKED,
            "Failure cycle with other requests tracked",
            "tracked requests",
        ),
        (
            axes[1],
            "overrides",
            OVERRIDES,
            "Success with per-tool overrides",
            "overrides in the YAML",
        ),
    ):
        for wheel, style in (("0.3.1", "s--"), ("0.3.11", "^--"), ("ours", "o-")):
            known = [c for c in counts if wheel in results.get(f"{key} {c}", {})]
            values = [times(results[f"{key} {c}"], wheel)[1] for c in known]
            axis.plot([max(c, 1) for c in known], values, style, label=wheel)
        axis.set(xscale="log", yscale="log", title=title, ylabel="median time a call, µs",
                 xlabel=f"{label} (none shown at 1)")  # fmt: skip
        axis.grid(True, which="both", alpha=0.3)
        axis.legend()
    for name in ("latency.png", "latency.svg"):
        figure.savefig(folder / name, dpi=130)
