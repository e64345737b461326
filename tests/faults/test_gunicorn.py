"""gunicorn --preload: the plugin is used in the master, then in two forked workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from harness import PRELUDE, ROOT

pytest.importorskip("gunicorn", reason="gunicorn is not installed (requirements-dev.txt)")

APPLICATION = (
    PRELUDE.format(tests=str(ROOT / "tests"))
    + """
target = plugin("gunicorn")
delay(target, FAILED, request="the master's")
assert stats(target)["tracked"] == 1
seen = []


def application(environ, start_response):
    if not seen:
        seen.append(1)
        exercise(target)
    in_threads(4, lambda n: check(target, f"{os.getpid()}-{n}-{time.time_ns()}"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return answer.read().decode()


@pytest.mark.slow
def test_preloaded_workers_answer_right_and_end_cleanly(tmp_path: Path) -> None:
    (tmp_path / "preloaded.py").write_text(APPLICATION)
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as sink:
        master = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--timeout", "60",
             "--bind", f"127.0.0.1:{port}", "preloaded:application"],
            cwd=tmp_path, stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip
    try:
        workers: set[str] = set()
        until = time.monotonic() + 60
        while len(workers) < 2:
            assert time.monotonic() < until, log.read_text()[-4000:]
            assert master.poll() is None, log.read_text()[-4000:]
            try:
                workers.add(get(port))
            except urllib.error.HTTPError:
                raise AssertionError(log.read_text()[-4000:]) from None
            except OSError:
                time.sleep(0.2)
        assert str(master.pid) not in workers
        for _ in range(20):
            assert get(port) in workers, "no worker died"
        master.send_signal(signal.SIGTERM)
        assert master.wait(30) == 0
    finally:
        if master.poll() is None:
            os.killpg(master.pid, signal.SIGKILL)
            master.wait()
    assert "Traceback" not in log.read_text()
