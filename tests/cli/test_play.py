"""cpex-retry schedule, simulate and doctor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cpex_retry_with_backoff.cli import charts, main

YAML = """\
plugins:
  - name: Retry
    kind: cpex_retry_with_backoff.RetryWithBackoffPlugin
    hooks: [tool_post_invoke]
    config:
      max_retries: 3
      backoff_base_ms: 100
      jitter: false
      CONFIG
"""


def write(tmp_path: Path, name: str = "plugins.yaml", config: str = "budget: false") -> Path:
    file = tmp_path / name
    file.write_text(YAML.replace("CONFIG", config))
    return file


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


GOLDEN_SCHEDULE = """\
┏━━━━━━━┳━━━━━━━━┳━━━━━━━━━┳━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━━┓
┃ retry ┃ min ms ┃ mean ms ┃ p95 ms ┃ max ms ┃ elapsed ms ┃
┡━━━━━━━╇━━━━━━━━╇━━━━━━━━━╇━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━━┩
│     1 │    100 │     100 │    100 │    100 │        100 │
│     2 │    200 │     200 │    200 │    200 │        300 │
│     3 │    400 │     400 │    400 │    400 │        700 │
└───────┴────────┴─────────┴────────┴────────┴────────────┘
"""


def test_a_schedule_from_a_file_and_from_options_is_the_same(tmp_path: Path) -> None:
    assert run("schedule", write(tmp_path)) == GOLDEN_SCHEDULE
    assert (
        run("schedule", "--max-retries", 3, "--base-ms", 100, "--jitter", "none") == GOLDEN_SCHEDULE
    )


def test_a_schedule_is_drawn_from_the_engine() -> None:
    waits = json.loads(
        run("schedule", "--max-retries", 2, "--jitter", "equal", "--format", "json")
    )["waits"]
    assert (waits[0]["min_ms"], waits[0]["max_ms"]) == (100, 200)
    assert 148 < waits[0]["mean_ms"] < 152
    linear = json.loads(
        run("schedule", "--strategy", "linear", "--jitter", "none", "--format", "json")
    )
    assert [w["max_ms"] for w in linear["waits"]] == [200, 400]


def test_a_schedule_for_a_tool_and_a_status(tmp_path: Path) -> None:
    file = write(
        tmp_path, config="status_overrides: {429: {max_retries: 1, backoff_base_ms: 1000}}"
    )
    waits = json.loads(run("schedule", file, "--status", 429, "--format", "json"))["waits"]
    assert [w["max_ms"] for w in waits] == [1000]
    assert "no retries" in run("schedule", "--max-retries", 0)


def test_mistakes_of_a_schedule_are_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["schedule", str(write(tmp_path)), "--base-ms", "5"])
    assert "exclude each other" in result.output
    result = CliRunner().invoke(main, ["schedule", "--jitter", "some"])
    assert "jitter = 'some': must be one of" in result.output


def simulated(*arguments: object) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = json.loads(run("simulate", *arguments, "--format", "json"))[
        "outcomes"
    ]
    return outcomes


def test_a_simulation_compares_two_configurations(tmp_path: Path) -> None:
    plain, careful = write(tmp_path), write(tmp_path, "careful.yaml", "budget: {tokens: 20}")
    one, other = simulated(plain, "--against", careful)
    assert one["calls"] == other["calls"], "the same load"
    assert one["attempts"] - one["calls"] > 5 * (other["attempts"] - other["calls"])
    assert other["decisions"]["budget"] > 0
    table = run("simulate", plain, "--against", careful)
    for word in (
        "attempts for each call",
        "in the worst moment",
        "decisions: budget",
        "careful.yaml",
    ):
        assert word in table, table


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        config="jitter: true\n      x: 1".replace("jitter: true\n      x: 1", "state_ttl_ms: 9000"),
    )
    a, b, c = (simulated(file, "--fail-rate", 0.2, "--seed", s) for s in (1, 1, 2))
    assert a == b
    assert a != c


def test_a_load_out_of_bounds_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["simulate", str(write(tmp_path)), "--rps", "0"])
    assert "rps = 0: must be above 0" in result.output
    result = CliRunner().invoke(main, ["simulate", str(write(tmp_path)), "--outage", "soon"])
    assert "'soon' is no duration" in result.output


def test_control_c_ends_a_long_simulation_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from cpex_retry_with_backoff.cli import main; main()",
               "simulate", write(tmp_path), "--rps", "5000", "--duration", "1h"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))  # fmt: skip
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"Aborted!" in errors
    assert b"Traceback" not in errors + output


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_pictures_are_drawn(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    waits, load = tmp_path / f"waits.{ending}", tmp_path / f"load.{ending}"
    assert "drawn: " in run("schedule", "--max-retries", 4, "--plot", waits)
    run("simulate", write(tmp_path), "--plot", load)
    for file in (waits, load):
        assert file.stat().st_size > 5000
    before = waits.read_bytes()
    run("schedule", "--max-retries", 4, "--plot", waits)
    assert waits.read_bytes() == before, "the same picture is the same file"
    result = CliRunner().invoke(main, ["schedule", "--plot", str(tmp_path / "x.unknown")])
    assert "cannot be drawn" in result.output


def test_without_matplotlib_there_is_a_chart_and_a_word(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = run("schedule", "--jitter", "none", "--plot", tmp_path / "x.svg")
    assert "pip install 'cpex-retry-with-backoff[plot]'" in said
    assert "retry 2 ██████████████████████████████████████████████████ 400 ms" in said
    said = run("simulate", write(tmp_path), "--plot", tmp_path / "x.svg")
    assert "attempts for each call" in said
    assert "█ 4." in said or "█ 3." in said
    assert not list(tmp_path.glob("x.*"))


def test_bars_are_as_long_as_their_numbers() -> None:
    assert charts.bars("t", [("a", 1, "one"), ("bb", 2, "two")]) == (
        "t\n   a █████████████████████████ one\n  bb " + "█" * 50 + " two"
    )


def test_the_doctor_finds_a_healthy_library() -> None:
    said = run("doctor")
    for words in ("platform: ", "cpex: ", "pydantic: ", "libretry.so", "ABI 2, built with go1.",
                  "ceiling: ", "no files of it are in the way",
                  "retry 200 ms, retry 400 ms, exhausted, success: right"):  # fmt: skip
        assert words in said, said


def test_the_doctor_names_what_is_in_the_way(monkeypatch: Any, tmp_path: Path) -> None:
    from cpex_retry_with_backoff import library

    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    (tmp_path / "retry_with_backoff_rust.abi3.so").touch()
    result = CliRunner().invoke(main, ["doctor"])
    assert "FAILED: RuntimeError: retry_with_backoff_rust.abi3.so" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "command", [["cpex-retry"], [sys.executable, "-m", "cpex_retry_with_backoff"]]
)
def test_the_command_is_installed(command: list[str], tmp_path: Path) -> None:
    if command == ["cpex-retry"]:
        command = [str(Path(sys.executable).with_name("cpex-retry"))]
    for arguments in (["--help"], ["check", str(write(tmp_path))], ["doctor"]):
        ran = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "RETRY_MAX_ATTEMPTS": "1"})  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "cpex-retry" in ran.stdout or "would be loaded" in ran.stdout


def test_the_shell_can_complete_it() -> None:
    command = Path(sys.executable).with_name("cpex-retry")
    ran = subprocess.run([command], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "_CPEX_RETRY_COMPLETE": "bash_source"})  # fmt: skip
    assert "complete -o nosort -F _cpex_retry_completion cpex-retry" in ran.stdout
