"""Pictures with matplotlib, where it is installed, and charts for the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

_WIDTH = 50


def matplotlib_or_none() -> Any:
    """matplotlib.pyplot without a screen; None with a word on how to install it."""
    try:
        import matplotlib
    except ImportError:
        click.echo(
            "matplotlib is not installed, so there is no picture "
            "(pip install 'cpex-retry-with-backoff[plot]'); instead:"
        )
        return None
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "cpex-retry"  # the same picture is the same file
    from matplotlib import pyplot

    return pyplot


def save(pyplot: Any, figure: Any, file: Path) -> None:
    """Writes a figure into a .svg or .png file, without the time of day."""
    svg = file.suffix == ".svg"
    try:
        figure.savefig(file, dpi=144, metadata={"Date": None} if svg else None)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be drawn: {error}") from error
    finally:
        pyplot.close(figure)
    click.echo(f"drawn: {file}")


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """A chart of (label, number, words), as text."""
    most = max((number for _, number, _ in rows), default=0) or 1
    widest = max((len(label) for label, _, _ in rows), default=0)
    lines = [title]
    for label, number, words in rows:
        lines.append(f"  {label:>{widest}} {'█' * max(round(number / most * _WIDTH), 0)} {words}")
    return "\n".join(lines)
