"""Prometheus metrics, read from the engine when somebody scrapes: calls pay nothing."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import RetryConfigError
from .native import Engine
from .stats import RetryStats

_lock = threading.Lock()
_collector: "RetryCollector | None" = None


def register(name: str, config: Mapping[str, Any]) -> None:
    """Has a plugin name's numbers collected; config is that of its engine.

    The collector goes into prometheus_client's default registry, once in a process,
    however often plugins are rebuilt. A forked child starts at zero, like its engine.
    Raises RetryConfigError if prometheus_client is not installed. Safe for concurrent use.
    """
    global _collector
    try:
        from prometheus_client import REGISTRY
    except ImportError as error:
        raise RetryConfigError(
            f"plugin {name!r}: metrics = 'prometheus': needs prometheus_client: "
            f"pip install 'cpex-retry-with-backoff[prometheus]' ({error})"
        ) from error
    # An engine of its own: the plugin's is closed when the gateway rebuilds it.
    engine = Engine(config)
    with _lock:
        if _collector is None:
            _collector = RetryCollector()
            REGISTRY.register(_collector)
    _collector.watch(name, engine)


class RetryCollector:
    """What prometheus_client calls at each scrape."""

    def __init__(self) -> None:
        """Watches nothing yet."""
        self._engines: dict[str, Engine] = {}

    def watch(self, name: str, engine: Engine) -> None:
        """Collects a plugin name through this engine from now on."""
        self._engines[name] = engine  # the one before is freed with its last use

    def describe(self) -> Iterable[Any]:
        """Nothing beforehand: what there is depends on the plugins that are loaded."""
        return []

    def collect(self) -> Iterable[Any]:
        """The metric families of all plugin names, from one picture of each."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        decisions = CounterMetricFamily(
            "cpex_retry_decisions", "Results decided on, by reason.", labels=["plugin", "reason"]
        )
        delays = HistogramMetricFamily(
            "cpex_retry_delay_seconds", "Delays before retries.", labels=["plugin"]
        )
        tracked = GaugeMetricFamily(
            "cpex_retry_tracked_requests",
            "Requests whose failures are being counted.",
            labels=["plugin"],
        )
        evictions = CounterMetricFamily(
            "cpex_retry_evictions",
            "Requests forgotten because of max_tracked_requests.",
            labels=["plugin"],
        )
        tokens = GaugeMetricFamily(
            "cpex_retry_budget_tokens",
            "Tokens in the lowest retry budget that is in use.",
            labels=["plugin"],
        )
        faults = CounterMetricFamily(
            "cpex_retry_native_faults", "Calls that could not be decided.", labels=["plugin"]
        )
        for name, engine in list(self._engines.items()):
            seen = RetryStats.of(engine.stats())
            for reason, count in seen.decisions.items():
                decisions.add_metric([name, reason], count)
            delays.add_metric([name], *_histogram(seen))
            tracked.add_metric([name], seen.tracked)
            evictions.add_metric([name], seen.evicted)
            faults.add_metric([name], seen.native_faults)
            if seen.budget:
                tokens.add_metric([name], seen.budget[0].tokens)
        return [decisions, delays, tracked, evictions, tokens, faults]


def _histogram(seen: RetryStats) -> tuple[list[tuple[str, int]], float]:
    """Cumulative buckets and the sum, in seconds."""
    total, buckets = 0, []
    bounds = [*(str(ms / 1000) for ms in seen.delays_ms.bounds), "+Inf"]
    for bound, count in zip(bounds, seen.delays_ms.counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets, seen.delays_ms.sum / 1000
