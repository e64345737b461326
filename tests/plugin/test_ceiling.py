"""The gateway's ceiling: where it is found, and that it holds."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from support import FAILED, call, delay

from cpex_retry_with_backoff import retry_with_backoff
from cpex_retry_with_backoff.ceiling import find_ceiling


def no_settings() -> Any:
    return types.SimpleNamespace()


@pytest.fixture(autouse=True)
def no_ceiling_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAX_TOOL_RETRIES", raising=False)


def gateway(monkeypatch: pytest.MonkeyPatch, limit: Any) -> None:
    module = types.ModuleType("mcpgateway.config")
    module.settings = types.SimpleNamespace(max_tool_retries=limit)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mcpgateway.config", module)


def test_cpex_settings_come_first_then_the_gateway_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find_ceiling(no_settings) == (None, "")
    monkeypatch.setenv("MAX_TOOL_RETRIES", "4")
    assert find_ceiling(no_settings) == (4, "environment MAX_TOOL_RETRIES")
    gateway(monkeypatch, 3)
    assert find_ceiling(no_settings) == (3, "mcpgateway.config")
    settings = types.SimpleNamespace(max_tool_retries=2)
    assert find_ceiling(lambda: settings) == (2, "cpex settings")


def test_the_gateway_is_never_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mcpgateway.config", raising=False)
    before = set(sys.modules)
    find_ceiling(no_settings)
    assert not any(name.startswith("mcpgateway") for name in set(sys.modules) - before)


@pytest.mark.parametrize("value", ["x", "-1", "1.5", True, -1, 2.0, None, "", object()])
def test_what_is_no_ceiling_is_passed_over(
    value: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gateway(monkeypatch, value)
    assert find_ceiling(no_settings) == (None, "")
    assert ("is not a whole number" in caplog.text) == (isinstance(value, str) and value != "")


def test_settings_that_cannot_be_read_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ValueError("PLUGINS_ENABLED=maybe")

    monkeypatch.setenv("MAX_TOOL_RETRIES", "4")
    assert find_ceiling(broken) == (4, "environment MAX_TOOL_RETRIES")


def test_base_and_overrides_are_clamped_with_one_warning_each(
    make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MAX_TOOL_RETRIES", "1")
    plugin = make(tool_overrides={"deep": {"max_retries": 5}, "flat": {"max_retries": 0}})
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 2
    assert "max_retries=2 exceeds gateway ceiling=1" in lines[0], "its default too"
    assert "max_retries=5 exceeds gateway ceiling=1" in lines[1]
    assert "'deep'" in lines[1]
    for tool, expected in (("any", [200, 0]), ("deep", [200, 0]), ("flat", [0, 0])):
        assert [delay(plugin, FAILED, tool) for _ in range(2)] == expected
    assert call(plugin, FAILED, "deep").metadata["retry_policy"]["max_retries"] == 1


def test_get_settings_is_looked_up_where_others_patch_it(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = types.SimpleNamespace(max_tool_retries=0)
    monkeypatch.setattr(retry_with_backoff, "get_settings", lambda: settings)
    assert delay(make(), FAILED) == 0
