"""Logging that a storm of failing calls does not turn into a storm of lines."""

import logging
import time

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
TOOLS_LIMIT = 1000
NAME_LIMIT = 256
"""The longest name of a tool that is kept anywhere: names come from outside."""


class ExhaustionLog:
    """At most one line per tool and minute; the next one says how many were left out.

    Two threads may both write a line at the same moment; nothing worse. No lock is
    held while logging.
    """

    def __init__(self, plugin: str) -> None:
        """plugin is the entry's name, for the text."""
        self._plugin = plugin
        self._next: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def report(self, tool: str, failures: int) -> None:
        """Says that a call failed for good."""
        if len(tool) > NAME_LIMIT:
            tool = tool[:NAME_LIMIT]
        now = time.monotonic()
        if now < self._next.get(tool, 0.0):
            self._left_out[tool] = self._left_out.get(tool, 0) + 1
            return
        if len(self._next) >= TOOLS_LIMIT:
            self._next.clear()
            self._left_out.clear()
        self._next[tool] = now + INTERVAL_S
        left_out = self._left_out.pop(tool, 0)
        logger.warning(
            "plugin %r: tool %r: retries exhausted after %d failed attempts%s",
            self._plugin,
            tool,
            failures,
            f" ({left_out} more such calls since the last line)" if left_out else "",
        )
