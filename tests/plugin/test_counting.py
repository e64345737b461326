"""Counting across calls, plugin objects and time."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import FAILED, FINE, call, delay, plugin, stats


def test_counting_goes_on_when_the_plugin_is_rebuilt_in_the_middle_of_a_call(make: Any) -> None:
    first = make()
    assert delay(first, FAILED) == 200
    second = make()
    first._core.close()
    assert [delay(second, FAILED) for _ in range(2)] == [400, 0]


def test_counting_goes_on_when_the_old_object_is_dropped_without_shutdown(make: Any) -> None:
    assert delay(make(), FAILED) == 200
    assert delay(make(), FAILED) == 400


def test_plugins_of_different_names_share_nothing(make: Any, name: str) -> None:
    one, other = make(), make(name=f"{name}-other")
    assert [delay(one, FAILED), delay(other, FAILED)] == [200, 200]


def test_tool_and_request_are_taken_apart(make: Any) -> None:
    target = make()
    assert delay(target, FAILED, "a:b", "c") == 200
    assert delay(target, FAILED, "a", "b:c") == 200


@given(st.text(), st.text(), st.text(), st.text())
def test_only_equal_names_share_a_count(t1: str, r1: str, t2: str, r2: str) -> None:
    target = plugin("any-names")
    call(target, FINE, t1, r1)
    call(target, FINE, t2, r2)
    assert delay(target, FAILED, t1, r1) == 200
    assert delay(target, FAILED, t2, r2) == (400 if (t1, r1) == (t2, r2) else 200)
    target._core.close()


def test_state_that_is_not_touched_for_its_time_to_live_is_gone(make: Any) -> None:
    target = make(state_ttl_ms=30)
    assert delay(target, FAILED) == 200
    time.sleep(0.06)
    assert delay(target, FAILED) == 200
    assert stats(target)["expired"] == 1


def test_the_oldest_request_is_dropped_at_the_bound_and_counted(make: Any) -> None:
    target = make(max_tracked_requests=2)
    for request in ("1", "2", "3"):
        assert delay(target, FAILED, request=request) == 200
    assert [delay(target, FAILED, request=r) for r in ("2", "3")] == [400, 400]
    assert delay(target, FAILED, request="1") == 200, "forgotten"
    assert stats(target)["evicted"] == 2
    assert stats(target)["tracked"] == 2


@pytest.mark.parametrize(("base", "limit"), [(1, 1), (1, 5), (200, 5000), (2**31 - 1, 2**31 - 1)])
def test_a_retry_with_jitter_waits_from_one_to_the_delay(make: Any, base: int, limit: int) -> None:
    target = make(jitter=True, backoff_base_ms=base, max_backoff_ms=limit, max_retries=1)
    for i in range(2000):
        assert 1 <= delay(target, FAILED, request=f"r{i}") <= min(base, limit)


def test_jitter_reaches_both_ends(make: Any) -> None:
    target = make(jitter=True, backoff_base_ms=4, max_retries=1)
    seen = {delay(target, FAILED, request=f"r{i}") for i in range(1000)}
    assert seen == {1, 2, 3, 4}


def test_threads_lose_no_count(make: Any) -> None:
    target = make(max_retries=1000, max_backoff_ms=200)

    def work(thread: int) -> None:
        for i in range(100):
            delay(target, FAILED, request="same")
            delay(target, FAILED, request=f"{thread}-{i}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert stats(target)["decisions"]["retry"] == 1600
    assert stats(target)["tracked"] == 801


def test_statistics_add_up_to_the_calls(make: Any) -> None:
    target = make(max_retries=1)
    for result in (FINE, FAILED, FAILED, FINE):
        call(target, result)
    call(target, {"isError": True, "structuredContent": {"status_code": 404}})
    asyncio.run(target.tool_post_invoke(None, None))
    decisions = stats(target)["decisions"]
    assert {reason: n for reason, n in decisions.items() if n} == {
        "success": 2, "retry": 1, "exhausted": 1, "not_retryable_status": 1, "fault": 1,
    }  # fmt: skip


def test_after_shutdown_calls_are_answered_without_a_retry(make: Any) -> None:
    target = make()
    asyncio.run(target.shutdown())
    asyncio.run(target.shutdown())
    answer = call(target, FAILED)
    assert answer.retry_delay_ms == 0
    assert answer.metadata["retry_policy"]["max_retries"] == 2
