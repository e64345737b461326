"""Logging that a storm of failing calls does not turn into a storm of lines."""

import logging
import time

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
TOOLS_LIMIT = 1000
NAME_LIMIT = 256
"""The longest name of a tool that is kept anywhere: names come from outside."""


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
        )


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
                self._tools.clear()
            log = self._tools[tool] = ToolLog(self._plugin, tool)
        return log
