"""Logging that a storm of failing calls does not turn into a storm of lines."""

import logging
import time

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
TOOLS_LIMIT = 1000


class ExhaustionLog:
    """At most one line per tool and minute; the next one says how many were left out.

    Two threads may both write a line at the same moment; nothing worse. No lock is
    held while logging.
    """

    def __init__(self, plugin: str) -> None:
        """plugin is the entry's name, for the text."""
        self._plugin = plugin
        self._last: dict[str, tuple[float, int]] = {}

    def report(self, tool: str, failures: int) -> None:
        """Says that a call failed for good."""
        now = time.monotonic()
        last, left_out = self._last.get(tool, (float("-inf"), 0))
        if now - last < INTERVAL_S:
            self._last[tool] = (last, left_out + 1)
            return
        if len(self._last) >= TOOLS_LIMIT:
            self._last.clear()
        self._last[tool] = (now, 0)
        logger.warning(
            "plugin %r: tool %r: retries exhausted after %d failed attempts%s",
            self._plugin,
            tool,
            failures,
            f" ({left_out} more such calls since the last line)" if left_out else "",
        )
