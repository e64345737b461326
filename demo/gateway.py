"""The part of the gateway that matters here: call a tool, ask the plugins, wait, again.

It follows what ContextForge's tool service does: the result of a REST tool is made
the same way, the hooks run after every attempt, the request id stays the same, and
MAX_TOOL_RETRIES bounds the retries.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from cpex.framework import GlobalContext, PluginManager, ToolHookType, ToolPostInvokePayload


@dataclass(frozen=True)
class Attempt:
    """One call of the tool and what the plugin said to its result."""

    number: int
    started_ms: float
    took_ms: float
    outcome: str
    result: dict[str, Any]
    delay_ms: int
    policy: dict[str, Any]


def call_rest_tool(url: str) -> tuple[str, dict[str, Any]]:
    """A short description and the result as the gateway makes it."""
    request = urllib.request.Request(url, method="POST", data=b"{}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            body = json.loads(response.read())
            return f"HTTP {response.status}", tool_result(False, json.dumps(body, indent=2))
    except urllib.error.HTTPError as error:
        with error:
            body = json.loads(error.read())
        words = body.get("error", f"HTTP {error.code}")
        return f"HTTP {error.code}", tool_result(True, words, {"status_code": error.code})
    except (OSError, HTTPException) as error:
        return "connection lost", tool_result(True, f"Tool invocation failed: {error}")


def tool_result(
    is_error: bool, text: str, structured: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The four keys that every result has in the gateway."""
    return {
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
        "structuredContent": structured,
        "_meta": None,
    }


async def invoke(
    manager: PluginManager,
    url: str,
    tool: str,
    max_tool_retries: int,
    show: Callable[[Attempt], None],
) -> list[Attempt]:
    """Calls a tool until the plugins ask for no retry."""
    context = GlobalContext(request_id=uuid.uuid4().hex)
    begun = time.perf_counter()
    attempts: list[Attempt] = []
    while True:
        started = time.perf_counter()
        outcome, result = await asyncio.to_thread(call_rest_tool, f"{url}/{tool}")
        took_ms = (time.perf_counter() - started) * 1000
        payload = ToolPostInvokePayload(name=tool, result=result)
        answer, _ = await manager.invoke_hook(ToolHookType.TOOL_POST_INVOKE, payload, context)
        attempt = Attempt(
            len(attempts) + 1, (started - begun) * 1000, took_ms, outcome, result,
            answer.retry_delay_ms, answer.metadata["retry_policy"],
        )  # fmt: skip
        attempts.append(attempt)
        show(attempt)
        if answer.retry_delay_ms <= 0 or len(attempts) > max_tool_retries:
            return attempts
        await asyncio.sleep(answer.retry_delay_ms / 1000)
