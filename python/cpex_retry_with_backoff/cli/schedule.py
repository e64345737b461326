"""cpex-retry schedule"""

from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from .charts import bars, matplotlib_or_none, save
from .entry import Loaded, load
from .source import Source

SAMPLES = 20_000


class Wait(BaseModel):
    """What a call waits before one of its retries, in milliseconds."""

    retry: int
    min_ms: int
    mean_ms: float
    p95_ms: int
    max_ms: int
    elapsed_ms: float
    """The mean of all waits so far, this one included."""


class Schedule(BaseModel):
    """The answer of `cpex-retry schedule --format json`."""

    samples: int
    seed: int
    waits: list[Wait]


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--plugin", help="The entry's name, if the file has several of this package.")
@click.option("--tool", default="", help="The tool whose policy it is; without, the base policy.")
@click.option("--status", type=int, default=-1, help="The failures have this status.")
@click.option("--max-retries", type=int, help="Without CONFIG: as in the YAML; so are the next.")
@click.option("--base-ms", type=int, help="backoff_base_ms")
@click.option("--max-ms", type=int, help="max_backoff_ms")
@click.option("--strategy", help="exponential, linear, fixed")
@click.option("--multiplier", type=float, help="factor of the exponential strategy")
@click.option("--jitter", help="full, none, equal, decorrelated")
@click.option("--seed", type=click.IntRange(0, 2**63), default=1, show_default=True,
              help="The same seed gives the same numbers.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False),
              help="Draws the bands into a .svg or .png file.")  # fmt: skip
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
def schedule(
    config: Path | None, plugin: str | None, tool: str, status: int, seed: int,
    plot: Path | None, style: str, **options: Any,
) -> None:  # fmt: skip
    """Shows how long a call that keeps failing waits before each retry.

    Takes the policy of a tool from CONFIG, or the options. Delays are drawn from the
    engine, hints and cool-downs aside; elapsed is the mean of all waits so far, without
    the time that attempts themselves take.
    """
    loaded = _loaded(config, plugin, options)
    answer = Schedule(samples=SAMPLES, seed=seed, waits=draw(loaded, tool, status, seed))
    if style == "json":
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer.waits)
    if plot is not None:
        _plot(answer.waits, plot)


def _loaded(config: Path | None, plugin: str | None, options: dict[str, Any]) -> Loaded:
    names = {"base_ms": "backoff_base_ms", "max_ms": "max_backoff_ms"}
    given = {names.get(k, k): v for k, v in options.items() if v is not None}
    if config is None:
        return load(given, "the options", ceiling=False)
    if given:
        raise click.UsageError("options of a policy and CONFIG exclude each other")
    entry = Source(config).entry(plugin)
    return load(entry.config, entry.name)


def draw(loaded: Loaded, tool: str, status: int, seed: int) -> list[Wait]:
    """The waits of a tool's calls."""
    return [Wait(**row) for row in loaded.engine.schedule(tool, status, SAMPLES, seed)]


def _print(waits: list[Wait]) -> None:
    if not waits:
        click.echo("no retries: max_retries is 0")
        return
    table = Table("retry", "min ms", "mean ms", "p95 ms", "max ms", "elapsed ms")
    for column in table.columns:
        column.justify = "right"
    for w in waits:
        numbers = (w.min_ms, f"{w.mean_ms:.0f}", w.p95_ms, w.max_ms, f"{w.elapsed_ms:.0f}")
        table.add_row(str(w.retry), *map(str, numbers))
    Console(highlight=False).print(table)


def _plot(waits: list[Wait], file: Path) -> None:
    pyplot = matplotlib_or_none()
    if pyplot is None:
        rows = [(f"retry {w.retry}", w.mean_ms, f"{w.mean_ms:.0f} ms") for w in waits]
        click.echo(bars("mean delay", rows))
        return
    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    retries = [w.retry for w in waits]
    axes.fill_between(retries, [w.min_ms for w in waits], [w.max_ms for w in waits],
                      alpha=0.2, label="min to max", color="tab:blue")  # fmt: skip
    axes.plot(
        retries, [w.p95_ms for w in waits], "--", label="95 % wait no longer", color="tab:blue"
    )
    axes.plot(retries, [w.mean_ms for w in waits], "o-", label="mean", color="tab:blue")
    axes.plot(retries, [w.elapsed_ms for w in waits], "s:", label="mean of all waits so far",
              color="tab:orange")  # fmt: skip
    axes.set_xticks(retries)
    axes.set_xlabel("retry")
    axes.set_ylabel("wait (ms)")
    axes.set_ylim(bottom=0)
    axes.set_title("How long a call that keeps failing waits")
    axes.grid(alpha=0.3)
    axes.legend()
    save(pyplot, figure, file)
