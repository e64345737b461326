"""The policies that the original lacks, through the hook: from YAML options to the answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sys
import types
from collections import UserDict
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cpex.framework import GlobalContext, PluginContext, ToolPreInvokePayload
from support import FAILED, FINE, call, context, delay, plugin, status, text, traced

from cpex_retry_with_backoff.errors import RetryConfigError
from cpex_retry_with_backoff.library import lib


def structured(**content: Any) -> dict[str, Any]:
    return {"isError": True, "content": [], "structuredContent": content}


def reasons(target: Any) -> dict[str, int]:
    return {reason: n for reason, n in target.stats().decisions.items() if n}


# Tool patterns


def test_patterns_choose_the_override(make: Any) -> None:
    overrides = {"search-*": {"backoff_base_ms": 11}, "search-[ab]1": {"backoff_base_ms": 12},
                 "*": {"backoff_base_ms": 13}, "search-x": {"backoff_base_ms": 14}}  # fmt: skip
    target = make(tool_overrides=overrides)
    for tool, expected in {"search-zz": 11, "search-a1": 12, "pay": 13, "search-x": 14}.items():
        assert delay(target, FAILED, tool) == expected
        assert call(target, FINE, tool).metadata["retry_policy"]["backoff_base_ms"] == expected


def test_of_equal_patterns_the_first_in_the_file_wins(make: Any) -> None:
    a, b = {"backoff_base_ms": 1}, {"backoff_base_ms": 2}
    assert delay(make(tool_overrides={"x*": a, "*y": b}), FAILED, "xy") == 1
    assert delay(make(name="other", tool_overrides={"*y": b, "x*": a}), FAILED, "xy") == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tool_overrides": {"a[": {}}}, r"tool_overrides: the pattern \"a\[\" is malformed: a \[ is not"),
        ({"safe_tools": ["[b-a]"], "retry_safety": "strict"}, r"safe_tools: .* is backwards"),
        ({"never_retry_on_text": ["ok", "("]}, r"never_retry_on_text\[1\] = \"\(\": must be an RE2 pattern: .*missing"),
        ({"tool_overrides": {"t": {"retry_on_text": ["*"]}}}, r"tool_overrides\[\"t\"\]\.retry_on_text\[0\] = \"\*\""),
        ({"never_retry_on_text": [""]}, r"never_retry_on_text\[0\] = '': must be a list of at most 100 RE2"),
        ({"strategy": "quadratic"}, r"strategy = 'quadratic': must be one of 'exponential', 'linear', 'fixed'"),
        ({"multiplier": 0.5}, r"multiplier = 0.5: must be a number from 1 to 1000"),
        ({"multiplier": float("nan")}, r"multiplier = nan: must be"),
        ({"multiplier": True}, r"multiplier = True: must be"),
        ({"retry_safety": True}, r"retry_safety = True: must be one of 'off', 'annotated', 'strict'"),
        ({"max_elapsed_ms": 0}, r"max_elapsed_ms = 0: must be a whole number from 1 to \d+, or null"),
        ({"status_overrides": {"6xx": {}}}, r"status_overrides: the key '6xx': must be a status or a class"),
        ({"status_overrides": {429: {}, "429": {}}}, r"status_overrides: the key '429' is there twice"),
        ({"status_overrides": {True: {}}}, r"status_overrides: the key True: must be a status"),
        ({"status_overrides": {429: {"max_retries": -1}}}, r"status_overrides\['429'\]\.max_retries = -1: must be a whole"),
        ({"status_overrides": {429: 3}}, r"status_overrides\['429'\] = 3: must be a mapping of options"),
        ({"status_overrides": [429]}, r"status_overrides = \[429\]: must be a mapping from statuses"),
        ({"tool_overrides": {"t": {"status_overrides": {"5xx": {"jitter": 3}}}}},
         r"tool_overrides\['t'\]\.status_overrides\['5xx'\]\.jitter = 3: must be one of"),
        ({"retry_on_status": ["6xx"]}, r"retry_on_status\[0\] = '6xx': must be a list of"),
        ({"budget": {"tokens": 0}}, r"budget\.tokens = 0: must be a whole number from 1"),
        ({"budget": {"tokens": 3}}, r"budget: retry_cost = 5: must be at most tokens, 3"),
        ({"budget": 7}, r"budget = 7: must be true, false or a mapping"),
        ({"budget": {"scope": "host"}}, r"budget\.scope = 'host': must be one of 'tool', 'plugin'"),
        ({"tool_overrides": {"t": {"budget": {"scope": "plugin"}}}},
         r"tool_overrides\['t'\]\.budget\.scope = 'plugin': holds for the whole plugin"),
        ({"tool_overrides": {"t": {"safe_tools": ["a"]}}}, r"tool_overrides\['t'\]\.safe_tools = \['a'\]: holds for"),
        ({"never_retry_on_error_code": [1.5]}, r"never_retry_on_error_code\[0\] = 1.5: must be a list"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(RetryConfigError, match=said) as caught:
        plugin("wrong", **options)
    assert str(caught.value).startswith("plugin 'wrong': ")


def test_unknown_keys_in_nested_options_are_warned_of(make: Any, caplog: Any) -> None:
    make(status_overrides={429: {"max_retrys": 1}}, budget={"token": 5},
         tool_overrides={"t": {"budget": {"retry_costs": 1}}})  # fmt: skip
    assert [r.getMessage().split(": ", 1)[1] for r in caplog.records] == [
        "unknown key budget.token is ignored; did you mean 'tokens'?",
        "unknown key status_overrides[429].max_retrys is ignored; did you mean 'max_retries'?",
        "unknown key tool_overrides['t'].budget.retry_costs is ignored; did you mean 'retry_cost'?",
    ]


def test_what_is_ignored_is_warned_of(make: Any, caplog: Any) -> None:
    make(safe_tools=["a"], strategy="linear", jitter="Decorrelated",
         status_overrides={418: {"max_retries": 1}})  # fmt: skip
    assert [r.getMessage().split(", ", 1)[1] for r in caplog.records] == [
        "base configuration: strategy and multiplier are ignored with jitter: decorrelated",
        "base configuration: status_overrides['418'] is never used: retry_on_status does not contain it",
        "base configuration: safe_tools and unsafe_tools are ignored while retry_safety is off",
    ]


# Status overrides and strategies


def test_statuses_and_classes_have_formulas_of_their_own(make: Any) -> None:
    target = make(
        retry_on_status=[429, "5XX"], check_text_content=True,
        status_overrides={"429": {"backoff_base_ms": 1000, "max_retries": 4}, "5xx": {"backoff_base_ms": 7}},
    )  # fmt: skip
    assert delay(target, status(429)) == 1000
    assert delay(target, status(502), request="b") == 7
    assert delay(target, text('{"status_code": 429}'), request="c") == 1000
    assert delay(target, FAILED, request="d") == 200
    assert call(target, FINE).metadata["retry_policy"]["retry_on_status"] == [429, "5XX"]


def test_the_ceiling_clamps_patterns_and_status_entries(make: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "cpex_retry_with_backoff.retry_with_backoff.get_settings",
        lambda: types.SimpleNamespace(max_tool_retries=1),
    )
    target = make(
        status_overrides={429: {"max_retries": 9}}, tool_overrides={"p*": {"max_retries": 9}}
    )
    for tool in ("pay", "other"):
        assert [delay(target, status(429), tool) > 0 for _ in range(2)] == [True, False]


def test_strategies_through_the_hook(make: Any) -> None:
    for strategy, expected in {
        "Exponential": [100, 300, 900], "LINEAR": [100, 200, 300], "fixed": [100, 100, 100],
    }.items():  # fmt: skip
        target = make(name=f"strategy-{strategy}", max_retries=3, backoff_base_ms=100,
                      strategy=strategy, multiplier=3)  # fmt: skip
        assert [delay(target, FAILED) for _ in range(3)] == expected


@pytest.mark.parametrize(
    ("jitter", "low", "high"),
    [("full", 1, 200), (True, 1, 200), ("EQUAL", 100, 200), ("none", 200, 200), ("no", 200, 200),
     ("decorrelated", 200, 600)],
)  # fmt: skip
def test_jitters_through_the_hook(make: Any, jitter: Any, low: int, high: int) -> None:
    target = make(jitter=jitter)
    seen = {delay(target, FAILED, request=f"r{i}") for i in range(300)}
    assert low <= min(seen) <= low + (high - low) / 10
    assert high - (high - low) / 10 <= max(seen) <= high


# Server hints


SOON = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"retry_after": 2}, 2000), ({"retryAfter": "2"}, 2000), ({"Retry-After": 1.5}, 1500),
        ({"retry_after_seconds": "0.5"}, 500), ({"retry_after_ms": 1234.5}, 1235),
        ({"retryAfterMs": "700"}, 700), ({"headers": {"rEtRy-AfTeR": "3"}}, 3000),
        ({"headers": {"Retry-After": ["4", "9"]}}, 4000), ({"headers": {"Retry-After": []}}, 200),
        ({"retry_after": 1, "headers": {"retry-after": 2}, "retry_after_ms": 1500}, 2000),
        ({"retry_after": 0.0001}, 200), ({"retry_after": 0}, 200), ({"retry_after": -5}, 200),
        ({"retry_after": True}, 200), ({"retry_after": float("nan")}, 200),
        ({"retry_after": "soon"}, 200), ({"retry_after": [3]}, 200), ({"retry_after": None}, 200),
        ({"retry_after": -(10**400)}, 200), ({"retry_after": "\ud800"}, 200),
        ({"retry_after": 30}, 30_000), ({"retry_after": 31}, 0), ({"retry_after": 10**400}, 0),
        ({"retry_after": float("inf")}, 0), ({"retry_after": "9" * 500}, 0),
        ({"retry_after": SOON}, 0), ({"retry_after_seconds": SOON}, 200),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 200),
        ({"retryable": False}, 0), ({"retry": False}, 0), ({"headers": {"Retryable": False}}, 0),
        ({"retryable": True, "retry": None}, 200), ({"retryable": 0}, 200), ({"retryable": "false"}, 200),
        ({f"x{i}": i for i in range(50)} | {"retry_after": 2}, 2000),
    ],
)  # fmt: skip
def test_hints_in_structured_content(make: Any, content: dict[str, Any], expected: int) -> None:
    assert delay(make(), structured(**content)) == expected


def test_hints_without_end_are_read_up_to_a_bound(make: Any) -> None:
    words = ["".join(c) for c in itertools.product(*[(c, c.upper()) for c in "retry"])]
    many = {f"{word}-after": str(i % 3) for i, word in enumerate(words * 2)}
    many |= {f"{word}_after_ms": "1" for word in words}
    assert len(many) == 64
    assert delay(make(), structured(headers=many)) == 2000


def test_hints_are_found_in_meta_and_in_texts(make: Any) -> None:
    target = make(check_text_content=True, share_cooldown=False)
    assert delay(target, FAILED | {"_meta": {"retry_after": 2}}, request="a") == 2000
    assert delay(target, FAILED | {"_meta": {"retryable": False}}, request="b") == 0
    assert delay(target, text('{"isError": true, "retry_after": 2}'), request="c") == 2000
    assert delay(target, text('{"retry_after": 2}') | {"isError": True}, request="d") == 2000
    assert delay(target, text('{"retry": false}') | {"isError": True}, request="e") == 0
    beside = text('{"retry_after": 2}') | {"structuredContent": {"isError": True}}
    assert delay(target, beside, request="f") == 200, "texts beside structured content are not read"
    unread = make(name="unread", check_text_content=False)
    assert delay(unread, text('{"retry_after": 2}') | {"isError": True}) == 200


def test_an_http_date_is_waited_for(make: Any) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    assert 18_000 < delay(make(), structured(retry_after=at)) <= 20_000


def test_hints_are_read_from_mappings_of_any_sort_and_change_nothing(make: Any) -> None:
    inner = UserDict({"status_code": 503, "retry_after": 2})
    result = UserDict(
        {"structuredContent": inner, "_meta": types.MappingProxyType({"retryAfter": 3})}
    )
    assert delay(make(), result) == 3000
    assert dict(inner) == {"status_code": 503, "retry_after": 2}


def test_hints_keep_no_references(make: Any) -> None:
    hint = "2" * 3
    content = {"retry_after": hint, "headers": {"retry-after": [hint]}, "Retry-After": 1.5}
    meta = {"io.contextforge/errorCode": {"code": -32000}, "retryAfter": hint}
    result = structured(**content) | {"_meta": meta}
    target = make(never_retry_on_text=["x"])
    watched = [hint, content["headers"], meta, meta["io.contextforge/errorCode"], result]
    delay(target, result)
    before = [sys.getrefcount(thing) for thing in watched]
    for i in range(100):
        delay(target, result, request=f"r{i}")
    assert [sys.getrefcount(thing) for thing in watched] == before


def test_honor_retry_after_false_switches_hints_and_told_not_to_off(make: Any) -> None:
    target = make(honor_retry_after=False)
    assert delay(target, structured(retry_after=99, retryable=False)) == 200


def test_jitter_spreads_a_hint_by_up_to_a_tenth(make: Any) -> None:
    target = make(jitter=True, share_cooldown=False)
    seen = {delay(target, structured(retry_after=10), request=f"r{i}") for i in range(300)}
    assert 10_000 <= min(seen) < 10_100
    assert 10_900 < max(seen) <= 11_000


def test_a_cool_down_is_shared_by_the_tool_and_survives_the_rebuild(make: Any) -> None:
    assert delay(make(), structured(retry_after=2)) == 2000
    assert 1500 < delay(make(), FAILED, request="other") <= 2000
    assert delay(make(), FAILED, tool="other") == 200
    assert reasons(make()) == {"retry_hint": 1, "retry_cooldown": 1, "retry": 1}
    unshared = make(name="unshared", share_cooldown=False)
    delay(unshared, structured(retry_after=2))
    assert delay(unshared, FAILED, request="other") == 200


# Errors that never get better


def coded(code: Any, **more: Any) -> dict[str, Any]:
    return FAILED | {"_meta": {"io.contextforge/errorCode": {"code": code}}} | more


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (coded(-32602), 0), (coded(-32700), 0), (coded(-32603), 200), (coded("-32602"), 200),
        (coded(-32602.0), 200), (coded(True), 200), (coded(10**30), 200), (coded(None), 200),
        (coded(-32602, structuredContent={"status_code": 503}), 200),
        (coded(-32602, isError=False, structuredContent={"isError": True}), 0),
        (FAILED | {"_meta": {"io.contextforge/errorCode": -32602}}, 200),
        (FAILED | {"_meta": "nonsense"}, 200),
    ],
)  # fmt: skip
def test_error_codes_that_never_get_better(make: Any, result: Any, expected: int) -> None:
    assert delay(make(), result) == expected


def test_an_empty_list_of_codes_restores_the_old_behaviour(make: Any) -> None:
    assert delay(make(never_retry_on_error_code=[]), coded(-32602)) == 200


def test_texts_decide_whatever_check_text_content_says(make: Any) -> None:
    target = make(never_retry_on_text=["(?i)invalid argument"], retry_on_text=["overloaded"])
    assert delay(target, text("the model is overloaded")) == 200
    assert delay(target, text("fine"), request="b") == 0
    assert delay(target, text("INVALID argument") | {"isError": True}, request="c") == 0
    beside = text("overloaded") | {"structuredContent": {"ok": True}}
    assert delay(target, beside, request="d") == 200
    assert delay(target, text('{"isError": true}'), request="e") == 0, "it is no JSON to be judged"
    both = {"content": [{"type": "text", "text": t} for t in ("overloaded", "invalid argument")]}
    assert delay(target, both, request="f") == 0, "never beats retry"
    assert reasons(target) == {"retry": 2, "not_retryable_text": 2, "success": 2}


def test_texts_are_searched_to_65536_bytes_in_all(make: Any) -> None:
    target = make(retry_on_text=["busy"], max_text_bytes=10, check_text_content=True)
    assert delay(target, text("x" * 65_532 + "busy")) == 200
    assert delay(target, text("x" * 65_533 + "busy"), request="b") == 0
    items = [{"type": "text", "text": "é" * 32_766}, {"type": "text", "text": b"busy"}]
    assert delay(target, {"content": items}, request="c") == 200
    assert delay(target, text('{"status_code":503}' + " " * 70_000), request="d") == 0, (
        "too long to be read"
    )


# Safety


def annotated(**hints: Any) -> PluginContext:
    tool = types.SimpleNamespace(annotations=hints)
    return PluginContext(global_context=GlobalContext(request_id="r", metadata={"tool": tool}))


def retried(target: Any, where: PluginContext, result: Any = FAILED, tool: str = "t") -> bool:
    payload = types.SimpleNamespace(name=tool, result=result)
    answer = asyncio.run(target.tool_post_invoke(payload, where))
    asyncio.run(target.tool_post_invoke(types.SimpleNamespace(name=tool, result=FINE), where))
    return bool(answer.retry_delay_ms)


@pytest.mark.parametrize(
    ("hints", "in_annotated", "in_strict"),
    [
        ({}, True, False), ({"readOnlyHint": True}, True, True), ({"idempotentHint": True}, True, True),
        ({"destructiveHint": True}, False, False), ({"destructiveHint": False}, True, False),
        ({"readOnlyHint": False}, True, False),
        ({"readOnlyHint": False, "idempotentHint": False}, False, False),
        ({"readOnlyHint": True, "destructiveHint": True}, True, True),
        ({"readOnlyHint": "true", "destructiveHint": 1}, True, False), ({"readOnlyHint": None}, True, False),
    ],
)  # fmt: skip
def test_restricted_tools_are_not_retried(
    make: Any, hints: dict[str, Any], in_annotated: bool, in_strict: bool
) -> None:
    assert retried(make(retry_safety="annotated"), annotated(**hints)) is in_annotated
    assert retried(make(retry_safety="Strict"), annotated(**hints)) is in_strict
    assert retried(make(retry_safety=False), annotated(**hints))


@pytest.mark.parametrize("wrap", [dict, types.MappingProxyType, UserDict,
                                  lambda d: types.SimpleNamespace(**d)])  # fmt: skip
def test_annotations_may_be_mappings_or_objects(make: Any, wrap: Any) -> None:
    target = make(retry_safety="annotated")
    for tool in ({"annotations": wrap({"destructiveHint": True})},
                 types.SimpleNamespace(annotations=wrap({"destructiveHint": True}))):  # fmt: skip
        where = PluginContext(global_context=GlobalContext(request_id="r", metadata={"tool": tool}))
        assert not retried(target, where)


def test_lists_of_tools_beat_annotations_and_unsafe_beats_safe(make: Any) -> None:
    target = make(retry_safety="annotated", safe_tools=["pay-*"], unsafe_tools=["pay-now", "rm"])
    assert retried(target, annotated(destructiveHint=True), tool="pay-later")
    assert not retried(target, annotated(readOnlyHint=True), tool="pay-now")
    assert not retried(target, context(), tool="rm")
    assert retried(target, annotated(), tool="rm", result=status(429)), "nothing can have happened"
    assert not retried(target, annotated(), tool="rm", result=status(503))
    hint = {"structuredContent": {"status_code": 503, "retry_after": 1}}
    assert retried(target, annotated(), tool="rm", result=hint)
    assert reasons(target)["unsafe"] == 3


def test_safety_may_differ_by_tool(make: Any) -> None:
    target = make(retry_safety="strict", tool_overrides={"s*": {"retry_safety": "off"}})
    assert retried(target, annotated(), tool="search")
    assert not retried(target, annotated(), tool="pay")


def test_annotations_never_seen_are_warned_of_once(make: Any, name: str, caplog: Any) -> None:
    for _ in range(3):
        target = make(retry_safety="strict")
        for i in range(3):
            assert not delay(target, FAILED, request=f"r{i}")
    assert len(caplog.records) == 1
    assert "add tool_pre_invoke to this plugin's `hooks:`" in caplog.text
    caplog.clear()
    retried(make(name=f"{name}-seen", retry_safety="strict"), annotated(readOnlyHint=True))
    assert not caplog.records


# Budget, deadline


def test_a_budget_stops_retries_and_says_so_in_the_trace(make: Any) -> None:
    target = make(budget={"tokens": 10, "scope": "Plugin"})
    answers = [call(target, FAILED, request=f"r{i}", extensions=traced()) for i in range(3)]
    assert [a.retry_delay_ms for a in answers] == [200, 200, 0]
    traces = [a.metadata["retry_with_backoff"] for a in answers]
    assert traces[2] == {"retry_count": 1, "retry_delay_ms": 0, "throttled": 1}
    assert "throttled" not in traces[0]
    assert make(budget={"tokens": 10, "scope": "plugin"}).stats().budget[0].tokens == 0, (
        "kept by name"
    )


def test_budget_true_is_the_default_budget_and_successes_fill_it(make: Any) -> None:
    target = make(budget=True)
    delay(target, FAILED)
    call(target, status(404))  # over, without a success
    assert target.stats().budget[0].tokens == 95
    for i in range(7):
        call(target, FINE, request=f"f{i}")
    assert target.stats().budget[0].tokens == 100
    assert make(name="none", budget=False).stats().budget == ()


def begin(target: Any, request: str = "r", tool: str = "t") -> Any:
    return asyncio.run(target.tool_pre_invoke(ToolPreInvokePayload(name=tool), context(request)))


def test_the_deadline_counts_from_tool_pre_invoke(make: Any) -> None:
    from time import sleep

    target = make(max_elapsed_ms=250)
    assert delay(target, FAILED, request="not begun") == 200
    begin(target)
    sleep(0.1)
    begin(target)  # the second attempt's; only the first counts
    assert delay(target, FAILED) == 0
    assert reasons(target) == {"retry": 1, "deadline": 1}


def test_tool_pre_invoke_changes_nothing_and_never_raises(make: Any) -> None:
    target = make(max_elapsed_ms=1000)
    answer = begin(target)
    assert answer.continue_processing
    assert answer.modified_payload is None
    for payload in (None, types.SimpleNamespace(name=3), types.SimpleNamespace(name="t")):
        assert asyncio.run(target.tool_pre_invoke(payload, None)).continue_processing
    assert reasons(target) == {}, "no decision, and no fault of one"


def test_a_success_elsewhere_costs_no_native_call(make: Any) -> None:
    target = make(tool_overrides={"slow": {"max_elapsed_ms": 1000}})
    for tool in ("slow", "other"):
        call(target, FINE, tool=tool)
    begin(target, tool="slow")
    assert lib.shim_engine_free(target._core.engine._native) == 0  # whoever enters now fails
    call(target, FINE, tool="other")
    assert reasons(make()) == {"success": 3}
    call(target, FINE, tool="slow")
    assert reasons(make()) == {"success": 3, "fault": 1}, "this one ends what was begun"


# Statistics, and hosts that retry by themselves


def test_statistics_are_frozen_and_add_up(make: Any) -> None:
    target = make(max_retries=1, budget=True)
    for result in (FINE, FAILED, FAILED, status(404)):
        call(target, result)
    asyncio.run(target.tool_post_invoke(None, None))
    seen = target.stats()
    assert sum(seen.decisions.values()) == 5
    assert seen.native_faults == 1
    assert sum(seen.delays_ms.counts) == 1
    assert seen.delays_ms.counts[seen.delays_ms.bounds.index(250)] == 1
    assert seen.delays_ms.sum == 200
    with pytest.raises(FrozenInstanceError):
        seen.tracked = 3
    with pytest.raises(TypeError):
        seen.decisions["retry"] = 0
    assert isinstance(seen.decisions, Mapping)
    plain = seen.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    plain["decisions"].clear()
    plain["budget"].clear()
    assert seen.as_dict()["decisions"] == dict(seen.decisions)
    assert make().stats().as_dict() == seen.as_dict(), "kept after a rebuild"


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "linear"}, {"multiplier": 3}, {"jitter": "equal"}, {"retry_on_status": ["5xx"]},
        {"status_overrides": {429: {"max_retries": 1}}}, {"retry_on_text": ["a"]},
        {"never_retry_on_text": ["a"]}, {"retry_safety": "strict"}, {"budget": True},
        {"max_elapsed_ms": 5}, {"check_text_content": True},
    ],
)  # fmt: skip
def test_a_policy_beyond_the_native_dictionary_answers_none(
    make: Any, options: dict[str, Any]
) -> None:
    target = make(tool_overrides={"t*": options})
    assert target.to_rust_native_policy("t1", 10) is None
    assert target.to_rust_native_policy("u", 1)["maxRetries"] == 1
    assert target.to_rust_native_policy("u", 1)["jitter"] is False


def test_a_configuration_without_any_of_it_behaves_as_before(make: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    target = make()
    assert [delay(target, FAILED) for _ in range(3)] == [200, 400, 0]
    assert target.to_rust_native_policy("t", 9) == {
        "kind": "retry_with_backoff", "maxRetries": 2, "backoffBaseMs": 200, "maxBackoffMs": 5000,
        "retryOnStatus": [429, 500, 502, 503, 504], "jitter": False,
    }  # fmt: skip
