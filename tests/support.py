"""Shared by the tests: plugins, calls, results."""

from __future__ import annotations

import asyncio
import types
from typing import Any

from cpex.framework import (
    GlobalContext,
    PluginConfig,
    PluginContext,
    ToolPostInvokePayload,
    ToolPostInvokeResult,
)

KIND = "cpex_retry_with_backoff.retry_with_backoff.RetryWithBackoffPlugin"

FAILED = {"isError": True, "content": [], "structuredContent": None}
FINE = {"isError": False, "content": [], "structuredContent": None}


def plugin(name: str = "retry", mode: str = "sequential", **options: Any) -> Any:
    """A plugin object with options from its YAML; jitter is off unless asked for."""
    from cpex_retry_with_backoff import RetryWithBackoffPlugin

    options.setdefault("jitter", False)
    return RetryWithBackoffPlugin(PluginConfig(name=name, kind=KIND, mode=mode, config=options))


def status(code: Any, is_error: bool = True) -> dict[str, Any]:
    """A result as the gateway makes it of a REST answer."""
    return {"isError": is_error, "content": [], "structuredContent": {"status_code": code}}


def text(payload: Any) -> dict[str, Any]:
    """A result with one text and nothing else."""
    item = {"type": "text", "text": payload}
    return {"isError": False, "content": [item], "structuredContent": None}


def context(request: str = "r") -> PluginContext:
    """The context of one call."""
    return PluginContext(global_context=GlobalContext(request_id=request))


def traced(trace_id: Any = "trace") -> Any:
    """Extensions as the gateway gives them with observability on."""
    return types.SimpleNamespace(request=types.SimpleNamespace(trace_id=trace_id))


def call(
    target: Any, result: Any, tool: str = "t", request: str = "r", extensions: Any = None
) -> ToolPostInvokeResult:
    """Runs the hook as cpex does: payload, context, awaited."""
    payload = ToolPostInvokePayload(name=tool, result=result)
    return asyncio.run(target.tool_post_invoke(payload, context(request), extensions))


def decide(target: Any, result: Any, tool: str = "t", request: str = "r") -> ToolPostInvokeResult:
    """The same without an event loop: for code that runs inside one."""
    payload = ToolPostInvokePayload.model_construct(name=tool, result=result)
    return target._core.tool_post_invoke(payload, context(request))


def delay(target: Any, result: Any, tool: str = "t", request: str = "r") -> int:
    """The retry delay that the hook answers, in milliseconds."""
    return call(target, result, tool, request).retry_delay_ms


def stats(target: Any) -> dict[str, Any]:
    """The engine's statistics under the plugin's name."""
    return target._core.engine.stats()
