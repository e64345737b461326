"""Ours against the recorded answers of the real upstream wheels."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import driver
import pytest
from cases import NATIVE_CALLS, all_cases
from differences import DIFFERENCES, REFUSED, SUCCESS_REMOVES_THE_STATE

VECTORS = {
    version: json.loads((Path(__file__).parent / "vectors" / f"{version}.json").read_text())
    for version in ("0.3.1", "0.3.11")
}
REFERENCE = VECTORS["0.3.1"]["cases"]
DIFFERENT = {case: d for d in DIFFERENCES for case in d.expected}
CASES = {case.name: (i, case) for i, case in enumerate(all_cases())}


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def delays(answer: dict[str, Any]) -> Any:
    """The delays of a case's calls, or REFUSED."""
    if "refused" in answer:
        return REFUSED
    return [call[0] if isinstance(call, list) else call for call in answer["calls"]]


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return {name: through_json(driver.run_case(c, f"/{i}")) for name, (i, c) in CASES.items()}


def test_the_recorded_answers_belong_to_these_cases() -> None:
    for version, vectors in VECTORS.items():
        assert vectors["asked"] == driver.digest(), f"record {version} again: record.py"
        assert set(vectors["cases"]) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_decisions_are_those_of_the_reference(name: str, ours: dict[str, Any]) -> None:
    different = DIFFERENT.get(name)
    expected = different.expected[name] if different else delays(REFERENCE[name])
    assert delays(ours[name]) == expected, different.reason if different else "as 0.3.1"


@pytest.mark.parametrize("name", DIFFERENT)
def test_an_intended_difference_is_one(name: str) -> None:
    assert DIFFERENT[name].reason
    assert DIFFERENT[name].expected[name] != delays(REFERENCE[name])


OTHER_METADATA = {case for d in DIFFERENCES for case in (*d.expected, *d.other_metadata)}
WITH_METADATA = [n for n in CASES if n not in OTHER_METADATA and "calls" in REFERENCE[n]]


@pytest.mark.parametrize("name", WITH_METADATA)
def test_the_policy_metadata_is_that_of_the_reference(name: str, ours: dict[str, Any]) -> None:
    for ours_call, reference in zip(ours[name]["calls"], REFERENCE[name]["calls"], strict=True):
        policy = {"retry_policy": ours_call[1]["retry_policy"]}
        assert policy == reference[1]
        assert list(policy["retry_policy"]) == list(ours_call[1]["retry_policy"])
    assert ours[name]["resource"] == REFERENCE[name]["resource"]


def test_trace_metadata_is_that_of_0_3_11(ours: dict[str, Any]) -> None:
    name = "metadata with a trace"
    reference = VECTORS["0.3.11"]["cases"][name]["calls"]
    traced = [call[1].get("retry_with_backoff") for call in ours[name]["calls"]]
    assert traced == [call[1].get("retry_with_backoff") for call in reference]
    assert sum(t is not None for t in traced) == 6, "an empty or missing trace id is none"


def test_clamping_is_logged_in_the_words_that_log_searches_know(ours: dict[str, Any]) -> None:
    for name, reference in REFERENCE.items():
        for line in reference.get("clamps", []):
            words = line.split(": ", 1)[1].removesuffix(", clamping")
            assert any(words in own for own in ours[name]["clamps"]), line
    assert len(ours["ceiling below an override"]["clamps"]) == 1, "upstream says nothing here"


def test_no_configuration_is_changed(ours: dict[str, Any]) -> None:
    touched = [name for name, answer in ours.items() if not answer.get("config_untouched", True)]
    assert touched == []


def test_every_refusal_names_the_field_and_what_is_allowed(ours: dict[str, Any]) -> None:
    for name, answer in ours.items():
        if "refused" in answer:
            assert answer["refused"] == "RetryConfigError"
            field = name.split(" ", 1)[1].split("=")[0]
            assert field in answer["message"] or name == "config a list"
            assert "must be" in answer["message"]


def test_an_override_above_the_base_is_reported_as_written(ours: dict[str, Any]) -> None:
    assert ours["metadata of overrides"]["calls"][0][1]["retry_policy"]["max_retries"] == 4
    reference = REFERENCE["metadata of overrides"]["calls"][0][1]
    assert reference["retry_policy"]["max_retries"] == 2, "cut to the plugin's own"


def test_the_old_native_class_answers_as_0_3_11() -> None:
    """0.3.1's managers share one table of counts; 0.3.11's and ours have their own."""
    answers = through_json(driver.run_native())
    expected = copy.deepcopy(VECTORS["0.3.11"]["native"])
    calls = next(calls for name, _, calls in NATIVE_CALLS if name == "plain")
    after_success = calls.index(("record_success", "t", "r")) + 1
    assert calls[after_success] == ("state_count",)
    expected["plain"][after_success] -= 1
    assert answers == expected, SUCCESS_REMOVES_THE_STATE


def test_to_rust_native_policy_answers_as_0_3_1() -> None:
    assert through_json(driver.run_policies()) == VECTORS["0.3.1"]["policies"]
