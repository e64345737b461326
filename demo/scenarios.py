"""The tools of the demonstration: how each fails, and what the policy makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from server import DROP, Answer

OK: Answer = (200, {"answer": 42})
ERROR_IN_TEXT: Answer = (200, {"isError": True, "status_code": 503, "message": "try later"})
MAX_TOOL_RETRIES = 3


def failing(status: int) -> Answer:
    """An HTTP error with a reason."""
    return (status, {"error": f"the server says {status}"})


@dataclass(frozen=True)
class Scenario:
    """One tool: what it answers, and what must come of it under plugins.yaml."""

    tool: str
    what: str
    script: list[Answer]
    attempts: int
    succeeds: bool
    policy: dict[str, Any] = field(default_factory=dict)


SCENARIOS = [
    Scenario("healthy", "works at once", [OK], 1, True),
    Scenario("hiccup", "503, then works", [failing(503), OK], 2, True),
    Scenario(
        "rate-limited",
        "429 twice, then works; waits longer than the others",
        [failing(429), failing(429), OK], 3, True, {"backoff_base_ms": 300},
    ),
    Scenario("not-found", "404: would fail again, so no retry", [failing(404)], 1, False),
    Scenario("drops", "the connection is lost (an error without a status)", [DROP, OK], 2, True),
    Scenario(
        "reports-in-text",
        "HTTP 200 with an error inside the text (check_text_content)",
        [ERROR_IN_TEXT, OK], 2, True,
    ),
    Scenario(
        "text-unread",
        "the same answer without check_text_content: taken for a success",
        [ERROR_IN_TEXT], 1, True,
    ),
    Scenario("broken", "500 for ever: given up after max_retries", [failing(500)], 3, False),
    Scenario(
        "never-again",
        "503, but the override allows no retry",
        [failing(503), OK], 1, False, {"max_retries": 0},
    ),
    Scenario(
        "eager",
        f"503 for ever; max_retries 9 is clamped to MAX_TOOL_RETRIES={MAX_TOOL_RETRIES}",
        [failing(503)], MAX_TOOL_RETRIES + 1, False, {"max_retries": MAX_TOOL_RETRIES},
    ),
]  # fmt: skip
