"""The demonstration, as typed in the README and through a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_goes_as_the_policy_says_and_reads_well_in_a_pipe() -> None:
    ran = subprocess.run(
        [sys.executable, "demo"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().splitlines()[-1] == "10 passed, 0 failed"
    assert "\x1b[" not in ran.stdout, "no colours in a pipe"
    assert "attempt 1  HTTP 503          retry 1 of 2 in" in ran.stdout
    assert "max_retries=9 exceeds gateway ceiling=3" in ran.stdout
    assert ran.stderr == ""


def test_the_demo_fails_when_the_policy_is_not_followed(tmp_path: Path) -> None:
    """Without the plugin's retries the exit code is 1: the demonstration can fail."""
    code = (
        "import runpy, sys; sys.path.insert(0, 'demo'); import cpex_retry_with_backoff.core as c; "
        "real = c.tool_result; c.tool_result = lambda m, d: real(m, 0); runpy.run_path('demo', run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 1
    assert "NOT AS THE POLICY SAYS: 2 attempts expected, the server saw 1" in ran.stdout
    assert ran.stdout.rstrip().splitlines()[-1] == "4 passed, 6 failed"
