"""cpex-retry explain: the override, the policy, the rules, the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cpex_retry_with_backoff.cli import main
from cpex_retry_with_backoff.cli.explain import RETRIED, RULES
from cpex_retry_with_backoff.native import REASONS

YAML = """\
plugins:
  - name: Retry
    kind: cpex_retry_with_backoff.RetryWithBackoffPlugin
    hooks: [tool_post_invoke]
    config:
      jitter: false
      max_retries: 2
      never_retry_on_text: ["never"]
      tool_overrides:
        "search-*": {backoff_base_ms: 50, retry_on_status: [429, "5xx"]}
        pay: {max_retries: 0}
"""


def explain(tmp_path: Path, *arguments: str) -> Result:
    file = tmp_path / "plugins.yaml"
    file.write_text(YAML)
    return CliRunner().invoke(main, ["explain", str(file), *arguments])


def explained(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    result = explain(tmp_path, *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def test_every_reason_is_a_rule_or_a_way_to_be_retried() -> None:
    assert {*RULES, *RETRIED, "fault"} == set(REASONS)


def test_the_override_and_why(tmp_path: Path) -> None:
    found = explained(tmp_path, "--tool", "search-web", "--status", "503")
    assert found["override"] == "search-*"
    assert "most characters outside wildcards" in found["why"]
    sources = {o["name"]: (o["value"], o["source"]) for o in found["policy"]}
    assert sources["backoff_base_ms"] == (50, "tool_overrides['search-*']")
    assert sources["max_retries"] == (2, "config")
    assert sources["max_backoff_ms"] == (5000, "default")
    assert explained(tmp_path, "--tool", "pay")["why"] == "its key is the tool's name"
    assert explained(tmp_path, "--tool", "x")["override"] is None


def test_the_answers_until_there_is_no_retry(tmp_path: Path) -> None:
    found = explained(tmp_path, "--tool", "search-web", "--status", "503")
    assert [(d["reason"], d["max_delay_ms"]) for d in found["decisions"]] == [
        ("retry", 50), ("retry", 100), ("exhausted", 0),
    ]  # fmt: skip
    assert [r["said"] for r in found["rules"]] == ["no"] * 10 + ["YES"]


@pytest.mark.parametrize(
    ("result", "reason", "fact"),
    [
        ({"isError": False}, "success", "nothing that tells of an error"),
        ({"isError": True, "structuredContent": {"status_code": 404}}, "not_retryable_status", "status_code is 404"),
        ({"isError": True, "_meta": {"io.contextforge/errorCode": {"code": -32602}}}, "not_retryable_code", "-32602"),
        ({"isError": True, "content": [{"type": "text", "text": "never"}]}, "not_retryable_text", "1 texts"),
        ({"isError": True, "_meta": {"retryable": False}}, "told_not_to", "not retryable"),
        ({"isError": True, "_meta": {"retry_after": 99}}, "hint_too_long", "a hint: 99.0 (seconds or a date)"),
        ({"isError": True, "_meta": {"retry_after_ms": "700"}}, "retry_hint", "milliseconds"),
    ],
)  # fmt: skip
def test_a_result_from_a_file_is_judged_rule_by_rule(
    tmp_path: Path, result: dict[str, Any], reason: str, fact: str
) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(result))
    found = explained(tmp_path, "--tool", "x", "--result", str(file))
    assert found["decisions"][0]["reason"] == reason
    assert any(fact in words for words in found["facts"])
    said = {rule["reason"]: rule["said"] for rule in found["rules"]}
    assert said["retry" if reason in RETRIED else reason] == "YES"
    assert list(said.values()).count("YES") == 1


def test_the_text_for_a_person(tmp_path: Path) -> None:
    output = explain(tmp_path, "--tool", "pay", "--status", "503").output
    assert "plugin 'Retry', tool 'pay'" in output
    assert "override: tool_overrides['pay']: its key is the tool's name" in output
    assert "attempt 1 with this result: no retry (exhausted)" in output


def test_mistakes_are_said(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    assert "is no JSON" in explain(tmp_path, "--tool", "x", "--result", str(bad)).output
    both = explain(tmp_path, "--tool", "x", "--result", str(bad), "--status", "5")
    assert "exclude each other" in both.output
    assert "there are: 'Retry'" in explain(tmp_path, "--tool", "x", "--plugin", "Other").output
