"""cpex-retry simulate"""

import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..library import ffi, lib
from .charts import bars, matplotlib_or_none, save
from .entry import load
from .source import Source

_ROOM = 1 << 20
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """30s, 500ms, 2m, 1h; milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Returns milliseconds."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value)
        if found is None:
            self.fail(f"{value!r} is no duration: 500ms, 30s, 2m, 1h", param, ctx)
        return round(float(found[1]) * _UNITS_MS[found[2]])


class Latency(BaseModel):
    """Of calls that succeeded, waits included, in milliseconds."""

    p50: int
    p95: int
    p99: int
    max: int


class Step(BaseModel):
    """Calls that began in a step, and attempts made in it."""

    calls: int
    attempts: int
    failed_attempts: int
    succeeded: int


class Outcome(BaseModel):
    """What came of one configuration."""

    config: str
    calls: int
    succeeded: int
    succeeded_first_try: int
    attempts: int
    decisions: dict[str, int]
    latency_ms: Latency
    step_ms: int
    series: list[Step]

    @property
    def success_rate(self) -> float:
        """Of the calls, how many succeeded in the end."""
        return self.succeeded / self.calls if self.calls else 0.0

    @property
    def amplification(self) -> float:
        """Attempts for each call."""
        return self.attempts / self.calls if self.calls else 0.0

    @property
    def worst_amplification(self) -> float:
        """The same, in the worst step."""
        return max((s.attempts / s.calls for s in self.series if s.calls), default=0.0)


class Simulation(BaseModel):
    """The answer of `cpex-retry simulate --format json`."""

    load: dict[str, float | int | str]
    outcomes: list[Outcome]


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--against", type=click.Path(path_type=Path, dir_okay=False),
              help="Another plugin YAML to compare with, under the same load.")  # fmt: skip
@click.option("--plugin", help="The entry's name, if the files have several of this package.")
@click.option("--tool", default="", help="The tool that is called.")
@click.option("--rps", type=float, default=50, show_default=True, help="Calls a second, in all.")
@click.option("--duration", type=Duration(), default="120s", show_default=True)
@click.option("--workers", type=int, default=4, show_default=True,
              help="Gateway processes; each has budgets and counts of its own.")  # fmt: skip
@click.option("--outage", type=Duration(), default="30s", show_default=True,
              help="For so long every attempt fails.")  # fmt: skip
@click.option("--outage-start", type=Duration(), default="30s", show_default=True)
@click.option("--fail-rate", type=float, default=0.01, show_default=True,
              help="Of the attempts outside the outage, so many fail.")  # fmt: skip
@click.option("--capacity", type=float, default=0, show_default=True,
              help="Attempts a second that the server takes; others fail. 0: any.")  # fmt: skip
@click.option("--latency", type=Duration(), default="50ms", show_default=True,
              help="How long each attempt takes.")  # fmt: skip
@click.option("--status", type=int, default=503, show_default=True, help="Of failures; 0: none.")
@click.option("--retry-after", type=Duration(), default="0s", show_default=True,
              help="The hint that failures carry.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63), default=1, show_default=True,
              help="The same seed gives the same numbers.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False),
              help="Draws load and success over time into a .svg or .png file.")  # fmt: skip
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
def simulate(
    config: Path, against: Path | None, plugin: str | None, plot: Path | None, style: str,
    tool: str, rps: float, duration: int, workers: int, outage: int, outage_start: int,
    fail_rate: float, capacity: float, latency: int, status: int, retry_after: int, seed: int,
) -> None:  # fmt: skip
    """Plays an outage against the configured policy, in virtual time.

    Calls of one tool arrive at random moments; the real engine decides on every attempt.
    """
    played: dict[str, float | int | str] = {
        "tool": tool, "rps": rps, "duration_ms": duration, "workers": workers,
        "latency_ms": latency, "outage_start_ms": outage_start, "outage_ms": outage,
        "fail_rate": fail_rate, "capacity_rps": capacity, "status": status,
        "retry_after_ms": retry_after, "seed": seed,
    }  # fmt: skip
    outcomes = []
    for file in filter(None, (config, against)):
        entry = Source(file).entry(plugin)
        loaded = load(entry.config, entry.name)
        outcomes.append(play(loaded.normalized, played, str(file)))
    answer = Simulation(load=played, outcomes=outcomes)
    if style == "json":
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer)
    if plot is not None:
        _plot(answer, plot)


def play(normalized: dict[str, Any], played: dict[str, float | int | str], file: str) -> Outcome:
    """One simulation, with a progress bar if it is long; Ctrl-C ends it cleanly."""
    config, blob = json.dumps(normalized).encode(), json.dumps(played).encode()
    progress, out, length = (
        ffi.new("retry_progress *"),
        ffi.new("char[]", _ROOM),
        ffi.new("size_t *"),
    )
    status: list[int] = []
    thread = threading.Thread(
        target=lambda: status.append(
            lib.shim_simulate(config, len(config), blob, len(blob), progress, out, _ROOM, length)
        )
    )
    thread.start()
    try:
        thread.join(0.5)
        if thread.is_alive():
            _watch(thread, progress, int(played["duration_ms"]), file)
    except BaseException:
        progress.cancel = 1
        thread.join()
        raise
    text = ffi.unpack(out, min(length[0], _ROOM)).decode(errors="replace")
    if status != [0]:
        raise click.ClickException(f"{file}: the simulation did not end: {text or status}")
    return Outcome(config=file, **json.loads(text))


def _watch(thread: threading.Thread, progress: Any, total: int, file: str) -> None:
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(f"simulating {file}", total=total)
        while thread.is_alive():
            thread.join(0.1)
            bar.update(task, completed=progress.done)


def _print(answer: Simulation) -> None:
    table = Table("", *(Path(o.config).name for o in answer.outcomes))
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"

    def row(name: str, value: Any) -> None:
        table.add_row(name, *(value(o) for o in answer.outcomes))

    row("calls", lambda o: f"{o.calls:,}")
    row("succeeded", lambda o: f"{o.success_rate:.2%}")
    row("at the first try", lambda o: f"{o.succeeded_first_try / max(o.calls, 1):.2%}")
    row("attempts for each call", lambda o: f"{o.amplification:.2f}")
    row("the same, in the worst moment", lambda o: f"{o.worst_amplification:.2f}")
    for name in ("p50", "p95", "p99", "max"):
        row(f"latency {name} of successes", lambda o, n=name: f"{getattr(o.latency_ms, n):,} ms")
    reasons = sorted({r for o in answer.outcomes for r, n in o.decisions.items() if n})
    for reason in reasons:
        row(f"decisions: {reason}", lambda o, r=reason: f"{o.decisions.get(r, 0):,}")
    Console(highlight=False).print(table)


def _plot(answer: Simulation, file: Path) -> None:
    pyplot = matplotlib_or_none()
    if pyplot is None:
        for outcome in answer.outcomes:
            click.echo(_terminal(outcome))
        return
    figure, (load, success) = pyplot.subplots(
        2, 1, figsize=(8, 6), sharex=True, layout="constrained"
    )
    for i, outcome in enumerate(answer.outcomes):
        step_s = outcome.step_ms / 1000
        times = [n * step_s for n in range(len(outcome.series))]
        if i == 0:
            load.plot(times, [s.calls / step_s for s in outcome.series], color="gray", lw=1,
                      label="calls")  # fmt: skip
        load.plot(times, [s.attempts / step_s for s in outcome.series],
                  label=f"attempts, {Path(outcome.config).name}")  # fmt: skip
        success.plot(times, [100 * s.succeeded / s.calls if s.calls else float("nan")
                             for s in outcome.series], label=Path(outcome.config).name)  # fmt: skip
    start, long = (float(answer.load[k]) / 1000 for k in ("outage_start_ms", "outage_ms"))
    for axes in (load, success):
        if long:
            axes.axvspan(start, start + long, color="tab:red", alpha=0.1, label="outage")
        axes.grid(alpha=0.3)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize="small")
    load.set_ylabel("per second")
    load.set_title("Load on the tool")
    success.set_ylabel("calls that succeed (%)")
    success.set_title("Success, by when the call began")
    success.set_xlabel("time (s)")
    save(pyplot, figure, file)


def _terminal(outcome: Outcome) -> str:
    """Attempts for each call over time, in at most forty lines."""
    together = -(-len(outcome.series) // 40)
    rows = []
    for n in range(0, len(outcome.series), together):
        steps = outcome.series[n : n + together]
        calls, attempts = sum(s.calls for s in steps), sum(s.attempts for s in steps)
        factor = attempts / calls if calls else 0.0
        rows.append((f"{n * outcome.step_ms / 1000:.0f} s", factor, f"{factor:.2f}"))
    return bars(f"{outcome.config}: attempts for each call", rows)
