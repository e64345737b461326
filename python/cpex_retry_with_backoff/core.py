"""One plugin entry without cpex's plugin class: payload in, result out, synchronous."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult

from . import facts as facts  # tells the native reader how to read
from .ceiling import find_ceiling
from .config import engine_config, load_config
from .logs import NAME_LIMIT, ToolLog, ToolLogs
from .native import OTHER_LIFE, REASONS, Engine, NativeFault
from .results import policy_metadata, resource_result, tool_result, trace_metadata

logger = logging.getLogger(__name__)

TOOL_CACHE_LIMIT = 10_000
"""How many tools are remembered: their names come from outside."""

_EXHAUSTED = REASONS.index("exhausted")


class Tool:
    """What is remembered of a tool."""

    __slots__ = ("log", "metadata", "text_limit")

    def __init__(self, policy: dict[str, Any], emit: bool, log: ToolLog) -> None:
        """policy is what Engine.policy answers; emit says whether results tell of it."""
        self.log = log
        self.metadata = policy_metadata(policy) if emit else {}
        self.text_limit: int = policy["max_text_bytes"] if policy["check_text_content"] else -1


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
        self._logs = ToolLogs(name)
        self._base = Tool(self.engine.policy(None), self._emit_policy, self._logs.of(""))
        self._tools: dict[str, Tool] = {}
        self._fault_logged = False

    def tool_post_invoke(
        self, payload: Any, context: Any, extensions: Any = None
    ) -> ToolPostInvokeResult:
        """Decides on one result of a tool. Never raises: a fault is an answer of 0."""
        tool = self._base
        failures = delay_ms = 0
        try:
            name = payload.name
            try:
                tool = self._tools[name]
            except KeyError:
                tool = self._tool(name)
            request_id = context.global_context.request_id
            answer = self.engine.decide(payload.result, name, request_id, tool.text_limit)
            if answer:
                if answer == OTHER_LIFE:  # the process forked; once, as only we are here
                    self.engine.renew()
                    answer = self.engine.decide(payload.result, name, request_id, tool.text_limit)
                if answer < 0:
                    raise NativeFault(-answer)
                delay_ms, failures = answer >> 28, answer >> 8 & 0xFFFFF
                if not delay_ms and answer & 0xFF == _EXHAUSTED:
                    if monotonic() < tool.log.quiet_until:
                        tool.log.left_out += 1
                    else:
                        tool.log.exhausted(failures)
        except Exception as error:
            self._fault(error)
        metadata = tool.metadata
        if extensions is not None and _traced(extensions):
            metadata = metadata | trace_metadata(failures, delay_ms)
        return tool_result(metadata, delay_ms)

    def resource_post_fetch(self, payload: Any, context: Any) -> ResourcePostFetchResult:
        """Reports the base policy; the gateway retries no resource."""
        return resource_result(self._base.metadata, 0)

    def close(self) -> None:
        """Frees the engine. Later calls answer "no retry"."""
        self.engine.close()

    def _tool(self, name: Any) -> Tool:
        if not isinstance(name, str):
            raise TypeError(f"the tool's name is a {type(name).__name__}, not a str")
        tool = Tool(self.engine.policy(name), self._emit_policy, self._logs.of(name))
        if len(name) <= NAME_LIMIT:
            if len(self._tools) >= TOOL_CACHE_LIMIT:
                self._tools.clear()
            self._tools[name] = tool
        return tool

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
