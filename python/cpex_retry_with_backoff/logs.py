"""What is logged of decisions: all of them at DEBUG, exhaustion at WARNING.

Records carry the facts as attributes (retry_plugin, retry_tool, ...), for handlers that
write JSON. Nothing of a payload is ever logged.
"""

import logging
import time

from .native import REASONS

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
TOOLS_LIMIT = 1000
NAME_LIMIT = 256
"""The longest name of a tool that is kept anywhere: names come from outside."""


def log_decision(plugin: str, tool: str, request_id: str, answer: int) -> None:
    """A line at DEBUG; answer is what Engine.decide answered, not negative."""
    reason, delay_ms, failures = REASONS[answer & 0xFF], answer >> 28, answer >> 8 & 0xFFFFF
    logger.debug(
        "plugin %r: tool %r, request %r: %s, retry in %d ms, %d failed attempts",
        plugin,
        tool[:NAME_LIMIT],
        request_id[:NAME_LIMIT],
        reason,
        delay_ms,
        failures,
        extra={
            "retry_plugin": plugin,
            "retry_tool": tool[:NAME_LIMIT],
            "retry_request_id": request_id[:NAME_LIMIT],
            "retry_reason": reason,
            "retry_delay_ms": delay_ms,
            "retry_failures": failures,
        },
    )


class ToolLog:
    """At most one line per tool and minute; the next one says how many were left out.

    Two threads may both write a line at the same moment; nothing worse. No lock is
    held while logging.
    """

    __slots__ = ("left_out", "plugin", "quiet_until", "tool")

    def __init__(self, plugin: str, tool: str) -> None:
        """plugin is the entry's name, for the text."""
        self.plugin = plugin
        self.tool = tool
        self.quiet_until = 0.0
        """On the clock of time.monotonic; until then the caller only counts in left_out."""
        self.left_out = 0

    def exhausted(self, failures: int) -> None:
        """Says that a call failed for good."""
        self.quiet_until = time.monotonic() + INTERVAL_S
        left_out, self.left_out = self.left_out, 0
        logger.warning(
            "plugin %r: tool %r: retries exhausted after %d failed attempts%s",
            self.plugin,
            self.tool,
            failures,
            f" ({left_out} more such calls since the last line)" if left_out else "",
            extra=self._extra(left_out) | {"retry_failures": failures},
        )

    def close(self) -> None:
        """Says what was left out, so that a storm leaves at least its size behind."""
        left_out, self.left_out = self.left_out, 0
        if left_out:
            logger.warning(
                "plugin %r: tool %r: retries exhausted for %d more calls since the last line",
                self.plugin,
                self.tool,
                left_out,
                extra=self._extra(left_out),
            )

    def _extra(self, left_out: int) -> dict[str, object]:
        return {
            "retry_plugin": self.plugin,
            "retry_tool": self.tool,
            "retry_reason": "exhausted",
            "retry_left_out": left_out,
        }


class ToolLogs:
    """The logs of a plugin's tools."""

    def __init__(self, plugin: str) -> None:
        """plugin is the entry's name."""
        self._plugin = plugin
        self._tools: dict[str, ToolLog] = {}

    def of(self, tool: str) -> ToolLog:
        """The log of a tool; long names with the same beginning share one."""
        tool = tool[:NAME_LIMIT]
        log = self._tools.get(tool)
        if log is None:
            if len(self._tools) >= TOOLS_LIMIT:
                self.close()
            log = self._tools[tool] = ToolLog(self._plugin, tool)
        return log

    def close(self) -> None:
        """Says what was left out, and forgets the tools."""
        tools, self._tools = self._tools, {}
        for log in tools.values():
            log.close()
