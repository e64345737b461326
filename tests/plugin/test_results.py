"""What the hooks return."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
from typing import Any

import pytest
from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult
from pydantic import BaseModel, Field, PrivateAttr
from support import FAILED, FINE, call, context, traced

from cpex_retry_with_backoff import results

POLICY = {
    "max_retries": 2,
    "backoff_base_ms": 200,
    "max_backoff_ms": 5000,
    "retry_on_status": [429, 500, 502, 503, 504],
}


def resource(target: Any) -> ResourcePostFetchResult:
    return asyncio.run(target.resource_post_fetch(None, context()))


def test_both_hooks_report_the_policy(make: Any) -> None:
    target = make()
    assert call(target, FINE).metadata == {"retry_policy": POLICY}
    assert resource(target).metadata == {"retry_policy": POLICY}


def test_an_override_is_reported_for_its_tool_alone(make: Any) -> None:
    target = make(tool_overrides={"t": {"max_retries": 7, "retry_on_status": [503, 429]}})
    own = {**POLICY, "max_retries": 7, "retry_on_status": [503, 429]}
    assert call(target, FINE, "t").metadata == {"retry_policy": own}
    assert call(target, FINE, "u").metadata == {"retry_policy": POLICY}
    assert resource(target).metadata == {"retry_policy": POLICY}


def test_an_override_of_the_empty_name_is_not_the_base(make: Any) -> None:
    target = make(tool_overrides={"": {"max_retries": 7}})
    assert call(target, FINE, "").metadata == {"retry_policy": {**POLICY, "max_retries": 7}}
    assert resource(target).metadata == {"retry_policy": POLICY}


def test_a_trace_adds_count_and_delay_to_the_tool_hook(make: Any) -> None:
    target = make(max_retries=1)
    seen = [
        call(target, r, extensions=traced()).metadata["retry_with_backoff"]
        for r in (FAILED, FAILED, FAILED, FINE)
    ]
    assert seen == [
        {"retry_count": 1, "retry_delay_ms": 200},
        {"retry_count": 2, "retry_delay_ms": 0},
        {"retry_count": 1, "retry_delay_ms": 200},
        {"retry_count": 0, "retry_delay_ms": 0},
    ]


@pytest.mark.parametrize("extensions", [None, object(), traced(""), traced(None), traced(5)])
def test_without_a_trace_id_there_is_no_trace_metadata(make: Any, extensions: Any) -> None:
    assert "retry_with_backoff" not in call(make(), FAILED, extensions=extensions).metadata


def test_the_policy_can_be_left_out(make: Any) -> None:
    target = make(emit_policy_metadata=False)
    assert call(target, FAILED).metadata == {}
    assert resource(target).metadata == {}
    assert list(call(target, FAILED, extensions=traced()).metadata) == ["retry_with_backoff"]


def test_no_two_results_share_anything_that_can_be_changed(make: Any) -> None:
    target = make()
    for answers in ([call(target, FINE), call(target, FINE)], [resource(target), resource(target)]):
        one, other = answers
        one.metadata["retry_policy"]["retry_on_status"].append(1)
        one.metadata["retry_policy"]["max_retries"] = 99
        one.metadata["more"] = 1
        one.background_tasks.append(None)
        assert other.metadata == {"retry_policy": POLICY}
        assert other.background_tasks == []
    assert call(target, FINE).metadata == {"retry_policy": POLICY}


def test_results_are_what_cpex_would_construct(make: Any) -> None:
    answer = call(make(), FAILED)
    constructed = ToolPostInvokeResult(metadata={"retry_policy": POLICY}, retry_delay_ms=200)
    assert type(answer) is ToolPostInvokeResult
    assert answer == constructed
    assert answer.model_dump() == constructed.model_dump()
    assert answer.model_copy(deep=True) == constructed
    read = resource(make())
    assert type(read) is ResourcePostFetchResult
    assert read == ResourcePostFetchResult(metadata={"retry_policy": POLICY})


def test_results_can_be_handled_as_pydantic_models_are(make: Any) -> None:
    answer = call(make(), FAILED)
    assert answer.model_fields_set == {"metadata", "retry_delay_ms"}
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert copy.deepcopy(answer) == copy.copy(answer) == answer
    assert ToolPostInvokeResult.model_validate_json(answer.model_dump_json()) == answer
    answer.retry_delay_ms = 5
    assert answer.retry_delay_ms == 5
    assert "retry_delay_ms=5" in repr(answer)


def test_results_are_copies_with_this_cpex_and_pydantic() -> None:
    """If not, the constructor is used: right, but slower than it need be."""
    assert results.tool_result.__name__ == "make"
    assert results.resource_result.__name__ == "make"


def test_where_copies_would_not_do_the_constructor_is_used() -> None:
    class Unusual(BaseModel):
        metadata: dict[str, Any] = {}
        retry_delay_ms: int = 0
        shared: Any = Field(default_factory=object)
        _private: int = PrivateAttr(default=3)

    make = results.result_maker(Unusual, retry_delay_ms=0)
    assert make.__name__ == "construct"
    assert make({"a": 1}, 7).model_dump(include={"metadata", "retry_delay_ms"}) == {
        "metadata": {"a": 1}, "retry_delay_ms": 7,
    }  # fmt: skip


@pytest.mark.parametrize("payload", [None, object(), 5])
def test_a_hook_called_with_nonsense_answers_without_a_retry(make: Any, payload: Any) -> None:
    target = make()
    for second in (None, context()):
        answer = asyncio.run(target.tool_post_invoke(payload, second))
        assert answer.retry_delay_ms == 0
        assert answer.metadata == {"retry_policy": POLICY}


def test_faults_are_logged_once(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    target = make()
    for _ in range(5):
        asyncio.run(target.tool_post_invoke(None, None))
    assert len(caplog.records) == 1
    assert "could not be judged and is not retried" in caplog.text


def test_exhaustion_is_logged_and_a_storm_is_not_a_flood(
    make: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    target = make(max_retries=0)
    for i in range(100):
        call(target, FAILED, tool=f"tool-{i % 2}", request=f"r{i}")
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 2, "one a tool"
    assert "tool 'tool-0': retries exhausted after 1 failed attempts" in lines[0]
    assert capfd.readouterr().err == "", "never raw stderr"


def test_the_next_line_says_how_many_were_left_out(
    make: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    for name in ("logs.time.monotonic", "core.monotonic"):
        monkeypatch.setattr(f"cpex_retry_with_backoff.{name}", lambda: now[0])
    target = make(max_retries=0)
    for moment in (1000.0, 1030.0, 1059.0, 1060.0):
        now[0] = moment
        call(target, FAILED)
    assert [r.getMessage().split("attempts")[1] for r in caplog.records] == [
        "", " (2 more such calls since the last line)",
    ]  # fmt: skip


def test_the_old_core_class_is_synchronous_and_has_counts_of_its_own() -> None:
    from cpex.framework import ToolPostInvokePayload

    from cpex_retry_with_backoff.retry_with_backoff_rust import RetryWithBackoffPluginCore

    payload = ToolPostInvokePayload(name="t", result=FAILED)
    for _ in range(2):
        core = RetryWithBackoffPluginCore({"jitter": False, "max_retries": 1})
        answers = [core.tool_post_invoke(payload, context(), traced()) for _ in range(2)]
        assert [a.retry_delay_ms for a in answers] == [200, 0]
        assert answers[0].metadata["retry_with_backoff"]["retry_count"] == 1
        assert core.resource_post_fetch(None, None).metadata["retry_policy"]["max_retries"] == 1
    with pytest.raises(TypeError):
        RetryWithBackoffPluginCore([])  # type: ignore[arg-type]
    RetryWithBackoffPluginCore(None)
