"""cpex-retry check"""

import os
from pathlib import Path
from typing import Any, Literal

import click
from cpex.framework.models import Config
from cpex.framework.settings import get_settings
from pydantic import BaseModel, ValidationError

from ..ceiling import find_ceiling
from ..config import engine_config, unknown_keys, validate
from ..errors import RetryConfigError
from ..native import Engine
from ..notices import worded
from .source import Entry, Source

GATEWAY_ATTEMPTS = 3
"""RETRY_MAX_ATTEMPTS of the gateway's HTTP client where it is not set."""


class Finding(BaseModel):
    """An error or a warning, and where it stands."""

    severity: Literal["error", "warning"]
    plugin: str | None
    line: int
    column: int
    text: str


class CheckReport(BaseModel):
    """The answer of `cpex-retry check --format json`."""

    file: str
    plugins: list[str]
    findings: list[Finding]
    errors: int
    warnings: int


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="json is for CI.")  # fmt: skip
@click.pass_context
def check(context: click.Context, config: Path, strict: bool, style: str) -> None:
    """Checks the entries of this plugin in a plugin YAML.

    CONFIG is read as the gateway reads it, Jinja and environment included. All errors are
    found at once. Exit code: 0 if the gateway would load the plugin, 1 with --strict if
    there are warnings, 2 if there are errors.
    """
    source = Source(config)
    findings = check_source(source)
    errors = sum(f.severity == "error" for f in findings)
    report = CheckReport(
        file=str(config),
        plugins=[entry.name for entry in source.entries()],
        findings=findings,
        errors=errors,
        warnings=len(findings) - errors,
    )
    if style == "json":
        click.echo(report.model_dump_json(indent=2))
    else:
        _print(report)
    context.exit(2 if errors else 1 if strict and report.warnings else 0)


def _print(report: CheckReport) -> None:
    for f in report.findings:
        where = click.style(f"{report.file}:{f.line}:{f.column}:", bold=True)
        color = "red" if f.severity == "error" else "yellow"
        click.echo(f"{where} {click.style(f.severity, fg=color)}: {f.text}")
    broken = {f.plugin for f in report.findings if f.severity == "error"}
    for name in report.plugins:
        if name in broken:
            click.echo(
                f"plugin {name!r}: would be skipped by the gateway, and retries silently off"
            )
        else:
            click.echo(f"plugin {name!r}: would be loaded")
    click.echo(f"{report.errors} errors, {report.warnings} warnings")


def check_source(source: Source) -> list[Finding]:
    """Everything that is wrong or odd, in the order of the file."""
    findings: list[Finding] = []
    entries = source.entries()
    if not entries:
        findings.append(_finding("warning", None, source, [], "no plugin of this package is in it"))
    try:
        Config(**source.data)
    except ValidationError as error:
        for e in error.errors(include_url=False):
            where = ".".join(map(str, e["loc"]))
            text = f"{where}: {e['msg']}: the gateway would not start"
            findings.append(_finding("error", None, source, e["loc"], text))
    for entry in entries:
        findings += check_entry(entry)
    return sorted(findings, key=lambda f: (f.line, f.column))


def _finding(
    severity: Literal["error", "warning"], plugin: str | None, source: Source, path: Any, text: str
) -> Finding:
    place = source.place(list(path))
    return Finding(
        severity=severity, plugin=plugin, line=place.line, column=place.column, text=text
    )


def check_entry(entry: Entry) -> list[Finding]:
    """What is wrong or odd about one entry."""
    findings: list[Finding] = []

    def found(severity: Literal["error", "warning"], path: Any, text: str) -> None:
        where = ["plugins", entry.index, *path]
        findings.append(_finding(severity, entry.name, entry.source, where, text))

    config, errors = validate(entry.config)
    for problem in errors:
        found("error", ("config", *problem.path), problem.text)
    for problem in unknown_keys(entry.config):
        found("warning", ("config", *problem.path), problem.text)
    if str(entry.values.get("mode")).lower() == "fire_and_forget":
        found("warning", ["mode"], "mode fire_and_forget loses the retry delay: nothing is ever "
              "retried; use sequential, transform, audit or concurrent")  # fmt: skip
    if "tool_post_invoke" not in (entry.values.get("hooks") or []):
        found("warning", ["hooks"], "hooks without tool_post_invoke: nothing is ever retried")
    if config is None:
        return findings
    ceiling, found_in = find_ceiling(get_settings)
    normalized = engine_config(config, name=entry.name, private=True, ceiling=ceiling)
    try:
        engine = Engine(normalized)
    except RetryConfigError as error:
        found("error", ["config"], str(error))
        return findings
    for notice in engine.notices:
        path: list[Any] = ["config"]
        path += ["tool_overrides", notice["tool"]] if notice["tool"] else []
        path += ["status_overrides", notice["status"]] if notice["status"] else []
        found("warning", path, worded(notice, found_in))
    _check_surroundings(entry, config, engine, found)
    return findings


def _check_surroundings(entry: Entry, config: Any, engine: Engine, found: Any) -> None:
    if config.metrics:
        try:
            import prometheus_client  # noqa: F401
        except ImportError:
            text = "metrics = 'prometheus': needs prometheus_client: pip install "
            found("error", ["config", "metrics"], f"{text}'cpex-retry-with-backoff[prometheus]'")
    careful = config.retry_safety != "off" or any(
        o.retry_safety != "off" for o in config.tool_overrides.values()
    )
    if careful and "tool_pre_invoke" not in (entry.values.get("hooks") or []):
        found("warning", ["hooks"], "retry_safety without tool_pre_invoke under hooks: the gateway "
              "does not pass on what tools declare")  # fmt: skip
    tools = [None, *config.tool_overrides]
    most = max(engine.policy(tool)["max_retries"] for tool in tools)
    tries = os.environ.get("RETRY_MAX_ATTEMPTS", "")
    times, state = GATEWAY_ATTEMPTS, f"is not set (the gateway's default is {GATEWAY_ATTEMPTS})"
    if tries.isdigit():
        times, state = int(tries), f"is {tries}"
    if most > 0 and times > 1:
        product = f"(1 + {most}) x {times} = {(1 + most) * times}"
        found("warning", ["config"], f"RETRY_MAX_ATTEMPTS {state}: the gateway's HTTP client "
              f"repeats each attempt, and a failing REST call makes up to {product} requests; "
              "set RETRY_MAX_ATTEMPTS=1")  # fmt: skip
