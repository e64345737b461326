"""What is logged of decisions, and what is not."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from support import FAILED, FINE, call, text


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "cpex_retry_with_backoff")
    return caplog


def test_every_decision_is_a_line_at_debug_with_its_facts(make: Any, name: str, log: Any) -> None:
    target = make(max_retries=1)
    for result in (FAILED, FAILED, FINE):
        call(target, result, tool="pay", request="r-7")
    lines = [r for r in log.records if r.levelno == logging.DEBUG and hasattr(r, "retry_reason")]
    assert [(r.retry_reason, r.retry_delay_ms, r.retry_failures) for r in lines] == [
        ("retry", 200, 1), ("exhausted", 0, 2), ("success", 0, 0),
    ]  # fmt: skip
    assert {(r.retry_plugin, r.retry_tool, r.retry_request_id) for r in lines} == {
        (name, "pay", "r-7")
    }
    assert lines[0].getMessage() == (
        f"plugin {name!r}: tool 'pay', request 'r-7': retry, retry in 200 ms, 1 failed attempts"
    )


def test_exhaustion_is_a_warning_with_tool_and_attempts(make: Any, name: str, log: Any) -> None:
    call(make(max_retries=0), FAILED, tool="pay")
    (warning,) = [r for r in log.records if r.levelno == logging.WARNING]
    assert (warning.retry_plugin, warning.retry_tool) == (name, "pay")
    assert (warning.retry_failures, warning.retry_left_out) == (1, 0)


def test_a_storm_leaves_its_size_behind(make: Any, log: Any) -> None:
    target = make(max_retries=0)
    for i in range(50):
        call(target, FAILED, request=f"r{i}")
    asyncio.run(target.shutdown())
    warnings = [r for r in log.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2, "one line, and the summary"
    assert "retries exhausted for 49 more calls since the last line" in warnings[1].getMessage()
    assert warnings[1].retry_left_out == 49


def test_nothing_of_a_payload_is_logged(make: Any, log: Any) -> None:
    secret = "correct horse battery staple"
    target = make(max_retries=0, check_text_content=True, retry_on_text=["horse"])
    call(target, text(secret))
    call(
        target,
        FAILED | {"structuredContent": {"isError": True, "note": secret, "retry_after": secret}},
    )
    call(target, {"isError": True, "content": secret, "_meta": {secret: secret}})
    assert log.records
    assert not any(secret in str(vars(r)) for r in log.records)


def test_names_from_outside_do_not_break_lines_or_fill_logs(make: Any, log: Any) -> None:
    call(
        make(max_retries=0),
        FAILED,
        tool="a\nERROR forged" + "x" * 10_000,
        request="r\n" + "y" * 10_000,
    )
    for record in log.records:
        assert "\n" not in record.getMessage()
        assert len(record.getMessage()) < 1000
