"""Random configurations and calls: the plugin must answer as the obvious model does."""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model import Model
from support import call, plugin, stats, traced

numbers = itertools.count()
MAX_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))

statuses = st.sampled_from([200, 400, 404, 418, 429, 500, 503, 0, 2**31 - 1])
any_status = statuses | st.sampled_from([True, "503", 503.0, None, 2**40, -1, 10**30])
tools = st.sampled_from(["a", "b", "a:b", "", "ü"])
requests = st.sampled_from(["1", "2", "b:1", ""])
flags = st.sampled_from([True, False, None, 1, "true"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


fields = {
    "max_retries": st.integers(0, 5),
    "backoff_base_ms": st.integers(1, 10_000) | st.just(2**31 - 1),
    "max_backoff_ms": st.integers(1, 10_000) | st.just(2**31 - 1),
    "retry_on_status": st.lists(statuses, max_size=5),
    "check_text_content": st.booleans(),
}
configs = some(**fields, tool_overrides=st.dictionaries(tools, some(**fields), max_size=3))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
json_errors = some(isError=st.booleans(), status_code=any_status, other=json_values)
texts = st.builds(json.dumps, json_errors | json_values) | st.text() | st.builds(
    lambda a, b: a + b, st.builds(json.dumps, json_errors), st.sampled_from(["", " ", "x", "}"])
)  # fmt: skip
items = st.fixed_dictionaries({"type": st.sampled_from(["text", "image"]), "text": texts})
structured = st.none() | some(isError=flags, status_code=any_status) | st.sampled_from([[], "x", 5])
results = st.none() | some(
    isError=flags, structuredContent=structured, content=st.lists(items, max_size=3)
)
calls = st.lists(st.tuples(tools, requests, results), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@settings(max_examples=MAX_EXAMPLES,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(configs, calls)
def test_the_plugin_answers_as_the_model(config: dict[str, Any], calls: list[Any]) -> None:
    model = Model(config)
    target = plugin(f"model-{next(numbers)}", **config)
    for tool, request, result in calls:
        answer = call(target, result, tool, request, traced())
        wanted = model.decide(tool, request, result)
        metadata = answer.metadata
        assert (answer.retry_delay_ms, metadata["retry_with_backoff"]["retry_count"]) == wanted
        assert metadata["retry_with_backoff"]["retry_delay_ms"] == wanted[0]
        policy = metadata["retry_policy"]
        assert policy == {key: model.policy(tool)[key] for key in policy}
    seen = stats(target)
    assert {k: n for k, n in seen["decisions"].items() if n} == model.reasons
    assert seen["tracked"] == len(model.failures)
    target._core.close()
