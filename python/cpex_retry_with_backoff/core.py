"""One plugin entry without cpex's plugin class: payload in, result out, synchronous."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult

from .ceiling import find_ceiling
from .config import engine_config, load_config
from .facts import read_facts, read_texts
from .logs import NAME_LIMIT, ExhaustionLog
from .native import REASONS, Engine, NativeFault, encode
from .results import PolicyEcho, resource_result, tool_result, trace_metadata

logger = logging.getLogger(__name__)

TOOL_CACHE_LIMIT = 10_000
"""How many tools are remembered: their names come from outside."""

_EXHAUSTED = REASONS.index("exhausted")


class Tool:
    """What is remembered of a tool: its name for the library, and its policy."""

    __slots__ = ("check_text", "echo", "key", "max_text_bytes")

    def __init__(self, name: str, policy: dict[str, Any]) -> None:
        """policy is what Engine.policy answers."""
        self.key = encode(name)
        self.echo = PolicyEcho(policy)
        self.check_text: bool = policy["check_text_content"]
        self.max_text_bytes: int = policy["max_text_bytes"]


class RetryCore:
    """Safe for concurrent use; nothing is locked on this side of the library."""

    def __init__(
        self, raw: Any, *, name: str, private: bool, get_settings: Callable[[], Any]
    ) -> None:
        """raw is what stands under `config:`; private keeps the counts to this object.

        Raises RetryConfigError or NativeLibraryError.
        """
        self.name = name
        self.config = load_config(raw, name)
        ceiling, found_in = find_ceiling(get_settings)
        self.engine = Engine(
            engine_config(self.config, name=name, private=private, ceiling=ceiling)
        )
        for notice in self.engine.notices:
            _warn(name, notice, found_in)
        self._emit_policy = self.config.emit_policy_metadata
        self._base = Tool("", self.engine.policy(None))
        self._tools: dict[str, Tool] = {}
        self._exhaustion = ExhaustionLog(name)
        self._fault_logged = False

    def tool_post_invoke(
        self, payload: Any, context: Any, extensions: Any = None
    ) -> ToolPostInvokeResult:
        """Decides on one result of a tool. Never raises: a fault is an answer of 0."""
        tool = self._base
        failures = delay_ms = 0
        try:
            tool = self._tools.get(payload.name) or self._tool(payload.name)
            answer = self._decide(tool, payload.result, context)
            if answer:
                if answer < 0:
                    raise NativeFault(-answer)
                delay_ms, failures = answer & 0xFFFFFFFF, answer >> 32 & 0xFFFFF
                if answer >> 52 == _EXHAUSTED:
                    self._exhaustion.report(payload.name, failures)
        except Exception as error:
            self._fault(error)
        metadata = tool.echo.metadata() if self._emit_policy else {}
        if extensions is not None and _traced(extensions):
            metadata["retry_with_backoff"] = trace_metadata(failures, delay_ms)
        return tool_result(metadata, delay_ms)

    def resource_post_fetch(self, payload: Any, context: Any) -> ResourcePostFetchResult:
        """Reports the base policy; the gateway retries no resource."""
        return resource_result(self._base.echo.metadata() if self._emit_policy else {})

    def close(self) -> None:
        """Frees the engine. Later calls answer "no retry"."""
        self.engine.close()

    def _tool(self, name: Any) -> Tool:
        if not isinstance(name, str):
            raise TypeError(f"the tool's name is a {type(name).__name__}, not a str")
        tool = Tool(name, self.engine.policy(name))
        if len(name) <= NAME_LIMIT:
            if len(self._tools) >= TOOL_CACHE_LIMIT:
                self._tools.clear()
            self._tools[name] = tool
        return tool

    def _decide(self, tool: Tool, result: Any, context: Any) -> int:
        facts, status, has_structured_content = read_facts(result)
        texts: Sequence[bytes] = ()
        if tool.check_text and not has_structured_content:
            texts = read_texts(result, tool.max_text_bytes)
        if not facts and not texts and self.engine.count_success():
            return 0
        request_id = encode(context.global_context.request_id)
        return self.engine.decide(tool.key, request_id, facts, status, texts)

    def _fault(self, error: Exception) -> None:
        self.engine.count_fault()
        if not self._fault_logged:
            self._fault_logged = True
            logger.error(
                "plugin %r: a call could not be judged and is not retried (further faults of "
                "this plugin object are only counted): %s: %s",
                self.name,
                type(error).__name__,
                error,
            )


def _traced(extensions: Any) -> bool:
    try:
        trace_id = extensions.request.trace_id
    except Exception:
        return False
    return isinstance(trace_id, str) and trace_id != ""


def _warn(plugin: str, notice: dict[str, Any], found_in: str) -> None:
    where = f"tool_overrides[{notice['tool']!r}]" if notice["tool"] else "base configuration"
    value, limit = notice["value"], notice["limit"]
    if notice["kind"] == "clamped":
        logger.warning(
            "plugin %r, %s: max_retries=%d exceeds gateway ceiling=%d (from %s); clamped to %d",
            plugin,
            where,
            value,
            limit,
            found_in,
            limit,
        )
    else:
        logger.warning(
            "plugin %r, %s: backoff_base_ms=%d is above max_backoff_ms=%d; every delay is %d ms",
            plugin,
            where,
            value,
            limit,
            limit,
        )
