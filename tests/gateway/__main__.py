"""Proves the plugin in the real ContextForge gateway: python tests/gateway WHEEL

For each deployed pair of gateway and Python that the machine has, with one worker and
with gunicorn --preload and two: starts the gateway, a REST server and an MCP server on
loopback, calls their tools through the gateway and counts what they saw. Everything that
is started is stopped. Exit code 0 only if every scenario went as the policy says.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environment import PAIRS, ROOT, Pair, prepare
from gateway import Gateway, Process, free_port
from page import run_page
from rest_server import RestServer
from scenarios import (
    BASE_MS,
    LONG,
    LONG_CALLS,
    MAX_TOOL_RETRIES,
    QUICK,
    SLOW,
    STORM_CALLS,
    Scenario,
)

HERE = Path(__file__).resolve().parent
TOLERANCE_MS = 1500
"""How much later than asked for an attempt may come: the gateway's own work, a busy machine."""

REST_TOOLS = ("rest", "rest_more", "rest_fewer", "rest_eager", "rest_long")


class Tally:
    """Prints a line for each scenario and counts. Safe for concurrent use."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()

    def skip(self, name: str, reason: str) -> None:
        with self._lock:
            self.skipped += 1
            print(f"  SKIPPED {name}: {reason}", flush=True)

    def line(self, name: str, faults: list[str], words: str = "") -> None:
        with self._lock:
            self.passed, self.failed = self.passed + (not faults), self.failed + bool(faults)
            verdict = "FAILED" if faults else "passed"
            print(f"  {verdict}  {name}{': ' if faults or words else ''}"
                  f"{'; '.join(faults) or words}", flush=True)  # fmt: skip


class Run:
    """One gateway with its servers."""

    def __init__(self, gateway: Gateway, rest: RestServer, mcp: Process, tally: Tally) -> None:
        self.gateway, self.rest, self.mcp, self.tally = gateway, rest, mcp, tally
        self._calls = 0
        self._lock = threading.Lock()

    def new_call(self) -> str:
        with self._lock:
            self._calls += 1
            return f"call-{self._calls}"

    def attempts(self, scenario: Scenario, call: str) -> list[float]:
        if scenario.tool.startswith("rest"):
            return self.rest.journal.times(call)
        with urllib.request.urlopen(f"{self.mcp.url}/times/{call}", timeout=10) as answer:
            times: list[float] = json.loads(answer.read())
            return times

    def play(self, scenario: Scenario) -> list[str]:
        """Calls the tool once; returns what did not go as it must."""
        call = self.new_call()
        arguments = {"id": call, "script": scenario.script}
        answer = self.gateway.rpc("tools/call", name=scenario.tool, arguments=arguments)
        times = self.attempts(scenario, call)
        faults = []
        if len(times) != scenario.attempts:
            faults.append(f"{scenario.attempts} attempts expected, the server saw {len(times)}")
        gaps = [(b - a) * 1000 for a, b in itertools.pairwise(times)]
        for gap, wanted in zip(gaps, scenario.expected_gaps_ms(), strict=False):
            # A timeout begins before the server sees the request.
            early = 200 if scenario.busy_ms else 5
            if not wanted - early <= gap <= wanted + TOLERANCE_MS:
                faults.append(f"gap {gap:.0f} ms, {wanted} expected")
        result = answer.get("result")
        if result is None:
            # The gateway answers so where the last attempt raised, as a lost connection does.
            expected = scenario.fails and answer["error"]["message"] == scenario.text
            return faults if expected else [*faults, f"no result: {answer}"]
        if bool(result.get("isError")) != scenario.fails:
            faults.append(f"isError is {result.get('isError')}")
        texts = " ".join(item.get("text", "") for item in result["content"])
        if scenario.text not in texts:
            faults.append(f"{scenario.text!r} is not in {texts!r}")
        status = (result.get("structuredContent") or {}).get("status_code")
        if status != scenario.status and scenario.status is not None:
            faults.append(f"status_code {status}, {scenario.status} expected")
        return faults

    def report(self, scenario: Scenario) -> None:
        try:
            faults = self.play(scenario)
        except Exception as error:
            faults = [repr(error)]
        self.tally.line(scenario.name, faults, f"{scenario.attempts} attempts")

    def long_calls(self) -> None:
        """A call every two seconds over more than a rebuild: none starts its count again."""
        with ThreadPoolExecutor(LONG_CALLS) as pool:
            playing = []
            for _ in range(LONG_CALLS):
                playing.append(pool.submit(self.play, LONG))
                time.sleep(2)
            faults = [fault for call in playing for fault in call.result()]
        self.tally.line(f"{LONG_CALLS} calls {LONG.name}", faults, "3 attempts each")

    def storm(self) -> None:
        """Many calls at the same time, each failing once."""
        once = Scenario("", "rest", "503,200", 2, False, "42", gaps_ms=(BASE_MS,))
        with ThreadPoolExecutor(STORM_CALLS) as pool:
            played = list(pool.map(lambda _: self.play(once), range(STORM_CALLS)))
        # Fifty at a time are slow on two cores: only the number of attempts counts.
        faults = [f for faults in played for f in faults if not f.startswith("gap")]
        self.tally.line(f"{STORM_CALLS} concurrent calls, each failing once", faults,
                        "2 attempts each")  # fmt: skip

    def check_resource(self) -> None:
        answer = self.gateway.rpc("resources/read", uri="flaky://readme")
        texts = [c.get("text") for c in answer.get("result", {}).get("contents", [])]
        self.tally.line("a resource is read", [] if texts == ["read me"] else [str(answer)])

    def check_admin_api(self) -> None:
        header = (ROOT / "capi" / "retry.h").read_text()
        version = header.split('RETRY_VERSION "')[1].split('"')[0]
        plugins = self.gateway.request("GET", "/admin/plugins")["plugins"]
        listed = [(p["name"], p["version"], p["status"]) for p in plugins]
        good = ("Retry", version, "enabled") in listed
        self.tally.line("the admin API lists the plugin with its version",
                        [] if good else [str(listed)], version)  # fmt: skip

    def check_metrics(self) -> None:
        """A scrape of the gateway's own endpoint; with several workers it is one worker's."""
        wanted = 'cpex_retry_decisions_total{plugin="Retry",reason="retry"}'
        text = self.gateway.text("GET", "/metrics/prometheus").decode()
        counts = [float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted)]
        good = len(counts) == 1 and counts[0] > 0 and "cpex_retry_delay_seconds_bucket" in text
        self.tally.line("the gateway's metrics endpoint shows the decisions",
                        [] if good else [f"{wanted}: {counts}"], f"{counts} retries")  # fmt: skip

    def check_log(self) -> None:
        log = self.gateway.log()
        for name, words in {
            "the log warns of the clamped override": "max_retries=5 exceeds gateway ceiling=3",
            "the log names the field of a bad configuration": "max_retries = 'many': must be a whole",
            "the log tells of exhausted calls": "retries exhausted after 3 failed attempts",
        }.items():
            self.tally.line(name, [] if words in log else [f"{words!r} is not in it"])
        faults = [line[:300] for line in log.splitlines() if "could not be judged" in line]
        self.tally.line("no fault of the plugin is in the log", faults)

    def check_observability(self) -> None:
        """The span metrics of a call that was retried once."""
        name, until = "plugin.metrics.retry_with_backoff", time.monotonic() + 10
        wanted = {"retry_count": 1, "retry_delay_ms": BASE_MS}
        while True:
            with sqlite3.connect(self.gateway.folder / "gateway.db") as database:
                rows = database.execute(
                    "select attributes from observability_spans where name = ?", (name,)
                ).fetchall()
            if any(wanted.items() <= json.loads(row[0]).items() for row in rows):
                self.tally.line("the span metrics arrive", [], str(wanted))
                return
            if time.monotonic() > until:
                self.tally.line("the span metrics arrive", [f"{wanted} is not in {rows[:3]}"])
                return
            time.sleep(0.5)

    def everything(self, pair: Pair) -> None:
        for tool in REST_TOOLS:
            self.gateway.register_rest_tool(tool, self.rest.url)
        self.gateway.register_mcp_server("flaky", f"{self.mcp.url}/mcp")
        beside: list[Callable[[], None]] = [self.long_calls]
        beside += [lambda s=s: self.report(s) for s in SLOW]  # type: ignore[misc]
        with ThreadPoolExecutor(len(beside)) as pool:
            running = [pool.submit(task) for task in beside]
            for scenario in QUICK:
                if scenario.needs_error_codes and not pair.error_codes:
                    self.tally.skip(scenario.name, "this gateway passes no error codes to plugins")
                else:
                    self.report(scenario)
            self.check_resource()
            self.check_admin_api()
            for task in running:
                task.result()
        self.storm()
        self.check_metrics()
        self.check_log()
        self.check_observability()


def with_gateway(python: Path, workers: int, tally: Tally, do: Callable[[Run], None],
                 environment: dict[str, str] | None = None) -> None:  # fmt: skip
    """Starts gateway and servers, runs do, stops everything."""
    with tempfile.TemporaryDirectory() as name, RestServer() as rest:
        folder, port = Path(name), free_port()
        started: list[Process] = []
        try:
            server = [python, HERE / "mcp_server.py", port]
            mcp = Process(server, f"http://127.0.0.1:{port}", folder, "mcp", {})
            started.append(mcp)
            gateway = Gateway(python, folder, HERE / "plugins.yaml", workers=workers,
                              environment=environment or {})  # fmt: skip
            started.append(gateway.process)
            mcp.wait_until_it_answers("/times/none")
            gateway.wait_until_it_is_up()
            do(Run(gateway, rest, mcp, tally))
        finally:
            for process in reversed(started):
                process.stop()


def multiplied(run: Run) -> None:
    """The gateway's own HTTP client retries below the plugin: README's arithmetic."""
    run.gateway.register_rest_tool("rest", run.rest.url)
    call = run.new_call()
    run.gateway.rpc("tools/call", name="rest", arguments={"id": call, "script": "503"})
    seen = len(run.rest.journal.times(call))
    run.tally.line("retries multiply: (1 + 2) attempts x RETRY_MAX_ATTEMPTS=3",
                   [] if seen == 9 else [f"the server saw {seen} requests"], f"{seen} requests")  # fmt: skip


def main(wheel: str) -> int:
    tally = Tally()
    begun = time.monotonic()
    for pair in PAIRS:
        prepared = prepare(pair, wheel)
        if prepared is None:
            print(f"gateway {pair.gateway}: SKIPPED, no Python {' or '.join(pair.pythons)} here")
            tally.skipped += 1
            continue
        version, python = prepared
        where = f"gateway {pair.gateway}, cpex {pair.cpex}, Python {version}"
        for workers in (1, 2):
            mode = "one worker" if workers == 1 else "gunicorn --preload, 2 workers"
            print(f"{where}, {mode}", flush=True)
            with_gateway(python, workers, tally, lambda run, pair=pair: run.everything(pair))
        print(f"{where}, docs/gateway.md", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            faults = run_page(python, wheel, Path(folder))
        tally.line("every command on the page works", faults)
        print(f"{where}, with the gateway's own HTTP retries", flush=True)
        own = {"RETRY_MAX_ATTEMPTS": "3", "RETRY_BASE_DELAY": "0.05"}
        with_gateway(python, 1, tally, multiplied, own)
    print(f"took {time.monotonic() - begun:.0f} s; MAX_TOOL_RETRIES={MAX_TOOL_RETRIES}")
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"{tally.passed} passed, {tally.failed} failed{skipped}")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
