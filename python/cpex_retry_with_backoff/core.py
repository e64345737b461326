"""One plugin entry without cpex's plugin class: payload in, result out, synchronous."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult

from .annotations import read_annotations
from .ceiling import find_ceiling
from .config import engine_config, load_config
from .errors import RetryConfigError
from .logs import NAME_LIMIT, ToolLog, ToolLogs, log_decision
from .logs import logger as decision_logger
from .native import OTHER_LIFE, REASONS, Engine, NativeFault, reading
from .notices import worded
from .results import policy_metadata, resource_result, tool_result, trace_metadata

logger = logging.getLogger(__name__)

TOOL_CACHE_LIMIT = 10_000
"""How many tools are remembered: their names come from outside."""

_logs_all = decision_logger.isEnabledFor
_warned_of_annotations: set[str] = set()
_EXHAUSTED = REASONS.index("exhausted")


class Tool:
    """What is remembered of a tool."""

    __slots__ = ("asks_annotations", "begins", "log", "metadata", "reading")

    def __init__(self, policy: dict[str, Any], emit: bool, log: ToolLog) -> None:
        """policy is what Engine.policy answers; emit says whether results tell of it."""
        self.log = log
        self.metadata = policy_metadata(policy) if emit else {}
        self.reading = reading(policy)
        self.asks_annotations: bool = policy["reads"]["Annotations"]
        self.begins: bool = policy["reads"]["Begin"]


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
        normalized = engine_config(self.config, name=name, private=private, ceiling=ceiling)
        try:
            self.engine = Engine(normalized)
        except RetryConfigError as error:  # patterns are compiled where they are used
            raise RetryConfigError(f"plugin {name!r}: {error}") from None
        for notice in self.engine.notices:
            logger.warning("plugin %r, %s", name, worded(notice, found_in))
        if self.config.metrics and not private:
            from .metrics import register

            register(name, normalized)
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
        answer = 0
        try:
            name = payload.name
            try:
                tool = self._tools[name]
            except KeyError:
                tool = self._tool(name)
            reading = tool.reading
            if tool.asks_annotations:
                reading |= self._annotations(context)
            request_id = context.global_context.request_id
            answer = self.engine.decide(payload.result, name, request_id, reading)
            if answer:
                if answer == OTHER_LIFE:  # the process forked; once, as only we are here
                    self.engine.renew()
                    answer = self.engine.decide(payload.result, name, request_id, reading)
                if answer < 0:
                    raise NativeFault(-answer)
                if answer & 0xFF == _EXHAUSTED:
                    if monotonic() < tool.log.quiet_until:
                        tool.log.left_out += 1
                    else:
                        tool.log.exhausted(answer >> 8 & 0xFFFFF)
            if _logs_all(logging.DEBUG):
                log_decision(self.name, name, request_id, answer)
        except Exception as error:
            answer = 0
            self._fault(error)
        metadata = tool.metadata
        if extensions is not None and _traced(extensions):
            metadata = metadata | trace_metadata(answer)
        return tool_result(metadata, answer >> 28)

    def tool_pre_invoke(self, payload: Any, context: Any) -> None:
        """Notes when a call began, for tools with max_elapsed_ms. Never raises."""
        try:
            name = payload.name
            tool = self._tools.get(name) or self._tool(name)
            if tool.begins:
                self.engine.begin(name, context.global_context.request_id)
        except Exception as error:
            self._fault(error, count=False)

    def resource_post_fetch(self, payload: Any, context: Any) -> ResourcePostFetchResult:
        """Reports the base policy; the gateway retries no resource."""
        return resource_result(self._base.metadata, 0)

    def close(self) -> None:
        """Frees the engine. Later calls answer "no retry"."""
        self._logs.close()
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

    def _annotations(self, context: Any) -> int:
        annotations = read_annotations(context)
        if annotations is None:
            if self.name not in _warned_of_annotations:
                _warned_of_annotations.add(self.name)
                logger.warning(
                    "plugin %r: retry_safety is set, but the gateway does not pass on what tools "
                    "declare; add tool_pre_invoke to this plugin's `hooks:`",
                    self.name,
                )
            return 0
        _warned_of_annotations.add(self.name)  # seen once: there is nothing to warn of
        return annotations

    def _fault(self, error: Exception, count: bool = True) -> None:
        if count:
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
