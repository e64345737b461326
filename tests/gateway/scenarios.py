"""What is called through the gateway, and what the flaky servers must have seen of it."""

from __future__ import annotations

from dataclasses import dataclass

BASE_MS = 60
"""backoff_base_ms of plugins.yaml; jitter is off there, so that gaps can be compared."""

MAX_TOOL_RETRIES = 3
"""The gateway's default."""

TIMEOUT_MS = 2000
"""TOOL_TIMEOUT of gateway.py."""


@dataclass(frozen=True)
class Scenario:
    """One call: the tool, its script, and what must come of it."""

    name: str
    tool: str
    script: str
    attempts: int
    fails: bool
    text: str
    """Part of the final result's text, or of a JSON-RPC error's message."""
    gaps_ms: tuple[int, ...] | None = None
    """Expected pauses between attempts; None: those of the plugin's own configuration."""
    status: int | None = None
    """status_code of the final result's structured content."""
    needs_error_codes: bool = False
    """Only for gateways that pass them on."""
    busy_ms: int = 0
    """How long each failing attempt itself takes."""

    def expected_gaps_ms(self) -> list[int]:
        gaps = self.gaps_ms
        if gaps is None:
            gaps = tuple(BASE_MS * 2**n for n in range(self.attempts - 1))
        return [gap + self.busy_ms for gap in gaps]


OK, FINE = '"answer": 42', "fine"


def rest(name: str, script: str, attempts: int, fails: bool, text: str, tool: str = "rest",
         **more: object) -> Scenario:  # fmt: skip
    return Scenario(f"REST {name}", tool, script, attempts, fails, text, **more)  # type: ignore[arg-type]


def mcp(name: str, script: str, attempts: int, fails: bool, text: str,
        tool: str = "flaky-scripted", **more: object) -> Scenario:  # fmt: skip
    return Scenario(f"MCP {name}", tool, script, attempts, fails, text, **more)  # type: ignore[arg-type]


QUICK = [
    rest("works at once", "200", 1, False, OK),
    rest("recovers after one failure", "503,200", 2, False, OK),
    rest("recovers after two failures", "503,500,200", 3, False, OK),
    rest("exhausted: the last failure is passed on unchanged", "500,502,503", 3, True,
         "the server says 503", status=503),
    rest("connection dropped", "drop,200", 2, False, OK),
    rest("connection dropped for ever", "drop", 3, True, "Internal error"),
    rest("override: more retries, another base", "503,503,503,200", 4, False, OK,
         tool="rest-more", gaps_ms=(200, 400, 800)),
    rest("override: fewer retries", "503", 2, True, "503", tool="rest-fewer"),
    rest("override above MAX_TOOL_RETRIES is clamped", "503", MAX_TOOL_RETRIES + 1, True, "503",
         tool="rest-eager"),
    *(rest(f"{code} is not retried", f"{code},200", 1, True, f"the server says {code}", status=code)
      for code in (400, 401, 404, 501)),
    *(rest(f"{code} is retried", f"{code},200", 2, False, OK) for code in (429, 500, 502, 503, 504)),
    mcp("works at once", "ok", 1, False, FINE),
    mcp("recovers after one failure", "error,ok", 2, False, FINE),
    mcp("recovers after two failures", "error,error,ok", 3, False, FINE),
    mcp("exhausted: the last failure is passed on unchanged", "error", 3, True, "the tool failed"),
    mcp("isError with status 503", "error503,ok", 2, False, FINE),
    mcp("isError with status 404", "error404,ok", 1, True, "gone", status=404),
    mcp("status 503 without isError", "status503,ok", 2, False, FINE),
    mcp("status 404 without isError", "status404,ok", 1, False, "gone", status=404),
    mcp("error in a text, check_text_content on", "text503,ok", 2, False, FINE, tool="flaky-texts"),
    mcp("error in a text, check_text_content off", "text503,ok", 1, False, "busy"),
    mcp("the tool raises", "raise,ok", 2, False, FINE),
    mcp("JSON-RPC error", "rpc_error,ok", 2, False, FINE, tool="flaky-rpc"),
    mcp("JSON-RPC error for bad arguments never gets better", "rpc_arguments,ok", 1, True,
        "an error on purpose", tool="flaky-rpc", needs_error_codes=True),
    mcp("a hint is waited for", "hint,ok", 2, False, FINE, tool="flaky-hints", gaps_ms=(700,)),
    mcp("a failure that is not retryable", "told,ok", 1, True, "no", tool="flaky-frugal"),
    mcp("a budget for one retry", "error", 2, True, "the tool failed", tool="flaky-frugal"),
    mcp("a deadline for one retry", "error", 2, True, "the tool failed", tool="flaky-deadline",
        gaps_ms=(1000,)),
    mcp("a destructive tool is not retried", "error,ok", 1, True, "failed", tool="flaky-charge"),
    mcp("a destructive tool is retried after 429", "status429,ok", 2, False, FINE,
        tool="flaky-charge"),
    mcp("strict: a read-only tool is retried", "error,ok", 2, False, FINE, tool="flaky-lookup"),
    mcp("strict: a tool that declares nothing is not", "error,ok", 1, True, "failed",
        tool="flaky-silent"),
]  # fmt: skip

SLOW = [
    rest("timeout, then works", "slow,200", 2, False, OK, busy_ms=TIMEOUT_MS),
    mcp("timeout, then works", "slow,ok", 2, False, FINE, busy_ms=TIMEOUT_MS),
]
"""Run beside the others."""

LONG = Scenario("in the middle of its retries at the rebuild", "rest-long", "503", 3, True, "503",
                gaps_ms=(2500, 5000))  # fmt: skip
"""Takes 7.5 s; one is started every two seconds, so that some are hit by the rebuild (30 s)."""

LONG_CALLS = 18
STORM_CALLS = 50
