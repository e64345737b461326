"""metrics: prometheus, seen by a scrape."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest
from support import FAILED, FINE, call

from cpex_retry_with_backoff.errors import RetryConfigError

prometheus_client = pytest.importorskip(
    "prometheus_client", reason="prometheus_client is not installed"
)


def scraped(plugin: str) -> dict[str, float]:
    """Sample name, with the labels that matter -> value, for one plugin name."""
    found: dict[str, float] = {}
    for family in prometheus_client.REGISTRY.collect():
        for sample in family.samples:
            if sample.labels.get("plugin") == plugin:
                more = sample.labels.get("reason") or sample.labels.get("le") or ""
                assert (sample.name, more) not in found
                found[f"{sample.name} {more}".strip()] = sample.value
    return found


def test_a_scrape_shows_what_was_decided(make: Any, name: str) -> None:
    target = make(metrics="prometheus", budget=True, max_retries=1)
    for result in (FINE, FAILED, FAILED, FAILED):
        call(target, result)
    seen = scraped(name)
    assert seen["cpex_retry_decisions_total success"] == 1
    assert seen["cpex_retry_decisions_total retry"] == 2
    assert seen["cpex_retry_decisions_total exhausted"] == 1
    assert seen["cpex_retry_delay_seconds_bucket 0.1"] == 0
    assert seen["cpex_retry_delay_seconds_bucket 0.25"] == 2
    assert seen["cpex_retry_delay_seconds_bucket +Inf"] == 2
    assert seen["cpex_retry_delay_seconds_count"] == 2
    assert seen["cpex_retry_delay_seconds_sum"] == pytest.approx(0.4)
    assert seen["cpex_retry_tracked_requests"] == 1
    assert seen["cpex_retry_evictions_total"] == 0
    assert seen["cpex_retry_budget_tokens"] == 90
    assert seen["cpex_retry_native_faults_total"] == 0
    text = prometheus_client.generate_latest().decode()
    assert f'cpex_retry_decisions_total{{plugin="{name}",reason="retry"}} 2.0' in text


def test_plugins_that_are_rebuilt_are_registered_once_and_count_on(make: Any, name: str) -> None:
    for _ in range(5):
        target = make(metrics="Prometheus")
        call(target, FINE)
        asyncio.run(target.shutdown())
    assert scraped(name)["cpex_retry_decisions_total success"] == 5, "also while none is alive"


def test_without_the_option_nothing_is_collected(make: Any, name: str) -> None:
    call(make(), FINE)
    assert scraped(name) == {}


def test_without_prometheus_client_the_error_says_what_to_install(
    make: Any, name: str, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(
        RetryConfigError, match=r"pip install 'cpex-retry-with-backoff\[prometheus\]'"
    ):
        make(metrics="prometheus")


@pytest.mark.parametrize("value", ["statsd", True, 3])
def test_another_kind_of_metrics_is_refused(make: Any, value: Any) -> None:
    with pytest.raises(RetryConfigError, match=r"metrics = .*: must be 'prometheus' or null"):
        make(metrics=value)
    with pytest.raises(RetryConfigError, match="holds for the whole plugin"):
        make(tool_overrides={"t": {"metrics": "prometheus"}})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_counts_for_itself(make: Any, name: str) -> None:
    target = make(metrics="prometheus")
    call(target, FINE)
    child = os.fork()
    if child == 0:
        try:
            before = scraped(name)["cpex_retry_decisions_total success"]
            call(target, FAILED)
            seen = scraped(name)
            good = before == 0 and seen["cpex_retry_decisions_total retry"] == 1
            os._exit(0 if good else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert scraped(name)["cpex_retry_decisions_total retry"] == 0, "the parent's are its own"
