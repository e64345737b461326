"""Runs the tests with every Python, cpex and pydantic that is supported: tests/matrix.py WHEEL

Each combination has an environment of its own under .cache/matrix. Pythons that the
machine does not have are skipped and named. Exit code 0 only if all that ran passed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from environments import environment, interpreter

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "matrix"
PYTHONS = ("3.11", "3.12", "3.13")
TESTS = ("tests/contract", "tests/plugin", "tests/cli")
ONCE_A_PYTHON = ("tests/faults",)
"""Forks, signals and threads differ from Python to Python, not from cpex to cpex."""
LIMIT_S = 900


@dataclass(frozen=True)
class Versions:
    """A set of versions that exists in the field."""

    name: str
    requirements: tuple[str, ...]


# cpex up to 0.1.2 does not cap mcp and breaks with mcp 2.
SETS = (
    Versions("oldest", ("cpex==0.1.0rc1", "mcp<2", "pydantic==2.12.5")),
    Versions("cpex-0.1.3", ("cpex==0.1.3", "pydantic")),
    Versions("old-pydantic", ("cpex==0.1.4", "pydantic==2.12.5")),
    Versions("newest", ("cpex>=0.1.4,<0.2", "pydantic")),
)


def run(python: str, version: str, versions: Versions, wheel: str) -> tuple[bool, str]:
    """Tests one combination; returns (passed, pytest's closing line)."""
    wanted = (*versions.requirements, "pytest", "hypothesis", "gunicorn", "uvloop")
    inside = environment(python, CACHE / f"{version}-{versions.name}", wanted, wheel)
    tests = (*TESTS, *ONCE_A_PYTHON) if versions is SETS[-1] else TESTS
    command = [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    if ran.returncode:
        print(ran.stdout[-8000:], ran.stderr[-2000:], flush=True)
    return ran.returncode == 0, ran.stdout.strip().splitlines()[-1]


def main(wheel: str) -> int:
    passed = failed = skipped = 0
    for version in PYTHONS:
        python = interpreter(version)
        if python is None:
            print(f"Python {version}: SKIPPED, no such interpreter on PATH or under pyenv")
            skipped += len(SETS)
            continue
        for versions in SETS:
            started = time.monotonic()
            good, closing = run(python, version, versions, wheel)
            passed, failed = passed + good, failed + (not good)
            words = " ".join(versions.requirements)
            took = f"{time.monotonic() - started:.0f} s"
            print(f"Python {version}  {words:<42} {closing}  [{took}]", flush=True)
    print(f"matrix: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
