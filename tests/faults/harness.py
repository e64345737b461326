"""Runs a piece of Python in a process of its own, with a hard time limit.

A hang is a failure: the whole process group is killed at the limit. Every script
begins with PRELUDE.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PRELUDE = """
import asyncio, gc, json, os, signal, sys, threading, time, warnings
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a background job inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = [{tests!r}]
# Python 3.12 and newer warn of every fork of a process that has threads.
warnings.filterwarnings("ignore", message=".*use of fork.*", category=DeprecationWarning)
from support import FAILED, FINE, call, context, decide, delay, plugin, stats, status, text
from cpex_retry_with_backoff import native


def churn(megabytes=65):
    '''Makes Go allocate: each build copies its configuration onto Go's heap.'''
    config = json.loads(BIG)
    for _ in range(megabytes * 2**20 // len(BIG) + 1):
        native.Engine(config).close()


BASE = {{"max_retries": 2, "backoff_base_ms": 200, "max_backoff_ms": 5000, "jitter": False,
        "retry_on_status": [500, 503], "check_text_content": False, "max_text_bytes": 1000}}
BIG = json.dumps({{
    "name": "churn", "private": True, "ceiling": None, "state_ttl_ms": 300000,
    "max_tracked_requests": 1000, "base": BASE,
    "overrides": [{{"tool": f"tool-number-{{i}}", "max_retries": 1}} for i in range(10_000)],
}})


def check(target, request="check"):
    '''Right answers, whatever happened before.'''
    answers = [delay(target, FAILED, request=request) for _ in range(3)]
    assert answers == [200, 400, 0], answers
    assert delay(target, status(404), request=request) == 0
    assert delay(target, FINE, request=request) == 0


def in_threads(count, work):
    errors = []

    def guarded(n):
        try:
            work(n)
        except BaseException as error:
            errors.append(repr(error))

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def in_child(work):
    '''Forks, runs work in the child, and demands a clean exit.'''
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, ended = os.waitpid(pid, 0)
    assert ended == 0, f"the child ended with {{ended}}"


def exercise(target):
    '''What every child has to go through: answers, threads, garbage collection.'''
    assert stats(target)["tracked"] == 0, "a child starts with no tracked requests"
    check(target)
    in_threads(4, lambda n: [check(target, f"thread-{{n}}-{{i}}") for i in range(50)])
    churn()
    check(target)
"""


def python(
    script: str,
    *,
    limit_s: float = 60,
    env: dict[str, str] | None = None,
    options: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Runs a script after PRELUDE; kills it and all its children at the limit."""
    code = PRELUDE.format(tests=str(ROOT / "tests")) + textwrap.dedent(script)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.py"  # a file, so that tracebacks show the lines
        file.write_text(code)
        process = subprocess.Popen(
            [sys.executable, *options, file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"hung for {limit_s} s\n{out[-2000:]}\n{err[-4000:]}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def passes(script: str, **options: object) -> subprocess.CompletedProcess[str]:
    """The script must end by itself, with exit code 0 and its last line "ok"."""
    ran = python(textwrap.dedent(script) + "\nprint('ok')\n", **options)  # type: ignore[arg-type]
    assert ran.returncode == 0, (
        f"exit code {ran.returncode}\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
    )
    assert ran.stdout.rstrip().endswith("ok"), ran.stdout[-2000:]
    return ran


def package_copy(folder: Path) -> Path:
    """A copy of the installed package that comes first on PYTHONPATH; its library may be changed."""
    import cpex_retry_with_backoff

    source = Path(cpex_retry_with_backoff.__file__).parent
    target = folder / "cpex_retry_with_backoff"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target
