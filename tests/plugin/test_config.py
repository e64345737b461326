"""Configurations: what is refused and how it is said, what is warned of."""

from __future__ import annotations

import copy
import logging
import math
from typing import Any

import pytest
from cpex.framework import PluginConfig
from hypothesis import given
from hypothesis import strategies as st
from support import FAILED, KIND, call, delay

from cpex_retry_with_backoff import RetryConfig, RetryWithBackoffPlugin
from cpex_retry_with_backoff.config import load_config
from cpex_retry_with_backoff.errors import RetryConfigError


def test_all_errors_are_reported_at_once_with_tool_field_value_and_what_is_allowed() -> None:
    raw = {
        "max_retries": -1,
        "jitter": "maybe",
        "retry_on_status": [500, "x"],
        "state_ttl_ms": 0,
        "tool_overrides": {"search": {"max_backoff_ms": 1.5}, "pay": None, 7: {}},
    }
    with pytest.raises(RetryConfigError) as caught:
        load_config(raw, "mine")
    assert str(caught.value).splitlines() == [
        "plugin 'mine': 7 errors in its configuration:",
        "  max_retries = -1: must be a whole number from 0 to 1000",
        "  jitter = 'maybe': must be one of 'full', 'none', 'equal', 'decorrelated', "
        "true (full), false (none)",
        "  retry_on_status[1] = 'x': must be a list of at most 1000 whole numbers "
        "from 0 to 2147483647 or classes from 1xx to 5xx",
        "  tool_overrides['search'].max_backoff_ms = 1.5: must be a whole number "
        "from 1 to 2147483647",
        "  tool_overrides['pay'] = None: must be a mapping of options",
        "  tool_overrides: the key 7: must be a tool name (text)",
        "  state_ttl_ms = 0: must be a whole number from 1 to 2147483647",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.5, -1, 2**64, None, "", "x", [1], True])
@pytest.mark.parametrize(
    "field",
    ["max_retries", "backoff_base_ms", "max_backoff_ms", "max_text_bytes", "state_ttl_ms",
     "max_tracked_requests"],
)  # fmt: skip
def test_what_is_no_number_in_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(RetryConfigError, match=rf"\n  {field} = .*: must be a whole number from"):
        load_config({field: value}, "p")


def test_options_of_the_whole_plugin_are_refused_in_an_override() -> None:
    with pytest.raises(RetryConfigError, match=r"tool_overrides\['t'\]\.state_ttl_ms = 5: holds"):
        load_config({"tool_overrides": {"t": {"state_ttl_ms": 5}}}, "p")


@pytest.mark.parametrize("raw", [[], "x", 5, [{"max_retries": 1}]])
def test_a_configuration_that_is_no_mapping_is_refused(raw: Any) -> None:
    with pytest.raises(RetryConfigError, match="must be a mapping of options"):
        load_config(raw, "p")


def test_values_are_coerced_as_yaml_with_quotes_needs_it() -> None:
    quoted = {"max_retries": "3", "jitter": "no", "retry_on_status": ["500"]}
    config = load_config({**quoted, "tool_overrides": {"t": quoted}}, "p")
    for fields in (config, config.tool_overrides["t"]):
        assert (fields.max_retries, fields.jitter, fields.retry_on_status) == (3, False, [500])


def test_defaults_are_those_of_the_original_and_what_is_new_is_off_but_for_hints_and_codes() -> (
    None
):
    assert load_config(None, "p") == load_config({}, "p") == RetryConfig()
    new = {
        "strategy": "exponential", "multiplier": 2.0, "status_overrides": {},
        "honor_retry_after": True, "max_retry_after_ms": 30_000, "share_cooldown": True,
        "never_retry_on_error_code": [-32700, -32600, -32601, -32602],
        "never_retry_on_text": [], "retry_on_text": [], "retry_safety": "off",
        "safe_tools": [], "unsafe_tools": [], "budget": None, "max_elapsed_ms": None,
        "metrics": None,
    }  # fmt: skip
    assert RetryConfig().model_dump() == new | {
        "max_retries": 2,
        "backoff_base_ms": 200,
        "max_backoff_ms": 5000,
        "retry_on_status": [429, 500, 502, 503, 504],
        "jitter": True,
        "check_text_content": False,
        "max_text_bytes": 2**20,
        "tool_overrides": {},
        "state_ttl_ms": 300_000,
        "max_tracked_requests": 100_000,
        "emit_policy_metadata": True,
    }


def test_unknown_keys_warn_with_the_nearest_known_key(caplog: pytest.LogCaptureFixture) -> None:
    raw = {"max_retrys": 3, "zzz": 1, "tool_overrides": {"t": {"jiter": False}}}
    load_config(raw, "p")
    assert [r.getMessage() for r in caplog.records] == [
        "plugin 'p': unknown key max_retrys is ignored; did you mean 'max_retries'?",
        "plugin 'p': unknown key zzz is ignored",
        "plugin 'p': unknown key tool_overrides['t'].jiter is ignored; did you mean 'jitter'?",
    ]


def test_the_callers_configuration_is_never_changed(make: Any) -> None:
    raw = {"max_retries": "9", "tool_overrides": {"t": {"max_retries": 8}}, "x": [1]}
    before = copy.deepcopy(raw)
    plugin = RetryWithBackoffPlugin(PluginConfig(name="untouched", kind=KIND, config=raw))
    call(plugin, FAILED).metadata["retry_policy"]["retry_on_status"].append(1)
    assert raw == before


def test_a_base_above_the_maximum_is_accepted_with_a_warning(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = make(backoff_base_ms=900, max_backoff_ms=100)
    assert "backoff_base_ms=900 is above max_backoff_ms=100" in caplog.text
    assert delay(plugin, FAILED) == 100


def test_fire_and_forget_is_warned_of(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    make(mode="fire_and_forget")
    assert "mode fire_and_forget loses the retry delay" in caplog.text
    caplog.clear()
    make(mode="concurrent")
    assert caplog.text == ""


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
known_keys = st.sampled_from([*RetryConfig.model_fields, "typo"])
options = st.dictionaries(known_keys, json_like, max_size=4)


@given(options, st.dictionaries(st.text(max_size=3), options | json_like, max_size=2))
def test_any_configuration_is_accepted_or_refused_with_words(raw: Any, overrides: Any) -> None:
    logging.disable(logging.CRITICAL)
    try:
        raw = {**raw, "tool_overrides": overrides}
        before = repr(raw)
        try:
            config = RetryWithBackoffPlugin(
                PluginConfig.model_construct(name="any", kind=KIND, mode="sequential", config=raw)
            )
        except RetryConfigError as error:
            assert "must be" in str(error) or "holds for the whole plugin" in str(error)
        else:
            assert call(config, FAILED).retry_delay_ms >= 0
            config._core.close()
        assert repr(raw) == before
    finally:
        logging.disable(logging.NOTSET)
