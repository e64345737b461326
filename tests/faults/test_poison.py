"""Panics inside the library: the process lives, the call is answered, a new plugin works.

The library here is built with -tags retryfaults, which adds faults on demand.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from harness import ROOT, package_copy, passes

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on PATH")

FAULTS = """
import ctypes, logging
from cpex_retry_with_backoff.library import library_path
lines = []

class Collect(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())

logging.getLogger().addHandler(Collect())


def fault(target, kind):
    # The same file is the same library: this is the copy that the shim opened.
    library = ctypes.CDLL(str(library_path()))
    function = getattr(library, f"retry_test_{kind}")
    function.argtypes = [ctypes.c_uint64]
    return function(target._core.engine._native.handle)

POLICY = {"max_retries": 2, "backoff_base_ms": 200, "max_backoff_ms": 5000,
          "retry_on_status": [429, 500, 502, 503, 504]}

def answers_without_a_retry(target):
    answer = call(target, FAILED)
    assert answer.retry_delay_ms == 0
    assert answer.metadata == {"retry_policy": POLICY}, answer.metadata
    assert asyncio.run(target.resource_post_fetch(None, None)).metadata == {"retry_policy": POLICY}
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose package has a library with faults on demand."""
    folder = tmp_path_factory.mktemp("faulty")
    package = package_copy(folder)
    library = package / "libretry.so"
    library.unlink()  # the copy may share its inode
    built = subprocess.run(
        ["go", "build", "-tags", "retryfaults", "-buildmode=c-shared", "-o", library, "./capi"],
        cwd=ROOT, env={**os.environ, "CGO_ENABLED": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("kind", "words"),
    [("panic", "panic: on purpose, at main.retry_test_panic"),
     ("nil", "nil pointer dereference, at main.retry_test_nil")],
)  # fmt: skip
def test_a_panic_is_answered_logged_once_and_counted(
    kind: str, words: str, faulty: dict[str, str]
) -> None:
    passes(
        FAULTS
        + f"""
target = plugin("poisoned")
neighbour = plugin("poisoned")
other = plugin("unharmed")
delay(target, FAILED, request="before")
assert fault(target, {kind!r}) == 5, "RETRY_FAULT"
for _ in range(3):
    answers_without_a_retry(target)
answers_without_a_retry(neighbour)  # shares its counts
said = [line for line in lines if "could not be judged" in line]
assert len(said) == 2, said  # one for each object
assert "internal fault (5)" in said[0] and {words!r} in said[0], said
check(other)

fresh = plugin("poisoned")
check(fresh)
decisions = stats(fresh)["decisions"]
assert decisions["fault"] == 4, decisions
assert decisions["retry"] == 3, "statistics go on: " + str(decisions)
asyncio.run(target.shutdown())
asyncio.run(neighbour.shutdown())
check(fresh)
""",
        env=faulty,
    )


def test_a_panic_in_the_middle_of_an_operation_leaves_no_lock_behind(
    faulty: dict[str, str],
) -> None:
    passes(
        FAULTS
        + """
target = plugin("corrupted")
delay(target, FAILED, request="before")
assert fault(target, "corrupt") == 0
in_threads(8, lambda n: answers_without_a_retry(target))
assert any("panic: runtime error: index out of range" in line for line in lines), lines
assert stats(target)["decisions"]["fault"] == 8
check(plugin("corrupted"))
""",
        env=faulty,
    )


def test_a_child_of_a_process_with_a_poisoned_engine_is_well(faulty: dict[str, str]) -> None:
    passes(
        FAULTS
        + """
target = plugin("poisoned")
fault(target, "panic")
answers_without_a_retry(target)
in_child(lambda: exercise(target))
answers_without_a_retry(target)
""",
        env=faulty,
    )


def test_go_still_recovers_where_faulthandler_was_enabled_before(faulty: dict[str, str]) -> None:
    """Enabled afterwards it takes SIGSEGV from Go: README, "What can go wrong"."""
    passes(
        FAULTS
        + """
import faulthandler
faulthandler.enable()
target = plugin("faulthandler")
check(target)
assert fault(target, "nil") == 5
answers_without_a_retry(target)
check(plugin("faulthandler"))
""",
        env=faulty,
    )
