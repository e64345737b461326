"""cpex-retry explain"""

import json
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from ..library import hot
from ..native import READ_FLAGS, REASONS, reading
from .entry import Loaded, load
from .schedule import draw
from .source import Source

RULES = {
    "success": "no error, and no status of retry_on_status",
    "not_retryable_status": "an error whose status is not in retry_on_status",
    "not_retryable_code": "a JSON-RPC code of never_retry_on_error_code",
    "not_retryable_text": "a text that never_retry_on_text matches",
    "told_not_to": "false at retryable or retry",
    "exhausted": "max_retries were made",
    "unsafe": "retry_safety: the tool may have had an effect",
    "hint_too_long": "a hint above max_retry_after_ms",
    "deadline": "the retry would begin after max_elapsed_ms",
    "budget": "too few tokens",
    "retry": "retried",
}
"""The rules in the engine's order, by the reason they give."""

RETRIED = ("retry", "retry_hint", "retry_cooldown")
ATTEMPTS_SHOWN = 50


class Option(BaseModel):
    """One option in force, and where it comes from."""

    name: str
    value: Any
    source: str


class Decided(BaseModel):
    """The answer to one failing attempt after the other."""

    attempt: int
    reason: str
    min_delay_ms: int
    max_delay_ms: int
    """Both 0: no retry."""


class Rule(BaseModel):
    """One rule, and what it said of the first attempt."""

    reason: str
    asks: str
    said: str


