"""cpex-retry check: errors with their place, what the gateway would do, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cpex_retry_with_backoff.cli import main

KIND = "cpex_retry_with_backoff.retry_with_backoff.RetryWithBackoffPlugin"
GOOD = f"""\
plugins:
  - name: "Retry"
    kind: "{KIND}"
    hooks: [tool_post_invoke]
    mode: "sequential"
    config:
      max_retries: 2
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("MAX_TOOL_RETRIES", "3")


def run(tmp_path: Path, text: str, *arguments: str) -> Result:
    file = tmp_path / "plugins.yaml"
    file.write_text(text)
    result = CliRunner().invoke(main, ["check", str(file), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def lines(result: Result) -> list[str]:
    return [line.split("plugins.yaml:")[-1] for line in result.output.splitlines()]


def test_a_good_file_is_good(tmp_path: Path) -> None:
    result = run(tmp_path, GOOD, "--strict")
    assert lines(result) == ["plugin 'Retry': would be loaded", "0 errors, 0 warnings"]
    assert result.exit_code == 0


def test_all_errors_come_at_once_with_line_and_column(tmp_path: Path) -> None:
    bad = GOOD.replace(
        "max_retries: 2\n",
        """max_retries: -1
      jitter: maybe
      status_overrides:
        429: {backoff_base_ms: 0}
      tool_overrides:
        "pay-*":
          max_backoff_ms: x
          safe_tools: [a]
""",
    )
    result = run(tmp_path, bad)
    assert lines(result) == [
        "7:7: error: max_retries = -1: must be a whole number from 0 to 1000",
        "8:7: error: jitter = 'maybe': must be one of 'full', 'none', 'equal', 'decorrelated', "
        "true (full), false (none)",
        "10:15: error: status_overrides['429'].backoff_base_ms = 0: must be a whole number "
        "from 1 to 2147483647",
        "13:11: error: tool_overrides['pay-*'].max_backoff_ms = 'x': must be a whole number "
        "from 1 to 2147483647",
        "14:11: error: tool_overrides['pay-*'].safe_tools = ['a']: holds for the whole plugin, "
        "not for one tool; move safe_tools up to `config:`",
        "plugin 'Retry': would be skipped by the gateway, and retries silently off",
        "5 errors, 0 warnings",
    ]
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("replace", "by", "said"),
    [
        ("max_retries: 2", "max_retrys: 2", "7:7: warning: unknown key max_retrys is ignored; did you mean 'max_retries'?"),
        ("sequential", "fire_and_forget", "5:5: warning: mode fire_and_forget loses the retry delay"),
        ("max_retries: 2", "tool_overrides: {a: {max_retries: 9}}", "7:24: warning: tool_overrides['a']: "
         "max_retries=9 exceeds gateway ceiling=3 (from environment MAX_TOOL_RETRIES); clamped to 3"),
        ("max_retries: 2", "backoff_base_ms: 9000", "6:5: warning: base configuration: backoff_base_ms=9000 is above"),
        ("max_retries: 2", "retry_safety: strict", "4:5: warning: retry_safety without tool_pre_invoke"),
        ("[tool_post_invoke]", "[resource_post_fetch]", "4:5: warning: hooks without tool_post_invoke"),
        ("max_retries: 2", "status_overrides: {418: {max_retries: 1}}", "warning: base configuration: "
         "status_overrides['418'] is never used"),
    ],
)  # fmt: skip
def test_warnings_and_strict(tmp_path: Path, replace: str, by: str, said: str) -> None:
    result = run(tmp_path, GOOD.replace(replace, by))
    assert said in result.output
    assert result.output.endswith("0 errors, 1 warnings\n")
    assert result.exit_code == 0
    assert run(tmp_path, GOOD.replace(replace, by), "--strict").exit_code == 1


def test_retries_that_multiply_are_warned_of_with_the_product(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("RETRY_MAX_ATTEMPTS")
    assert "up to (1 + 2) x 3 = 9 requests; set RETRY_MAX_ATTEMPTS=1" in run(tmp_path, GOOD).output
    monkeypatch.setenv("RETRY_MAX_ATTEMPTS", "5")
    assert "RETRY_MAX_ATTEMPTS is 5" in run(tmp_path, GOOD).output
    assert "= 15 requests" in run(tmp_path, GOOD).output


def test_jinja_and_the_environment_are_read_as_cpex_does(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("RETRIES", "7777")
    result = run(tmp_path, GOOD.replace("max_retries: 2", "max_retries: {{ env['RETRIES'] }}"))
    assert "7:7: error: max_retries = 7777: must be" in result.output


def test_patterns_are_compiled(tmp_path: Path) -> None:
    result = run(tmp_path, GOOD.replace("max_retries: 2", 'never_retry_on_text: ["("]'))
    assert 'error: never_retry_on_text[0] = "(": must be an RE2 pattern' in result.output
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plugins: [", "cannot be read"), ("{{ nothing.at.all }}", "cannot be read"),
        ("- a\n- b\n", "must be a mapping"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str, said: str) -> None:
    result = run(tmp_path, text)
    assert said in result.output
    assert result.exit_code == 1


def test_a_file_without_our_plugin_or_with_a_broken_other_one(tmp_path: Path) -> None:
    assert "no plugin of this package is in it" in run(tmp_path, "plugins: []\n").output
    other = GOOD + "  - {name: Other}\n"
    result = run(tmp_path, other)
    assert "8:5: error: plugins.1.kind" in result.output
    assert "the gateway would not start" in result.output


def test_json_is_for_machines(tmp_path: Path) -> None:
    result = run(tmp_path, GOOD.replace("max_retries: 2", "max_retries: x"), "--format", "json")
    report = json.loads(result.output)
    assert report["errors"] == 1
    assert report["plugins"] == ["Retry"]
    finding = report["findings"][0]
    assert (finding["severity"], finding["line"], finding["column"]) == ("error", 7, 7)
    assert result.exit_code == 2
