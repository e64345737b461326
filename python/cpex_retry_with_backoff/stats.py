"""Statistics as plugin.stats() answers them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Histogram:
    """Delays by size: counts[i] were at most bounds[i] ms and above the bound before.

    counts has one element more than bounds, for what is above all of them.
    """

    bounds: tuple[int, ...]
    counts: tuple[int, ...]
    sum: int
    """Milliseconds in all."""


@dataclass(frozen=True)
class BudgetLevel:
    """One retry budget: tokens left of how many. tool is "" with the scope "plugin"."""

    tool: str
    scope: str
    tokens: int
    of: int


@dataclass(frozen=True)
class RetryStats:
    """What was decided under one plugin name in this process. Immutable."""

    decisions: Mapping[str, int]
    """reason -> count; they add up to the calls of tool_post_invoke."""
    delays_ms: Histogram
    tracked: int
    """Requests whose failures are being counted."""
    evicted: int
    """Requests that were dropped because of max_tracked_requests."""
    expired: int
    """Requests that were dropped because of state_ttl_ms."""
    budget: tuple[BudgetLevel, ...]
    """The lowest first, at most 100; a budget that was never used is full and not shown."""
    native_faults: int
    """Calls that could not be decided; the same as decisions["fault"]."""

    @classmethod
    def of(cls, stats: Mapping[str, Any]) -> "RetryStats":
        """From what Engine.stats answers."""
        delays = stats["delays_ms"]
        return cls(
            decisions=MappingProxyType(dict(stats["decisions"])),
            delays_ms=Histogram(
                tuple(delays["bounds"]), tuple(delays["counts"]), int(delays["sum"])
            ),
            tracked=stats["tracked"],
            evicted=stats["evicted"],
            expired=stats["expired"],
            budget=tuple(BudgetLevel(**level) for level in stats["budget"]),
            native_faults=stats["decisions"]["fault"],
        )

    def as_dict(self) -> dict[str, Any]:
        """A fresh dict of plain dicts, lists and numbers, which json.dumps takes."""
        return {
            "decisions": dict(self.decisions),
            "delays_ms": {
                "bounds": list(self.delays_ms.bounds),
                "counts": list(self.delays_ms.counts),
                "sum": self.delays_ms.sum,
            },
            "tracked": self.tracked,
            "evicted": self.evicted,
            "expired": self.expired,
            "budget": [dict(vars(level)) for level in self.budget],
            "native_faults": self.native_faults,
        }
