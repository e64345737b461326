"""Shows the plugin at work: python demo. Exit code 0 only if all went as the policy says."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
from pathlib import Path
from typing import Any

from cpex.framework import PluginManager
from gateway import Attempt, invoke
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from scenarios import MAX_TOOL_RETRIES, SCENARIOS, Scenario
from server import ToolServer

YAML = Path(__file__).with_name("plugins.yaml")


def faults(scenario: Scenario, attempts: list[Attempt], requests: int) -> list[str]:
    """What did not go as the policy says."""
    found = []
    policy = attempts[-1].policy
    if len(attempts) != scenario.attempts or requests != scenario.attempts:
        found.append(f"{scenario.attempts} attempts expected, the server saw {requests}")
    if attempts[-1].result["isError"] == scenario.succeeds:
        found.append("the wrong final result")
    found += [
        f"{key} is {policy[key]}, {value} expected"
        for key, value in scenario.policy.items()
        if policy[key] != value
    ]
    for n, (attempt, following) in enumerate(itertools.pairwise(attempts)):
        cap = min(policy["max_backoff_ms"], policy["backoff_base_ms"] * 2**n)
        waited = following.started_ms - attempt.started_ms - attempt.took_ms
        if not 1 <= attempt.delay_ms <= cap:
            found.append(f"delay {attempt.delay_ms} ms is not within 1..{cap} ms")
        if waited < attempt.delay_ms - 1:
            found.append(f"waited {waited:.0f} ms instead of {attempt.delay_ms} ms")
    return found


def line(attempt: Attempt, limit: int) -> str:
    """One attempt in the timeline."""
    good = not attempt.result["isError"]
    colour = "green" if good else "red"
    if attempt.delay_ms:
        decision = f"[yellow]retry {attempt.number} of {limit} in {attempt.delay_ms} ms[/]"
    else:
        decision = "[green]done[/]" if good else "[red]no retry[/]"
    return (
        f"  {attempt.started_ms:7.0f} ms  attempt {attempt.number}  "
        f"[{colour}]{attempt.outcome:<16}[/]  {decision}"
    )


def policy_line(policy: dict[str, Any]) -> str:
    """The policy in force, as the metadata reports it."""
    statuses = " ".join(map(str, policy["retry_on_status"]))
    return (
        f"  [dim]policy: max_retries {policy['max_retries']}, "
        f"backoff {policy['backoff_base_ms']}..{policy['max_backoff_ms']} ms, on {statuses}[/]"
    )


async def play(console: Console, manager: PluginManager, server: ToolServer) -> list[tuple]:
    """Runs the scenarios one after the other."""
    outcomes = []
    for number, scenario in enumerate(SCENARIOS, 1):
        console.print(f"[bold]{scenario.tool}[/]  {scenario.what}")
        shown: list[Attempt] = []

        def show(attempt: Attempt, shown: list[Attempt] = shown) -> None:
            if not shown:
                console.print(policy_line(attempt.policy))
            shown.append(attempt)
            console.print(line(attempt, attempt.policy["max_retries"]))

        waiting = f"{number} of {len(SCENARIOS)}: {scenario.tool}"
        if console.is_terminal:
            with console.status(waiting):
                attempts = await invoke(manager, server.url, scenario.tool, MAX_TOOL_RETRIES, show)
        else:
            attempts = await invoke(manager, server.url, scenario.tool, MAX_TOOL_RETRIES, show)
        wrong = faults(scenario, attempts, server.requests[scenario.tool])
        for fault in wrong:
            console.print(f"  [bold red]NOT AS THE POLICY SAYS: {fault}[/]")
        console.print()
        outcomes.append((scenario, attempts, wrong))
    return outcomes


def summary(console: Console, outcomes: list[tuple]) -> int:
    """The closing table and line; returns the exit code."""
    table = Table(title="Summary", title_justify="left")
    for column in ("tool", "attempts", "waited ms", "final result", "as the policy says"):
        table.add_column(column, justify="right" if column in ("attempts", "waited ms") else "left")
    for scenario, attempts, wrong in outcomes:
        waited = sum(a.delay_ms for a in attempts[:-1])
        final = "[red]error passed on[/]" if attempts[-1].result["isError"] else "[green]ok[/]"
        verdict = "[red]no[/]" if wrong else "[green]yes[/]"
        table.add_row(scenario.tool, str(len(attempts)), str(waited), final, verdict)
    console.print(table)
    bad = sum(bool(wrong) for *_, wrong in outcomes)
    console.print(f"{len(outcomes) - bad} passed, {bad} failed")
    return 1 if bad else 0


async def main(console: Console) -> int:
    """Loads the plugin as cpex does, runs everything, stops everything."""
    manager = PluginManager(str(YAML), timeout=30)
    await manager.initialize()
    try:
        with ToolServer({s.tool: s.script for s in SCENARIOS}) as server:
            return summary(console, await play(console, manager, server))
    finally:
        await manager.shutdown()


if __name__ == "__main__":
    os.environ["MAX_TOOL_RETRIES"] = str(MAX_TOOL_RETRIES)
    terminal = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    handler = RichHandler(console=terminal, show_path=False, show_time=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    sys.exit(asyncio.run(main(terminal)))