class Explanation(BaseModel):
    """The answer of `cpex-retry explain --format json`."""

    plugin: str
    tool: str
    override: str | None
    why: str
    policy: list[Option]
    facts: list[str]
    rules: list[Rule]
    decisions: list[Decided]


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--tool", required=True, help="The tool's name as the gateway makes it.")
@click.option("--status", type=int, help="The failure has this status; without, it has none.")
@click.option("--result", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="A file with the tool's result in JSON, instead of --status.")  # fmt: skip
@click.option("--plugin", help="The entry's name, if the file has several of this package.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
def explain(
    config: Path, tool: str, status: int | None, result: Path | None, plugin: str | None, style: str
) -> None:
    """Says what happens to a result of a tool, and why.

    Shows which override is in force, the policy, what is found in the result, what each
    rule says of it, and the answers if the same result comes again and again.
    """
    entry = Source(config).entry(plugin)
    loaded = load(entry.config, entry.name)
    answer = explained(loaded, entry.name, tool, _result(status, result))
    if style == "json":
        click.echo(answer.model_dump_json(indent=2))
    else:
        _print(answer)


def _result(status: int | None, file: Path | None) -> Any:
    if file is None:
        structured = None if status is None else {"status_code": status}
        return {"isError": True, "structuredContent": structured}
    if status is not None:
        raise click.UsageError("--status and --result exclude each other")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{file} is no JSON: {error}") from error


def explained(loaded: Loaded, plugin: str, tool: str, result: Any) -> Explanation:
    """Explains one result."""
    policy = loaded.engine.policy(tool)
    override, why = _override(loaded, tool, policy)
    decisions = _decisions(loaded, tool, result, policy)
    return Explanation(
        plugin=plugin,
        tool=tool,
        override=override,
        why=why,
        policy=_options(loaded, policy, override),
        facts=_facts(result, policy),
        rules=_rules(decisions[0].reason),
        decisions=decisions,
    )


def _override(loaded: Loaded, tool: str, policy: dict[str, Any]) -> tuple[str | None, str]:
    if tool in loaded.config.tool_overrides:
        return tool, "its key is the tool's name"
    if key := policy["override"]:
        return key, "of the patterns that match, it has the most characters outside wildcards"
    if loaded.config.tool_overrides:
        return None, "no key of tool_overrides is the tool's name or matches it"
    return None, "there are no tool_overrides"


def _options(loaded: Loaded, policy: dict[str, Any], override: str | None) -> list[Option]:
    own = loaded.config.tool_overrides[override].model_fields_set if override is not None else set()
    options = []
    for name in type(loaded.config).model_fields:
        if name not in policy:
            continue
        source = "default"
        if name in own:
            source = f"tool_overrides[{override!r}]"
        elif name in loaded.config.model_fields_set:
            source = "config"
        if name == "max_retries" and policy[name] == loaded.ceiling and loaded.engine.notices:
            source += f", bounded by {loaded.ceiling_found_in}"
        options.append(Option(name=name, value=policy[name], source=source))
    return options


def _facts(result: Any, policy: dict[str, Any]) -> list[str]:
    """What the plugin finds in the result: nothing of its content."""
    reads = policy["reads"]
    limit = policy["max_text_bytes"] if reads["Texts"] else -1
    flags = sum(flag for name, flag in READ_FLAGS.items() if reads[name])
    facts, status, texts, code, hints = hot.read(result, limit, flags)
    names = ("seconds or a date", "seconds", "milliseconds")
    found = [
        (facts & 1, "isError is true"),
        (facts & 2, "structuredContent.isError is true"),
        (facts & 4, f"structuredContent.status_code is {status}"),
        (facts & 16, f"the JSON-RPC error code is {code}"),
        (facts & 32, "it says that it is not retryable"),
        (texts, f"{len(texts)} texts to look at, {sum(map(len, texts))} bytes"),
        *((True, f"a hint: {value!r} ({names[name]})") for name, value in hints),
    ]
    return [words for is_there, words in found if is_there] or ["nothing that tells of an error"]


def _decisions(loaded: Loaded, tool: str, result: Any, policy: dict[str, Any]) -> list[Decided]:
    facts, status, *_ = hot.read(result, -1, 0)
    waits = draw(loaded, tool, status if facts & 4 else -1, seed=1)
    decisions: list[Decided] = []
    while len(decisions) < ATTEMPTS_SHOWN:
        answer = loaded.engine.decide(result, tool, "explain", reading(policy))
        reason = REASONS[answer & 0xFF] if answer >= 0 else "fault"
        low = high = max(answer, 0) >> 28
        if reason == "retry" and len(decisions) < len(waits):  # what jitter can make of it
            low, high = waits[len(decisions)].min_ms, waits[len(decisions)].max_ms
        number = len(decisions) + 1
        decisions.append(
            Decided(attempt=number, reason=reason, min_delay_ms=low, max_delay_ms=high)
        )
        if high == 0:
            break
    return decisions


def _rules(reason: str) -> list[Rule]:
    last = "retry" if reason in RETRIED else reason
    reached = list(RULES).index(last) if last in RULES else -1

    def said(i: int) -> str:
        return "no" if i < reached else "YES" if i == reached else "not asked"

    return [Rule(reason=r, asks=asks, said=said(i)) for i, (r, asks) in enumerate(RULES.items())]


def _print(answer: Explanation) -> None:
    console = Console(highlight=False)
    console.print(f"plugin {answer.plugin!r}, tool {answer.tool!r}", markup=False)
    chosen = "none" if answer.override is None else f"tool_overrides[{answer.override!r}]"
    console.print(f"override: {chosen}: {answer.why}", markup=False)
    console.print("found in the result: " + "; ".join(answer.facts), markup=False)
    policy = Table("option", "value", "from", title="policy in force", title_justify="left")
    for option in answer.policy:
        policy.add_row(option.name, json.dumps(option.value), option.source)
    console.print(policy)
    rules = Table("rule", "asks", "said", title="first attempt, rule by rule", title_justify="left")
    for rule in answer.rules:
        rules.add_row(rule.reason, rule.asks, rule.said, style="bold" if rule.said == "YES" else "")
    console.print(rules)
    for d in answer.decisions:
        words = f"retry in {d.min_delay_ms} to {d.max_delay_ms} ms"
        if d.min_delay_ms == d.max_delay_ms:
            words = f"retry in {d.max_delay_ms} ms" if d.max_delay_ms else "no retry"
        console.print(f"attempt {d.attempt} with this result: {words} ({d.reason})", markup=False)
