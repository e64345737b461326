"""cpex-retry doctor"""

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import click
from cpex.framework.settings import get_settings

from .. import library
from ..ceiling import find_ceiling
from ..config import RetryConfig, engine_config
from ..native import READ_ERRORS, REASONS, Engine, library_version, runtime

PACKAGE = "cpex-retry-with-backoff"
PACKAGES = (PACKAGE, "cpex", "pydantic", "pydantic_core", "cffi", "mcp-contextforge-gateway",
            "prometheus_client", "matplotlib")  # fmt: skip


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Says what is installed and whether it works; for a bug report.

    Exit code 0 if the native library answers right, else 1.
    """
    healthy = True
    for name, ask in (
        ("platform", lambda: f"{platform.platform()}, {platform.machine()}"),
        ("python", lambda: f"{platform.python_version()} {sys.executable}"),
        *((package, lambda p=package: _version(p)) for package in PACKAGES),
        ("library", _library),
        ("engine", _engine),
        ("go runtime", lambda: ", ".join(f"{k} {v:,}" for k, v in runtime().items())),
        ("rust wheel", _rust),
        ("ceiling", _ceiling),
        ("RETRY_MAX_ATTEMPTS", lambda: os.environ.get("RETRY_MAX_ATTEMPTS", "not set")),
        ("self-test", _self_test),
    ):  # fmt: skip
        healthy = _line(name, ask) and healthy
    context.exit(0 if healthy else 1)


def _line(name: str, ask: Callable[[], str]) -> bool:
    try:
        click.echo(f"{name + ':':27}{ask()}")
    except Exception as error:
        click.echo(f"{name + ':':27}FAILED: {type(error).__name__}: {error}")
        return False
    return True


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _library() -> str:
    path = library.library_path()
    return f"{path} ({path.stat().st_size:,} bytes)"


def _engine() -> str:
    found = library_version()
    return f"{found['version']}, ABI {found['abi']}, built with {found['go']}"


def _rust() -> str:
    """Files that the Rust wheel leaves where ours are, and ours does not have."""
    folder = Path(library.__file__).parent
    ours = {Path(str(f)).name for f in distribution(PACKAGE).files or []}
    left = [f.name for f in folder.glob("retry_with_backoff_rust*") if f.name not in ours]
    if left:
        raise RuntimeError(
            f"{', '.join(left)} in {folder} is in the way: pip uninstall {PACKAGE}, "
            "then install this wheel again"
        )
    return "no files of it are in the way"


def _ceiling() -> str:
    ceiling, found_in = find_ceiling(get_settings)
    return "none found" if ceiling is None else f"{ceiling} (from {found_in})"


def _self_test() -> str:
    """A failure, its retries, its end."""
    config = engine_config(RetryConfig(jitter=False), name="doctor", private=True, ceiling=None)
    engine = Engine(config)
    answers = [engine.decide({"isError": True}, "tool", "request", READ_ERRORS) for _ in range(3)]
    answers.append(engine.decide({"isError": False}, "tool", "request", READ_ERRORS))
    said = [(REASONS[a & 0xFF], a >> 28) for a in answers]
    if said != [("retry", 200), ("retry", 400), ("exhausted", 0), ("success", 0)]:
        raise RuntimeError(f"the engine answers {said}")
    return "retry 200 ms, retry 400 ms, exhausted, success: right"
