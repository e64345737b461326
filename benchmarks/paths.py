"""What is measured: the hook called as cpex calls it, on every path that it can take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

UPSTREAM = ("0.3.1", "0.3.11")
KIND = "cpex_retry_with_backoff.retry_with_backoff.RetryWithBackoffPlugin"

FINE = {
    "content": [{"type": "text", "text": "all is well"}], "isError": False,
    "structuredContent": {"answer": 42}, "_meta": None,
}  # fmt: skip
FAILED = {
    "content": [{"type": "text", "text": "the server says 503"}], "isError": True,
    "structuredContent": {"status_code": 503}, "_meta": None,
}  # fmt: skip


def text(payload: str) -> dict[str, Any]:
    """A result with one text and no structured content."""
    item = {"type": "text", "text": payload}
    return {"content": [item], "isError": False, "structuredContent": None, "_meta": None}


def filler(size: int) -> str:
    """Members of a JSON object, about size bytes of them, without the keys."""
    row = '{"name":"value","numbers":[1,2,3.5,true,null],"more":"words"},'
    return '"rows":[' + row * max(1, size // len(row)) + "0]"


TEXTS = {
    "80 B JSON": json.dumps({"message": "all is well", "items": [1, 2, 3], "state": "ok for now"}),
    "1 KB JSON without the keys": "{" + filler(1000) + "}",
    "1 KB JSON with the keys": "{" + filler(950) + ',"isError":false,"status_code":200}',
    "100 KB JSON without the keys": "{" + filler(100_000) + "}",
    "100 KB JSON with the keys at the end":
        "{" + filler(100_000) + ',"isError":false,"status_code":200}',
    "1 KB prose": "The quick brown fox jumps over the lazy dog. " * 23,
}  # fmt: skip


@dataclass
class Path:
    """A path: the plugin's options, what is called in turn, and the ratio to reach."""

    name: str
    results: list[dict[str, Any]]
    """Called one after the other with one request id; the time is that of one call."""
    must: float | None
    aim: float | None
    options: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Any], None] | None = None
    """Called with a function that calls the hook: (result, request id)."""
    hook: str = "tool_post_invoke"
    calls: int = 3000
    upstream_calls: int | None = None
    """Fewer where upstream takes too long."""
    quiet: bool = False


def tracked(count: int) -> Callable[[Any], None]:
    """Other requests whose failures are being counted."""

    def prepare(call: Any) -> None:
        for n in range(count):
            call(FAILED, f"{n:036x}")

    return prepare


PATHS = [
    Path("success, nothing tracked", [FINE], 1.5, 2.0),
    Path("success while 10 others are tracked", [FINE], 1.2, 1.6, prepare=tracked(10)),
    Path("failure that is retried", [FAILED, FAILED, FINE], 1.25, 1.6),
    Path("exhaustion", [FAILED], 2.0, 3.0, options={"max_retries": 0}),
    Path("resource_post_fetch", [FINE], 1.5, 1.9, hook="resource_post_fetch"),
    *(
        Path(f"text: {name}", [text(TEXTS[name])], must, aim, {"check_text_content": True},
             calls=300 if "100 KB" in name else 3000)
        for name, must, aim in (
            ("80 B JSON", 1.3, 1.8), ("1 KB JSON without the keys", 3, 5),
            ("1 KB JSON with the keys", 1.5, 3), ("100 KB JSON without the keys", 20, 60),
            ("100 KB JSON with the keys at the end", 1.8, 5), ("1 KB prose", 1.4, 1.8),
        )
    ),
]  # fmt: skip
"""Compared between the wheels; ratios are "best upstream time / ours"."""

OVERRIDES = (0, 1_000, 10_000)
TRACKED = (0, 1_000, 100_000, 1_000_000)


def overrides(count: int) -> dict[str, Any]:
    """Options with so many per-tool overrides, none for the tool that is called."""
    return {"tool_overrides": {f"tool-number-{n}": {"max_retries": 1} for n in range(count)}}
