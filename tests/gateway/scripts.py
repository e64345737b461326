"""Scripts: what a flaky tool answers to the first, second, ... attempt of one call.

A script is words with commas between them, as in "503,503,200"; the last word repeats
for ever. Both servers keep, for each call id, when its attempts arrived.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict


class Journal:
    """Counts attempts by call id. Safe for concurrent use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[float]] = defaultdict(list)

    def attempt(self, call: str, script: str) -> str:
        """Notes an attempt; returns the word of the script that answers it."""
        words = script.split(",")
        with self._lock:
            seen = self._seen[call]
            seen.append(time.time())
            return words[min(len(seen), len(words)) - 1]

    def times(self, call: str) -> list[float]:
        """When the attempts of a call arrived, in seconds."""
        with self._lock:
            return list(self._seen[call])
